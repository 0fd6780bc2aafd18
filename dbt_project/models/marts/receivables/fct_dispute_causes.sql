-- Disputes by reason, product, site and carrier: how many, how much, how old, how soon resolved. One row per
-- as_of_date, entity_id, currency_code, cause_type, cause. Each cause type sums to all disputes by itself;
-- what a
-- dispute does not say is (not given).
with
    disputes as (select * from {{ ref("fct_disputes") }}),

    causes as (
        select *, 'reason' as cause_type, reason_code as cause
        from disputes
        union all
        select *, 'product', coalesce(product, '(not given)')
        from disputes
        union all
        select *, 'site', coalesce(site, '(not given)')
        from disputes
        union all
        select *, 'carrier', coalesce(carrier, '(not given)')
        from disputes
    ),

    counted as (
        select
            as_of_date,
            entity_id,
            currency_code,
            cause_type,
            cause,
            sum(open_disputed_amount) as open_disputed_amount,
            count(days_open) as open_count,
            sum(days_open) as days_open,
            max(days_open) as oldest_days_open,
            count(days_to_resolve) as resolved_count,
            sum(days_to_resolve) as days_to_resolve
        from causes
        group by as_of_date, entity_id, currency_code, cause_type, cause
    )

select
    as_of_date,
    entity_id,
    currency_code,
    cause_type,
    cause,
    {{ money("open_disputed_amount") }} as open_disputed_amount,
    {{ ratio("days_open", "open_count") }} as average_days_open,
    {{ ratio("days_to_resolve", "resolved_count") }} as average_days_to_resolve,
    open_count,
    resolved_count,
    oldest_days_open
from counted
