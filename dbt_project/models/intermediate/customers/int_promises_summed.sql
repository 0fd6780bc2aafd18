-- How often a customer broke its word in the 365 days up to the run date. One row per as_of_date,
-- customer_id that made promises. A promise is broken on the day after the promised one.
with judged as (select * from {{ ref("int_promises_judged") }})

select
    as_of_date,
    customer_id,
    count(
        case
            when status = 'broken' and {{ days_between("promised_date", "as_of_date") }} < 365 then promise_id
        end
    ) as broken_promise_count,
    max(case when status = 'broken' then promised_date end) as last_broken_promise_date
from judged
group by as_of_date, customer_id
