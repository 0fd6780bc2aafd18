"""The one error of the bank readers: a file that is refused whole."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from o2c.sources.bank.model import BankFile


class RejectedFile(ValueError):
    """Nothing of this file may be loaded: it is incomplete, hostile, or not what it says it is.

    A file that is complete but does not tie is no ``RejectedFile``: it is loaded with an ``Issue``.

    Attributes:
        file: name of the file as it was delivered.
        position: where in it, as a person would look it up: ``line 12``, ``statement 2, entry 3``, ``byte 40960``.
        reason: what is wrong there.
        advice: what to do about it.
    """

    def __init__(self, file: str, position: str, reason: str, advice: str) -> None:
        super().__init__(file, position, reason, advice)
        self.file = printable(file, 120)
        self.position = printable(position, 80)
        self.reason = printable(reason, 240)
        self.advice = printable(advice, 120)

    def __str__(self) -> str:
        return f"{self.file}: {self.position}: {self.reason}; {self.advice}"


class Fragment(RejectedFile):
    """A file that begins in the middle of a message. It is refused like any other, but ``found`` can be shown.

    Attributes:
        found: what stands in it; account, number and balances are None where they do not.
    """

    def __init__(self, file: str, position: str, reason: str, advice: str, found: "BankFile") -> None:
        super().__init__(file, position, reason, advice)
        self.found = found


def printable(text: str, longest: int) -> str:
    """Short, on one line: what stands in a hostile file must not reach a terminal or a log as it is."""
    plain = "".join(one if one.isprintable() else "?" for one in text[: longest + 1])
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
