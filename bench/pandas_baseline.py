"""What a data team would write: one pandas script from CSV to open items, aging, KPIs, a dunning list and letters.

    python bench/pandas_baseline.py FOLDER AS_OF OUT [STAGE ...]

Stages: read, cash, marts, dunning, letters; by default all, in that order. Prints one line of JSON with seconds per
stage and the totals that must agree with the product's.

It does less than the product: whole cents in integers without checks on types, keys, codes or dates (exact duplicates
alone are dropped), KPIs at the run's date only, no segments, no letter history (the level follows from the oldest
item's age, so everybody past due is written to), no blocks, promises, plans or suspense, no reasons, no tests.
"""

import json
import resource
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import pandas as pd
from jinja2 import Environment

TEXT = Environment(autoescape=False).from_string(  # noqa: S701 (plain text)
    """Dear {{ name }},

our records show {{ lines | length }} invoices past due, {{ total }} {{ currency }} in all:
{% for number, due, days, amount in lines %}
  {{ number }}  due {{ due }}  {{ days }} days  {{ amount }}
{%- endfor %}

Please pay within seven days.
"""
)
HTML = Environment(autoescape=True).from_string(
    """<html><body><p>Dear {{ name }},</p><p>our records show {{ lines | length }} invoices past due,
<b>{{ total }} {{ currency }}</b> in all:</p><table>
{% for number, due, days, amount in lines %}<tr><td>{{ number }}</td><td>{{ due }}</td><td>{{ days }}</td>
<td>{{ amount }}</td></tr>{% endfor %}</table><p>Please pay within seven days.</p></body></html>"""
)
SUBJECTS = {1: "Reminder", 2: "Second reminder", 3: "Final notice"}
BUCKETS = {
    "bins": [-(10**6), 0, 30, 60, 90, 10**6],
    "labels": ["current", "1-30", "31-60", "61-90", "over 90"],
}


