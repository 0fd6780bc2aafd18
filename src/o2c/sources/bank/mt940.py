"""MT940 and MT942 of SWIFT (and MT950): statements and interim reports as tagged text.

Read by our own reader and checked against mt-940, which knows no positions, drops what it does not know and takes no
notice of a cut. Rules that are not obvious:

- C and RD are credits, D and RC are debits: R takes an entry back. In ``CR50,`` the R is of EUR, not of a reversal;
- a statement of several messages has :62M: and :60M: between them; each message is one ``Statement`` with its page;
- a message is whole with :20:, :25:, :28C: and both balances; an interim report with :34F:, :13D: or :90a: instead;
- a file without any :20: is a piece of a message (``Fragment``): what it holds can be looked at, never loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from o2c.sources.bank import mt940_fields as fields
from o2c.sources.bank import values
from o2c.sources.bank.builders import no_cycle_collector
from o2c.sources.bank.controls import Issues, check_statement
from o2c.sources.bank.decoding import decoded
from o2c.sources.bank.errors import Fragment, RejectedFile
from o2c.sources.bank.model import (
    BankFile,
    Content,
    Entry,
    Issue,
    StatedTotals,
    Statement,
    all_bytes,
    content_id,
)
from o2c.sources.bank.mt940_checks import field_issues, unproven_end
from o2c.sources.bank.mt940_entries import entry_of
from o2c.sources.bank.mt940_lines import ASK, Field, Message, messages
from o2c.sources.bank.profiles import STANDARD, BankProfile
from o2c.sources.bank.references import account_scheme, said

CLOSING = frozenset({"62F", "62M"})
PIECE = "a piece of a message; nothing of it can be loaded"
Found = TypeVar("Found")


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """All statements and interim reports of one file.

    Raises:
        RejectedFile: a message is incomplete or cut off, its envelope is not closed, or a field that no statement can
            do without cannot be read.
        Fragment: the file begins in the middle of a message.
    """
    file_id = content_id(content)
    reading = _Reading(name, profile)
    text = decoded(all_bytes(content), name, profile)
    with no_cycle_collector():
        statements = [reading.statement(one) for one in messages(text, name)]
    forms = {one.format for one in statements}
    found = BankFile(
        name,
        file_id,
        statements[0].format if len(forms) == 1 else "mt940",
        None,
        statements=tuple(replace(one, file_id=file_id) for one in statements),
        exceptions=tuple(reading.issues.found),
    )
    if any(one.code == "fragment" for one in found.exceptions):
        raise Fragment(name, statements[0].position, f"there is no :20:, {PIECE}", ASK, found)
    return found


@dataclass(slots=True)
class _Parts:
    """Fields of one message by what they are for: each entry with its texts, the rest by tag."""

    single: dict[str, Field] = field(default_factory=dict)
    entries: list[tuple[Field, list[str]]] = field(default_factory=list)
    forwards: list[Field] = field(default_factory=list)
    strays: list[Field] = field(default_factory=list)


class _Reading:
    """State while one file is read."""

    def __init__(self, name: str, profile: BankProfile) -> None:
        self.name, self.profile = name, profile
        self.statement_count = self.entry_count = 0
        self.issues = Issues(profile)

    def statement(self, message: Message) -> Statement:
        """One message as a statement, its controls checked."""
        self.statement_count += 1
        parts = self._parts(message)
        head, has_floor = self._head(message, parts)
        if message.is_piece:
            self._add("fragment", PIECE)
        elif parts.entries and not head.currency_code:
            reason = "no balance, limit or total says the currency of the entries"
            raise self._refusal(parts.entries[0][0], reason)
        found = replace(head, entries=tuple(self._entry(head, *one) for one in parts.entries))
        if not has_floor:
            found = replace(found, stated=self._stated(parts, head))
        self.issues.extend(field_issues(found, parts.strays, list(parts.single.values())))
        self.issues.extend(check_statement(found))
        if not message.is_piece and (reason := unproven_end(message, found)):
            raise self._refusal(message.fields[-1], reason)
        return found

    def _parts(self, message: Message) -> _Parts:
        parts, is_closed = _Parts(), False
        for one in message.fields:
            if one.tag == "61":
                if is_closed:
                    raise self._refusal(one, "an entry after the closing balance")
                parts.entries.append((one, []))
            elif one.tag == "86":
                if parts.entries and not is_closed:
                    parts.entries[-1][1].append(one.text)
            elif one.tag == "65":
                parts.forwards.append(one)
            elif (tag := fields.base_tag(one.tag)) in parts.single:
                if tag in ("60", "62", "90C", "90D") and not message.is_piece:
                    raise self._refusal(one, f"a second :{one.tag}: in one message")
                parts.strays.append(one)
            else:
                parts.single[tag] = one
                is_closed = is_closed or one.tag in CLOSING
        return parts

    def _head(self, message: Message, parts: _Parts) -> tuple[Statement, bool]:
        """The statement without entries and totals, and whether small entries are left out of it."""
        has, single = parts.single.keys(), parts.single
        is_interim = "60" not in has and bool(has & {"34F", "13D", "13", "90C", "90D"})
        form = self._form(message, is_interim=is_interim)
        required = ("25", "28") if is_interim else ("25", "28", "60", "62")
        if message.is_piece:
            required = ()
        if missing := [f":{tag}:" for tag in required if tag not in has]:
            raise self._refusal(message.fields[-1], f"the message has no {', '.join(missing)}")
        account, currency = self._parsed(single["25"], fields.own_account) if "25" in has else (None, None)
        number, page = self._parsed(single["28"], fields.number) if "28" in has else (None, None)
        opening, closing = (
            self._parsed(single[tag], lambda text, tag=tag: fields.balance(single[tag].tag, text))
            if tag in has
            else None
            for tag in ("60", "62")
        )
        has_floor = False
        if message.is_piece and closing:
            currency = currency or closing.currency_code
        if "34F" in has:
            limit_currency, has_floor = self._parsed(single["34F"], fields.floor_limit)
            currency = currency or limit_currency
        balances = [one for one in (opening, closing) if one]
        currency = (opening.currency_code if opening else None) or currency or self._total_currency(parts)
        for one in ([single["64"]] if "64" in has else []) + parts.forwards:
            try:
                balances.append(fields.balance(one.tag, one.text))
            except ValueError as error:
                self._add("value_unreadable", str(error), "warning")
        day = closing.balance_date if closing else self._report_day(single)
        return (
            Statement(
                ordinal=self.statement_count,
                position=f"statement {self.statement_count}",
                format=form,
                kind="intraday" if is_interim else "statement",
                statement_id=said(single["20"].text) if "20" in has else None,
                account=account,
                currency_code=currency or self.profile.currency_code,
                account_scheme=account_scheme(account or ""),
                bank=fields.sender(message.header),
                number=number,
                page_number=page,
                is_last_page=closing.code == "62F" if closing else None,
                to_date=day,
                opening=opening,
                closing=closing,
                balances=tuple(balances),
            ),
            has_floor,
        )

    def _form(self, message: Message, *, is_interim: bool) -> str:
        """mt940 or mt942, as the envelope says and the fields show."""
        at = message.header.find("{2:")
        stated = message.header[at + 4 : at + 7] if at >= 0 else ""
        if stated and stated not in ("940", "942", "950"):
            raise self._refusal(message.fields[0], f"a message MT{stated}, which is no statement")
        return "mt942" if is_interim else "mt940"

    def _report_day(self, single: dict[str, Field]) -> date | None:
        """Day of an interim report: of :13D:, when it was made."""
        one = single.get("13D") or single.get("13")
        return self._parsed(one, lambda text: values.short_day(text[:6])) if one else None

    def _total_currency(self, parts: _Parts) -> str | None:
        one = parts.single.get("90C") or parts.single.get("90D")
        return self._parsed(one, lambda text: fields.total(one.tag, text))[1] if one else None

    def _stated(self, parts: _Parts, head: Statement) -> StatedTotals:
        found: dict[str, tuple[int, Decimal]] = {}
        for tag in ("90C", "90D"):
            if one := parts.single.get(tag):
                count, currency, amount = self._parsed(one, lambda text, tag=tag: fields.total(tag, text))
                found[tag] = (count, amount)
                if head.currency_code and currency != head.currency_code:
                    self._add("currency_differs", f":{tag}: in {currency}, account in {head.currency_code}")
        credits, debits = found.get("90C"), found.get("90D")
        return StatedTotals(
            credit_count=credits[0] if credits else None,
            credit_amount=credits[1] if credits else None,
            debit_count=debits[0] if debits else None,
            debit_amount=debits[1] if debits else None,
        )

    def _entry(self, head: Statement, one: Field, texts: list[str]) -> Entry:
        self.entry_count += 1
        line = self._parsed(one, fields.entry_line)
        found = entry_of(
            line, texts, self.entry_count, f"line {one.line}", head.currency_code or "", self.profile
        )
        if line.is_date_repaired:
            self._add("repaired", "29 or 30 February, read as its last day", "warning", found)
        return found

    def _parsed(self, one: Field, parse: Callable[[str], Found]) -> Found:
        try:
            return parse(one.text)
        except ValueError as error:
            raise self._refusal(one, str(error)) from error

    def _refusal(self, one: Field, reason: str) -> RejectedFile:
        return RejectedFile(self.name, f"line {one.line}", reason, ASK)

    def _add(self, code: str, message: str, severity: str = "exception", entry: Entry | None = None) -> None:
        self.issues.add(
            Issue(
                entry.position if entry else f"statement {self.statement_count}",
                code,
                message,
                severity,  # ty: ignore[invalid-argument-type]
                self.statement_count,
                entry.ordinal if entry else None,
            )
        )
