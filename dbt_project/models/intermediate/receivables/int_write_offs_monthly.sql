-- What was given up of a document in a month. One row per month_end_date, invoice_id.
with
    write_offs as (
        select
            invoice_id,
            moved_amount,
            cast({{ dbt.date_trunc("month", "effective_date") }} as date) as month_start_date
        from {{ ref("int_movements_dated") }}
        where movement_type = 'write_off'
    )

select
    cast({{ dbt.dateadd("day", -1, dbt.dateadd("month", 1, "month_start_date")) }} as date) as month_end_date,
    invoice_id,
    {{ money("sum(moved_amount)") }} as written_off_amount
from write_offs
group by month_start_date, invoice_id
