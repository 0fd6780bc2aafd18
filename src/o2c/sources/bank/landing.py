"""Bank files land once, named by their content: a file is whole under its name, or it is not there.

``<landing>/_bank/<reading_id>/<file_id>.<table>.parquet`` holds what was read, ``<file_id>.json`` says that the
tables are whole and is written last. Nothing there is ever changed: a file with another content is another file, a
profile that reads it in another way another folder.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from o2c.durable import forget_unfinished, put_in_place
from o2c.landing import Deliveries, Delivery, Note
from o2c.sources.bank import camt
from o2c.sources.bank.errors import RejectedFile, printable
from o2c.sources.bank.fitting import fitting
from o2c.sources.bank.landed_tables import FileWriter, table_path
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.recognise import Format, reader_of
from o2c.sources.bank.unpack import Unpacked, opened

# What source definitions cannot be called, so that bank files never meet a source of their name.
SOURCE = "_bank"
# Raised when the same file would land other rows than before: everything is then landed anew, when it comes again.
LANDING_VERSION = 1


@dataclass(frozen=True)
class LandedBankFile:
    """One landed file, now or before. ``receipt`` has its format and the number of rows of each table."""

    name: str
    file_id: str
    reading_id: str
    folder: Path
    receipt: Mapping[str, Any]
    is_new: bool
    seen_at: datetime

    def path(self, table: str) -> Path:
        return table_path(self.folder, self.file_id, table)

    @property
    def said(self) -> str:
        """What the file is, in a line: ``camt.053.001.08, 3 statements, 212 entries, 2 exceptions``."""
        parts = [str(self.receipt["format"])]
        for what, plural in (
            ("statements", "statement"),
            ("entries", "entry"),
            ("remittances", "remittance"),
            ("exceptions", "exception"),
        ):
            number = int(self.receipt[what])
            if number or what == "exceptions" or (what == "entries" and self.receipt["statements"]):
                parts.append(f"{number:,} {plural if number == 1 else what}")
        if warnings := int(self.receipt["warnings"]):
            parts.append(f"{warnings:,} warning{'' if warnings == 1 else 's'}")
        return ", ".join(parts)


@dataclass
class BankReport:
    """What was delivered: landed, refused by name and reason, worth knowing."""

    landed: list[LandedBankFile] = field(default_factory=list)
    refused: list[RejectedFile] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def exception_count(self) -> int:
        return sum(int(one.receipt["exceptions"]) for one in self.landed)


def files_below(paths: Iterable[Path]) -> list[Path]:
    """The files that are meant: those given, and all in given folders, but hidden ones; sorted within a folder."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            inside = (one for one in path.rglob("*") if one.is_symlink() or not one.is_dir())
            found += sorted(one for one in inside if not _is_hidden(one, path))
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def land_bank_files(
    paths: Iterable[Path],
    landing_dir: Path,
    deliveries: Deliveries,
    profiles: Mapping[str, BankProfile],
    now: datetime,
    chosen: BankProfile | None = None,
) -> BankReport:
    """Land every file whose content was not landed before. A refused file leaves nothing; the others land.

    Args:
        paths: files; folders are opened by ``files_below``.
        landing_dir: the folder of landed files of the home.
        deliveries: what was seen before; told of everything new.
        profiles: of banks, from ``load_profiles``.
        now: when it is, in UTC.
        chosen: the profile that all of them are read by; by default the one that fits each.
    """
    report = BankReport()
    history = deliveries.history(SOURCE)
    for path in paths:
        try:
            before = look_of(path)
            if before is not None and not os.access(path, os.R_OK):
                raise RejectedFile(path.name, "file", "there is no permission to read it", "give it")
            with opened(path) as found:
                form, profile = fitting(found, profiles, chosen)
                folder = landing_dir / SOURCE / reading_id(profile)
                receipt_path = folder / f"{found.file_id}.json"
                if is_new := not receipt_path.exists():
                    _land(found, form, profile, receipt_path, lambda: look_of(path) == before)  # noqa: B023 - called here
                landed = _landed(found, folder, history, now, is_new=is_new)
        except RejectedFile as refused:
            report.refused.append(refused)
            continue
        _tell_news(report, history, landed)
        report.landed.append(landed)
        delivery = Delivery(SOURCE, landed.name, landed.file_id, landed.reading_id, landed.seen_at)
        if delivery not in history:
            deliveries.record(delivery)
            history.append(delivery)
    return report


