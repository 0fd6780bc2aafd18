"""Statements from a declared table: what a bank's or a payment processor's portal exports.

Rules that are not obvious:

- one statement per account and currency, in the order they first appear; entries are numbered as the rows follow;
- a running balance is checked row by row along the declared order, and gives the opening and the closing balance;
- what a processor keeps is a charge beside the amount, or already off it, as the profile says;
- what a processor gave back to the payer is an entry of its own, a reversal that names the first one.
"""

from decimal import Decimal

from o2c.sources.bank.camt_checks import entry_issues, head_issues
from o2c.sources.bank.controls import Issues, check_statement
from o2c.sources.bank.model import ZERO, Balance, Issue, Statement
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import account, account_scheme
from o2c.sources.bank.table_form import TableForm
from o2c.sources.bank.table_movements import Movement, movements
from o2c.sources.bank.table_values import Columns

BALANCE = "RUNNING"


def statements(
    columns: Columns, profile: BankProfile, form: TableForm, file_format: str
) -> tuple[list[Statement], list[Issue]]:
    """The statements of a table of kind ``statement``, and what is wrong with them.

    A table without rows is one empty statement where the profile says the account, else none.

    Raises:
        RejectedFile: a row without a day, an amount or a currency, or with a value that cannot be read.
    """
    groups: dict[tuple[str | None, str | None], list[Movement]] = {}
    if form.account:
        groups[account(form.account), profile.currency_code] = []
    for one in movements(columns, profile, form):
        groups.setdefault((one.account, one.entry.currency_code), []).append(one)
    columns.refuse_troubles()
    if len(groups) > 1:
        groups = {key: rows for key, rows in groups.items() if rows}
    issues = Issues(profile)
    found = []
    for ordinal, ((own, currency), rows) in enumerate(groups.items(), 1):
        opening, closing, breaks = _balances(rows, form, ordinal)
        statement = Statement(
            ordinal=ordinal,
            position=f"statement {ordinal}",
            format=file_format,
            kind="statement",
            statement_id=None,
            account=own,
            currency_code=currency,
            account_scheme=account_scheme(own) if own else "other",
            opening=opening,
            closing=closing,
            balances=tuple(one for one in (opening, closing) if one),
            entries=tuple(one.entry for one in rows),
        )
        issues.extend(head_issues(statement))
        for one in rows:
            issues.extend(entry_issues(statement, one.entry))
            if one.complaint:
                entry = one.entry
                issues.add(Issue(entry.position, *one.complaint, "exception", ordinal, entry.ordinal))
        issues.extend(breaks)
        issues.extend(check_statement(statement))
        found.append(statement)
    return found, issues.found


def _balances(
    rows: list[Movement], form: TableForm, ordinal: int
) -> tuple[Balance | None, Balance | None, list[Issue]]:
    """Balance before the first and after the last row in time, and the rows whose balance does not follow.

    Rows may leave the balance out, as banks do within a day; then the next one that has it must tie.
    """
    in_time = rows if form.order == "oldest_first" else rows[::-1]
    first: Decimal | None = None
    last: Decimal | None = None
    moved = ZERO
    breaks = []
    for one in in_time:
        if one.entry.status == "booked":
            moved += one.entry.amount
        if one.balance is None:
            continue
        if last is None:
            first = one.balance - moved
        elif last + moved != one.balance:
            message = f"{last} before {'and' if moved >= 0 else 'less'} {abs(moved)} is not {one.balance}"
            entry = one.entry
            issue = Issue(
                entry.position, "balance_does_not_tie", message, "exception", ordinal, entry.ordinal
            )
            breaks.append(issue)
        last, moved = one.balance, ZERO
    if first is None or last is None:
        return None, None, breaks
    currency = rows[0].entry.currency_code
    days = [one.entry.booking_date for one in rows if one.entry.booking_date]
    opening = Balance(BALANCE, first, currency, None)
    closing = Balance(BALANCE, last + moved, currency, max(days, default=None))
    return opening, closing, breaks
