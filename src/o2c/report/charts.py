"""The five drawings of a ledger. Each takes rows of the marts and says beforehand whether there is enough to draw."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from o2c.report import written
from o2c.report.drawing import draw, marks
from o2c.report.palette import BENCHMARK, BUCKETS, DOWN, EXPECTED, MAIN, SECOND, TARGET, UP
from o2c.report.reading import Row

# What is taken off net receivables in a month, and what is put on, in the order of the table.
STEPS = (
    ("invoiced_amount", "Invoiced", 1),
    ("credited_amount", "Credited", -1),
    ("collected_amount", "Collected", -1),
    ("discount_amount", "Discounts", -1),
    ("written_off_amount", "Written off", -1),
    ("adjusted_amount", "Adjusted", -1),
    ("fx_amount", "Rates", 1),
)


def _month_axis(labels: Sequence[str]) -> alt.Axis:
    """Every third month is named, counted back from the newest."""
    return alt.Axis(title=None, values=list(labels)[::-1][::3], labelOverlap=False)


def aging_chart(history: Sequence[Row], labels: Sequence[str]) -> str:
    """Open debit items by bucket over the months. ``labels`` name each date of the history, oldest first."""
    dates = sorted({row["as_of_date"] for row in history})
    name = dict(zip(dates, labels, strict=True))
    names = list(
        dict.fromkeys(row["aging_bucket"] for row in sorted(history, key=lambda r: r["bucket_order"]))
    )
    data = [
        {
            "date": name[row["as_of_date"]],
            "bucket": row["aging_bucket"],
            "order": row["bucket_order"],
            "amount": float(row["open_amount"]),
        }
        for row in history
    ]
    chart = marks(data, "bar").encode(
        x=alt.X("date:O", sort=list(labels), axis=_month_axis(labels), scale=alt.Scale(paddingInner=0.25)),
        y=alt.Y("amount:Q", axis=alt.Axis(title=None, format="~s")),
        color=alt.Color(
            "bucket:N", sort=names, scale=alt.Scale(domain=names, range=list(BUCKETS[: len(names)]))
        ),
        order=alt.Order("order:Q"),
    )
    return draw(chart)


def lines_chart(
    points: Sequence[tuple[str, str, float]],
    series: Sequence[str],
    labels: Sequence[str],
    rules: Sequence[tuple[str, float]],
    *,
    axis_format: str,
) -> str:
    """Key figures over the months, and what they are held against as level lines.

    Args:
        points: month label, series, value; months without a value are left out, and the line has a gap.
        series: at most two, the weightier first.
        rules: ``median`` or ``target`` and its value.
    """
    names = [*series, *(name for name, _ in rules)]
    colours = [MAIN, SECOND][: len(series)] + [
        {"median": BENCHMARK, "target": TARGET}[name] for name, _ in rules
    ]
    scale = alt.Scale(domain=names, range=colours)
    y = alt.Y("value:Q", axis=alt.Axis(title=None, format=axis_format), scale=alt.Scale(zero=True))
    lines = marks(
        [{"date": label, "name": name, "value": value} for label, name, value in points],
        "line",
        strokeWidth=2,
        point=alt.OverlayMarkDef(size=14),
    ).encode(
        x=alt.X("date:O", sort=list(labels), scale=alt.Scale(domain=list(labels)), axis=_month_axis(labels)),
        y=y,
        color=alt.Color("name:N", scale=scale, sort=names),
    )
    levels = marks(
        [{"name": name, "value": value} for name, value in rules], "rule", strokeWidth=1.5, strokeDash=[5, 4]
    ).encode(y=y, color=alt.Color("name:N", scale=scale, sort=names))
    return draw(alt.LayerChart(layer=[lines, levels] if rules else [lines]))


def rollforward_chart(row: Row) -> str:
    """How net receivables came from opening to closing, step by step."""
    level = opening = float(row["opening_amount"])
    bars: list[dict[str, Any]] = [{"step": "Opening", "from": 0.0, "to": opening, "kind": "balance"}]
    for column, name, sign in STEPS:
        if row[column]:
            moved = sign * float(row[column])
            bars.append(
                {"step": name, "from": level, "to": level + moved, "kind": "up" if moved > 0 else "down"}
            )
            level += moved
    bars.append({"step": "Closing", "from": 0.0, "to": float(row["closing_amount"]), "kind": "balance"})
    steps = [bar["step"] for bar in bars]
    kinds, colours = ["balance", "up", "down"], [MAIN, UP, DOWN]
    chart = marks(bars, "bar").encode(
        x=alt.X(
            "step:O",
            sort=steps,
            axis=alt.Axis(title=None, labelOverlap=False, labelExpr="split(datum.label, ' ')"),
        ),
        y=alt.Y("from:Q", axis=alt.Axis(title=None, format="~s")),
        y2="to:Q",
        color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=colours), legend=None),
    )
    return draw(chart)


def forecast_chart(weeks: Sequence[Row]) -> str:
    """Cash expected by week, with the low and the high case as a line over each bar."""
    data = [
        {
            "week": written.day_and_month(row["week_start_date"]),
            "expected": float(row["expected_amount"]),
            "low": float(row["low_amount"]),
            "high": float(row["high_amount"]),
        }
        for row in weeks
    ]
    names = [written.day_and_month(row["week_start_date"]) for row in weeks]
    x = alt.X("week:O", sort=names, axis=alt.Axis(title=None, values=names[::2], labelOverlap=False))
    y_axis = alt.Axis(title=None, format="~s")
    bars = marks(data, "bar", color=EXPECTED).encode(x=x, y=alt.Y("expected:Q", axis=y_axis))
    ranges = marks(data, "rule", color=MAIN, strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q", axis=y_axis), y2="high:Q"
    )
    return draw(alt.LayerChart(layer=[bars, ranges]))