def landed_before(
    landing_dir: Path, deliveries: Deliveries, known_at: datetime | None = None
) -> list[LandedBankFile]:
    """Every bank file that ever landed, each content once, as it was read last; sorted by content.

    Args:
        landing_dir, deliveries: as in ``land_bank_files``.
        known_at: what landed, or was read anew, after this instant is left out; by default nothing is.
    """
    latest: dict[str, Delivery] = {}
    for delivery in deliveries.history(SOURCE):
        if known_at is None or delivery.seen_at <= known_at:
            latest[delivery.file_id] = delivery
    found = []
    for file_id, delivery in sorted(latest.items()):
        folder = landing_dir / SOURCE / delivery.mapping_id
        receipt = json.loads((folder / f"{file_id}.json").read_text(encoding="utf-8"))
        found.append(
            LandedBankFile(
                delivery.name, file_id, delivery.mapping_id, folder, receipt, False, delivery.seen_at
            )
        )
    return found


def reading_id(profile: BankProfile) -> str:
    """Hash of everything beside the content that decides how a file is read. Who owns an account is asked later."""
    how = profile.model_dump(mode="json", exclude={"name", "recognised_by", "entities"})
    text = json.dumps({"version": LANDING_VERSION, "profile": how}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _land(
    found: Unpacked, form: Format, profile: BankProfile, receipt_path: Path, is_unchanged: Callable[[], bool]
) -> None:
    """Read a file into tables and put them under its name; the receipt comes last."""
    folder = receipt_path.parent
    folder.mkdir(parents=True, exist_ok=True)
    forget_unfinished(folder)
    writer = FileWriter(folder, found.file_id)
    try:
        exact = _read_into(writer, found, form, profile)
        if not is_unchanged():
            raise RejectedFile(
                found.name, "file", "it changed while it was read", "deliver it again when it is complete"
            )
        writer.publish()
    finally:
        writer.discard()
    receipt = {
        **writer.counts,
        "exceptions": writer.exception_count,
        "warnings": writer.counts["exceptions"] - writer.exception_count,
        "format": exact,
        "size": found.size,
        "profile": profile.name,
    }
    write_whole(receipt_path, json.dumps(receipt, sort_keys=True))


def _landed(
    found: Unpacked, folder: Path, history: list[Delivery], now: datetime, *, is_new: bool
) -> LandedBankFile:
    receipt = json.loads((folder / f"{found.file_id}.json").read_text(encoding="utf-8"))
    # a file that another profile reads anew says something else from then on only
    seen = [one.seen_at for one in history if (one.file_id, one.mapping_id) == (found.file_id, folder.name)]
    name = printable(found.name, 120)
    return LandedBankFile(name, found.file_id, folder.name, folder, receipt, is_new, seen[0] if seen else now)


def _read_into(writer: FileWriter, found: Unpacked, form: Format, profile: BankProfile) -> str:
    """Read the file into the tables; returns the exact name of its format. camt goes by in parts."""
    if form == "camt":
        exact = ""
        for part in camt.read_parts(found.stream, found.name, profile, found.file_id):
            exact = part.statement.format
            writer.add_part(part.statement, part.exceptions, is_last=part.is_last)
        return exact
    whole = reader_of(form)(found.stream, found.name, profile)
    for statement in whole.statements:
        writer.add_part(statement, (), is_last=True)
    writer.add_remittances(whole.remittances)
    writer.add_issues(whole.exceptions)
    return whole.format


def look_of(path: Path) -> tuple[int, int] | None:
    """Size and time of the last change of a file, to compare two looks by; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def write_whole(path: Path, text: str) -> None:
    """A file that is there whole or not at all, also after a crash; and with it the renames before it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    beside.write_text(text, encoding="utf-8")
    put_in_place(beside, path)


def _tell_news(report: BankReport, history: list[Delivery], landed: LandedBankFile) -> None:
    before = [one for one in history if one.name == landed.name]
    known = next((one for one in history if one.file_id == landed.file_id), None)
    if known and known.name != landed.name:
        says = f"has the content of {known.name}, landed before; it counts once"
        report.notes.append(Note("info", "known_content", landed.name, says))
    elif before and before[-1].file_id != landed.file_id and not known:
        day = f"{before[-1].seen_at.astimezone(UTC):%Y-%m-%d}"
        says = f"has another content than on {day}; both versions are kept, what they share counts once"
        report.notes.append(Note("warning", "changed_content", landed.name, says))


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
