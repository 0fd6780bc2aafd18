-- Net receivables beside the latest control account of the general ledger by the last run date, on the
-- account's day.
-- One row per entity_id, currency_code that has one.
with
    ledger_balances as (select * from {{ ref("stg_ledger_balances") }}),
    flows as (select * from {{ ref("int_flows_daily") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    latest as (
        select
            ledger_balances.entity_id,
            ledger_balances.currency_code,
            max(ledger_balances.balance_date) as balance_date
        from ledger_balances
        cross join last_run
        where ledger_balances.balance_date <= last_run.as_of_date
        group by ledger_balances.entity_id, ledger_balances.currency_code
    )

select
    ledger_balances.entity_id,
    ledger_balances.currency_code,
    ledger_balances.control_account_amount as expected_amount,
    {{
        money(
            "coalesce(sum(flows.invoiced_amount - flows.credited_amount - flows.collected_amount"
            ~ " - flows.discount_amount - flows.written_off_amount - flows.adjusted_amount), 0)"
        )
    }} as actual_amount,
    ledger_balances.balance_date
from latest
inner join
    ledger_balances
    on ledger_balances.entity_id = latest.entity_id
    and ledger_balances.currency_code = latest.currency_code
    and ledger_balances.balance_date = latest.balance_date
left join
    flows
    on flows.entity_id = latest.entity_id
    and flows.currency_code = latest.currency_code
    and flows.flow_date <= latest.balance_date
group by
    ledger_balances.entity_id,
    ledger_balances.currency_code,
    ledger_balances.control_account_amount,
    ledger_balances.balance_date
