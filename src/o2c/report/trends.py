"""Key figures over the months as lines, beside what they are held against."""

from collections.abc import Mapping, Sequence
from datetime import date

from o2c.report import charts, written
from o2c.report.months import labels_of
from o2c.report.parts import Chart
from o2c.report.reading import Row


def draw_trends(history: Sequence[Row], compared: Mapping[str, Row], as_of: date) -> list[Chart]:
    labels = labels_of([row["as_of_date"] for row in history], as_of)
    drawn = []
    for title, series, kpi, axis_format, anchor in (
        (
            "DSO and best possible DSO, days",
            (("dso_days", "DSO"), ("best_possible_dso_days", "best possible")),
            "dso_days",
            "~f",
            "dso",
        ),
        (
            "Collection effectiveness",
            (
                ("collection_effectiveness_quarter_ratio", "three months"),
                ("collection_effectiveness_ratio", "month"),
            ),
            "collection_effectiveness_quarter_ratio",
            "~%",
            "collection-effectiveness",
        ),
    ):
        points = [
            (label, name, float(row[column]))
            for column, name in series
            for label, row in zip(labels, history, strict=True)
            if row[column] is not None
        ]
        # The first months of a ledger give figures far outside of what the scale is for; the table has them.
        drawable = [point for point in points if axis_format != "~%" or 0 <= point[2] <= 1.5]
        left_out = len(points) - len(drawable)
        if len(drawable) < 2:
            continue
        other = compared.get(kpi, {})
        rules = [
            (name, float(other[column]))
            for name, column in (("median", "benchmark_value"), ("target", "target_value"))
            if other.get(column) is not None
        ]
        unit = "days" if axis_format == "~f" else "ratio"
        held = " and ".join(
            f"{name} {written.figure(other[column], unit)}"
            for name, column in (("median of others", "benchmark_value"), ("target", "target_value"))
            if other.get(column) is not None
        )
        words = f"Lines over {written.counted(len(labels), 'date')}, {labels[0]} to {labels[-1]}" + (
            f", beside {held}." if held else "."
        )
        if left_out:
            words += f" Outside of 0 to 150 % and not drawn: {written.counted(left_out, 'value')}."
        svg = charts.lines_chart(
            drawable, [name for _, name in series], labels, rules, axis_format=axis_format
        )
        drawn.append(Chart(title, svg, words, anchor))
    return drawn
