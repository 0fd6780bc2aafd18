-- Figures of customers summed by all the ways of sorting them at once, so that what each way adds up is a few
-- rows and not every customer four times. One row per as_of_date, entity_id, currency_code, value_tier,
-- behaviour_class, risk_class, customer_group, month_number. Entity ALL is in group currency, not yet
-- rounded,
-- where the whole has a row there. Money of unknown payers is sorted by itself.
{{ config(materialized="table") }}

{% set dimensions = ["value_tier", "behaviour_class", "risk_class", "customer_group"] %}

with
    figures as (select * from {{ ref("int_customer_figures") }}),
    customers as (select * from {{ ref("int_customers_profiled") }}),
    groups as (select as_of_date, currency_code from {{ ref("fct_ar_kpis") }} where entity_id = 'ALL'),

    sorted as (
        select
            figures.*,
            case
                when figures.customer_id = '(unidentified)'
                then figures.customer_id
                else coalesce(customers.value_tier, 'no revenue')
            end as value_tier,
            {% for dimension in ["behaviour_class", "risk_class"] %}
                case
                    when figures.customer_id = '(unidentified)'
                    then figures.customer_id
                    else customers.{{ dimension }}
                end as {{ dimension }},
            {% endfor %}
            case
                when figures.customer_id = '(unidentified)'
                then figures.customer_id
                else coalesce(customers.customer_group, 'no group')
            end as customer_group,
            case
                when
                    figures.month_number = 0
                    and figures.open_amount <> 0
                    and customers.customer_id is not null
                then figures.customer_id
            end as owing_customer_id
        from figures
        left join
            customers
            on customers.as_of_date = figures.as_of_date
            and customers.customer_id = figures.customer_id
        -- whose customer has no profile is in no segment, and the tie-out says so
        where customers.customer_id is not null or figures.customer_id = '(unidentified)'
    )

select
    as_of_date,
    entity_id,
    currency_code,
    {{ dimensions | join(", ") }},
    month_number,
    -- within an entity and currency a customer has one row
    cast(count(owing_customer_id) as bigint) as customer_count,
    cast(sum(open_amount) as decimal(38, 16)) as open_amount,
    cast(sum(past_due_amount) as decimal(38, 16)) as past_due_amount,
    cast(sum(over_90_amount) as decimal(38, 16)) as over_90_amount,
    cast(sum(net_amount) as decimal(38, 16)) as net_amount,
    cast(sum(sales_amount) as decimal(38, 16)) as sales_amount,
    cast(0 as bigint) as unrated_count
from sorted
group by as_of_date, entity_id, currency_code, {{ dimensions | join(", ") }}, month_number
union all
select
    sorted.as_of_date,
    'ALL' as entity_id,
    groups.currency_code,
    {{ dimensions | join(", ") }},
    sorted.month_number,
    cast(count(distinct sorted.owing_customer_id) as bigint) as customer_count,
    cast(sum(sorted.open_amount * sorted.rate) as decimal(38, 16)) as open_amount,
    cast(sum(sorted.past_due_amount * sorted.rate) as decimal(38, 16)) as past_due_amount,
    cast(sum(sorted.over_90_amount * sorted.rate) as decimal(38, 16)) as over_90_amount,
    cast(sum(sorted.net_amount * sorted.rate) as decimal(38, 16)) as net_amount,
    cast(sum(sorted.group_sales_amount) as decimal(38, 16)) as sales_amount,
    cast(count(*) - count(sorted.rate) as bigint) as unrated_count
from sorted
inner join groups on groups.as_of_date = sorted.as_of_date
group by sorted.as_of_date, groups.currency_code, {{ dimensions | join(", ") }}, sorted.month_number
