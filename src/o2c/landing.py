"""Landing: files of a source become immutable Parquet, once, named by their content.

``<landing>/<source>/<table>/<mapping_id>/<file_id>.parquet`` holds what was loaded, ``….rejected.parquet`` what was
rejected or warned of, ``….json`` the counts; the last one is written last and says that the other two are whole.
Nothing there is ever changed: another content is another file, another mapping another folder.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from o2c.contract import TABLES
from o2c.durable import put_in_place
from o2c.sources.definition import Definition
from o2c.sources.land_file import Landing, Lookups, land_file, land_rows
from o2c.sources.model import FileSpec, TableSpec
from o2c.sources.opening import content_id, matching_files
from o2c.sources.reading import RefusedFile
from o2c.sources.sink import REJECTED, Counts


@dataclass(frozen=True)
class Delivery:
    """A file that was landed under a mapping, and when it was first seen."""

    source: str
    name: str
    file_id: str
    mapping_id: str
    seen_at: datetime


@dataclass(frozen=True)
class KnownFile:
    """A file's rows in one contract table that count, with all that decides how they count beside its content."""

    source: str
    table_name: str
    name: str
    file_id: str
    mapping_id: str
    names_order: bool
    is_chosen: bool
    is_open_items_only: bool
    balance_date: date | None
    seen_at: datetime


class Deliveries(Protocol):
    """Memory of deliveries. The ledger keeps it; landing only asks and tells."""

    def history(self, source: str) -> list[Delivery]:
        """Every delivery of a source, oldest first."""
        ...

    def record(self, delivery: Delivery) -> None:
        """Remember a delivery; the same one twice is one."""
        ...


@dataclass(frozen=True)
class Landed:
    """One file's rows in one contract table, landed now or before."""

    source: str
    table: str
    name: str
    file_id: str
    mapping_id: str
    path: Path
    rejected_path: Path
    counts: Counts
    is_new: bool
    seen_at: datetime
    names_order: bool = False
    is_chosen: bool = False


@dataclass(frozen=True)
class Note:
    """Something about a delivery that a person may want to know. Severity ``info`` or ``warning``."""

    severity: str
    code: str
    name: str
    says: str


@dataclass(frozen=True)
class Refusal:
    """A file that was refused whole, and why."""

    name: str
    says: str


class RefusedFiles(ValueError):
    """Files that cannot be trusted as a whole; nothing of them was loaded. The text names all of them."""

    def __init__(self, source: str, refusals: list[Refusal]) -> None:
        self.refusals = refusals
        lines = [f"{source}: {len(refusals)} file(s) refused, nothing of them was loaded."]
        super().__init__("\n".join([*lines, *(f"  {refusal.name}: {refusal.says}" for refusal in refusals)]))


@dataclass
class Delivered:
    """What of a source counts, and what is worth knowing of it."""

    source: str
    is_open_items_only: bool = False
    balance_date: date | None = None
    landed: list[Landed] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def totals(self) -> dict[str, Counts]:
        """Counts per table over its files."""
        found: dict[str, Counts] = {}
        for part in self.landed:
            whole = found.setdefault(part.table, Counts())
            whole.rows_in += part.counts.rows_in
            whole.loaded += part.counts.loaded
            whole.rejected += part.counts.rejected
            whole.warned += part.counts.warned
            whole.skipped = dict(Counter(whole.skipped) + Counter(part.counts.skipped))
            whole.uses = dict(Counter(whole.uses) + Counter(part.counts.uses))
        return found

    def known_files(self) -> list[KnownFile]:
        """What counts of this source, as the ledger keeps it."""
        return [
            KnownFile(
                part.source,
                part.table,
                part.name,
                part.file_id,
                part.mapping_id,
                part.names_order,
                part.is_chosen,
                self.is_open_items_only,
                self.balance_date,
                part.seen_at,
            )
            for part in self.landed
        ]


@dataclass
class LandingReport(Delivered):
    """What a source delivered now: what is landed, what was refused."""

    refusals: list[Refusal] = field(default_factory=list)

    def require_no_refusals(self) -> None:
        """Go on only when every file was taken.

        Raises:
            RefusedFiles: all refused files at once.
        """
        if self.refusals:
            raise RefusedFiles(self.source, self.refusals)


