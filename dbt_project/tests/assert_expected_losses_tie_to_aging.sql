-- Expected losses are of what aging says is open, bucket by bucket, on the run dates.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),

    lines as (
        select
            losses.as_of_date,
            losses.entity_id,
            losses.currency_code,
            losses.bucket_order,
            losses.open_amount as loss_amount,
            0 as aged_amount
        from {{ ref("fct_expected_credit_loss") }} as losses
        inner join run_dates on run_dates.as_of_date = losses.as_of_date
        where losses.entity_id <> 'ALL'
        {% for column in [
                "current_amount",
                "past_due_1_30_amount",
                "past_due_31_60_amount",
                "past_due_61_90_amount",
                "past_due_over_90_amount",
            ] %}
            union all
            select as_of_date, entity_id, currency_code, {{ loop.index }}, 0, {{ column }}
            from {{ ref("fct_ar_aging") }}
        {% endfor %}
    ),

    totals as (
        select
            as_of_date,
            entity_id,
            currency_code,
            bucket_order,
            sum(loss_amount) as loss_open_amount,
            sum(aged_amount) as aged_open_amount
        from lines
        group by as_of_date, entity_id, currency_code, bucket_order
    )

select *
from totals
where loss_open_amount <> aged_open_amount
