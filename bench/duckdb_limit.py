"""The practical limit: the receivables marts by one hand-tuned DuckDB script over typed Parquet.

    python bench/duckdb_limit.py FOLDER AS_OF DATABASE [THREADS]

Reads the source contract's Parquet files without faults in them (the product lands and checks first; this does not).
Writes fct_invoices, fct_payments, fct_payment_applications, fct_open_items, fct_ar_aging, fct_ar_kpis and
fct_customer_segments to the database and prints the totals that must agree with the product's as one line of JSON.

It computes less than the product: no group-currency (`ALL`) rows, no roll-forward, no count-back DSO, no risk terms of
promises and limit utilisation, open items for the run's date alone (KPIs at month ends come from sums by due date), no
checks, no tests. Ratios against it therefore flatter the reference, never the product.
"""

import json
import sys
from pathlib import Path

import duckdb

APPLICATIONS = """
create table fct_payment_applications as
with
    applicable as (
        -- what the ledger has not booked and the bank has not taken back
        select payment_id, payment_amount, reference_text, value_date
        from payments
        where payment_amount > 0
            and payment_id not in (select payment_id from ledger_applications where application_type = 'payment')
            and payment_id not in (select reverses_payment_id from payments where reverses_payment_id is not null)
    ),
    claims as (
        select payment_id, invoices.invoice_id, paid_amount as claimed, value_date, 'remittance_line' as rule
        from remittance_lines
        inner join applicable using (payment_id)
        inner join invoices on invoices.invoice_number = remittance_lines.invoice_reference
        union all
        select payment_id, named.invoice_id, payment_amount, value_date, 'reference' as rule
        from applicable
        -- two equality joins: an "or" in the condition would compare every payment with every invoice
        inner join (
            select invoice_id, invoice_number as name from invoices
            union all
            select invoice_id, invoice_id from invoices
        ) as named on named.name = applicable.reference_text
        where payment_id not in (select payment_id from remittance_lines)
    ),
    reduced as (
        select invoice_id, sum(amount) as amount
        from (
            select invoice_id, applied_amount as amount from ledger_applications
            where invoice_id in (select invoice_id from claims)
            union all
            select invoice_id, adjustment_amount from adjustments
        )
        group by invoice_id
    ),
    in_order as (
        select
            claims.*,
            invoices.invoice_amount - coalesce(reduced.amount, 0) as open_amount,
            sum(claimed) over (
                partition by claims.invoice_id order by value_date, payment_id rows unbounded preceding
            ) - claimed as claimed_before
        from claims
        inner join invoices using (invoice_id)
        left join reduced using (invoice_id)
    )
select
    application_id, payment_id, credit_memo_id, invoice_id, applied_amount, application_date, application_type,
    'ledger' as rule, reverses_application_id
from ledger_applications
union all
select
    payment_id || '|' || invoice_id, payment_id, null, invoice_id,
    cast(greatest(least(claimed, open_amount - claimed_before), 0) as decimal(18, 2)), value_date, 'payment', rule, null
from in_order
where open_amount > claimed_before
"""

INVOICES = """
create table fct_invoices as
with
    movements as (
        select invoice_id, applied_amount as amount, application_date as day, 0 as given_up
        from fct_payment_applications
        union all
        select credit_memo_id, applied_amount, application_date, 0
        from fct_payment_applications where credit_memo_id is not null
        union all
        select invoice_id, adjustment_amount, adjustment_date, adjustment_amount from adjustments
    ),
    reduced as (
        select invoice_id, sum(amount) as amount, sum(given_up) as given_up, max(day) as last_day
        from movements group by invoice_id
    ),
    disputed as (
        select invoice_id, sum(disputed_amount) as amount
        from disputes
        where opened_date <= $as_of and (resolved_date is null or resolved_date > $as_of)
        group by invoice_id
    )
select
    entity_id, invoices.invoice_id, invoice_number, document_type, customer_id, currency_code, invoice_date, due_date,
    cast(invoice_amount * sign as decimal(18, 2)) as invoice_amount,
    cast((coalesce(reduced.amount, 0) - coalesce(reduced.given_up, 0)) * sign as decimal(18, 2)) as applied_amount,
    cast(coalesce(reduced.given_up, 0) as decimal(18, 2)) as written_off_amount,
    cast((invoice_amount - coalesce(reduced.amount, 0)) * sign as decimal(18, 2)) as open_amount,
    cast(least(coalesce(disputed.amount, 0), invoice_amount - coalesce(reduced.amount, 0)) as decimal(18, 2))
        as disputed_amount,
    case when invoice_amount = reduced.amount then reduced.last_day end as settled_date,
    case when invoice_amount = reduced.amount then reduced.last_day - invoice_date end as days_to_pay,
    case when invoice_amount = reduced.amount then reduced.last_day - due_date end as days_late
from invoices
left join reduced using (invoice_id)
left join disputed using (invoice_id)
"""

