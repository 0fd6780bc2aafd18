-- On the run dates key figures and aging say the same of every entity and currency.
{{ config(tags=["ties"]) }}

with
    lines as (
        select
            as_of_date,
            entity_id,
            currency_code,
            closing_open_amount as kpi_open_amount,
            closing_net_amount as kpi_net_amount,
            past_due_amount as kpi_past_due_amount,
            0 as aged_open_amount,
            0 as aged_net_amount,
            0 as aged_past_due_amount
        from {{ ref("fct_ar_kpis") }}
        where
            entity_id <> 'ALL'
            and as_of_date in (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date)
        union all
        select
            as_of_date,
            entity_id,
            currency_code,
            0,
            0,
            0,
            open_amount,
            net_amount,
            open_amount - current_amount
        from {{ ref("fct_ar_aging") }}
    ),

    totals as (
        select
            as_of_date,
            entity_id,
            currency_code,
            sum(kpi_open_amount) as kpi_open_amount,
            sum(aged_open_amount) as aged_open_amount,
            sum(kpi_net_amount) as kpi_net_amount,
            sum(aged_net_amount) as aged_net_amount,
            sum(kpi_past_due_amount) as kpi_past_due_amount,
            sum(aged_past_due_amount) as aged_past_due_amount
        from lines
        group by as_of_date, entity_id, currency_code
    )

select *
from totals
where
    kpi_open_amount <> aged_open_amount
    or kpi_net_amount <> aged_net_amount
    or kpi_past_due_amount <> aged_past_due_amount
