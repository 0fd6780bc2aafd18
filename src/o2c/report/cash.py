"""Parts of a ledger about cash that came and what customers withhold: application, unapplied money, disputes."""

from collections.abc import Sequence

from o2c.report import written
from o2c.report.parts import Cell, Column, Part, Table
from o2c.report.reading import Row

_PERIODS = {"1_day": "on the day", "30_days": "in 30 days"}


def cash_part(
    cash: Sequence[Row], unapplied: Sequence[Row], exceptions: Sequence[Row], currency_code: str
) -> Part:
    """How much cash was applied by itself, what is not applied and for how long, what waits for a person."""
    tables, words = [], []
    if cash:
        tables.append(_rates(cash, currency_code))
    else:
        words.append("No cash came in the last 30 days.")
    if unapplied:
        tables.append(_unapplied(unapplied, currency_code))
    else:
        words.append("All cash is applied.")
    if exceptions:
        tables.append(_exceptions(exceptions, currency_code))
    return Part("Cash application", "cash-application", words, tables)


def dispute_part(disputes: Sequence[Row], deductions: Sequence[Row], currency_code: str) -> Part:
    """What customers contest and what they withheld, by reason."""
    tables, words = [], []
    if disputes:
        tables.append(_disputes(disputes, currency_code))
    else:
        words.append("Nothing is disputed, and no dispute was resolved lately.")
    if deductions:
        tables.append(_deductions(deductions, currency_code))
    else:
        words.append("No amount that a customer withheld is open.")
    return Part("Disputes and deductions", "disputes", words, tables)


def _rates(cash: Sequence[Row], currency_code: str) -> Table:
    lines = []
    for row in cash:
        amounts = [
            Cell(
                written.money(row[f"{who}_amount"], currency_code),
                below=written.counted(row[f"{who}_count"], "payment"),
            )
            for who in ("received", "automatic", "ledger", "person", "waiting")
        ]
        shares = [Cell(written.percent(row[f"automatic_{what}_ratio"])) for what in ("amount", "count")]
        lines.append([Cell(f"Received {_PERIODS[row['period']]}"), *amounts, *shares])
    return Table(
        f"Cash received and how it was applied, {currency_code}",
        (
            Column("", "text"),
            Column("Received"),
            Column("By itself"),
            Column("By the ledger"),
            Column("By a person"),
            Column("Waiting"),
            Column("By itself, of amount"),
            Column("Of payments"),
        ),
        lines,
        definition="cash-application",
    )


def _unapplied(unapplied: Sequence[Row], currency_code: str) -> Table:
    ages = ("age_0_7_amount", "age_8_30_amount", "age_31_90_amount", "age_over_90_amount")
    lines = [
        [
            Cell(
                written.words(row["balance_type"]).capitalize(),
                below=written.counted(row["payment_count"], "payment"),
            ),
            *(Cell(written.money(row[name], currency_code)) for name in ("unapplied_amount", *ages)),
            Cell(written.count(row["oldest_age_days"])),
        ]
        for row in unapplied
    ]
    return Table(
        f"Unapplied cash by days since it came, {currency_code}",
        (
            Column("", "text"),
            Column("Unapplied"),
            Column("0-7"),
            Column("8-30"),
            Column("31-90"),
            Column("over 90"),
            Column("Oldest, days"),
        ),
        lines,
        definition="unapplied-cash",
    )  # fmt: skip


def _exceptions(exceptions: Sequence[Row], currency_code: str) -> Table:
    lines = [
        [
            Cell(written.words(row["reason_code"])),
            Cell(written.count(row["payment_count"])),
            Cell(written.money(row["unapplied_amount"], currency_code)),
            Cell(written.count(row["oldest_days"])),
        ]
        for row in exceptions
    ]
    return Table(
        f"Payments that wait for a person, {currency_code}",
        (Column("Reason", "text"), Column("Payments"), Column("Unapplied"), Column("Longest, days")),
        lines,
        definition="cash-exceptions",
    )


def _disputes(disputes: Sequence[Row], currency_code: str) -> Table:
    lines = [
        [
            Cell(written.words(row["cause"])),
            Cell(written.money(row["open_disputed_amount"], currency_code)),
            Cell(written.count(row["open_count"])),
            Cell(written.count(row["oldest_days_open"])),
            Cell(written.count(row["resolved_count"])),
            Cell(written.days(row["average_days_to_resolve"])),
        ]
        for row in disputes
    ]
    return Table(
        f"Disputes by reason, {currency_code}",
        (
            Column("Reason", "text"),
            Column("Disputed"),
            Column("Open"),
            Column("Oldest, days"),
            Column("Resolved lately"),
            Column("Days to resolve"),
        ),
        lines,
        definition="disputes",
    )


def _deductions(deductions: Sequence[Row], currency_code: str) -> Table:
    lines = [
        [
            Cell(written.words(row["reason_code"]), below=written.text(row["reason"])),
            Cell(written.money(row["deduction_amount"], currency_code)),
            Cell(written.count(row["deduction_count"])),
            Cell(written.day(row["first_date"])),
        ]
        for row in deductions
    ]
    return Table(
        f"Open deductions by reason, {currency_code}",
        (Column("Reason", "text"), Column("Withheld"), Column("Deductions"), Column("Since")),
        lines,
        definition="deductions",
    )
