"""Real files by format, and how each is read: what the fuzz and mutation tests start from.

A format is tried as soon as its module (recognise.MODULES) is there.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile
from o2c.sources.bank.recognise import MODULES, reader_of, recognise

DATA = Path(__file__).parents[3] / "shared" / "data"
FOLDERS = ("camt", "mt940", "bai2", "bai_lockbox", "x12", "ach", "edifact_remadv", "ofx", "bank_csv")

Read = Callable[[bytes, str], BankFile]


@cache
def goldens() -> dict[str, tuple[tuple[str, bytes], ...]]:
    """Files per format that its reader takes whole, smallest first. Formats without a reader yet are left out."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for folder in FOLDERS:
        for path in sorted((DATA / folder).rglob("*")):
            if not path.is_file():
                continue
            content = path.read_bytes()
            try:
                form = recognise(content[: 1 << 16], path.name)
                reader(form)(content, path.name)
            except (RejectedFile, ModuleNotFoundError):
                continue
            found.setdefault(form, []).append((str(path.relative_to(DATA)), content))
    return {
        form: tuple(sorted(files, key=lambda file: len(file[1]))) for form, files in sorted(found.items())
    }


def reader(form: str) -> Read:
    """The reader of a format, as a function of content and name.

    Raises:
        ModuleNotFoundError: its module is not there yet.
    """
    if find_spec(f"o2c.sources.bank.{MODULES[form]}") is None:
        raise ModuleNotFoundError(form)
    return reader_of(form)


def without_identity(found: BankFile) -> BankFile:
    """What was read, without the identity of the file."""
    return replace(
        found,
        file_id="",
        statements=tuple(replace(one, file_id="") for one in found.statements),
        remittances=tuple(replace(one, file_id="") for one in found.remittances),
    )
