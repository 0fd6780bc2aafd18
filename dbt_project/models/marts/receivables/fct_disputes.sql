-- Disputes that are open, or were resolved in the last days (policies/reporting.yml: process.window_days).
-- One row per
-- as_of_date, dispute_id. Of several disputes about one document the one opened first takes what is still
-- open.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    documents as (select * from {{ ref("int_invoices_settled") }}),

    contested as (
        select as_of_date, invoice_id, sum(disputed_amount) as disputed_amount
        from {{ ref("fct_open_items") }}
        where disputed_amount <> 0
        group by as_of_date, invoice_id
    ),

    standing as (
        select
            run_dates.as_of_date,
            disputes.*,
            coalesce(disputes.resolved_date <= run_dates.as_of_date, false) as is_resolved
        from run_dates
        cross join policy
        inner join
            {{ ref("int_disputes_unioned") }} as disputes on disputes.opened_date <= run_dates.as_of_date
        where
            disputes.resolved_date is null
            or {{ days_between("disputes.resolved_date", "run_dates.as_of_date") }}
            < policy.process_window_days
    ),

    ranked as (
        select
            *,
            sum(case when is_resolved then 0 else disputed_amount end) over (
                partition by as_of_date, invoice_id
                order by opened_date, dispute_id
                rows between unbounded preceding and current row
            )
            - disputed_amount as earlier_amount
        from standing
    )

select
    ranked.as_of_date,
    ranked.dispute_id,
    documents.entity_id,
    documents.customer_id,
    ranked.invoice_id,
    documents.currency_code,
    case when ranked.is_resolved then 'resolved' else 'open' end as status,
    ranked.reason_code,
    ranked.product,
    ranked.site,
    ranked.carrier,
    ranked.owner_email,
    case
        when ranked.is_resolved
        then null
        when {{ days_between("ranked.opened_date", "ranked.as_of_date") }} <= 30
        then '0-30'
        when {{ days_between("ranked.opened_date", "ranked.as_of_date") }} <= 60
        then '31-60'
        when {{ days_between("ranked.opened_date", "ranked.as_of_date") }} <= 90
        then '61-90'
        else 'over 90'
    end as age_range,
    {{ money("ranked.disputed_amount") }} as disputed_amount,
    {{
        money(
            "case when ranked.is_resolved then 0 else greatest(least("
            ~ "coalesce(contested.disputed_amount, 0) - ranked.earlier_amount, ranked.disputed_amount), 0) end"
        )
    }}
    as open_disputed_amount,
    case
        when not ranked.is_resolved then {{ days_between("ranked.opened_date", "ranked.as_of_date") }}
    end as days_open,
    case
        when ranked.is_resolved then {{ days_between("ranked.opened_date", "ranked.resolved_date") }}
    end as days_to_resolve,
    ranked.opened_date,
    case when ranked.is_resolved then ranked.resolved_date end as resolved_date
from ranked
inner join
    documents
    on documents.invoice_id = ranked.invoice_id
    and documents.invoice_date <= ranked.as_of_date
    and not documents.is_cancelled
left join contested on contested.as_of_date = ranked.as_of_date and contested.invoice_id = ranked.invoice_id
