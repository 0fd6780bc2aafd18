-- Days on which a customer that is invoiced at a rhythm was invoiced, and until when it was the last such
-- day. One row
-- per entity_id, customer_id, currency_code, invoice_date: days that end as many intervals in a row as the
-- policy wants,
-- all of them a month or all of them a quarter long. Invoices of one day count as one.
with
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    first_run as (select min(as_of_date) as as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),

    -- a rhythm that an invoice may be missing from lies in the quarters before the first run date
    days as (
        select
            invoices.entity_id,
            invoices.customer_id,
            invoices.currency_code,
            invoices.invoice_date,
            sum(invoices.invoice_amount) as invoiced_amount
        from {{ ref("int_invoices_settled") }} as invoices
        cross join policy
        cross join first_run
        where
            invoices.document_type = 'invoice'
            and not invoices.is_cancelled
            and {{ days_between("invoices.invoice_date", "first_run.as_of_date") }}
            <= policy.quarter_to_days * (policy.recurring_interval_count + 2)
        group by invoices.entity_id, invoices.customer_id, invoices.currency_code, invoices.invoice_date
    ),

    intervals as (
        select
            *,
            {{
                days_between(
                    "lag(invoice_date) over (partition by entity_id, customer_id, currency_code order by invoice_date)",
                    "invoice_date",
                )
            }}
            as interval_days,
            row_number() over (
                partition by entity_id, customer_id, currency_code order by invoice_date
            ) as place,
            lead(invoice_date) over (
                partition by entity_id, customer_id, currency_code order by invoice_date
            ) as next_date
        from days
    ),

    classed as (
        select
            intervals.*,
            case
                when intervals.interval_days between policy.month_from_days and policy.month_to_days
                then 'monthly'
                when intervals.interval_days between policy.quarter_from_days and policy.quarter_to_days
                then 'quarterly'
                else 'none'
            end as rhythm
        from intervals
        cross join policy
    ),

    -- the place of the last interval of another length
    broken as (
        select
            *,
            max(case when rhythm <> 'monthly' then place end) over before_and_now as not_monthly_place,
            max(case when rhythm <> 'quarterly' then place end) over before_and_now as not_quarterly_place
        from classed
        window
            before_and_now as (
                partition by entity_id, customer_id, currency_code
                order by invoice_date
                rows between unbounded preceding and current row
            )
    )

select
    broken.entity_id,
    broken.customer_id,
    broken.currency_code,
    broken.rhythm,
    {{ money("broken.invoiced_amount") }} as invoiced_amount,
    broken.invoice_date,
    cast(
        {{
            dbt.dateadd(
                "month", "case when broken.rhythm = 'monthly' then 1 else 3 end", "broken.invoice_date"
            )
        }} as date
    ) as expected_date,
    broken.next_date
from broken
cross join policy
where
    (broken.rhythm = 'monthly' and broken.place - broken.not_monthly_place >= policy.recurring_interval_count)
    or (
        broken.rhythm = 'quarterly'
        and broken.place - broken.not_quarterly_place >= policy.recurring_interval_count
    )
