"""Notes of X12 segments without a set around them, as the addendum of a CCD entry has them."""

import re

from o2c.sources.bank.model import RemittanceLine
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.x12_remittance import Reading

_NOTE = re.compile(r"RMR([^A-Za-z0-9\s])", re.ASCII)


class NoteReader:
    """Reads the notes of one batch after another; readings are kept, as there are many notes."""

    def __init__(self, profile: BankProfile) -> None:
        self.profile = profile
        self.readings: dict[str, Reading] = {}

    def lines(self, note: str, position: str, sign: int) -> tuple[RemittanceLine, ...]:
        """The documents; none where the note is no RMR or cannot be read: then it is just text.

        Segments end with a backslash or a tilde.
        """
        if note[:3] != "RMR" or not (found := _NOTE.match(note)):
            return ()
        reading = self.readings.get(found[1])
        if reading is None:
            reading = self.readings[found[1]] = Reading("", None, found[1], self.profile, None)
        reading.position, reading.sign, reading.bpr = position, sign, None
        reading.lines, reading.issues = [], []
        parts = note.replace("~", "\\").split("\\")
        try:
            reading.run([part for raw in parts if (part := raw.strip())], 1)
        except ValueError:
            return ()
        return tuple(reading.lines)
