-- What was collected in the last full month by each run date, beside the mean of the three months before.
-- One row per as_of_date, entity_id, currency_code that has three such months.
with
    periods as (select * from {{ ref("int_periods_opened") }} where is_run_date),
    months as (select * from {{ ref("fct_ar_rollforward") }} where is_complete_month and entity_id <> 'ALL'),
    before_them as (
        select * from {{ ref("fct_ar_rollforward") }} where is_complete_month and entity_id <> 'ALL'
    ),

    last_months as (
        select periods.as_of_date, max(months.month_end_date) as month_end_date
        from periods
        inner join months on months.month_end_date <= periods.as_of_date
        group by periods.as_of_date
    )

select
    last_months.as_of_date,
    last_months.month_end_date,
    months.entity_id,
    months.currency_code,
    months.collected_amount,
    {{ money("sum(before_them.collected_amount)") }} as collected_before_amount
from last_months
inner join months on months.month_end_date = last_months.month_end_date
inner join
    before_them
    on before_them.entity_id = months.entity_id
    and before_them.currency_code = months.currency_code
    and before_them.month_end_date < months.month_end_date
    and before_them.month_end_date >= cast({{ dbt.dateadd("day", -100, "months.month_end_date") }} as date)
group by
    last_months.as_of_date,
    last_months.month_end_date,
    months.entity_id,
    months.currency_code,
    months.collected_amount
having count(*) = 3
