"""The figures of a ledger that are read first."""

from typing import Any

from o2c.report import written
from o2c.report.kpis import change_of
from o2c.report.parts import Tile
from o2c.report.reading import Row


def tiles_of(now: Row, change: Row, currency_code: str) -> list[Tile]:
    """The four figures that are read first."""
    since = change.get("previous_month_end_date")
    suffix = f" since {written.day(since)}" if since else ""

    def moved(column: str, unit: str, *, better: int) -> tuple[str, Any]:
        value = change.get(change_of(column))
        if value is None:
            return "", ""
        words = (
            written.money_change(value, currency_code)
            if unit == "money"
            else written.figure_change(value, unit)
        )
        tone = "" if not value or not better else ("good" if value * better > 0 else "bad")
        return words + suffix, tone

    opened = written.money(now["closing_open_amount"], currency_code)
    tiles = []
    for title, column, unit, anchor, better, more in (
        ("Net receivables", "closing_net_amount", "money", "rollforward", 0, ""),
        (
            "Past due",
            "past_due_amount",
            "money",
            "past-due",
            -1,
            f"{written.percent(now['past_due_ratio'])} of {opened} open",
        ),
        (
            "DSO, days",
            "dso_days",
            "days",
            "dso",
            -1,
            f"best possible {written.days(now['best_possible_dso_days'])}",
        ),
        (
            "Collection effectiveness",
            "collection_effectiveness_quarter_ratio",
            "ratio",
            "collection-effectiveness",
            1,
            "three months",
        ),
    ):
        words, tone = moved(column, unit, better=better)
        value = (
            written.money(now[column], currency_code)
            if unit == "money"
            else written.figure(now[column], unit)
        )
        tiles.append(Tile(title, value, anchor, tuple(one for one in (more, words) if one), tone))
    return tiles