def land(
    definition: Definition,
    landing_dir: Path,
    deliveries: Deliveries,
    loaded_at: datetime,
    *,
    news_since: datetime | None = None,
) -> LandingReport:
    """Land every file of a definition that was not landed before under the same mapping.

    A definition describes a full extract: the files that are there now count, and one that has gone is a warning.

    Args:
        definition: a checked definition.
        landing_dir: the folder of landed files.
        deliveries: what was seen before; told of everything new.
        loaded_at: now, in UTC; stamped on every row, and its date tells future dates.
        news_since: news are told against what was there at this instant, so that landing again for the same day, or
            after a landing that was killed, tells the same; by default against everything seen.
    """
    report = LandingReport(definition.source, definition.spec.open_items_only, definition.balance_date)
    history = deliveries.history(definition.source)
    old = [delivery for delivery in history if news_since is None or delivery.seen_at <= news_since]
    lookups = Lookups(definition)
    present: list[tuple[str, str]] = []
    for file_name, spec in definition.spec.files.items():
        paths, why = matching_files(definition.root, spec.path)
        if why and not spec.optional:
            report.refusals.append(Refusal(spec.path, why))
        for path in paths:
            name = path.relative_to(definition.root).as_posix()
            try:
                file_id = content_id(path)
                _tell_news(report, old, name, file_id, present)
                if any(other == file_id for _, other in present):
                    continue
                present.append((name, file_id))
                mappings = [
                    (table, own) for table, own in definition.spec.mappings() if own.from_file == file_name
                ]
                report.landed += _land_mappings(
                    definition,
                    landing_dir,
                    history,
                    loaded_at,
                    lookups,
                    path,
                    name,
                    file_id,
                    file_name,
                    spec,
                    mappings,
                )
            except RefusedFile as refused:
                report.refusals.append(Refusal(name, str(refused)))
    report.landed += _land_inline(definition, landing_dir, history, loaded_at)
    _tell_vanished(report, history, {name for name, _ in present})
    for part in report.landed:
        delivery = Delivery(part.source, part.name, part.file_id, part.mapping_id, part.seen_at)
        if delivery not in history:
            deliveries.record(delivery)
    return report


def landed_then(files: Iterable[KnownFile], landing_dir: Path) -> list[Delivered]:
    """What counted at some instant, by source, out of the landed files.

    Raises:
        FileNotFoundError: a file that counted then is no longer in landing.
    """
    found: dict[str, Delivered] = {}
    for file in files:
        folder = _folder(landing_dir, file.source, file.table_name, file.mapping_id)
        if not (folder / f"{file.file_id}.json").exists():
            raise FileNotFoundError(
                2,
                "landed before and no longer there, so that day cannot be told again",
                str(folder / file.file_id),
            )
        whole = found.setdefault(
            file.source, Delivered(file.source, file.is_open_items_only, file.balance_date)
        )
        whole.landed.append(
            _landed(
                file.source,
                file.table_name,
                file.name,
                file.file_id,
                file.mapping_id,
                folder,
                False,
                file.seen_at,
                file.names_order,
                file.is_chosen,
            )
        )
    return list(found.values())


def _land_mappings(
    definition: Definition,
    landing_dir: Path,
    history: list[Delivery],
    loaded_at: datetime,
    lookups: Lookups,
    path: Path,
    name: str,
    file_id: str,
    file_name: str,
    file_spec: FileSpec,
    mappings: list[tuple[str, TableSpec]],
) -> Iterator[Landed]:
    """All tables of one file, read once: either every one is landed, or the file is refused and none is."""
    known = {
        (table, i): definition.mapping_id(table, spec, lookups.ids(spec))
        for i, (table, spec) in enumerate(mappings)
    }
    folders = {
        key: _folder(landing_dir, definition.source, key[0], mapping_id) for key, mapping_id in known.items()
    }
    missing = [key for key, folder in folders.items() if not (folder / f"{file_id}.json").exists()]
    landings = [Landing(table, mappings[i][1], folders[table, i]) for table, i in missing]
    if landings:
        done = land_file(definition, path, file_name, file_spec, file_id, landings, lookups, loaded_at)
        for landing, (temporary, problems, counts) in zip(landings, done, strict=True):
            _keep(landing.folder, file_id, temporary, problems, counts)
    for (table, i), mapping_id in known.items():
        yield _landed(
            definition.source,
            table,
            name,
            file_id,
            mapping_id,
            folders[table, i],
            (table, i) in missing,
            _seen_since(history, name, file_id, mapping_id, loaded_at),
            file_spec.order == "name",
            mappings[i][1].one_per is not None,
        )


