-- What somebody should look at. One row per as_of_date, alert_code, entity_id, currency_code, subject.
-- Segments and customers are measured over all entities where that is known, else in each; collections where
-- they are planned, per entity and currency.
with
    segments as (select * from {{ ref("fct_ar_segment_kpis") }} where is_past_due_rising),
    collections as (select * from {{ ref("int_collections_compared") }}),
    concentrations as (select * from {{ ref("int_concentrations") }}),
    limits as (select * from {{ ref("stg_kpi_controls") }}),
    groups as (select distinct as_of_date from {{ ref("int_concentrations") }} where entity_id = 'ALL'),

    measured as (
        select
            segments.as_of_date,
            'segment_past_due_rising' as alert_code,
            segments.entity_id,
            segments.currency_code,
            segments.segment_dimension || ': ' || segments.segment as subject,
            segments.past_due_amount as alert_amount,
            segments.past_due_month_end_1_ratio as measured_ratio,
            segments.past_due_month_end_4_ratio as limit_ratio,
            'the past-due ratio rose three months in a row: review the credit policy of the segment' as reason
        from segments
        left join groups on groups.as_of_date = segments.as_of_date
        where segments.entity_id = 'ALL' or groups.as_of_date is null
        union all
        select
            collections.as_of_date,
            'collections_shortfall',
            collections.entity_id,
            collections.currency_code,
            'month to ' || cast(collections.month_end_date as {{ dbt.type_string() }}),
            collections.collected_amount,
            {{ ratio("collections.collected_amount", "collections.collected_before_amount", times=3) }},
            limits.shortfall_ratio,
            'the last full month brought less than usual, beside the mean of the three months before'
        from collections
        cross join limits
        union all
        select
            concentrations.as_of_date,
            'customer_concentration',
            concentrations.entity_id,
            concentrations.currency_code,
            concentrations.customer_id,
            concentrations.open_amount,
            {{ ratio("concentrations.open_amount", "concentrations.ledger_open_amount") }},
            limits.concentration_ratio,
            'one customer owes more than its share of all that is open'
        from concentrations
        cross join limits
        left join groups on groups.as_of_date = concentrations.as_of_date
        where
            (concentrations.entity_id = 'ALL' or groups.as_of_date is null)
            and concentrations.customer_count >= limits.concentration_min_customer_count
    )

select
    as_of_date,
    alert_code,
    entity_id,
    currency_code,
    subject,
    {{ money("alert_amount") }} as alert_amount,
    measured_ratio,
    limit_ratio,
    reason
from measured
where
    (alert_code = 'collections_shortfall' and measured_ratio < limit_ratio)
    or (alert_code <> 'collections_shortfall' and measured_ratio > limit_ratio)