PAYMENTS = """
create table fct_payments as
with
    applied as (
        select payment_id, sum(applied_amount) as amount
        from fct_payment_applications
        where payment_id is not null and application_type in ('payment', 'reversal')
        group by payment_id
    ),
    taken_back as (
        select reverses_payment_id as payment_id from payments where reverses_payment_id is not null
        union all
        select payment_id from payments where reverses_payment_id is not null
    ),
    owners as (
        select payment_id, min(customer_id) as owner
        from fct_payment_applications
        inner join invoices using (invoice_id)
        where payment_id in (select payment_id from payments where customer_id is null)
        group by payment_id
    )
select
    payment_id, entity_id, coalesce(customer_id, owner) as customer_id, currency_code, payment_amount, value_date,
    cast(coalesce(applied.amount, 0) as decimal(18, 2)) as applied_amount,
    cast(payment_amount - coalesce(applied.amount, 0) as decimal(18, 2)) as unapplied_amount,
    case
        when payment_id in (select payment_id from taken_back) then 'reversed'
        when payment_amount = applied.amount then 'applied'
        when applied.amount <> 0 then 'partly_applied'
        when coalesce(customer_id, owner) is not null then 'on_account'
        else 'suspense'
    end as status
from payments
left join applied using (payment_id)
left join owners using (payment_id)
"""

OPEN_ITEMS = """
create table fct_open_items as
with
    parts as (
        select
            invoice_id, installment_number, due_date, installment_amount,
            sum(installment_amount) over (partition by invoice_id order by due_date desc, installment_number desc)
                - installment_amount as later_amount
        from installments
    ),
    items as (
        select
            entity_id, customer_id, invoice_id, document_type, currency_code, disputed_amount,
            coalesce(installment_number, 1) as installment_number,
            case
                when installment_number is null then open_amount
                else greatest(least(open_amount - later_amount, installment_amount), 0)
            end as open_amount,
            coalesce(parts.due_date, fct_invoices.due_date) as due_date
        from fct_invoices
        left join parts using (invoice_id)
        where open_amount <> 0
    )
select
    *,
    $as_of - due_date as days_past_due,
    case
        when document_type = 'credit_memo' then null
        when days_past_due <= 0 then 'current'
        when days_past_due <= 30 then '1-30'
        when days_past_due <= 60 then '31-60'
        when days_past_due <= 90 then '61-90'
        else 'over 90'
    end as aging_bucket
from items
where open_amount <> 0
"""

AGING = """
create table fct_ar_aging as
with
    items as (
        select
            entity_id, customer_id, currency_code,
            sum(open_amount) filter (aging_bucket = 'current') as current_amount,
            sum(open_amount) filter (aging_bucket = '1-30') as past_due_1_30_amount,
            sum(open_amount) filter (aging_bucket = '31-60') as past_due_31_60_amount,
            sum(open_amount) filter (aging_bucket = '61-90') as past_due_61_90_amount,
            sum(open_amount) filter (aging_bucket = 'over 90') as past_due_over_90_amount,
            sum(open_amount) filter (aging_bucket is not null) as open_amount,
            -sum(open_amount) filter (aging_bucket is null) as credit_memo_amount,
            sum(disputed_amount) as disputed_amount,
            max(days_past_due) filter (aging_bucket is not null) as oldest_days_past_due
        from fct_open_items
        group by all
    ),
    cash as (
        select
            entity_id, coalesce(customer_id, '(unidentified)') as customer_id, currency_code,
            sum(unapplied_amount) as unapplied_amount
        from fct_payments
        where unapplied_amount <> 0
        group by all
    )
select
    $as_of as as_of_date,
    * replace (
        coalesce(open_amount, 0) as open_amount,
        coalesce(credit_memo_amount, 0) as credit_memo_amount,
        coalesce(unapplied_amount, 0) as unapplied_amount
    ),
    coalesce(open_amount, 0) - coalesce(credit_memo_amount, 0) - coalesce(unapplied_amount, 0) as net_amount
from items
full join cash using (entity_id, customer_id, currency_code)
"""