def read(folder: Path, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The tables needed, typed by hand: ids as text, dates parsed, amounts in whole cents."""
    wanted = {
        "invoices": (
            "invoice_id entity_id invoice_number document_type customer_id currency_code invoice_amount status"
            " settlement",
            "invoice_date due_date",
        ),
        "payments": (
            "payment_id entity_id customer_id currency_code payment_amount reference_text reverses_payment_id"
            " settlement",
            "value_date",
        ),
        "payment_applications": (
            "application_id payment_id credit_memo_id invoice_id applied_amount application_type",
            "application_date",
        ),
        "remittance_lines": ("payment_id invoice_reference paid_amount", ""),
        "adjustments": ("invoice_id adjustment_amount", "adjustment_date"),
        "installments": ("invoice_id installment_number installment_amount", "due_date"),
        "customers": ("customer_id customer_name customer_type status payment_terms_days", ""),
        "contacts": ("customer_id role email", ""),
    }
    tables = {}
    for table, (columns, dates) in wanted.items():
        extra = "payment_terms_days" if table == "invoices" else ""
        names = f"{columns} {dates} {extra}".split()
        amounts = [name for name in names if name.endswith("_amount")]
        frame = pd.read_csv(
            folder / f"{table}.csv",
            usecols=names,
            dtype={
                name: "str" for name in names if name not in amounts + dates.split() + ["payment_terms_days"]
            },
            parse_dates=dates.split(),
            date_format="%Y-%m-%d",
        ).drop_duplicates()
        for name in amounts:
            frame[name] = (frame[name] * 100).round().astype("int64")
        tables[table] = frame
    invoices, payments = tables["invoices"], tables["payments"]
    terms = invoices.payment_terms_days.fillna(0)
    invoices["due_date"] = invoices.due_date.fillna(invoices.invoice_date + pd.to_timedelta(terms, unit="D"))
    tables["invoices"] = invoices[
        (invoices.settlement == "terms") & (invoices.status == "posted") & (invoices.invoice_date <= as_of)
    ]
    tables["payments"] = payments[(payments.settlement == "terms") & (payments.value_date <= as_of)]
    return tables


def apply_cash(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Ledger's applications and those of payments that name an invoice by remittance line, number or id."""
    invoices, payments, ledger = tables["invoices"], tables["payments"], tables["payment_applications"]
    booked = ledger.loc[ledger.application_type == "payment", "payment_id"]
    waiting = payments[
        (payments.payment_amount > 0)
        & ~payments.payment_id.isin(booked)
        & ~payments.payment_id.isin(payments.reverses_payment_id.dropna())
    ]
    by_line = tables["remittance_lines"].merge(waiting[["payment_id", "value_date"]], on="payment_id")
    by_line = by_line.rename(columns={"invoice_reference": "reference", "paid_amount": "claimed"})
    by_text = waiting[~waiting.payment_id.isin(by_line.payment_id)][
        ["payment_id", "reference_text", "payment_amount", "value_date"]
    ].set_axis(["payment_id", "reference", "claimed", "value_date"], axis=1)
    names = pd.concat(
        [
            invoices[["invoice_id", "invoice_number"]].set_axis(["invoice_id", "reference"], axis=1),
            invoices[["invoice_id"]].assign(reference=invoices.invoice_id),
        ]
    )
    claims = (
        pd.concat([by_line, by_text]).merge(names, on="reference").sort_values(["value_date", "payment_id"])
    )
    reduced = ledger.groupby("invoice_id").applied_amount.sum()
    reduced = reduced.add(tables["adjustments"].groupby("invoice_id").adjustment_amount.sum(), fill_value=0)
    still = invoices.set_index("invoice_id").invoice_amount.reindex(claims.invoice_id).to_numpy()
    still = still - reduced.reindex(claims.invoice_id).fillna(0).to_numpy()
    before = claims.groupby("invoice_id").claimed.cumsum() - claims.claimed
    claims["applied_amount"] = (still - before).clip(lower=0).clip(upper=claims.claimed).astype("int64")
    claims = claims[claims.applied_amount > 0].assign(application_type="payment")
    claims = claims.rename(columns={"value_date": "application_date"})
    columns = [
        "payment_id",
        "credit_memo_id",
        "invoice_id",
        "applied_amount",
        "application_type",
        "application_date",
    ]
    return pd.concat([ledger[columns], claims.reindex(columns=columns)])


def open_items(
    tables: dict[str, pd.DataFrame], applications: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Open documents and installments with age and bucket; credit memos negative."""
    invoices = tables["invoices"].set_index("invoice_id")
    reduced = applications.groupby("invoice_id").applied_amount.sum()
    reduced = reduced.add(applications.groupby("credit_memo_id").applied_amount.sum(), fill_value=0)
    reduced = reduced.add(tables["adjustments"].groupby("invoice_id").adjustment_amount.sum(), fill_value=0)
    open_amount = (invoices.invoice_amount - reduced.reindex(invoices.index).fillna(0)).astype("int64")
    items = invoices.assign(open_amount=open_amount)[open_amount != 0]
    parts = tables["installments"].sort_values(["invoice_id", "installment_number"], ascending=[True, False])
    parts["later"] = parts.groupby("invoice_id").installment_amount.cumsum() - parts.installment_amount
    split = items.drop(columns="due_date").join(parts.set_index("invoice_id"), how="inner")
    split["open_amount"] = (
        (split.open_amount - split.later).clip(lower=0).clip(upper=split.installment_amount)
    )
    items = pd.concat([items[~items.index.isin(split.index)], split[split.open_amount > 0]])
    items["days_past_due"] = (as_of - items.due_date).dt.days
    items["aging_bucket"] = pd.cut(items.days_past_due, **BUCKETS).astype(object)
    is_credit = items.document_type == "credit_memo"
    items.loc[is_credit, "open_amount"] *= -1
    items.loc[is_credit, "aging_bucket"] = "credit memos"
    return items.reset_index(names="invoice_id")


def summarise(
    tables: dict[str, pd.DataFrame], applications: pd.DataFrame, items: pd.DataFrame, as_of: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Aging by customer, KPIs by account on the run's date, and net receivables by account."""
    key = ["entity_id", "currency_code"]
    aging = items.pivot_table(
        index=[*key, "customer_id"], columns="aging_bucket", values="open_amount", aggfunc="sum", fill_value=0
    )
    paying = applications[applications.application_type.isin(["payment", "reversal"])]
    payments = tables["payments"].set_index("payment_id")
    left = payments.payment_amount.sub(paying.groupby("payment_id").applied_amount.sum(), fill_value=0)
    unapplied = payments.assign(left=left.reindex(payments.index)).groupby(key).left.sum().astype("int64")
    net = items.groupby(key).open_amount.sum().sub(unapplied, fill_value=0).astype("int64")
    invoices = tables["invoices"]
    signed = invoices.invoice_amount.where(invoices.document_type != "credit_memo", -invoices.invoice_amount)
    recent = invoices.invoice_date > as_of - pd.Timedelta(days=90)
    sales = signed[recent].groupby([invoices.entity_id, invoices.currency_code]).sum()
    debit = items[items.aging_bucket != "credit memos"]
    late = debit[debit.days_past_due > 0].groupby(key).open_amount.sum()
    old = debit[debit.days_past_due > 90].groupby(key).open_amount.sum()
    total = debit.groupby(key).open_amount.sum()
    paid = paying.merge(invoices[["invoice_id", "invoice_date", "due_date", *key]], on="invoice_id")
    paid = paid[paid.application_date > as_of - pd.Timedelta(days=365)]
    days = (paid.application_date - paid.invoice_date).dt.days
    weighted = (paid.applied_amount * days).groupby([paid.entity_id, paid.currency_code]).sum()
    kpis = pd.DataFrame(
        {
            "dso_days": net / sales * 90,
            "past_due_ratio": late / total,
            "over_90_ratio": old / total,
            "weighted_days_to_pay": weighted / paid.groupby(key).applied_amount.sum(),
        }
    )
    return aging, kpis, net


def dunning_list(tables: dict[str, pd.DataFrame], items: pd.DataFrame) -> pd.DataFrame:
    """Who is written to: by entity, customer and currency, with the level of the oldest item's age."""
    past_due = items[(items.aging_bucket != "credit memos") & (items.days_past_due > 0)]
    listed = past_due.groupby(["entity_id", "customer_id", "currency_code"], as_index=False).agg(
        past_due_amount=("open_amount", "sum"), oldest=("days_past_due", "max")
    )
    listed["level"] = pd.cut(listed.oldest, [0, 6, 13, 10**6], labels=[1, 2, 3]).astype(int)
    contacts = tables["contacts"][lambda frame: frame.role == "billing"].drop_duplicates("customer_id")
    customers = tables["customers"][lambda frame: frame.status == "active"]
    listed = (
        listed.merge(customers, on="customer_id").merge(contacts, on="customer_id").dropna(subset="email")
    )
    return listed[listed.past_due_amount >= 2500]


def write_letters(listed: pd.DataFrame, items: pd.DataFrame, folder: Path) -> int:
    """One mail message per customer, entity and currency, each in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ["entity_id", "customer_id", "currency_code"]
    past_due = items[(items.aging_bucket != "credit memos") & (items.days_past_due > 0)]
    past_due = past_due.merge(listed[key], on=key)
    lines = {
        account: [
            (
                row.invoice_number,
                f"{row.due_date:%Y-%m-%d}",
                row.days_past_due,
                f"{row.open_amount / 100:,.2f}",
            )
            for row in group.itertuples()
        ]
        for account, group in past_due.groupby(key)
    }
    for number, row in enumerate(listed.itertuples()):
        values = {
            "name": row.customer_name,
            "currency": row.currency_code,
            "total": f"{row.past_due_amount / 100:,.2f}",
            "lines": lines[(row.entity_id, row.customer_id, row.currency_code)],
        }
        message = EmailMessage()
        message["From"], message["To"] = "billing@example.com", row.email
        message["Subject"] = SUBJECTS[row.level]
        message.set_content(TEXT.render(values))
        message.add_alternative(HTML.render(values), subtype="html")
        (folder / f"{number:07d}.eml").write_bytes(bytes(message))
    return len(listed)


def main(folder: Path, as_of: pd.Timestamp, out: Path, stages: list[str]) -> dict[str, object]:
    """Run the stages in order; what later ones need is made whatever was asked for."""
    seconds, letters = {}, 0

    def timed(name: str, call):
        used = resource.getrusage(resource.RUSAGE_SELF)
        wall, cpu = time.perf_counter(), used.ru_utime + used.ru_stime
        result = call()
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds[name] = {
            "wall_seconds": time.perf_counter() - wall,
            "cpu_seconds": used.ru_utime + used.ru_stime - cpu,
        }
        return result

    tables = timed("read", lambda: read(folder, as_of))
    applications = timed("cash", lambda: apply_cash(tables))

    def marts():
        items = open_items(tables, applications, as_of)
        out.mkdir(parents=True, exist_ok=True)
        aging, kpis, net = summarise(tables, applications, items, as_of)
        items.to_parquet(out / "open_items.parquet")
        aging.to_parquet(out / "aging.parquet")
        kpis.to_parquet(out / "kpis.parquet")
        return items, net

    items, net = timed("marts", marts)
    if "dunning" in stages:
        listed = timed("dunning", lambda: dunning_list(tables, items))
        if "letters" in stages:
            letters = timed("letters", lambda: write_letters(listed, items, out / "letters"))
    totals = items.groupby(["entity_id", "currency_code", "aging_bucket"]).open_amount.agg(["count", "sum"])
    return {
        "open": [
            {
                "entity_id": entity,
                "currency_code": currency,
                "aging_bucket": bucket,
                "item_count": int(row["count"]),
                "open_amount": f"{row['sum'] / 100:.2f}",
            }
            for (entity, currency, bucket), row in totals.iterrows()
        ],
        "net": [[*account, f"{amount / 100:.2f}"] for account, amount in net.items()],
        "stages": seconds,
        "letters": letters,
    }


if __name__ == "__main__":
    chosen = sys.argv[4:] or ["read", "cash", "marts", "dunning", "letters"]
    print(json.dumps(main(Path(sys.argv[1]), pd.Timestamp(sys.argv[2]), Path(sys.argv[3]), chosen)))
