-- Month ends of the run whose month before ended on a date of the run, too. One row per month_end_date.
with
    months as (select * from {{ ref("int_months_dated") }} where is_complete_month),
    before_them as (select month_end_date from {{ ref("int_months_dated") }} where is_complete_month)

select months.month_end_date, months.month_opening_date as previous_month_end_date
from months
inner join before_them on before_them.month_end_date = months.month_opening_date
