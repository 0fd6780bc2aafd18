-- A letter that the last run decided is the letter of one decision on that date, about the same customer and
-- level.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    letters as (
        select letters.*
        from {{ ref("fct_letters") }} as letters
        inner join run_dates on run_dates.as_of_date = letters.decided_as_of_date
        where letters.is_of_last_run
    )

select
    letters.letter_id,
    letters.decided_as_of_date,
    letters.entity_id,
    letters.customer_id,
    letters.currency_code,
    letters.level
from letters
left join
    {{ ref("fct_dunning_decisions") }} as decisions
    on decisions.letter_id = letters.letter_id
    and decisions.as_of_date = letters.decided_as_of_date
    and decisions.entity_id = letters.entity_id
    and decisions.customer_id = letters.customer_id
    and decisions.currency_code = letters.currency_code
    and decisions.level = letters.level
    and decisions.decision = 'letter'
where decisions.letter_id is null