def _land_inline(
    definition: Definition, landing_dir: Path, history: list[Delivery], loaded_at: datetime
) -> Iterator[Landed]:
    """Rows that stand in the definition itself."""
    for table, spec in definition.spec.mappings():
        if spec.rows is None:
            continue
        content = json.dumps(list(spec.rows), sort_keys=True, ensure_ascii=False)
        file_id = hashlib.sha256(content.encode()).hexdigest()
        mapping_id = definition.mapping_id(table, spec, {})
        folder = _folder(landing_dir, definition.source, table, mapping_id)
        is_new = not (folder / f"{file_id}.json").exists()
        if is_new:
            _keep(folder, file_id, *land_rows(definition, Landing(table, spec, folder), file_id, loaded_at))
        name = f"{definition.origin.name}#{table}"
        seen_at = _first_seen(history, file_id, mapping_id, loaded_at)
        yield _landed(definition.source, table, name, file_id, mapping_id, folder, is_new, seen_at, False)


def _landed(
    source: str,
    table: str,
    name: str,
    file_id: str,
    mapping_id: str,
    folder: Path,
    is_new: bool,
    seen_at: datetime,
    names_order: bool,
    is_chosen: bool = False,
) -> Landed:
    receipt = json.loads((folder / f"{file_id}.json").read_text(encoding="utf-8"))
    return Landed(
        source,
        table,
        name,
        file_id,
        mapping_id,
        folder / f"{file_id}.parquet",
        folder / f"{file_id}.rejected.parquet",
        Counts(**receipt),
        is_new,
        seen_at,
        names_order,
        is_chosen,
    )


def _folder(landing_dir: Path, source: str, table: str, mapping_id: str) -> Path:
    if table not in TABLES:
        raise ValueError(f"{table!r} is no table of the contract")
    return landing_dir / source / table / mapping_id


def _first_seen(history: list[Delivery], file_id: str, mapping_id: str, loaded_at: datetime) -> datetime:
    same = [delivery for delivery in history if delivery.file_id == file_id]
    seen = [delivery for delivery in same if delivery.mapping_id == mapping_id] or same
    return seen[0].seen_at if seen else loaded_at


def _seen_since(
    history: list[Delivery], name: str, file_id: str, mapping_id: str, loaded_at: datetime
) -> datetime:
    """Since when a name has its content; content that comes back under its name is a new delivery."""
    of_name = [delivery for delivery in history if delivery.name == name]
    others = [i for i, delivery in enumerate(of_name) if delivery.file_id != file_id]
    first = next((i for i, delivery in enumerate(of_name) if delivery.file_id == file_id), None)
    if first is not None and others and others[-1] > first:
        history = of_name[others[-1] + 1 :]
    return _first_seen(history, file_id, mapping_id, loaded_at)


def _keep(folder: Path, file_id: str, temporary: Path, problems: pl.DataFrame, counts: Counts) -> None:
    """Three renames, each of a file that is safely on disk; the receipt comes last."""
    put_in_place(temporary, folder / f"{file_id}.parquet")
    rejected = temporary.with_suffix(".rejected")
    problems.cast(REJECTED).write_parquet(rejected)  # ty: ignore[invalid-argument-type]
    put_in_place(rejected, folder / f"{file_id}.rejected.parquet")
    receipt = temporary.with_suffix(".receipt")
    receipt.write_text(json.dumps(asdict(counts), sort_keys=True), encoding="utf-8")
    put_in_place(receipt, folder / f"{file_id}.json")


# ── what is new, changed, gone ───────────────────────────────────────────────────────────────────────


def _tell_news(
    report: LandingReport, history: list[Delivery], name: str, file_id: str, present: list[tuple[str, str]]
) -> None:
    if twin := next((other for other, other_id in present if other_id == file_id), None):
        report.notes.append(Note("info", "same_content", name, f"has the content of {twin}; it counts once"))
        return
    before = [delivery for delivery in history if delivery.name == name]
    if before and before[-1].file_id != file_id:
        says = (
            f"has another content than on {before[-1].seen_at.astimezone(UTC):%Y-%m-%d}; it is a new version"
        )
        report.notes.append(Note("warning", "changed_content", name, says))
    elif not before and (known := next((d for d in history if d.file_id == file_id), None)):
        report.notes.append(
            Note("info", "known_content", name, f"has the content of {known.name}, landed before")
        )


def _tell_vanished(report: LandingReport, history: list[Delivery], present: set[str]) -> None:
    refused = {refusal.name for refusal in report.refusals}
    contents = {part.file_id for part in report.landed}
    latest = {delivery.name: delivery for delivery in history if "#" not in delivery.name}
    for name, delivery in sorted(latest.items()):
        if name not in present | refused and delivery.file_id not in contents:
            says = f"was there on {delivery.seen_at.astimezone(UTC):%Y-%m-%d} and has gone; its rows no longer count"
            report.notes.append(Note("warning", "vanished", name, says))
