"""The folder that letters on paper are printed from: ``<folder>/<batch_id>/<letter_id>.pdf``, exactly as attached.

Whoever prints them may take files away; ``<folder>/.printed/<batch_id>`` has the ids that were put there once.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from o2c.delivery.carrier import OutgoingLetter
from o2c.delivery.folder import alone
from o2c.durable import put_in_place, sync
from o2c.mime import pdf_of

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_SYNC_THREADS = 16  # a file system answers many waiting fsyncs with one journal commit


class PrintFolderError(ValueError):
    """A PDF cannot be put where it belongs. Nothing of its batch was. The message names the letters."""


def write_print_folder(folder: Path, letters: Iterable[OutgoingLetter]) -> list[Path]:
    """Put the PDFs of letters that left into the print folder; letters without one are passed over.

    Doing it again changes nothing: what was printed and taken away is not put there a second time. Each file is on
    disk before it has its name, and its name before this returns. One process at a time writes.

    Returns:
        The files of this call's letters that are new, sorted.

    Raises:
        PrintFolderError: a name that is not one, or other bytes under the id of a letter that is there.
    """
    batches: dict[str, dict[str, bytes]] = defaultdict(dict)
    for letter in letters:
        pdf = None if letter.channel == "sms" else pdf_of(letter.content)
        if pdf is not None:
            batches[letter.batch_id][letter.letter_id] = pdf
    written: list[Path] = []
    for batch_id, pdfs in sorted(batches.items()):
        with alone(folder):  # two would each forget what the other one has put there
            written += _write_batch(folder, batch_id, pdfs)
    return written


def printed(folder: Path, batch_id: str) -> set[str]:
    """Letters of a batch whose PDFs were put there once, whether or not somebody took them away."""
    listed = folder / ".printed" / batch_id
    return set(listed.read_text(encoding="ascii").split()) if listed.exists() else set()


def _write_batch(folder: Path, batch_id: str, pdfs: dict[str, bytes]) -> list[Path]:
    bad = [name for name in (batch_id, *sorted(pdfs)) if _NAME.fullmatch(name) is None]
    if bad:
        raise PrintFolderError(
            f"{bad[0]!r} cannot be the name of a file. Nothing of batch {batch_id!r} was printed."
        )
    place = folder / batch_id
    if place.is_symlink():
        raise PrintFolderError(f"{place}: is a link to another place. Nothing was printed. Remove the link.")
    is_new = not place.exists()
    place.mkdir(parents=True, exist_ok=True)
    known = printed(folder, batch_id)
    fresh: dict[Path, bytes] = {}
    for letter_id, pdf in sorted(pdfs.items()):
        path = place / f"{letter_id}.pdf"
        if not path.exists():
            if letter_id not in known:
                fresh[path] = pdf
        elif path.read_bytes() != pdf:
            raise PrintFolderError(
                f"{path}: another PDF of this letter is there already. Nothing more of the batch was printed."
                " A letter never changes once it is out: withdraw it and decide a new one."
            )
    for leftover in place.glob(".*.partial"):  # of a run that was killed
        leftover.unlink(missing_ok=True)
    staged = [(path.with_name(f".{path.name}.partial"), path) for path in fresh]
    for partial, path in staged:
        partial.write_bytes(fresh[path])
    with ThreadPoolExecutor(_SYNC_THREADS) as threads:
        list(threads.map(sync, (partial for partial, _ in staged)))
    for partial, path in staged:
        partial.rename(path)
    if staged:
        sync(place)
    if is_new:
        sync(folder)
    if not known.issuperset(pdfs):
        _list(folder / ".printed" / batch_id, known | pdfs.keys())
    return sorted(fresh)


def _list(path: Path, letter_ids: set[str]) -> None:
    """Write down what was put there, after it was: a crash between prints a letter again rather than never."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text("".join(f"{letter_id}\n" for letter_id in sorted(letter_ids)), encoding="ascii")
    put_in_place(beside, path)
    sync(path.parent.parent)
