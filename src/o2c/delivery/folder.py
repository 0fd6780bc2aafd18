"""The carrier that writes letters into a folder: the outbox of a simulated home, and every preview.

``<folder>/<batch_id>/<letter_id>.eml`` is the exact message (``.txt`` that of a text message); ``index.html`` beside it
is for people to leaf through.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from o2c.delivery.leaves import Leaves
from o2c.durable import sync
from o2c.letter_message import Message

# Letters, digits, hyphen, underscore; a dot inside, never first: no path, no hidden file, no device of any system.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_FAULTS_SHOWN = 20

# A file system answers many waiting fsyncs with one journal commit; one after the other each takes its own.
_SYNC_THREADS = 16


class OutboxError(ValueError):
    """The batch cannot be written as asked, and nothing of it was. The message says which letters and why."""


@dataclass(frozen=True)
class Written:
    """One letter in its folder. ``is_new`` is false when the same bytes were there already."""

    letter_id: str
    path: Path
    is_new: bool


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """One process at a time: the folder itself is the lock, so that no further file lies in it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_batch(
    folder: Path,
    batch_id: str,
    messages: Iterable[Message],
    as_of: date,
    states: Mapping[str, str],
    *,
    durable: bool = True,
) -> list[Written]:
    """Write every letter of a batch, or none: nothing appears in the batch's folder before all have come.

    Each letter goes to a staging folder beside, is synced, and is then renamed to its place. Doing it again with the
    same letters changes nothing; the index and its pages are written anew each time. ``messages`` may be an iterator
    that renders as it goes (``letters.iter_letters``): if it raises, the batch is as it was.

    Args:
        folder: holds one folder per batch.
        batch_id: name of the batch's folder.
        messages: the letters.
        as_of: date the letters are about, for the index.
        states: letter_id to its state in words of the ledger (sent, preview, approval_pending); shown in the index.
        durable: sync files and folder to disk before returning. A preview need not be.

    Raises:
        OutboxError: a name that is not one, a letter twice, or other bytes under the id of a letter that is there.
    """
    if _NAME.fullmatch(batch_id) is None:
        raise OutboxError(f"{batch_id!r} cannot be the name of a batch's folder. Nothing was written.")
    place, staging = folder / batch_id, folder / f".{batch_id}.partial"
    if place.is_symlink() or staging.is_symlink():
        raise OutboxError(f"{place}: is a link to another place. Nothing was written. Remove the link.")
    shutil.rmtree(staging, ignore_errors=True)  # what a run that was killed left behind
    staging.mkdir(parents=True)
    try:
        written = _stage(staging, place, batch_id, messages, as_of, states)
        fresh = [staging / item.path.name for item in written if item.is_new]
        if durable:
            _sync(fresh)
        place.mkdir(exist_ok=True)
        for path in fresh:
            path.rename(place / path.name)
        _replace_leaves(staging, place)
        if durable:
            _sync([place, folder])
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return written


def _stage(
    staging: Path,
    place: Path,
    batch_id: str,
    messages: Iterable[Message],
    as_of: date,
    states: Mapping[str, str],
) -> list[Written]:
    """Write new letters, pages and index into the staging folder; compare the others with what is there."""
    written: list[Written] = []
    faults: list[str] = []
    seen: set[str] = set()
    there = (
        {path.name for path in place.iterdir() if path.suffix in (".eml", ".txt")}
        if place.exists()
        else set()
    )
    with Leaves(staging, batch_id, as_of) as leaves:
        for message in messages:
            letter_id = message.letter_id
            name = message.file_name
            if _NAME.fullmatch(letter_id) is None:
                faults.append(f"{letter_id!r} cannot be the name of a file")
            elif letter_id in seen:
                faults.append(f"{letter_id}: comes twice in this batch")
            elif letter_id not in states:
                faults.append(f"{letter_id}: has no state")
            elif name in there and (place / name).read_bytes() != message.eml:
                faults.append(f"{letter_id}: another message with this id is in {place} already")
            else:
                if name not in there:
                    (staging / name).write_bytes(message.eml)
                written.append(Written(letter_id, place / name, name not in there))
                leaves.add(message, states[letter_id])
            seen.add(letter_id)
        if faults:
            shown = "".join(f"\n  {fault}" for fault in faults[:_FAULTS_SHOWN])
            raise OutboxError(
                f"{place}: {len(faults)} letter(s) cannot be written, so none was.{shown}\n"
                "A letter never changes once it is out: withdraw it and decide a new one."
            )
        leaves.close(others=sorted(name for name in there if Path(name).stem not in seen))
    return written


def _replace_leaves(staging: Path, place: Path) -> None:
    """Put the new index and pages in place, and take away pages that an earlier, longer index had."""
    new = sorted(staging.glob("*.html"))
    for path in new:
        path.replace(place / path.name)
    for stale in {path.name for path in place.glob("page-*.html")} - {path.name for path in new}:
        (place / stale).unlink()


def _sync(paths: list[Path]) -> None:
    with ThreadPoolExecutor(_SYNC_THREADS) as threads:
        list(threads.map(sync, paths))
