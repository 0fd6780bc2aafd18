"""The part of a ledger about customer segments: who is past due, and where it gets worse."""

from collections.abc import Sequence

from o2c.report import written
from o2c.report.parts import Cell, Column, Part, Table
from o2c.report.reading import Row

_DIMENSIONS = {
    "value_tier": "Value tier",
    "behaviour_class": "Behaviour",
    "risk_class": "Risk",
}


def segment_part(segments: Sequence[Row], currency_code: str, *, is_folded: bool) -> Part:
    """Segments of each dimension with what is open and past due; each dimension adds up to the ledger."""
    if not segments:
        return Part("Segments", "segments", ["No segment has anything open."])
    rising = sum(1 for row in segments if row["is_past_due_rising"])
    words = (
        [f"In {written.counted(rising, 'segment')} the past-due share rose three months in a row."]
        if rising
        else []
    )
    lines = [
        [
            Cell(f"{_DIMENSIONS.get(row['segment_dimension'], '')} {written.words(row['segment'])}".strip()),
            Cell(written.count(row["customer_count"])),
            Cell(written.money(row["open_amount"], currency_code)),
            Cell(written.money(row["past_due_amount"], currency_code)),
            Cell(written.percent(row["past_due_ratio"])),
            Cell(written.days(row["dso_days"])),
            Cell("rising", "bad") if row["is_past_due_rising"] else Cell(""),
        ]
        for row in segments
    ]
    heads = (
        Column("Segment", "text"),
        Column("Customers"),
        Column("Open"),
        Column("Past due"),
        Column("of open"),
        Column("DSO"),
        Column("Three months", "text"),
    )
    table = Table(
        f"Customer segments, {currency_code}", heads, lines, is_folded=is_folded, definition="segments"
    )
    return Part("Segments", "segments", words, [table])
