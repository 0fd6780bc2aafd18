-- Money not set against a document on the last run date, by how long it has been here. One row per
-- as_of_date,
-- entity_id, currency_code, bank_account_id, balance_type; ALL accounts together too.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    payments as (select * from {{ ref("int_unapplied_cash_aged") }}),

    of_accounts as (
        select *, bank_account_id as account_id
        from payments
        union all
        select *, 'ALL' as account_id
        from payments
    )

select
    last_run.as_of_date,
    of_accounts.entity_id,
    of_accounts.currency_code,
    of_accounts.account_id as bank_account_id,
    case when of_accounts.is_suspense then 'suspense' else 'on_account' end as balance_type,
    count(*) as payment_count,
    {{ money("sum(of_accounts.unapplied_amount)") }} as unapplied_amount,
    {{ money("sum(case when of_accounts.age_days <= 7 then of_accounts.unapplied_amount else 0 end)") }}
    as age_0_7_amount,
    {{
        money(
            "sum(case when of_accounts.age_days between 8 and 30 then of_accounts.unapplied_amount else 0 end)"
        )
    }}
    as age_8_30_amount,
    {{
        money(
            "sum(case when of_accounts.age_days between 31 and 90 then of_accounts.unapplied_amount else 0 end)"
        )
    }}
    as age_31_90_amount,
    {{ money("sum(case when of_accounts.age_days > 90 then of_accounts.unapplied_amount else 0 end)") }}
    as age_over_90_amount,
    max(of_accounts.age_days) as oldest_age_days
from of_accounts
cross join last_run
group by
    last_run.as_of_date,
    of_accounts.entity_id,
    of_accounts.currency_code,
    of_accounts.account_id,
    of_accounts.is_suspense
