-- What is contested on each date: from opened_date to the day before resolved_date. One row per as_of_date,
-- invoice_id.
-- What a customer withheld is contested until it is settled, or until the ledger has a dispute of its own for
-- it.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }} where is_run_date),

    disputes as (
        select
            *,
            row_number() over (
                partition by invoice_id, disputed_amount order by opened_date, dispute_id
            ) as turn
        from {{ ref("stg_disputes") }}
    ),

    deductions as (
        select
            *,
            row_number() over (
                partition by invoice_id, deduction_amount order by deducted_date, deduction_id
            ) as turn
        from {{ ref("int_deductions_judged") }}
        where opens_dispute
    ),

    contested as (
        select invoice_id, disputed_amount, opened_date, resolved_date
        from disputes
        union all
        select
            deductions.invoice_id,
            deductions.deduction_amount,
            deductions.deducted_date,
            case
                when
                    disputes.opened_date < coalesce(deductions.resolved_date, cast('9999-12-31' as date))
                    and coalesce(disputes.resolved_date, cast('9999-12-31' as date))
                    > deductions.deducted_date
                then greatest(disputes.opened_date, deductions.deducted_date)
                else deductions.resolved_date
            end
        from deductions
        left join
            disputes
            on disputes.invoice_id = deductions.invoice_id
            and disputes.disputed_amount = deductions.deduction_amount
            and disputes.turn = deductions.turn
    )

select
    as_of_dates.as_of_date,
    contested.invoice_id,
    {{ money("sum(contested.disputed_amount)") }} as disputed_amount
from as_of_dates
inner join
    contested
    on contested.opened_date <= as_of_dates.as_of_date
    and (contested.resolved_date is null or contested.resolved_date > as_of_dates.as_of_date)
group by as_of_dates.as_of_date, contested.invoice_id
