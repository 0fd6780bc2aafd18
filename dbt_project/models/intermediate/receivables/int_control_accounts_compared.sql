-- Net receivables beside the latest control account of the general ledger by the last run date, on the
-- account's day. What we gave up in cash application, and the ledger has not booked yet, is still in its
-- account.
-- One row per entity_id, currency_code that has one.
with
    ledger_balances as (select * from {{ ref("stg_ledger_balances") }}),
    flows as (select * from {{ ref("int_flows_daily") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    given_up as (
        select
            entity_id,
            currency_code,
            effective_date as flow_date,
            settled_amount as unbooked_amount,
            cast(0 as decimal(18, 4)) as net_amount
        from {{ ref("int_applications_unioned") }}
        where applied_by <> 'ledger' and settlement_type in ('discount', 'write_off') and is_document_counted
    ),

    movements as (
        select
            entity_id,
            currency_code,
            flow_date,
            cast(0 as decimal(18, 4)) as unbooked_amount,
            {{
                money(
                    "invoiced_amount - credited_amount - collected_amount - discount_amount"
                    ~ " - written_off_amount - adjusted_amount"
                )
            }} as net_amount
        from flows
        union all
        select entity_id, currency_code, flow_date, unbooked_amount, net_amount
        from given_up
    ),

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
    {{ money("coalesce(sum(movements.net_amount), 0) + coalesce(sum(movements.unbooked_amount), 0)") }}
    as actual_amount,
    {{ money("coalesce(sum(movements.unbooked_amount), 0)") }} as unbooked_amount,
    ledger_balances.balance_date
from latest
inner join
    ledger_balances
    on ledger_balances.entity_id = latest.entity_id
    and ledger_balances.currency_code = latest.currency_code
    and ledger_balances.balance_date = latest.balance_date
left join
    movements
    on movements.entity_id = latest.entity_id
    and movements.currency_code = latest.currency_code
    and movements.flow_date <= latest.balance_date
group by
    ledger_balances.entity_id,
    ledger_balances.currency_code,
    ledger_balances.control_account_amount,
    ledger_balances.balance_date
