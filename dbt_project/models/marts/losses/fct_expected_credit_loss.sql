-- What of the open debit items is not expected to come in, by age: by the policy's loss ratios, and by the
-- roll rates of the months before. One row per as_of_date, entity_id, currency_code, aging_bucket. Entity ALL
-- is the sum of its parts at the rates of the date, and has no rows on a date when a currency has no rate.
with
    losses as (select * from {{ ref("int_losses_by_matrix") }}),
    chain_losses as (select * from {{ source("decided", "chain_losses") }}),
    rates as (select * from {{ ref("int_fx_rates_effective") }}),
    controls as (select * from {{ ref("stg_controls") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    joined as (
        select losses.*, chain_losses.chain_loss_ratio, chain_losses.chain_allowance_amount
        from losses
        left join
            chain_losses
            on chain_losses.as_of_date = losses.as_of_date
            and chain_losses.entity_id = losses.entity_id
            and chain_losses.currency_code = losses.currency_code
            and chain_losses.aging_bucket = losses.aging_bucket
    ),

    converted as (
        select
            joined.as_of_date,
            joined.aging_bucket,
            joined.loss_ratio,
            joined.forward_factor,
            sum(joined.open_amount * rates.rate) as open_amount,
            sum(joined.allowance_amount * rates.rate) as allowance_amount,
            -- a part that is not known leaves the sum unknown
            case
                when count(*) = count(joined.chain_allowance_amount)
                then sum(joined.chain_allowance_amount * rates.rate)
            end as chain_allowance_amount,
            joined.bucket_order
        from joined
        left join rates on rates.as_of_date = joined.as_of_date and rates.currency_code = joined.currency_code
        group by
            joined.as_of_date,
            joined.aging_bucket,
            joined.loss_ratio,
            joined.forward_factor,
            joined.bucket_order
        having count(*) = count(rates.rate)
    )

select
    as_of_date,
    entity_id,
    currency_code,
    aging_bucket,
    open_amount,
    loss_ratio,
    forward_factor,
    allowance_amount,
    chain_loss_ratio,
    chain_allowance_amount,
    bucket_order
from joined
union all
select
    converted.as_of_date,
    'ALL' as entity_id,
    controls.group_currency_code as currency_code,
    converted.aging_bucket,
    {{ rounded("converted.open_amount", "currencies.minor_units") }} as open_amount,
    converted.loss_ratio,
    converted.forward_factor,
    {{ rounded("converted.allowance_amount", "currencies.minor_units") }} as allowance_amount,
    -- of several ledgers there is no chain, only the sum of what each says
    cast(null as decimal(18, 6)) as chain_loss_ratio,
    {{ rounded("converted.chain_allowance_amount", "currencies.minor_units") }} as chain_allowance_amount,
    converted.bucket_order
from converted
cross join controls
left join currencies on currencies.currency_code = controls.group_currency_code
