-- Rates to the group currency and the days they hold: from valid_from to the day before valid_before.
-- One row per currency_code, valid_from. A pair that is quoted only the other way round is inverted, to
-- twelve decimals, half away from zero. From the first quote of the direct pair on, the inverse one is
-- no longer read.
with
    controls as (select * from {{ ref("stg_controls") }}),
    fx_rates as (select * from {{ ref("stg_fx_rates") }} where rate > 0),

    direct as (
        select
            fx_rates.from_currency_code as currency_code,
            fx_rates.rate_date,
            cast(fx_rates.rate as decimal(22, 12)) as rate
        from fx_rates
        inner join controls on fx_rates.to_currency_code = controls.group_currency_code
        where fx_rates.from_currency_code <> controls.group_currency_code
    ),

    first_direct as (select currency_code, min(rate_date) as rate_date from direct group by currency_code),

    -- Whole hundred-millionths of the quote divide 10^20, which leaves twelve decimals; half of the
    -- divisor is added before the cut.
    inverse as (
        select
            fx_rates.to_currency_code as currency_code,
            fx_rates.rate_date,
            cast(
                cast(
                    divide(
                        200000000000000000000
                        + cast(cast(fx_rates.rate as decimal(38, 8)) * 100000000 as hugeint),
                        2 * cast(cast(fx_rates.rate as decimal(38, 8)) * 100000000 as hugeint)
                    ) as decimal(26, 0)
                )
                * cast(0.000000000001 as decimal(12, 12)) as decimal(22, 12)
            ) as rate
        from fx_rates
        inner join controls on fx_rates.from_currency_code = controls.group_currency_code
        left join first_direct on first_direct.currency_code = fx_rates.to_currency_code
        where
            fx_rates.to_currency_code <> controls.group_currency_code
            and (first_direct.rate_date is null or fx_rates.rate_date < first_direct.rate_date)
    ),

    quotes as (
        select currency_code, rate_date, rate
        from direct
        union all
        select currency_code, rate_date, rate
        from inverse
        union all
        select group_currency_code, cast('0001-01-01' as date), cast(1 as decimal(22, 12))
        from controls
    ),

    ranged as (
        select
            quotes.currency_code,
            controls.group_currency_code,
            quotes.rate,
            quotes.rate_date as valid_from,
            lead(quotes.rate_date) over (
                partition by quotes.currency_code order by quotes.rate_date, quotes.rate
            ) as valid_before
        from quotes
        cross join controls
    )

select *
from ranged
