"""Values of OFX elements: amounts with their sign, days as the bank wrote them, texts; None where nothing is said."""

import re
from datetime import date
from decimal import Decimal

from o2c.sources.bank import values
from o2c.sources.bank.ofx_elements import Element
from o2c.sources.bank.references import said

# yyyymmdd, perhaps with hhmm[ss[.xxx]] and a zone as in [-5:EST]; a zone without a name occurs.
_MOMENT = re.compile(
    r"([0-9]{8})"
    r"(?:(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9]|60)?(?:\.[0-9]{1,6})?)?"
    r"(?:\[[+-]?(?:[0-9]|1[0-4])(?:\.[0-9]{1,2})?(?::[A-Za-z]{0,5})?\])?",
    re.ASCII,
)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


def text(element: Element | None, tag: str) -> str | None:
    """The text of the only child of that name, without blanks around it.

    Raises:
        ValueError: it stands twice, or has elements inside.
    """
    found = element.all(tag) if element else []
    if len(found) > 1:
        raise ValueError(f"<{tag}> stands twice in <{found and element and element.tag}>")
    if found and found[0].children:
        raise ValueError(f"<{tag}> of line {found[0].line} has elements inside")
    return said(found[0].text) if found else None


def texts(element: Element, tag: str) -> str | None:
    """Texts of all children of that name, each on its line."""
    return "\n".join(one.text.strip() for one in element.all(tag) if one.text.strip()) or None


def child(element: Element | None, tag: str) -> Element | None:
    """The only aggregate of that name.

    Raises:
        ValueError: it stands twice.
    """
    found = element.all(tag) if element else []
    if len(found) > 1:
        raise ValueError(f"<{tag}> stands twice")
    return found[0] if found else None


def amount(written: str) -> Decimal:
    """``-12.50``, ``+3`` or, as OFX allows, ``-12,50``: a comma is a decimal mark and never parts thousands.

    Raises:
        ValueError: anything else.
    """
    return values.amount(written, mark="," if "," in written else ".")


def day(written: str) -> date:
    """The day as the bank wrote it, in the zone it wrote it in: that is the day of its books.

    Raises:
        ValueError: no such day, or a time or zone that is none.
    """
    found = _MOMENT.fullmatch(written)
    if not found:
        raise ValueError(f"{written[:40]!r} is not a date as in 20240331 or 20240331120000.000[-5:EST]")
    return values.compact_day(found[1])


def currency(written: str | None) -> str | None:
    """A currency code in upper case.

    Raises:
        ValueError: not three letters.
    """
    if written is None:
        return None
    if not _CURRENCY.fullmatch(written):
        raise ValueError(f"{written[:10]!r} is not a currency")
    return written.upper()
