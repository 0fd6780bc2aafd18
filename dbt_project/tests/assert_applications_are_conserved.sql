-- Every recorded application is published once, but for those that count later and those to cancelled
-- documents: joins to documents, credit memos and payments neither lose nor double one.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    cancelled as (select invoice_id from {{ ref("int_documents_dated") }} where is_cancelled),

    recorded as (
        select applications.application_type, applications.applied_amount, 1 as application_count
        from {{ ref("int_applications_typed") }} as applications
        cross join last_run
        left join cancelled on cancelled.invoice_id = applications.invoice_id
        where cancelled.invoice_id is null and applications.application_date <= last_run.as_of_date
    ),

    lines as (
        select
            application_type,
            applied_amount as recorded_amount,
            1 as recorded_count,
            0 as published_amount,
            0 as published_count
        from recorded
        union all
        select application_type, 0, 0, applied_amount, 1
        from {{ ref("fct_payment_applications") }}
    )

select
    application_type,
    sum(recorded_amount) as recorded_amount,
    sum(published_amount) as published_amount,
    sum(recorded_count) as recorded_count,
    sum(published_count) as published_count
from lines
group by application_type
having sum(recorded_amount) <> sum(published_amount) or sum(recorded_count) <> sum(published_count)
