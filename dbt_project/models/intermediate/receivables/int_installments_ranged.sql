-- Instalments and what stands due after each. One row per invoice_id, installment_number.
-- Applied amounts settle the earliest due first, so what is open stands on the latest.
with installments as (select * from {{ ref("stg_installments") }})

select
    invoice_id,
    installment_number,
    installment_amount,
    coalesce(
        sum(installment_amount) over (
            partition by invoice_id
            order by due_date desc, installment_number desc
            rows between unbounded preceding and 1 preceding
        ),
        0
    ) as later_amount,
    row_number() over (partition by invoice_id order by due_date, installment_number) as due_order,
    due_date
from installments
