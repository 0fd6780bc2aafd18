-- What is contested on each date: from opened_date to the day before resolved_date. One row per as_of_date,
-- invoice_id.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }} where is_run_date),
    disputes as (select * from {{ ref("int_disputes_unioned") }})

select
    as_of_dates.as_of_date,
    disputes.invoice_id,
    {{ money("sum(disputes.disputed_amount)") }} as disputed_amount
from as_of_dates
inner join
    disputes
    on disputes.opened_date <= as_of_dates.as_of_date
    and (disputes.resolved_date is null or disputes.resolved_date > as_of_dates.as_of_date)
group by as_of_dates.as_of_date, disputes.invoice_id
