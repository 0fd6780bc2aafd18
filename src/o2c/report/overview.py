"""What stands above and below the ledgers: all at a glance, alerts, contacts, the checks of the run."""

from collections.abc import Mapping, Sequence

from o2c.report import written
from o2c.report.parts import Cell, Column, Part, Table, ledger_name
from o2c.report.reading import Row

_ALERTS = {
    "segment_past_due_rising": "Segment's past-due share rises",
    "collections_shortfall": "Collections below usual",
    "customer_concentration": "One customer owes much of all",
}
_SEVERITIES = {
    "error": "stops the run",
    "gate": "nothing is sent",
    "brake": "people look at every letter",
    "warn": "to look at",
    "warning": "to look at",
}


def glance_table(now: Sequence[Row], anchors: Mapping[tuple[str, str], str]) -> Table:
    """One row per entity and currency; the group first. Amounts of each row in its own currency."""
    lines = []
    for row in now:
        key = (row["entity_id"], row["currency_code"])
        code = row["currency_code"]
        href = f"#{anchors[key]}" if key in anchors else ""
        lines.append(
            [
                Cell(written.text(ledger_name(*key)), href=href),
                *(
                    Cell(written.money(row[name], code))
                    for name in ("closing_net_amount", "closing_open_amount", "past_due_amount")
                ),
                Cell(written.percent(row["past_due_ratio"])),
                Cell(written.percent(row["over_90_ratio"])),
                Cell(written.days(row["dso_days"])),
                Cell(written.days(row["best_possible_dso_days"])),
                Cell(written.percent(row["collection_effectiveness_quarter_ratio"])),
            ]
        )
    return Table(
        "Entities and currencies, each in its own currency",
        (
            Column("Ledger", "text"),
            Column("Net", definition="rollforward"),
            Column("Open", definition="aging"),
            Column("Past due", definition="past-due"),
            Column("of open", definition="past-due"),
            Column("over 90 days", definition="past-due"),
            Column("DSO", definition="dso"),
            Column("Best possible", definition="best-possible-dso"),
            Column("Effectiveness", definition="collection-effectiveness"),
        ),
        lines,
    )


def alerts_part(alerts: Sequence[Row], names: Mapping[str, str]) -> Part:
    """What somebody should look at. ``names`` are customers' by id."""
    if not alerts:
        return Part("Alerts", "alerts", ["No alert: nothing that is watched crossed its limit."])
    lines = []
    for row in alerts:
        is_customer = row["alert_code"] == "customer_concentration"
        name = names.get(row["subject"]) if is_customer else None
        subject = written.text(row["subject"]) if is_customer else written.words(row["subject"])
        lines.append(
            [
                Cell(
                    _ALERTS.get(row["alert_code"], written.words(row["alert_code"])),
                    below=written.text(row["reason"]),
                ),
                Cell(written.text(name) if name else subject, below=subject if name else ""),
                Cell(written.text(ledger_name(row["entity_id"], row["currency_code"]))),
                Cell(written.money(row["alert_amount"], row["currency_code"])),
                Cell(written.percent(row["measured_ratio"])),
                Cell(written.percent(row["limit_ratio"])),
            ]
        )
    table = Table(
        written.counted(len(alerts), "alert"),
        (
            Column("What", "text"),
            Column("About", "text"),
            Column("Ledger", "text"),
            Column("Amount"),
            Column("Measured"),
            Column("Held against"),
        ),
        lines,
        definition="alerts",
    )  # fmt: skip
    return Part("Alerts", "alerts", (), [table])


def contacts_part(coverage: Sequence[Row], contacts: Sequence[Row]) -> Part:
    """Who of those past due was contacted, how soon, and what reminders brought."""
    tables, words = [], []
    if coverage:
        lines = [
            [
                Cell(written.text(row["entity_id"])),
                Cell(written.count(row["past_due_customer_count"])),
                Cell(written.percent(row["coverage_ratio"]), below=f"{row['contacted_customer_count']:,}"),
                Cell(
                    written.percent(row["day_one_contact_ratio"]), below=f"of {row['newly_past_due_count']:,}"
                ),
                Cell(written.count(row["reminder_count"])),
                Cell(written.percent(row["reminder_response_ratio"])),
                Cell(written.percent(row["reminder_settled_ratio"])),
            ]
            for row in coverage
        ]
        tables.append(
            Table(
                "Customers past due and who was contacted",
                (
                    Column("Entity", "text"),
                    Column("Past due"),
                    Column("Contacted"),
                    Column("Newly past due, at once"),
                    Column("Reminders"),
                    Column("Answered"),
                    Column("Settled"),
                ),
                lines,
                definition="contacts",
            )
        )
    if contacts:
        lines = [
            [
                Cell(written.words(row["channel"]) if row["channel"] != "ALL" else "all"),
                Cell(written.count(row["contact_count"])),
                Cell(written.count(row["automatic_contact_count"])),
                Cell(written.percent(row["automatic_contact_ratio"])),
            ]
            for row in contacts
        ]
        heads = (Column("Channel", "text"), Column("Contacts"), Column("Without a person"), Column("Share"))
        tables.append(Table("Contacts by channel", heads, lines, definition="automatic-contacts"))
    if not tables:
        words.append("No contacts are known, and nobody is past due.")
    return Part("Contacts", "contacts", words, tables)


def baseline_part(baseline: Sequence[Row]) -> Part | None:
    """Days to pay and cash-in before and after the policy's date; nothing without such a date."""
    if not baseline:
        return None
    lines = [
        [
            Cell(written.text(ledger_name(row["entity_id"], row["currency_code"]))),
            Cell(f"{written.day(row['from_date'])} to {written.day(row['until_date'])}"),
            Cell(written.days(row["weighted_days_to_pay"])),
            Cell(written.days(row["weighted_days_late"])),
            Cell(written.percent(row["cash_in_ratio"])),
            Cell(written.money(row["collected_amount"], row["currency_code"])),
        ]
        for row in baseline
    ]
    heads = (
        Column("Ledger", "text"),
        Column("Period", "text"),
        Column("Days to pay"),
        Column("Days late"),
        Column("Cash of sales"),
        Column("Collected"),
    )
    table = Table("Before and after the baseline date", heads, lines, definition="baseline")
    return Part("Before and after", "baseline", (), [table])


def checks_part(checks: Sequence[Row]) -> Part:
    """Checks that did not hold in full, those that held by name."""
    if not checks:
        return Part("Checks of the run", "run-checks", ["No check was recorded."])
    failed = [row for row in checks if not row["passed"]]
    held = sorted(row["check_name"] for row in checks if row["passed"])
    words = [f"{len(held):,} of {written.counted(len(checks), 'check')} held."]
    tables = []
    if failed:
        lines = [
            [
                Cell(written.text(row["check_name"]), "bad"),
                Cell(_SEVERITIES.get(row["severity"], written.text(row["severity"]))),
                Cell(written.text(row["expected"])),
                Cell(written.text(row["actual"])[:_LONGEST]),
            ]
            for row in failed
        ]
        heads = (
            Column("Check", "text"), Column("Weight", "text"), Column("Expected", "text"), Column("Found", "text"),
        )  # fmt: skip
        tables.append(Table("Checks that did not hold", heads, lines, definition="run-checks"))
    if held:
        tables.append(
            Table(
                "Checks that held",
                (Column("Check", "text"),),
                [[Cell(written.text(name))] for name in held],
                is_folded=True,
            )
        )
    return Part("Checks of the run", "run-checks", words, tables)


_LONGEST = 400  # a check shows its first rows; the table has them all
