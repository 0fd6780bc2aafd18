-- Contacts of the last days (policies/reporting.yml: contacts.window_days) and how many took no person. One
-- row per
-- as_of_date, channel; ALL is their sum. No person took part in a letter below the first level that wants
-- an approval,
-- nor in an activity that names no collector.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    contacts as (
        select
            letters.channel,
            letters.decided_as_of_date as contact_date,
            policy.first_approval_level is null or letters.level < policy.first_approval_level as is_automatic
        from {{ ref("fct_letters") }} as letters
        cross join policy
        where letters.sent_at is not null
        union all
        select channel, cast(activity_at as date), collector_id is null
        from {{ ref("stg_activities") }}
    ),

    recent as (
        select run_dates.as_of_date, contacts.channel, contacts.is_automatic
        from run_dates
        cross join policy
        inner join
            contacts
            on contacts.contact_date <= run_dates.as_of_date
            and {{ days_between("contacts.contact_date", "run_dates.as_of_date") }}
            < policy.contact_window_days
        union all
        select run_dates.as_of_date, 'ALL' as channel, contacts.is_automatic
        from run_dates
        cross join policy
        inner join
            contacts
            on contacts.contact_date <= run_dates.as_of_date
            and {{ days_between("contacts.contact_date", "run_dates.as_of_date") }}
            < policy.contact_window_days
    ),

    counted as (
        select
            as_of_date,
            channel,
            count(*) as contact_count,
            count(case when is_automatic then 1 end) as automatic_contact_count
        from recent
        group by as_of_date, channel
    )

select
    as_of_date,
    channel,
    {{ ratio("automatic_contact_count", "contact_count") }} as automatic_contact_ratio,
    contact_count,
    automatic_contact_count
from counted
