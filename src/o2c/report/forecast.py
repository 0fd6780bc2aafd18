"""The part of a ledger about cash to come: weeks with their range, and how an earlier forecast did."""

from collections.abc import Sequence
from decimal import Decimal

from o2c.report import charts, written
from o2c.report.parts import Cell, Chart, Column, Part, Table
from o2c.report.reading import Row

_TITLE = "Cash forecast"
_WEEKS_TRIED = 4


def forecast_part(forecast: Sequence[Row], errors: Sequence[Row], currency_code: str, *, draws: bool) -> Part:
    """What is expected by week, and last month's forecast against what came."""
    tables, drawn = [], []
    words = [] if forecast else ["There is no forecast: nothing is open."]
    weeks = [row for row in forecast if not row["is_beyond_horizon"]]
    if forecast:
        tables.append(_weeks(forecast, currency_code))
    if draws and any(row["high_amount"] for row in weeks):
        expected = sum((row["expected_amount"] for row in weeks), Decimal(0))
        drawn.append(
            Chart(
                f"Cash expected by week, {currency_code}",
                charts.forecast_chart(weeks),
                f"Bars for {written.counted(len(weeks), 'week')} from {written.day(weeks[0]['week_start_date'])},"
                f" {written.money(expected, currency_code)} expected in all; the line over each bar is its range.",
                "forecast",
            )
        )
    tried = tried_weeks(errors)
    if tried:
        tables.append(_tried(tried, currency_code))
        words.append(_verdict(tried, currency_code))
    else:
        words.append("No earlier forecast can be held against what came: none is old enough.")
    return Part(_TITLE, "forecast", words, tables, drawn)


def tried_weeks(errors: Sequence[Row]) -> list[Row]:
    """The first weeks of one forecast that have ended: of the newest with all four, else of the one with most."""
    by_date: dict = {}
    for row in errors:
        if row["week_number"] <= _WEEKS_TRIED:
            by_date.setdefault(row["forecast_date"], []).append(row)
    return max(by_date.items(), key=lambda one: (len(one[1]), one[0]), default=(None, []))[1]


def _weeks(forecast: Sequence[Row], currency_code: str) -> Table:
    def money(amount: Decimal) -> Cell:
        return Cell(written.money(amount, currency_code))

    amounts = ("low_amount", "expected_amount", "high_amount", "promised_amount")
    lines = [
        [
            Cell(
                "later, disputed or doubtful"
                if row["is_beyond_horizon"]
                else written.day(row["week_start_date"])
            ),
            *(money(row[name]) for name in amounts),
        ]
        for row in forecast
    ]
    beyond = [row for row in forecast if row["is_beyond_horizon"]]
    left_out = [
        f"{written.money_of(sum((row[column] for row in beyond), Decimal(0)), currency_code)} {what}"
        for column, what in (("disputed_amount", "disputed"), ("doubtful_amount", "doubtful"))
        if any(row[column] for row in beyond)
    ]
    lines.append(
        [Cell("All open, net"), Cell(""), money(_sum(forecast, "expected_amount")), Cell(""), Cell("")]
    )
    return Table(
        f"Cash expected by week, {currency_code}",
        (
            Column("Week from", "text"),
            Column("Low"),
            Column("Expected"),
            Column("High"),
            Column("Of which promised"),
        ),
        lines,
        total_rows=1,
        note=f"Of what is later: {' and '.join(left_out)}." if left_out else "",
        definition="forecast",
    )  # fmt: skip


def _tried(tried: Sequence[Row], currency_code: str) -> Table:
    lines = [
        [
            Cell(written.day(row["week_start_date"])),
            *(
                Cell(written.money(row[name], currency_code))
                for name in ("low_amount", "expected_amount", "high_amount", "collected_amount")
            ),
            Cell(written.money_change(row["error_amount"], currency_code)),
            Cell("within", "good") if row["is_within_range"] else Cell("outside", "bad"),
        ]
        for row in tried
    ]
    return Table(
        f"Forecast of {written.day(tried[0]['forecast_date'])} and what came, {currency_code}",
        (
            Column("Week from", "text"),
            Column("Low"),
            Column("Expected"),
            Column("High"),
            Column("Came"),
            Column("Error"),
            Column("Range", "text"),
        ),
        lines,
        definition="forecast-error",
    )


def _verdict(tried: Sequence[Row], currency_code: str) -> str:
    expected, came = (_sum(tried, name) for name in ("expected_amount", "collected_amount"))
    within = sum(1 for row in tried if row["is_within_range"])
    error = written.money_change(came - expected, currency_code)
    relative = f" ({written.share(came - expected, expected)} of expected)" if expected > 0 else ""
    return (
        f"The forecast of {written.day(tried[0]['forecast_date'])} expected"
        f" {written.money_of(expected, currency_code)} in {written.counted(len(tried), 'week')};"
        f" {written.money(came, currency_code)} came, an error of {error}{relative}."
        f" {within} of {written.counted(len(tried), 'week')} within the range."
    )


def _sum(rows: Sequence[Row], column: str) -> Decimal:
    return sum((row[column] for row in rows), Decimal(0))
