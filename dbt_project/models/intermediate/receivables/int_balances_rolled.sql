-- Balances of debit documents without instalments by the month ends between which they stand, and what is
-- left of them on the month end at which they no longer do. One row per entity_id, currency_code, due_date,
-- first_month_end_date, before_month_end_date. Summed at once: most documents are paid whole, and no row is
-- made for each month end of each.
{{ config(materialized="table") }}

with
    month_ends as (select month_end_date from {{ ref("int_months_dated") }} where is_complete_month),
    write_offs as (select * from {{ ref("int_write_offs_monthly") }}),

    balances as (
        select invoice_id, entity_id, currency_code, due_date, balance_amount, from_date, before_date
        from {{ ref("int_balances_dated") }}
        where not has_installments and document_type <> 'credit_memo' and balance_amount > 0
    ),

    days as (
        select from_date as day_date
        from balances
        union
        select before_date as day_date
        from balances
    ),

    next_month_ends as (
        select days.day_date, min(month_ends.month_end_date) as month_end_date
        from days
        inner join month_ends on month_ends.month_end_date >= days.day_date
        group by days.day_date
    ),

    -- what stands on the next month end after a first move: few, for most documents are paid at once
    later as (
        select balances.invoice_id, balances.balance_amount, next_month_ends.month_end_date
        from {{ ref("int_balances_dated") }} as balances
        inner join next_month_ends on next_month_ends.day_date = balances.from_date
        where
            balances.from_date >= balances.first_moved_date
            and balances.before_date > next_month_ends.month_end_date
            and balances.balance_amount > 0
    ),

    standing as (
        select
            balances.entity_id,
            balances.currency_code,
            balances.due_date,
            balances.balance_amount,
            least(balances.balance_amount, coalesce(later.balance_amount, 0)) as left_amount,
            greatest(coalesce(write_offs.written_off_amount, 0), 0) as written_off_amount,
            firsts.month_end_date as first_month_end_date,
            coalesce(befores.month_end_date, cast('9999-12-31' as date)) as before_month_end_date
        from balances
        inner join next_month_ends as firsts on firsts.day_date = balances.from_date
        left join next_month_ends as befores on befores.day_date = balances.before_date
        left join
            later on later.invoice_id = balances.invoice_id and later.month_end_date = befores.month_end_date
        left join
            write_offs
            on write_offs.invoice_id = balances.invoice_id
            and write_offs.month_end_date = befores.month_end_date
        where befores.month_end_date is null or firsts.month_end_date < befores.month_end_date
    )

select
    entity_id,
    currency_code,
    {{ money("sum(balance_amount)") }} as balance_amount,
    {{ money("sum(left_amount)") }} as left_amount,
    {{ money("sum(least(written_off_amount, balance_amount - left_amount))") }} as written_off_amount,
    due_date,
    first_month_end_date,
    before_month_end_date
from standing
group by entity_id, currency_code, due_date, first_month_end_date, before_month_end_date
