"""Addresses by our own strict grammar: exactly one mailbox or phone number, or a reason why not.

Parsers of mail libraries are made to understand what strangers write; they see one mailbox where a mail
server sees two. What we send to has to be dull: dot-atom before the @, a host name after it.
"""

import re
import unicodedata

import idna

_LOCAL = re.compile(r"[A-Za-z0-9_+&'=~/#-]+(?:\.[A-Za-z0-9_+&'=~/#-]+)*")
# E.164: a country code, which does not begin with 0, and at most 15 digits in all.
PHONE_NUMBER = r"\+[1-9][0-9]{6,14}"
_PHONE_NUMBER = re.compile(PHONE_NUMBER)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")


class AddressError(ValueError):
    """The text is not exactly one address that we would write to. The message says why."""


def mailbox(text: str | None) -> str:
    """The one address in ``text``, its domain in lower-case ASCII (IDNA 2008, nothing mapped but case).

    ``%``, ``!`` and quoted local parts route mail elsewhere on old servers and are refused, as are
    source routes, comments, display names and literal IP addresses.

    Raises:
        AddressError: anything but one plain address.
    """
    if not text:
        raise AddressError("no address")
    local, at, domain = text.partition("@")
    if not at or "@" in domain:
        raise AddressError("not one address: it needs exactly one @")
    if len(local) > 64 or _LOCAL.fullmatch(local) is None:
        raise AddressError("the part before the @ has characters that plain addresses do not have")
    if not domain.isascii():
        try:
            domain = idna.encode(unicodedata.normalize("NFC", domain).lower()).decode("ascii")
        except idna.IDNAError:
            raise AddressError("the domain is not a valid international domain name") from None
    domain = domain.lower()
    if len(domain) > 253 or _DOMAIN.fullmatch(domain) is None:
        raise AddressError("the part after the @ is not a full domain name")
    return f"{local}@{domain}"


def phone_number(text: str | None) -> str:
    """The number in ``text``, which must be written as E.164 has it: ``+`` and digits, nothing between them.

    Raises:
        AddressError: anything else.
    """
    if not text or _PHONE_NUMBER.fullmatch(text) is None:
        raise AddressError(
            "not a phone number as E.164 writes it: a plus sign, the country code, digits alone"
        )
    return text


def is_mailbox(text: str | None) -> bool:
    """Whether ``mailbox`` would take the text."""
    try:
        mailbox(text)
    except AddressError:
        return False
    return True
