"""The alphabet of text messages (GSM 03.38, 3GPP TS 23.038 §6.2.1): what fits, and how much of it a text takes."""

import unicodedata

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("^{}\\[~]|€")


def gsm_length(text: str) -> int | None:
    """Septets that the text takes; None where the alphabet does not have all of it."""
    if not _BASIC.union(_ESCAPED).issuperset(text):
        return None
    return len(text) + sum(character in _ESCAPED for character in text)


def gsm_text(text: str) -> str:
    """The text in the alphabet: letters it lacks lose accents, else become a question mark."""
    pieces = []
    for character in text:
        if character in _BASIC:
            pieces.append(character)
        elif character.isspace():
            pieces.append(" ")
        else:
            plain = unicodedata.normalize("NFKD", character)
            plain = "".join(part for part in plain if not unicodedata.combining(part))
            pieces.append(plain if plain and _BASIC.issuperset(plain) else "?")
    return "".join(pieces)