# Everything that a KPI needs, summed by day and due date first: a few hundred thousand rows whatever the ledger's size.
KPIS = """
create table fct_ar_kpis as
with
    as_of_dates as (
        select cast(last_day(month) as date) as as_of_date
        from (select unnest(generate_series(
            (select date_trunc('month', min(invoice_date)) from fct_invoices), $as_of, interval 1 month)) as month)
        where cast(last_day(month) as date) < $as_of
        union all
        select $as_of
    ),
    effects as (
        select entity_id, currency_code, invoice_date as day, due_date, document_type <> 'credit_memo' as is_debit,
            sum(invoice_amount) as amount, sum(invoice_amount) as sales, 0 as cash, count(*) as items
        from fct_invoices group by all
        union all
        select entity_id, currency_code, application_date, due_date, true,
            -sum(fct_payment_applications.applied_amount), 0,
            coalesce(
                sum(fct_payment_applications.applied_amount) filter (application_type in ('payment', 'reversal')), 0
            ),
            0
        from fct_payment_applications inner join fct_invoices using (invoice_id) group by all
        union all
        select entity_id, currency_code, application_date, due_date, false,
            sum(fct_payment_applications.applied_amount), 0, 0, 0
        from fct_payment_applications
        inner join fct_invoices on fct_invoices.invoice_id = fct_payment_applications.credit_memo_id
        group by all
        union all
        select entity_id, currency_code, adjustment_date, due_date, true, -sum(adjustment_amount), 0, 0, 0
        from adjustments inner join fct_invoices using (invoice_id) group by all
        union all
        select entity_id, currency_code, value_date, null, false, 0, 0, -sum(payment_amount), 0
        from payments group by all
    ),
    dated as (
        select
            as_of_date, entity_id, currency_code,
            sum(amount + cash) as closing_net_amount,
            sum(amount) filter (is_debit) as closing_open_amount,
            sum(amount) filter (is_debit and due_date >= as_of_date) as current_amount,
            sum(amount) filter (is_debit and due_date < as_of_date - 90) as over_90_amount,
            sum(sales) filter (day > as_of_date - 90) as sales_90_amount,
            sum(sales) filter (day > as_of_date - 365) as sales_365_amount,
            sum(sales) filter (day > cast(date_trunc('month', as_of_date) as date) - 1) as credit_sales_amount,
            sum(amount + cash) filter (day < cast(date_trunc('month', as_of_date) as date)) as opening_net_amount
        from as_of_dates
        inner join effects on effects.day <= as_of_dates.as_of_date
        group by all
    ),
    paid_per_day as (
        select
            fct_invoices.entity_id, fct_invoices.currency_code, application_date as day,
            sum(fct_payment_applications.applied_amount) as amount,
            sum(fct_payment_applications.applied_amount * (application_date - invoice_date)) as amount_days_to_pay,
            sum(fct_payment_applications.applied_amount * (application_date - due_date)) as amount_days_late
        from fct_payment_applications
        inner join fct_invoices using (invoice_id)
        where application_type = 'payment'
        group by all
    ),
    weights as (
        select
            as_of_date, entity_id, currency_code,
            sum(amount_days_to_pay) / nullif(sum(amount), 0) as weighted_days_to_pay,
            sum(amount_days_late) / nullif(sum(amount), 0) as weighted_days_late
        from paid_per_day
        inner join as_of_dates on day <= as_of_date and day > as_of_date - 365
        group by all
    )
select
    dated.*,
    closing_open_amount - current_amount as past_due_amount,
    closing_net_amount / nullif(greatest(sales_90_amount, 0), 0) * 90 as dso_days,
    current_amount / nullif(greatest(sales_90_amount, 0), 0) * 90 as best_possible_dso_days,
    (opening_net_amount + credit_sales_amount - closing_net_amount)
        / nullif(greatest(opening_net_amount + credit_sales_amount - current_amount, 0), 0)
        as collection_effectiveness_ratio,
    (closing_open_amount - current_amount) / nullif(closing_open_amount, 0) as past_due_ratio,
    over_90_amount / nullif(closing_open_amount, 0) as over_90_ratio,
    weighted_days_to_pay, weighted_days_late
from dated
left join weights using (as_of_date, entity_id, currency_code)
"""

