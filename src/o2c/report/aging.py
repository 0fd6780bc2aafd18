"""The part of a ledger about the age of open items, now and over two years."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from o2c.report import charts, written
from o2c.report.months import NO_HISTORY, labels_of
from o2c.report.parts import GROUP, Cell, Chart, Column, Part, Table
from o2c.report.reading import Row

BUCKET_COLUMNS = (
    ("current", "current_amount"),
    ("1-30", "past_due_1_30_amount"),
    ("31-60", "past_due_31_60_amount"),
    ("61-90", "past_due_61_90_amount"),
    ("over 90", "past_due_over_90_amount"),
)


def aging_part(
    entity_id: str,
    currency_code: str,
    buckets: Sequence[Row],
    balance: Row | None,
    kpis: Row | None,
    as_of: date,
    *,
    draws: bool,
) -> Part:
    """Open debit items by age now and over two years, and what stands against them."""
    now = [row for row in buckets if row["as_of_date"] == as_of] or _without_losses(balance)
    if not now:
        return Part("Aging", "aging", ["Nothing is known of how old the open items are."])
    # Of the group each bucket is put into its currency and rounded by itself: the key figure is the total.
    open_amount = kpis["closing_open_amount"] if kpis is not None else _total(now, "open_amount")
    table = _aging_now(entity_id, now, open_amount, balance, kpis, currency_code)
    words = []
    if balance is not None and balance["oldest_days_past_due"] is not None:
        words.append(
            f"{written.counted(balance['customer_count'], 'customer')} with open items; the oldest is"
            f" {written.counted(balance['oldest_days_past_due'], 'day')} past due."
            f" {written.money_of(balance['disputed_amount'], currency_code)} are disputed."
        )
    dates = sorted({row["as_of_date"] for row in buckets})
    if len(dates) < 2:
        return Part("Aging", "aging", [*words, NO_HISTORY], [table])
    labels = labels_of(dates, as_of)
    by_month = _aging_by_month(buckets, dates, currency_code)
    if not draws:
        return Part("Aging", "aging", words, [table, by_month])
    chart = Chart(
        f"Open items by age, {currency_code}",
        charts.aging_chart(buckets, labels),
        f"Stacked bars of open items by aging bucket at month ends from {written.day(dates[0])} to"
        f" {written.day(dates[-1])}; the figures are in the table of months.",
        "aging",
    )
    return Part("Aging", "aging", words, [table, by_month], [chart])


def _aging_now(
    entity_id: str,
    now: Sequence[Row],
    open_amount: Decimal,
    balance: Row | None,
    kpis: Row | None,
    currency_code: str,
) -> Table:
    """Buckets with their share and losses, then what leads from open items to net receivables."""
    losses = [
        (title, column)
        for title, column in (
            ("Loss by matrix", "allowance_amount"),
            ("Loss by roll rates", "chain_allowance_amount"),
        )
        if all(row[column] is not None for row in now)
    ]

    def money(amount: Decimal) -> Cell:
        return Cell(written.money(amount, currency_code))

    lines = [
        [
            Cell(row["aging_bucket"] if row["aging_bucket"] == "current" else f"{row['aging_bucket']} days"),
            money(row["open_amount"]),
            Cell(written.share(row["open_amount"], open_amount)),
            *(money(row[column]) for _, column in losses),
        ]
        for row in now
    ]
    lines.append(
        [
            Cell("Open items"),
            money(open_amount),
            Cell(""),
            *(money(_total(now, column)) for _, column in losses),
        ]
    )
    below = _below(entity_id, balance, kpis, open_amount)
    lines += [[Cell(label), money(amount), *([Cell("")] * (1 + len(losses)))] for label, amount in below]
    return Table(
        f"Open items by days past due, {currency_code}",
        (
            Column("Days past due", "text"),
            Column("Open", definition="aging"),
            Column("Share"),
            *(Column(title, definition="expected-loss") for title, _ in losses),
        ),
        lines,
        total_rows=1 + len(below),
        note=""
        if _total(now, "open_amount") == open_amount
        else "Each line is converted and rounded by itself.",
        definition="aging",
    )


def _without_losses(balance: Row | None) -> list[Row]:
    """Buckets as the aging has them, where no losses are expected of them yet."""
    if balance is None:
        return []
    return [
        {
            "aging_bucket": label,
            "open_amount": balance[column],
            "allowance_amount": None,
            "chain_allowance_amount": None,
        }
        for label, column in BUCKET_COLUMNS
    ]


def _total(rows: Sequence[Row], column: str) -> Decimal:
    return sum((row[column] for row in rows), Decimal(0))


def _below(
    entity_id: str, balance: Row | None, kpis: Row | None, open_amount: Decimal
) -> list[tuple[str, Decimal]]:
    """From open items to net receivables; the group's rows have only both together."""
    if entity_id != GROUP and balance is not None:
        return [
            ("Credit memos", -balance["credit_memo_amount"]),
            ("Unapplied cash", -balance["unapplied_amount"]),
            ("Net receivables", balance["net_amount"]),
        ]
    if kpis is None:
        return []
    net = kpis["closing_net_amount"]
    return [("Credit memos and unapplied cash", net - open_amount), ("Net receivables", net)]


def _aging_by_month(buckets: Sequence[Row], dates: Sequence[date], currency_code: str) -> Table:
    names = list(
        dict.fromkeys(row["aging_bucket"] for row in sorted(buckets, key=lambda r: r["bucket_order"]))
    )
    amounts = {(row["as_of_date"], row["aging_bucket"]): row["open_amount"] for row in buckets}
    lines = []
    for day in reversed(dates):
        found = [amounts.get((day, name), Decimal(0)) for name in names]
        total = sum(found, Decimal(0))
        lines.append(
            [Cell(written.day(day)), *(Cell(written.money(one, currency_code)) for one in (*found, total))]
        )
    return Table(
        f"Open items by age at month ends, {currency_code}",
        (Column("Date", "text"), *(Column(name) for name in names), Column("Open")),
        lines,
        is_folded=True,
        definition="aging",
    )
