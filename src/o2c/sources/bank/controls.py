"""Controls of any format: does what the file says about itself, and about yesterday's, tie?

A reader calls ``check_statement`` and ``check_remittance`` for each one it has read. ``chain.py`` looks across
statements of one account, over files and days. Nothing is corrected; every difference is an ``Issue``.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from o2c.sources.bank.errors import printable
from o2c.sources.bank.model import ZERO, Entry, Issue, Remittance, Statement
from o2c.sources.bank.profiles import STANDARD, BankProfile

# Balances of available funds (camt): they move with value dates and credit lines, not with what is booked.
AVAILABLE = frozenset({"OPAV", "CLAV", "ITAV", "FWAV"})

# Every code an issue can have, and what it says. Readers add no others without a line here.
CODES: dict[str, str] = {
    "balance_does_not_tie": "opening balance + booked entries is not the closing balance",
    "count_differs": "a stated count is not what is in the file",
    "control_number_differs": "a trailer has another control number than its header",
    "total_differs": "a stated total is not the sum of what is in the file",
    "details_do_not_sum": "the details of an entry do not add up to it",
    "remittance_does_not_sum": "the lines of a remittance do not add up to its payment",
    "currency_differs": "an entry or balance has another currency than its account",
    "currency_unknown": "a currency code is not in ISO 4217",
    "too_many_decimals": "an amount has more decimals than its currency has minor units",
    "date_outside_period": "an entry is booked outside the statement's period",
    "reference_check_failed": "a creditor reference, QR reference or IBAN has a wrong check digit",
    "account_check_failed": "the statement's own account number has a wrong check digit",
    "opening_differs": "the opening balance is not the previous closing balance of the account",
    "sequence_gap": "a statement number is missing between two statements of an account",
    "statement_repeated": "the same statement of an account came twice",
    "statement_changed": "two statements of an account have one number but different content",
    "entry_repeated": "two entries of a statement have one reference of the bank's own",
    "entry_corrected": "the bank replaces or deletes an entry that it sent before",
    "sign_differs": "an amount and the kind of its entry say different directions",
    "sample_profile": "the table was read by a sample profile, which does not know the account or its currency",
    "undeclared_column": "a table has a column that its profile does not declare",
    "value_unreadable": "an optional value is not as the format writes it",
    "unknown_code": "a code is not in the format's or the bank's list",
    "notice_of_change": "a notice of change: the payer's bank data must be corrected",
    "test_file": "the file says that it is a test",
    "fragment": "a piece of a message without its head: shown, never loaded",
    "repaired": "the file departs from its format in a way that has one possible reading",
}


class Issues:
    """Collects issues while a file is read. What the bank is known to get wrong becomes a warning."""

    def __init__(self, profile: BankProfile = STANDARD) -> None:
        self.found: list[Issue] = []
        self._warnings = frozenset(profile.warnings_only)

    def add(self, issue: Issue) -> None:
        if issue.code not in CODES:
            raise KeyError(f"{issue.code!r} is not in controls.CODES")
        severity = "warning" if issue.code in self._warnings else issue.severity
        self.found.append(replace(issue, message=printable(issue.message, 300), severity=severity))

    def extend(self, issues: Iterable[Issue]) -> None:
        for issue in issues:
            self.add(issue)


def check_statement(statement: Statement) -> list[Issue]:
    """Everything about a whole statement that must tie within itself: balances, stated totals, details, currencies."""
    tally = Tally()
    found = [issue for entry in statement.entries for issue in tally.add(statement, entry)]
    return found + tally.close(statement)


class Tally:
    """Running sums of one statement, so that it can be checked without holding its entries."""

    def __init__(self) -> None:
        self.net = ZERO
        self.counts = [0, 0]
        self.sums = [ZERO, ZERO]

    def add(self, statement: Statement, entry: Entry) -> list[Issue]:
        """Count one entry in; what is wrong within the entry comes back at once."""
        side = 0 if entry.amount >= 0 else 1
        self.counts[side] += 1
        self.sums[side] += abs(entry.amount)
        if entry.status == "booked":
            self.net += entry.amount
        found = check_details(statement, entry)
        if outside := _outside_period(statement, entry):
            issue = _of(entry.position, "date_outside_period", outside, statement, entry)
            found.append(replace(issue, severity="warning"))
        if statement.currency_code and entry.currency_code != statement.currency_code:
            found.append(
                _of(
                    entry.position,
                    "currency_differs",
                    f"entry in {entry.currency_code} on an account in {statement.currency_code}",
                    statement,
                    entry,
                )
            )
        return found

    def close(self, statement: Statement) -> list[Issue]:
        """What is wrong with the statement as a whole, after its last entry."""
        return self._balances(statement) + self._stated(statement)

    def _balances(self, statement: Statement) -> list[Issue]:
        opening, closing = statement.opening, statement.closing
        if opening is None or closing is None or {opening.code, closing.code} & AVAILABLE:
            return []
        expected = opening.amount + self.net
        if expected == closing.amount:
            return []
        return [
            _of(
                statement.position,
                "balance_does_not_tie",
                f"opening {opening.amount} + booked entries {self.net} = {expected}, closing {closing.amount}"
                f" (difference {closing.amount - expected})",
                statement,
            )
        ]

    def _stated(self, statement: Statement) -> list[Issue]:
        stated = statement.stated
        credit, debit = self.sums
        pairs: list[tuple[str, str, Decimal | int | None, Decimal | int]] = [
            ("count_differs", "entries", stated.entry_count, sum(self.counts)),
            ("count_differs", "credits", stated.credit_count, self.counts[0]),
            ("count_differs", "debits", stated.debit_count, self.counts[1]),
            ("total_differs", "gross amount", stated.gross_amount, credit + debit),
            ("total_differs", "net amount", stated.net_amount, credit - debit),
            ("total_differs", "credit amount", stated.credit_amount, credit),
            ("total_differs", "debit amount", stated.debit_amount, debit),
        ]
        return [
            _of(statement.position, code, f"{what}: stated {says}, found {found}", statement)
            for code, what, says, found in pairs
            if says is not None and says != found
        ]


def _outside_period(statement: Statement, entry: Entry) -> str | None:
    """Final statements list what was booked between their first and last day; where they say neither, no control."""
    if statement.kind != "statement" or entry.status != "booked" or entry.booking_date is None:
        return None
    opening, closing = statement.opening, statement.closing
    first = statement.from_date or (opening.balance_date if opening else None)
    last = statement.to_date or (closing.balance_date if closing else None)
    if (first and entry.booking_date < first) or (last and entry.booking_date > last):
        return f"booked on {entry.booking_date}, the statement is of {first or '?'} to {last or '?'}"
    return None


def check_details(statement: Statement, entry: Entry) -> list[Issue]:
    """Details, signed, in the entry's currency, add up to the entry; their number is the batch's stated one."""
    found = []
    listed = len(entry.details)
    if entry.batch_count is not None and listed not in (0, entry.batch_count) and not _is_summary(entry):
        message = f"batch states {entry.batch_count} transactions, {listed} are listed"
        found.append(_of(entry.position, "count_differs", message, statement, entry))
    amounts = [
        detail.amount
        for detail in entry.details
        if detail.amount is not None and detail.currency_code in (None, entry.currency_code)
    ]
    if amounts and len(amounts) == len(entry.details) and sum(amounts, ZERO) != entry.amount:
        message = f"{len(amounts)} details sum to {sum(amounts, ZERO)}, the entry is {entry.amount}"
        found.append(_of(entry.position, "details_do_not_sum", message, statement, entry))
    return found


def _is_summary(entry: Entry) -> bool:
    """One detail that repeats the entry and names nobody stands for a batch whose transactions are not listed."""
    if len(entry.details) != 1 or entry.details[0].amount != entry.amount:
        return False
    one = entry.details[0]
    return not (one.payer_name or one.payer_account or one.end_to_end_id or one.transaction_id or one.text)


def check_remittance(remittance: Remittance) -> list[Issue]:
    """Paid amounts of the lines add up to the payment, where every line says what is paid."""
    amounts = [line.paid_amount for line in remittance.lines if line.paid_amount is not None]
    total = remittance.total_amount
    if total is None or not amounts or len(amounts) < len(remittance.lines) or sum(amounts, ZERO) == total:
        return []
    return [
        Issue(
            remittance.position,
            "remittance_does_not_sum",
            f"{len(amounts)} lines sum to {sum(amounts, ZERO)}, the payment is {total}"
            f" (difference {total - sum(amounts, ZERO)})",
            remittance_ordinal=remittance.ordinal,
        )
    ]


def _of(position: str, code: str, message: str, statement: Statement, entry: Entry | None = None) -> Issue:
    return Issue(
        position,
        code,
        message,
        statement_ordinal=statement.ordinal,
        entry_ordinal=entry.ordinal if entry else None,
    )
