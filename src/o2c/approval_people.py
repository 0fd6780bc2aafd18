"""Whether two names may be one person: nobody approves what he prepared, however he spells himself."""

import re
import unicodedata

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,99}")
_KEPT = re.compile(r"[a-z0-9._@-]")
# How letters with an accent are spelled where there are none: Mueller, Soerensen, Aase.
_SPELLED_OUT = re.compile(r"([aou])e|(?<=a)a")
WORDS_OF_A_NAME = "lower-case letters, digits and . _ @ - alone"

# Letters that look like a plain one, in lower case: of other scripts, with a stroke, digits, and i for l.
_LOOK_ALIKES = str.maketrans(
    {
        alike: letter
        for letter, alikes in {
            "a": "аαɑæ",
            "b": "вβƅь",
            "c": "сϲ",
            "d": "ԁđð",
            "e": "еεє3",
            "g": "ɡ",
            "h": "һн",
            "j": "јʝ",
            "k": "кκ",
            "l": "iіιɩı1łӏ|",
            "m": "м",
            "n": "пηո",
            "o": "оοσօøœ0",
            "p": "рρ",
            "q": "ԛ",
            "r": "гг",
            "s": "ѕ5",
            "t": "тτ",
            "u": "υսц",
            "v": "νѵ",
            "w": "ԝωш",
            "x": "хχ",
            "y": "уγү",
        }.items()
        for alike in alikes
    }
)


def is_name(name: str) -> bool:
    """Whether it can be the name of an approver: as the policy writes names, so that none looks like another."""
    return _NAME.fullmatch(name) is not None


def preparer_name(name: str) -> str:
    """A name that somebody typed, as the ledger keeps it: ``Anna Müller`` is ``anna.muller``.

    Letters that have no plain one stand by their number, so that different names stay different; what is no letter
    parts words.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    letters = [letter for letter in " ".join(plain.split()) if not unicodedata.combining(letter)]
    kept = re.sub(r"\.{2,}", ".", "".join(_plain_letter(letter) for letter in letters))
    return kept.strip("._@-") or "".join(f"u{ord(letter):x}" for letter in letters)


def is_same_person(one: str, other: str) -> bool:
    """Whether two names may be of one person; in doubt they are.

    Case, accents and how they are spelled without (ü, u, ue), separators, look-alikes of other scripts and a mail
    domain do not tell people apart, and neither does leaving out a part of a name or shortening all of it but one part
    to first letters.
    """
    ours, theirs = _words(one), _words(other)
    if not ours or not theirs:
        return True
    if "".join(ours) == "".join(theirs):
        return True
    fewer, more = sorted((ours, theirs), key=len)
    return bool(set(fewer) & set(more)) and all(
        any(_is_short_for(word, full) for full in more) for word in fewer
    )


def _words(name: str) -> list[str]:
    """The words of a name in plain letters: without what stands behind an @."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LOOK_ALIKES)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    local = plain.strip().partition("@")[0] or plain
    return [_SPELLED_OUT.sub(r"\1", word) for word in re.findall(r"[^\W_]+", local)]


def _plain_letter(letter: str) -> str:
    if _KEPT.fullmatch(letter):
        return letter
    letter = letter.translate(_LOOK_ALIKES)
    if _KEPT.fullmatch(letter):
        return letter
    return f"u{ord(letter):x}" if letter.isalnum() else "."


def _is_short_for(word: str, full: str) -> bool:
    return word == full or (1 in (len(word), len(full)) and word[0] == full[0])
