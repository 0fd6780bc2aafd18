"""The part of a ledger about how net receivables came from one month end to the next."""

from collections.abc import Sequence

from o2c.report import charts, written
from o2c.report.parts import Cell, Chart, Column, Part, Table
from o2c.report.reading import Row


def rollforward_part(months: Sequence[Row], currency_code: str, *, draws: bool) -> Part:
    """How net receivables came from one month end to the next; the newest month is drawn."""
    if not months:
        return Part(
            "Roll-forward",
            "rollforward",
            ["There is no roll-forward: it needs invoices and payments, and not open amounts alone."],
        )
    shown = months[-3:]
    heads = [
        written.month(row["month_end_date"])
        if row["is_complete_month"]
        else f"to {written.day_and_month(row['as_of_date'])}"
        for row in shown
    ]
    lines = [[Cell("Opening net receivables"), *_money_cells(shown, "opening_amount", 1, currency_code)]]
    for column, label, sign in charts.STEPS:
        if any(row[column] for row in shown):
            lines.append([Cell(label), *_money_cells(shown, column, sign, currency_code)])
    lines.append([Cell("Closing net receivables"), *_money_cells(shown, "closing_amount", 1, currency_code)])
    table = Table(
        f"Roll-forward of net receivables, {currency_code}",
        (Column("", "text"), *(Column(head) for head in heads)),
        lines,
        total_rows=1,
        definition="rollforward",
    )
    newest = shown[-1]
    if not draws:
        return Part("Roll-forward", "rollforward", (), [table])
    chart = Chart(
        f"Net receivables, {heads[-1]}, {currency_code}",
        charts.rollforward_chart(newest),
        f"Steps from {written.money(newest['opening_amount'], currency_code)} opening to"
        f" {written.money(newest['closing_amount'], currency_code)} closing; the figures are in the table.",
        "rollforward",
    )
    return Part("Roll-forward", "rollforward", (), [table], [chart])


def _money_cells(rows: Sequence[Row], column: str, sign: int, currency_code: str) -> list[Cell]:
    return [Cell(written.money(sign * row[column], currency_code)) for row in rows]
