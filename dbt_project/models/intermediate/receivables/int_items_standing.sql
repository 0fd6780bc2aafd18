-- Open items summed by what decides their bucket, on every date of the run. No key: two rows may differ in
-- nothing.
-- Documents are first summed by the dates of the run between which they stand, so that what is joined to
-- those dates
-- is a few thousand sums and not every document for every month end.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    balances as (select * from {{ ref("int_balances_dated") }} where not has_installments),

    days as (
        select from_date as day_date
        from balances
        union
        select before_date as day_date
        from balances
    ),

    next_dates as (
        select days.day_date, min(as_of_dates.as_of_date) as as_of_date
        from days
        inner join as_of_dates on as_of_dates.as_of_date >= days.day_date
        group by days.day_date
    ),

    standing as (
        select
            balances.entity_id,
            balances.currency_code,
            balances.document_type,
            balances.due_date,
            firsts.as_of_date as first_as_of_date,
            coalesce(befores.as_of_date, cast('9999-12-31' as date)) as before_as_of_date,
            sum(balances.balance_amount) as open_amount,
            count(*) as item_count
        from balances
        inner join next_dates as firsts on firsts.day_date = balances.from_date
        left join next_dates as befores on befores.day_date = balances.before_date
        where befores.as_of_date is null or firsts.as_of_date < befores.as_of_date
        group by
            balances.entity_id,
            balances.currency_code,
            balances.document_type,
            balances.due_date,
            firsts.as_of_date,
            befores.as_of_date
    )

select
    as_of_dates.as_of_date,
    standing.entity_id,
    standing.currency_code,
    standing.document_type,
    standing.open_amount,
    standing.item_count,
    {{ days_between("standing.due_date", "as_of_dates.as_of_date") }} as days_past_due
from as_of_dates
inner join
    standing
    on standing.first_as_of_date <= as_of_dates.as_of_date
    and standing.before_as_of_date > as_of_dates.as_of_date
union all
select as_of_date, entity_id, currency_code, document_type, open_amount, 1 as item_count, days_past_due
from {{ ref("int_open_items_aged") }}
where has_installments