SEGMENTS = """
create table fct_customer_segments as
with
    rates as (
        select from_currency_code as currency_code, rate_date, rate,
            coalesce(lead(rate_date) over (partition by from_currency_code order by rate_date), date '9999-12-31')
                as until
        from fx_rates where to_currency_code = 'USD'
        union all
        select 'USD', date '1900-01-01', 1, date '9999-12-31'
    ),
    revenue as (
        select customer_id, sum(invoice_amount * rate) as amount
        from fct_invoices
        inner join rates using (currency_code)
        where invoice_date > $as_of - 365 and invoice_date >= rate_date and invoice_date < until
        group by customer_id
    ),
    ranked as (
        select
            *,
            sum(amount) over (order by amount desc, customer_id rows unbounded preceding) - amount as before,
            sum(amount) over () as total,
            row_number() over (order by amount, customer_id) as from_below,
            count(*) over () as customers
        from revenue where amount > 0
    ),
    habits as (
        select
            customer_id,
            count(distinct invoice_id) filter (settled_date > $as_of - 365) as settled_count,
            sum(fct_payment_applications.applied_amount * (application_date - due_date))
                / nullif(sum(fct_payment_applications.applied_amount), 0) as weighted_days_late,
            sum(fct_payment_applications.applied_amount * (application_date - due_date))
                    filter (application_date > $as_of - 90)
                / nullif(sum(fct_payment_applications.applied_amount) filter (application_date > $as_of - 90), 0)
                as weighted_days_late_last
        from fct_payment_applications
        inner join fct_invoices using (invoice_id)
        where application_type = 'payment' and application_date > $as_of - 365
        group by customer_id
    ),
    owed as (
        select
            customer_id,
            sum(open_amount) as open_amount,
            sum(open_amount) filter (days_past_due > 0) as past_due_amount
        from fct_open_items where aging_bucket is not null group by customer_id
    )
select
    customer_id,
    case
        when before < 0.8 * total then 'A'
        when from_below <= floor(0.4 * customers) then 'C'
        when amount is not null then 'B'
    end as value_tier,
    case
        when coalesce(settled_count, 0) < 3 then 'new'
        when weighted_days_late <= 0 then 'always_on_time'
        when weighted_days_late <= 15 then 'slightly_late'
        else 'chronically_late'
    end as behaviour_class,
    0.3 * greatest(least(coalesce(weighted_days_late, 0), 30), 0) / 30
    + 0.3 * coalesce(past_due_amount / nullif(open_amount, 0), 0)
    + 0.15 * greatest(least(coalesce(weighted_days_late_last - weighted_days_late, 0), 15), 0) / 15 as risk_score
from ranked
full join habits using (customer_id)
full join owed using (customer_id)
"""

TOTALS = """
select entity_id, currency_code, coalesce(aging_bucket, 'credit memos') as aging_bucket,
    count(*) as item_count, cast(sum(open_amount) as varchar) as open_amount
from fct_open_items group by all order by all
"""


def build(folder: Path, as_of: str, database: Path, threads: int | None = None) -> dict[str, object]:
    """Build all marts in a fresh database and return the totals to compare."""
    database.unlink(missing_ok=True)
    con = duckdb.connect(str(database))
    con.execute("set preserve_insertion_order = false")
    if threads:
        con.execute(f"set threads = {int(threads)}")
    con.execute(f"set variable as_of = date '{as_of}'")
    sources = {
        "invoices": "and invoice_date <= {d} and settlement = 'terms' and status = 'posted'",
        "payments": "and value_date <= {d} and settlement = 'terms'",
        "remittance_lines": "",
        "disputes": "",
        "installments": "",
        "adjustments": "and adjustment_date <= {d}",
        "fx_rates": "and rate_date <= {d}",
    }
    for table, condition in sources.items():
        path = folder / f"{table}.parquet"
        extra = (
            ", case when document_type = 'credit_memo' then -1 else 1 end as sign"
            if table == "invoices"
            else ""
        )
        where = condition.format(d=f"date '{as_of}'")
        con.execute(f"create view {table} as select *{extra} from read_parquet('{path}') where true {where}")
    con.execute(
        f"create view ledger_applications as select * from read_parquet('{folder}/payment_applications.parquet')"
        f" where application_date <= date '{as_of}'"
    )
    for statement in (APPLICATIONS, INVOICES, PAYMENTS, OPEN_ITEMS, AGING, KPIS, SEGMENTS):
        con.execute(statement.replace("$as_of", f"date '{as_of}'"))
    cursor = con.sql(TOTALS)
    totals = [dict(zip(cursor.columns, row, strict=True)) for row in cursor.fetchall()]
    net = con.sql(
        "select entity_id, currency_code, cast(sum(net_amount) as varchar) from fct_ar_aging group by all order by all"
    )
    counts = {
        table: con.sql(f"select count(*) from {table}").fetchall()[0][0]
        for (table,) in con.sql("select table_name from duckdb_tables() order by 1").fetchall()
    }
    found = {"open": totals, "net": net.fetchall(), "rows": counts}
    con.close()
    return found


if __name__ == "__main__":
    given = [*sys.argv[1:], None][:4]
    print(json.dumps(build(Path(given[0]), given[1], Path(given[2]), int(given[3]) if given[3] else None)))
