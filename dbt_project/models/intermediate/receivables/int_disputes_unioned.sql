-- What is contested, by disputes of the ledger and by amounts that customers withheld. One row per
-- dispute_id.
-- What was withheld is contested until it is settled, or until the ledger has a dispute of its own for it.
with
    disputes as (
        select
            *,
            row_number() over (
                partition by invoice_id, disputed_amount order by opened_date, dispute_id
            ) as turn
        from {{ ref("stg_disputes") }}
    ),

    deductions as (
        select
            *,
            row_number() over (
                partition by invoice_id, deduction_amount order by deducted_date, deduction_id
            ) as turn
        from {{ ref("int_deductions_judged") }}
        where opens_dispute
    ),

    withheld as (
        select
            deductions.*,
            case
                when
                    disputes.opened_date < coalesce(deductions.resolved_date, cast('9999-12-31' as date))
                    and coalesce(disputes.resolved_date, cast('9999-12-31' as date))
                    > deductions.deducted_date
                then greatest(disputes.opened_date, deductions.deducted_date)
                else deductions.resolved_date
            end as contested_before
        from deductions
        left join
            disputes
            on disputes.invoice_id = deductions.invoice_id
            and disputes.disputed_amount = deductions.deduction_amount
            and disputes.turn = deductions.turn
    )

select
    dispute_id,
    invoice_id,
    'ledger' as dispute_source,
    disputed_amount,
    reason_code,
    owner_email,
    product,
    site,
    carrier,
    opened_date,
    resolved_date
from disputes
union all
select
    deduction_id,
    invoice_id,
    'deduction',
    deduction_amount,
    reason_code,
    null,
    null,
    null,
    null,
    deducted_date,
    contested_before
from withheld
where contested_before is null or contested_before > deducted_date
