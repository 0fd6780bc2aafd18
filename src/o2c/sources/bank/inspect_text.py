"""The inspection of bank files as tables for people."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from o2c.sources.bank.errors import printable
from o2c.sources.bank.inspect import Inspected
from o2c.sources.bank.model import Remittance

WIDEST = 40
STATEMENT = ("account", "currency", "number", "opening", "entries", "credits", "debits", "closing", "details")
LINE = ("invoice", "paid", "discount", "deduction", "reason")
_TEXTS = frozenset({"account", "currency", "number", "invoice", "reason"})


def in_text(files: Iterable[Inspected]) -> str:
    """Each file with what it is in one line, then its statements, its remittances and what is wrong with it."""
    return "\n\n".join("\n".join(_file(one)) for one in files)


def _file(one: Inspected) -> list[str]:
    if one.error is not None:
        return [f"{printable(str(one.path), 200)}: refused", f"  {one.error}"]
    lines = [f"{printable(str(one.path), 200)}: {one.in_words()}"]
    rows = [
        (
            found.account,
            found.currency_code,
            found.number,
            found.opening_amount,
            found.entry_count,
            found.credit_amount,
            found.debit_amount,
            found.closing_amount,
            found.detail_count,
        )
        for found in one.statements
    ]
    lines += _table(STATEMENT, rows)
    for remittance in one.remittances:
        lines += ["", f"  remittance {_headline(remittance)}"]
        lines += _table(
            LINE,
            [
                (
                    line.invoice_reference,
                    line.paid_amount,
                    line.discount_amount,
                    line.deduction_amount,
                    line.reason_code,
                )
                for line in remittance.lines
            ],
        )
    if one.issues:
        lines.append("")
    lines += [f"  {issue.severity}: {issue.position}: {issue.code}: {issue.message}" for issue in one.issues]
    return lines


def _headline(one: Remittance) -> str:
    parts = [one.reference or "without reference", one.payer_name, str(one.payment_date or "")]
    amount = f"{_shown(one.total_amount)} {one.currency_code or ''}".strip()
    return printable(", ".join([*(part for part in parts if part), amount]), 160)


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Columns as wide as they need, texts to the left and numbers to the right."""
    if not rows:
        return []
    texts = [[_shown(value) for value in row] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(names, *texts, strict=True)]
    return [
        "  "
        + "  ".join(
            text.ljust(width) if name in _TEXTS else text.rjust(width)
            for name, text, width in zip(names, row, widths, strict=True)
        ).rstrip()
        for row in [list(names), *texts]
    ]


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return format(value, ",f")
    return printable(str(value), WIDEST)
