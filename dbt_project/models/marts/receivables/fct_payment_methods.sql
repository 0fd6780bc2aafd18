-- How customers paid in the last days (policies/reporting.yml: process.window_days). One row per as_of_date,
-- entity_id, currency_code, payment_method. Payments as they came in: what went back later is not taken
-- off, and
-- reversals are no payments. A payment of no known method is unknown.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    methods as (
        select
            run_dates.as_of_date,
            payments.entity_id,
            payments.currency_code,
            coalesce(payments.payment_method, 'unknown') as payment_method,
            sum(payments.payment_amount) as payment_amount,
            count(*) as payment_count
        from run_dates
        cross join policy
        inner join
            {{ ref("int_payments_applied") }} as payments
            on payments.value_date <= run_dates.as_of_date
            and {{ days_between("payments.value_date", "run_dates.as_of_date") }} < policy.process_window_days
        where payments.reverses_payment_id is null
        group by
            run_dates.as_of_date,
            payments.entity_id,
            payments.currency_code,
            coalesce(payments.payment_method, 'unknown')
    ),

    totalled as (
        select
            *,
            sum(payment_amount) over (partition by as_of_date, entity_id, currency_code) as total_amount,
            sum(payment_count) over (partition by as_of_date, entity_id, currency_code) as total_count
        from methods
    )

select
    as_of_date,
    entity_id,
    currency_code,
    payment_method,
    {{ money("payment_amount") }} as payment_amount,
    {{ ratio("payment_amount", "total_amount") }} as amount_ratio,
    {{ ratio("payment_count", "total_count") }} as count_ratio,
    payment_count
from totalled
