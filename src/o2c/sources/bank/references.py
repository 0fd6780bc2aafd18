"""References and account numbers: kept as written, and normalised so that two spellings of one compare equal."""

import re
from functools import lru_cache
from typing import Literal

from stdnum import iban, iso11649
from stdnum.ch import esr

from o2c.sources.bank.model import Reference, ReferenceKind

_BLANKS = re.compile(r"[\s\-./+*]+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}", re.ASCII)
_CREDITOR = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}", re.ASCII)
_QR = re.compile(r"[0-9]{27}", re.ASCII)
# Payers' software writes one of these where there is no reference (EPC SEPA rulebook: NOTPROVIDED).
NOTHING = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF", "NONE", "N/A", "NOTAVAILABLE", "UNKNOWN"})


def normalised(text: str) -> str:
    """Upper case, without blanks and the marks that people put between groups of digits."""
    return _BLANKS.sub("", text).upper()


def said(text: str | None) -> str | None:
    """The text without blanks around it; None where it is empty or one of the words for nothing."""
    stripped = (text or "").strip()
    return None if not stripped or stripped.upper() in NOTHING else stripped


def reference(text: str, kind: ReferenceKind | None = None) -> Reference:
    """A reference as written, with its one spelling and whether its check digits are right.

    ``RF..`` is a creditor reference (ISO 11649) and 27 digits are a Swiss QR or orange-slip reference, whatever the
    file calls them; ``kind`` says what anything else is.
    """
    plain = normalised(text)
    if _CREDITOR.fullmatch(plain):
        return Reference("creditor_reference", text, plain, bool(iso11649.is_valid(plain)))
    if _QR.fullmatch(plain):
        return Reference("qr_reference", text, plain, bool(esr.is_valid(plain)))
    return Reference(kind or "structured", text, plain, None)


@lru_cache(maxsize=65536)
def account_scheme(text: str) -> Literal["iban", "other"]:
    """Whether an account number has the shape of an IBAN; its check digits are another question."""
    return "iban" if _IBAN.fullmatch(normalised(text)) else "other"


@lru_cache(maxsize=65536)
def is_valid_iban(text: str) -> bool:
    """Whether length, structure of the country and check digits of an IBAN are right."""
    return bool(iban.is_valid(normalised(text), check_country=False))


@lru_cache(maxsize=65536)
def account(text: str) -> str:
    """An account number as it is compared: an IBAN without blanks in upper case, others without blanks around."""
    return normalised(text) if account_scheme(text) == "iban" else text.strip()
