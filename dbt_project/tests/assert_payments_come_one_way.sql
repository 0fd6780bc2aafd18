-- Payments that bank files and an extract of the ledger both deliver count twice: leave out one of the two.
-- One
-- equal amount on one day may be chance; five or more, and most of what the bank files bring, are the same
-- money.
{{ config(severity="warn", tags=["ties"]) }}

with
    payments as (select * from {{ ref("stg_payments") }} where payment_amount > 0),

    banked as (
        select entity_id, currency_code, min(value_date) as first_date, max(value_date) as last_date
        from payments
        where _source = '_bank'
        group by entity_id, currency_code
    ),

    days as (
        select
            payments.entity_id,
            payments.currency_code,
            payments.value_date,
            payments.payment_amount,
            count(case when payments._source = '_bank' then 1 end) as bank_count,
            count(case when payments._source <> '_bank' then 1 end) as ledger_count
        from payments
        inner join
            banked
            on banked.entity_id = payments.entity_id
            and banked.currency_code = payments.currency_code
            and payments.value_date between banked.first_date and banked.last_date
        group by payments.entity_id, payments.currency_code, payments.value_date, payments.payment_amount
    )

select
    entity_id,
    currency_code,
    sum(bank_count) as bank_count,
    sum(least(bank_count, ledger_count)) as twice_count,
    sum(least(bank_count, ledger_count) * payment_amount) as twice_amount
from days
group by entity_id, currency_code
having
    sum(least(bank_count, ledger_count)) >= 5 and sum(least(bank_count, ledger_count)) * 2 > sum(bank_count)
