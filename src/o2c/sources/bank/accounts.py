"""One account under the spellings of several formats, and the entity that owns it."""

from collections.abc import Iterable, Mapping

from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import account, account_scheme, normalised


def account_keys(stated: Iterable[tuple[str | None, str | None]]) -> dict[tuple[str | None, str | None], str]:
    """One spelling for each account and currency as stated.

    An IBAN is itself. Another number is compared without blanks, dashes and a currency behind it; where it is the
    domestic number inside one of the IBANs (``37040044/0532013000``), it is that account.
    """
    stated = list(stated)
    ibans = sorted({account(text) for text, _ in stated if text and account_scheme(text) == "iban"})
    domestic: dict[str, str] = {}
    for one in ibans:
        domestic[one[4:]] = "" if one[4:] in domestic else one
    return {(text, currency): _key(text, currency, domestic) for text, currency in stated}


def _key(text: str | None, currency: str | None, domestic: Mapping[str, str]) -> str:
    if not text:
        return ""
    plain = normalised(text)
    if currency and plain.endswith(currency):
        plain = plain.removesuffix(currency)
    if account_scheme(plain) == "iban":
        return plain
    return domestic.get(plain) or plain


def declared_entities(profiles: Mapping[str, BankProfile]) -> dict[str, str]:
    """Which entity owns which account, over all profiles, by the account as it is compared."""
    return {
        normalised(number): entity
        for _, profile in sorted(profiles.items())
        for number, entity in sorted(profile.entities.items())
    }


def owner_of(
    account_key: str, stated: str | None, declared: Mapping[str, str], entities: list[str]
) -> str | None:
    """The entity of an account: the declared one, else the only one there is."""
    return (
        declared.get(account_key)
        or declared.get(normalised(stated or ""))
        or (entities[0] if len(entities) == 1 else None)
    )


def masked(account_key: str) -> str:
    """An account as it may stand in a log or a check: its last four characters."""
    return f"…{account_key[-4:]}" if account_key else "(no account)"
