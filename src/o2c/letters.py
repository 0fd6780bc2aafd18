"""Decision + lines + template → message. Pure: no clock, no network; a missing value stops it.

Templates hold words, this module holds what goes into them: every value reaches a template as finished text, so
that the HTML part and the text part cannot disagree about a date or an amount.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl
from babel import Locale
from jinja2 import TemplateError

from o2c import mime
from o2c.addresses import mailbox, phone_number
from o2c.frames import Contacts, Customers, DunningDecisions, Entities, LetterLines
from o2c.gsm import gsm_text
from o2c.letter_checks import (
    Amounts,
    LetterFault,
    check_identity,
    check_parts,
    check_pdf,
    check_sms,
    check_totals,
)
from o2c.letter_message import Message, Sender, reference
from o2c.letter_pdf import letter_pdf, paper_of
from o2c.letter_templates import Templates, rendered
from o2c.locale_formats import amount_writer, letter_locale, written_date
from o2c.money import rounded

_FAULTS_SHOWN = 20
_SMS_SENDER_CHARACTERS = 40
_CONTACT = ("customer_id", "name", "email", "phone", "sms_consent")
_SAYS_PO = re.compile(r"PO(?![a-z])", re.IGNORECASE)
_FINAL_LEVEL = 3  # from here on a letter is in writing


class LetterError(ValueError):
    """At least one letter cannot be written as it must be, so none is. The message names letters and customers."""


def render_letters(
    decisions: pl.DataFrame,
    lines: pl.DataFrame,
    customers: pl.DataFrame,
    contacts: pl.DataFrame,
    entities: pl.DataFrame,
    sender: Sender,
    templates: Templates,
    as_of: date,
    batch_id: str,
    pay_by: Mapping[str, date] | None = None,
    pdf_stages: Collection[str] = (),
    sms_characters: int = 160,
) -> list[Message]:
    """Every letter decided, rendered and checked, before any of them is written anywhere.

    One message per decision ``letter``, sorted by letter_id. What a letter says is what the decision decided: the
    lines must add up to its amount, its contact must be the customer's, its reductions must give its net amount.

    Args:
        decisions: frames.DunningDecisions; rows with another decision are left out.
        lines: frames.LetterLines of these letters.
        customers: frames.Customers, for name and country.
        contacts: frames.Contacts; the decision names the one to write to.
        entities: frames.Entities; payment instructions come from here and never from the customer's data.
        sender: who the letters come from.
        templates: the words.
        as_of: date of the letters; Date, Message-ID and boundary are made of it and of the letter's id.
        batch_id: what the letters leave in together.
        pay_by: stage to the date to pay by that the policy gives; a stage without one asks without a date.
        pdf_stages: stages whose mails carry the letter as PDF, too.
        sms_characters: most characters of a text message.

    Raises:
        LetterError: any letter that cannot be rendered or fails a check. All faults at once; nothing is returned.
    """
    return list(
        iter_letters(
            decisions,
            lines,
            customers,
            contacts,
            entities,
            sender,
            templates,
            as_of,
            batch_id,
            pay_by,
            pdf_stages,
            sms_characters,
        )
    )


def iter_letters(
    decisions: pl.DataFrame,
    lines: pl.DataFrame,
    customers: pl.DataFrame,
    contacts: pl.DataFrame,
    entities: pl.DataFrame,
    sender: Sender,
    templates: Templates,
    as_of: date,
    batch_id: str,
    pay_by: Mapping[str, date] | None = None,
    pdf_stages: Collection[str] = (),
    sms_characters: int = 160,
) -> Iterator[Message]:
    """``render_letters`` one at a time, in bounded memory, for a taker that keeps nothing unless all come through.

    Raises:
        LetterError: at the end, or before the first letter; what was yielded until then must not be used.
    """
    decided = DunningDecisions.validate(decisions).filter(pl.col("decision") == "letter").sort("letter_id")
    lines = LetterLines.validate(lines).sort("letter_id", "line_number")
    faults = check_identity(decided, lines)
    if faults:
        raise _error(faults)
    press = _Press(
        sender,
        templates,
        as_of,
        batch_id,
        pay_by or {},
        frozenset(pdf_stages),
        sms_characters,
        customers=_by_key(Customers.validate(customers), "customer_id", "customer_name", "country_code"),
        contacts=_by_key(Contacts.validate(contacts), "contact_id", *_CONTACT),
        entities=_by_key(Entities.validate(entities), "entity_id", "entity_name", "remit_to"),
    )
    listed = groupby(lines.iter_rows(named=True), key=itemgetter("letter_id"))
    for decision in decided.iter_rows(named=True):
        _, rows = next(listed)
        try:
            message = press.letter(decision, list(rows))
        except (ValueError, TemplateError) as fault:
            faults.append(f"letter {decision['letter_id']}, customer {decision['customer_id']}: {fault}")
            continue
        if not faults:
            yield message
    if faults:
        raise _error(faults)


class _Press:
    """Renders letters of one batch; keeps what is the same for all of them."""

    def __init__(
        self,
        sender: Sender,
        templates: Templates,
        as_of: date,
        batch_id: str,
        pay_by: Mapping[str, date],
        pdf_stages: frozenset[str],
        sms_characters: int,
        *,
        customers: dict[str, tuple[Any, ...]],
        contacts: dict[str, tuple[Any, ...]],
        entities: dict[str, tuple[Any, ...]],
    ) -> None:
        self._templates, self._as_of, self._batch_id, self._pay_by = templates, as_of, batch_id, pay_by
        self._pdf_stages, self._sms_characters = pdf_stages, sms_characters
        self._customers, self._contacts, self._entities = customers, contacts, entities
        self._sender = Sender(mime.one_line(sender.name), mailbox(sender.address), mailbox(sender.reply_to))
        self._domain = self._sender.address.partition("@")[2]
        self._headers = [
            mime.mailbox_header("From", self._sender.name, self._sender.address),
            mime.mailbox_header("Reply-To", "", self._sender.reply_to),
            f"Date: {mime.date_header(as_of)}",
            "Auto-Submitted: auto-generated",
        ]

    def letter(self, decision: dict[str, Any], lines: list[dict[str, Any]]) -> Message:
        """One letter, rendered and checked.

        Raises:
            LetterFault, ValueError: why it cannot be written.
        """
        letter_id, customer_id, channel = decision["letter_id"], decision["customer_id"], decision["channel"]
        _, name, country_code = _found(self._customers, customer_id, "customer")
        contact = dict(
            zip(_CONTACT, _found(self._contacts, decision["contact_id"], "contact")[1:], strict=True)
        )
        _, entity_name, remit_to = _found(self._entities, decision["entity_id"], "entity")
        if contact["customer_id"] != customer_id:
            raise LetterFault(
                f"its contact {decision['contact_id']} belongs to customer {contact['customer_id']}"
            )
        amounts = check_totals(decision, lines)
        common = {
            "letter_id": letter_id,
            "batch_id": self._batch_id,
            "customer_id": customer_id,
            "customer_name": name,
            "stage": decision["stage"],
            "level": decision["level"],
            "currency_code": decision["currency_code"],
            "total_amount": amounts.total if amounts.net is None else amounts.net,
            "channel": channel,
        }
        if channel == "sms":
            return self._text_message(common, contact, entity_name)
        if channel != "email":
            raise LetterFault(f"no letter leaves through channel {channel!r}")
        shown_id = mime.one_line(customer_id)
        if not shown_id:
            raise LetterFault("its customer id has nothing in it that can be printed")
        customer_name, to_name = mime.one_line(name) or shown_id, mime.one_line(contact["name"] or "")
        view = self._view(decision, lines, amounts, letter_locale("en", country_code)) | {
            "entity_name": mime.one_line(entity_name),
            "remit_to": [mime.one_line(line) for line in (remit_to or "").splitlines()],
            "customer_name": customer_name,
            "to_name": to_name or f"{customer_name} accounts payable team",
        }
        return self._mail(common, view, contact["email"], to_name, country_code)

    def _view(
        self, decision: dict[str, Any], lines: list[dict[str, Any]], amounts: Amounts, locale: Locale
    ) -> dict[str, Any]:
        """What the templates are given of the decision, as finished text."""
        stage, is_dunning = decision["stage"], decision["kind"] == "dunning"
        money = amount_writer(decision["currency_code"], locale)
        items = _items(lines, money, locale)
        return {
            "language": "en",
            "reference": reference(decision["letter_id"]),
            "customer_id": mime.one_line(decision["customer_id"]),
            "letter_date": written_date(self._as_of, locale),
            "currency_code": decision["currency_code"],
            "items": items,
            "item_count": len(items),
            "days_label": "Days past due" if is_dunning else "Days to go",
            "total_label": "Total past due" if is_dunning else "Total falling due",
            "total": money(amounts.total),
            "reductions": [(label, money(-amount)) for label, amount in amounts.reductions],
            "net": money(amounts.net) if amounts.net is not None else "",
            "to_pay": money(amounts.total if amounts.net is None else amounts.net),
            "pay_by": written_date(self._pay_by[stage], locale) if stage in self._pay_by else "",
            "legal_warning": self._templates.legal_warning,
            "sender_name": self._sender.name,
            "reply_to": self._sender.reply_to,
        }

    def _mail(
        self,
        common: dict[str, Any],
        view: dict[str, Any],
        email: str | None,
        to_name: str,
        country_code: str | None,
    ) -> Message:
        """The letter as a mail: text and HTML, and the PDF where the stage has one."""
        letter_id, stage, to_address = common["letter_id"], common["stage"], mailbox(email)
        subject_of, text_of, html_of = self._templates.of(stage)
        subject = view["subject"] = mime.one_line(rendered(subject_of, view))
        text, html = rendered(text_of, view), rendered(html_of, view)
        check_parts(view, subject, text, html)
        headers = [
            *self._headers,
            mime.mailbox_header("To", to_name, to_address),
            mime.text_header("Subject", subject),
            f"Message-ID: <{letter_id}.{self._as_of:%Y%m%d}@{self._domain}>",
            f"X-O2C-Letter: {letter_id}",
        ]
        if stage in self._pdf_stages:
            pdf = letter_pdf(view, self._templates.words(stage, view), paper_of(country_code))
            check_pdf(view, pdf.text)
            eml = mime.with_pdf(headers, letter_id, text, html, pdf.content)
        else:
            eml = mime.alternative(headers, letter_id, text, html)
        return Message(
            **common,
            total=view["to_pay"],
            to_address=to_address,
            to_name=to_name,
            subject=subject,
            eml=eml,
            message_hash=sha256(eml).hexdigest(),
        )

    def _text_message(self, common: dict[str, Any], contact: dict[str, Any], entity_name: str) -> Message:
        """The letter as a text message: who writes, how much, and the reference to ask about.

        Amounts stand in plain digits with the code of the currency, whose sign the alphabet may not have.
        """
        if contact["sms_consent"] is not True:
            raise LetterFault("its contact did not agree to text messages")
        if common["level"] >= _FINAL_LEVEL:
            raise LetterFault(f"a letter of level {common['level']} is no text message")
        view = {
            "sender": gsm_text(mime.one_line(entity_name))[:_SMS_SENDER_CHARACTERS].strip(),
            "reference": reference(common["letter_id"]),
            "total": f"{rounded(common['total_amount'], common['currency_code'])} {common['currency_code']}",
            "reply_to": self._sender.reply_to,
        }
        text = rendered(self._templates.sms_of(common["stage"]), view).strip()
        check_sms(view, text, self._sms_characters)
        eml = text.encode()
        return Message(
            **common,
            total=view["total"],
            to_address=phone_number(contact["phone"]),
            to_name=mime.one_line(contact["name"] or ""),
            subject=view["reference"],
            eml=eml,
            message_hash=sha256(eml).hexdigest(),
        )


def _items(lines: list[dict[str, Any]], money: Any, locale: Any) -> list[tuple[str, ...]]:
    return [
        (
            mime.one_line(line["invoice_number"]) or mime.one_line(line["invoice_id"]) or "without number",
            _order_number(mime.one_line(line["po_number"] or "")),
            written_date(line["invoice_date"], locale),
            written_date(line["due_date"], locale),
            str(abs(line["days_past_due"])),
            money(line["amount"]),
            money(line["disputed_amount"]) if line["disputed_amount"] else "",
        )
        for line in lines
    ]


def _order_number(number: str) -> str:
    """The customer's order number, said to be one where it does not say so itself."""
    return number if not number or _SAYS_PO.match(number) else f"PO {number}"


def _by_key(frame: pl.DataFrame, key: str, *columns: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row for row in frame.select(key, *columns).iter_rows()}


def _found(rows: dict[str, tuple[Any, ...]], key: str | None, what: str) -> tuple[Any, ...]:
    row = rows.get(key) if key is not None else None
    if row is None:
        raise LetterFault(f"{what} {key!r} is not in the {what} data")
    return row


def _error(faults: list[str]) -> LetterError:
    shown = "".join(f"\n  {fault}" for fault in faults[:_FAULTS_SHOWN])
    more = f"\n  and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
    return LetterError(
        f"{len(faults)} fault(s) in letters; no letter was written.{shown}{more}\n"
        "Correct the customer's data or block the customer, then run again."
    )
