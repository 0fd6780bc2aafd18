-- How net receivables came from the end of one month to the end of the next. One row per month_end_date,
-- entity_id, currency_code. The month of the run stands there to date. Entity ALL is in group currency:
-- balances at the rates of their days, flows at those of theirs, and fx_amount is what the rates did.
with
    months as (select * from {{ ref("int_months_dated") }}),
    balances as (select * from {{ ref("int_net_balances_dated") }}),
    flows as (select * from {{ ref("int_flows_converted") }}),
    historyless as (select * from {{ ref("int_historyless_ledgers") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    moved as (
        select
            months.month_end_date,
            flows.entity_id,
            flows.currency_code,
            sum(flows.invoiced_amount) as invoiced_amount,
            sum(flows.credited_amount) as credited_amount,
            sum(flows.collected_amount) as collected_amount,
            sum(flows.discount_amount) as discount_amount,
            sum(flows.written_off_amount) as written_off_amount,
            sum(flows.adjusted_amount) as adjusted_amount,
            sum(flows.unrated_count) as unrated_count
        from months
        inner join
            flows on flows.flow_date > months.month_opening_date and flows.flow_date <= months.as_of_date
        group by months.month_end_date, flows.entity_id, flows.currency_code
    ),

    rolled as (
        select
            months.month_end_date,
            closing.entity_id,
            closing.currency_code,
            -- before its first flow a ledger stands at zero
            coalesce(opening.net_amount, 0) as opening_amount,
            {{ rounded("coalesce(moved.invoiced_amount, 0)", "currencies.minor_units") }} as invoiced_amount,
            {{ rounded("coalesce(moved.credited_amount, 0)", "currencies.minor_units") }} as credited_amount,
            {{ rounded("coalesce(moved.collected_amount, 0)", "currencies.minor_units") }}
            as collected_amount,
            {{ rounded("coalesce(moved.discount_amount, 0)", "currencies.minor_units") }} as discount_amount,
            {{ rounded("coalesce(moved.written_off_amount, 0)", "currencies.minor_units") }}
            as written_off_amount,
            {{ rounded("coalesce(moved.adjusted_amount, 0)", "currencies.minor_units") }} as adjusted_amount,
            closing.net_amount as closing_amount,
            months.is_complete_month,
            months.as_of_date
        from months
        inner join balances as closing on closing.balance_date = months.as_of_date
        left join
            balances as opening
            on opening.balance_date = months.month_opening_date
            and opening.entity_id = closing.entity_id
            and opening.currency_code = closing.currency_code
        left join
            moved
            on moved.month_end_date = months.month_end_date
            and moved.entity_id = closing.entity_id
            and moved.currency_code = closing.currency_code
        left join
            historyless
            on historyless.entity_id = closing.entity_id
            and historyless.currency_code = closing.currency_code
        left join currencies on currencies.currency_code = closing.currency_code
        -- of open amounts alone nobody knows how they came; without a rate nothing stands in group currency
        where
            historyless.entity_id is null
            and closing.unrated_count = 0
            and coalesce(opening.unrated_count, 0) = 0
            and coalesce(moved.unrated_count, 0) = 0
    )

select
    month_end_date,
    entity_id,
    currency_code,
    {{ money("opening_amount") }} as opening_amount,
    invoiced_amount,
    credited_amount,
    collected_amount,
    discount_amount,
    written_off_amount,
    adjusted_amount,
    {{
        money(
            "case when entity_id = 'ALL' then closing_amount - opening_amount - invoiced_amount + credited_amount"
            ~ " + collected_amount + discount_amount + written_off_amount + adjusted_amount else 0 end"
        )
    }}
    as fx_amount,
    closing_amount,
    is_complete_month,
    as_of_date
from rolled
