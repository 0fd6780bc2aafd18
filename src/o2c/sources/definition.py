"""Source definitions: read from YAML, checked as a whole, all faults told at once."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import ValidationError

from o2c.contract import TABLES
from o2c.sources.definition_check import spec_faults
from o2c.sources.model import DefinitionSpec, FileSpec, TableSpec
from o2c.sources.yaml_text import read_yaml

# Raised when the same definition would land other rows than before: everything is then landed anew.
LANDING_VERSION = 1


class DefinitionError(ValueError):
    """Source definitions that were not accepted. The text names the place and every fault; ``faults`` lists them."""

    def __init__(self, text: str, faults: list[str] | None = None) -> None:
        self.faults = faults or [text]
        super().__init__(text)


def _not_accepted(origin: object, faults: list[str], advice: str = "") -> DefinitionError:
    lines = [
        f"{origin}: source definition not accepted, nothing was read.",
        *(f"  {fault}" for fault in faults),
    ]
    return DefinitionError("\n".join([*lines, *([advice] if advice else [])]), faults)


@dataclass(frozen=True)
class Definition:
    """A checked definition, with the folder that its paths start from."""

    spec: DefinitionSpec
    origin: Path
    root: Path

    @property
    def source(self) -> str:
        return self.spec.source

    @property
    def balance_date(self) -> date | None:
        """The date of the amounts when only open items are delivered."""
        return date.fromisoformat(self.spec.balance_date) if self.spec.balance_date else None

    @cached_property
    def tables(self) -> list[str]:
        """Contract tables that the definition fills, in its order."""
        return list(self.spec.tables)

    def mapping_id(self, table: str, spec: TableSpec, looked_up: dict[str, str]) -> str:
        """Hash of everything beside the file's content that decides the rows: an edited definition maps anew.

        Args:
            table: the contract table.
            spec: its mapping.
            looked_up: content ids of joined files, by the name of the join.
        """
        files = {name: self.spec.files[name].model_dump(mode="json") for name in files_of(spec)}
        for form in files.values():
            form.pop("path")
        whole = {
            "version": LANDING_VERSION,
            "table": table,
            "spec": spec.model_dump(mode="json"),
            "files": files,
            "prefix": [self.spec.id_prefix, list(self.spec.unprefixed)],
            "implausible": str(self.spec.max_implausible_ratio),
            "looked_up": looked_up,
        }
        text = json.dumps(whole, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def files_of(spec: TableSpec) -> list[str]:
    """Names of the declared files that a mapping reads, its own first."""
    return [*([spec.from_file] if spec.from_file else []), *(join.file for join in spec.join.values())]


def load_definition(path: Path, data_root: Path | None = None) -> Definition:
    """A definition out of a YAML file.

    Args:
        path: the file.
        data_root: where its paths start; default the folder of the file. No path leads out of it.

    Raises:
        DefinitionError: not there, not YAML, or any fault in what it says; all of them at once.
    """
    origin = str(path)
    try:
        raw, faults = read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _not_accepted(origin, ["there is no such file"], "Check the path given to --source.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _not_accepted(origin, [f"cannot be read: {error}"]) from error
    except yaml.YAMLError as error:
        raise _not_accepted(origin, [f"not YAML: {' '.join(str(error).split())}"]) from error
    root = (data_root or path.parent).absolute()
    if not root.is_dir():
        faults.append(f"data root {root} is not a folder")
    if not isinstance(raw, dict):
        raise _not_accepted(origin, [*faults, "the file is not a mapping: see docs/sources.md"])
    faults += spec_faults(raw)
    spec = None
    try:
        spec = DefinitionSpec.model_validate(_with_default_dialect(raw))
    except ValidationError as error:
        faults += [_said(fault) for fault in error.errors() if "literal['as_named']" not in fault["loc"]]
    if faults or spec is None:
        raise _not_accepted(
            origin, list(dict.fromkeys(faults)), "docs/sources.md shows every key by example."
        )
    return Definition(spec, path.absolute(), root)


def folder_definition(folder: Path, source: str | None = None) -> Definition:
    """A definition of a folder whose files already carry the contract's names.

    ``<table>.csv`` is UTF-8 with commas, a header, ISO dates and decimal points; ``<table>.parquet`` is typed or text.

    Args:
        folder: the folder.
        source: the name of the source; default made from the folder's name.

    Raises:
        DefinitionError: no folder, no table in it, a file of an unknown table, one table in two files.
    """
    origin = str(folder)
    if not folder.is_dir():
        raise _not_accepted(origin, ["there is no such folder"], "Check the path given to --source.")
    try:
        names = sorted(
            path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
        )
    except PermissionError as error:
        raise _not_accepted(origin, ["there is no permission to read the folder"]) from error
    files: dict[str, dict[str, str]] = {}
    faults = []
    for name in names:
        table, _, ending = name.partition(".")
        if ending not in {"csv", "parquet"}:
            continue
        if table not in TABLES:
            faults.append(f"{name}: {table!r} is no table of the contract. Known: {', '.join(TABLES)}")
        elif table in files:
            faults.append(f"{name}: {table} is there twice, as {files[table]['path']} and {name}; remove one")
        else:
            files[table] = {"path": name}
    if not files and not faults:
        faults.append(
            f"no file is named like a table of the contract ({', '.join(TABLES)}), with .csv or .parquet"
        )
    if faults:
        raise _not_accepted(
            origin, faults, "A ledger with other names is attached by a definition: docs/sources.md."
        )
    raw = {
        "source": source or _slug(folder.resolve().name),
        "files": files,
        "tables": {table: {"from": table, "columns": "as_named"} for table in TABLES if table in files},
    }
    return Definition(DefinitionSpec.model_validate(raw), folder.absolute(), folder.absolute())


def open_source(path: Path, data_root: Path | None = None) -> Definition:
    """What ``--source`` names: a folder in the contract's names, or a definition.

    Raises:
        DefinitionError: neither is acceptable.
    """
    return folder_definition(path) if path.is_dir() else load_definition(path, data_root)


def set_faults(definitions: list[Definition], *, has_bank_files: bool = False) -> list[str]:
    """What is missing in all sources of a run together: names that clash, tables without which nothing can be said.

    Where bank files landed, they deliver the payments.
    """
    faults = []
    names = [definition.source for definition in definitions]
    faults += [
        f"two sources are named {name!r}; rename one"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    tables = {table for definition in definitions for table in definition.tables}
    if "invoices" not in tables:
        faults.append("no source delivers invoices")
    paid = tables & {"payments", "payment_applications"}
    if (
        not paid
        and not has_bank_files
        and not any(definition.spec.open_items_only for definition in definitions)
    ):
        faults.append(
            "no source delivers payments or payment_applications. Where the invoices are open items with the amounts"
            " that are still open, declare `open_items_only: true` and their `balance_date`"
        )
    return faults


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────


def _with_default_dialect(raw: dict) -> dict:
    """Every file has the definition's dialect, with what it overrides itself."""
    default, files = raw.get("dialect"), raw.get("files")
    if not isinstance(default, dict) or not isinstance(files, dict):
        return raw
    merged = {}
    for name, spec in files.items():
        own = spec.get("dialect", {}) if isinstance(spec, dict) else {}
        whole = default | own if isinstance(own, dict) else own
        merged[name] = spec | {"dialect": whole} if isinstance(spec, dict) else spec
    return raw | {"files": merged}


def _said(fault: object) -> str:
    assert isinstance(fault, dict)  # noqa: S101  # pydantic's form
    where = ".".join(
        str(part) for part in fault["loc"] if part not in {"literal['as_named']"} and "[" not in str(part)
    )
    return f"{where or 'definition'}: {fault['msg'].removeprefix('Value error, ')}"


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "ledger"
    return slug if slug[0].isalpha() else f"ledger_{slug}"


__all__ = [
    "Definition",
    "DefinitionError",
    "FileSpec",
    "files_of",
    "folder_definition",
    "load_definition",
    "open_source",
    "set_faults",
]
