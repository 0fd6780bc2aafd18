"""Why a letter was written, what it said, who let it leave, and what became of it: from what was kept of it.

Told from the ledger (the letter, its lines, the exact message, requests, approvals, attempts, events, the audit chain),
the manifest of the run that decided it, and the history of decisions. Nothing is decided or rendered again.
"""

import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, select

from o2c.explain import NothingFound, Story
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.ledger.landings import files_known_at
from o2c.ledger.tables import (
    approval_requests,
    approvals,
    attempts,
    audit,
    delivery_events,
    letter_lines,
    letter_messages,
    letters,
    runs,
)
from o2c.letter_message import file_name
from o2c.settings import Settings

_REFERENCE = re.compile(r"\[?(?:Ref\s+)?([A-Z2-7]{4})-([A-Z2-7]{4})\]?", re.IGNORECASE)
_DECISIONS = "collections.fct_dunning_decisions"
_NOT_TOLD = ("content", "amounts", "largest_amounts")


@dataclass(frozen=True)
class LetterStory(Story):
    """A story that ends with the text of the message, line by line as it left."""

    def text(self) -> str:
        *others, message = self.data.items()
        parts = [Story(self.title, dict(others)).text()]
        for row in message[1]:
            parts += ["\nMessage", f"  To: {row['to']}", f"  Subject: {row['subject']}", ""]
            parts += [f"  {line}".rstrip() for line in row["text"].splitlines()]
        return "\n".join(parts)


def explain_letter(home: Home, letter_id: str, as_of: date | None = None) -> LetterStory:
    """One letter: lines, why it was decided, by which data and policy, approvals, attempts, events, state, its text.

    Args:
        letter_id: the id, or the reference that the letter shows, such as ``K7Q2-HF3D`` or ``[Ref K7Q2-HF3D]``.
        as_of: only a letter decided by then; what became of it later is told all the same.

    Raises:
        NothingFound: no such letter, a reference that several have, or a file that tells of it cannot be read.
    """
    ledger = Ledger(Settings().ledger_url or home.ledger_url)
    with ledger.engine.connect() as con:
        letter = _find(con, letter_id, as_of, home)
        return _tell(home, ledger, con, letter)


def _find(con: Connection, asked: str, as_of: date | None, home: Home) -> dict[str, Any]:
    short = _REFERENCE.fullmatch(asked.strip())
    which = (
        letters.c.letter_id.startswith("".join(short.groups()).lower())
        if short
        else letters.c.letter_id == asked.strip().lower()
    )
    known = [row._asdict() for row in con.execute(select(letters).where(which).order_by(letters.c.letter_id))]
    found = [row for row in known if as_of is None or row["decided_as_of_date"] <= as_of]
    if known and not found:
        days = ", ".join(sorted({str(row["decided_as_of_date"]) for row in known}))
        raise NothingFound(
            f"letter {asked}: was decided as of {days}, after {as_of}. Ask without --as-of or for a later date."
        )
    if len(found) > 1:
        ids = ", ".join(row["letter_id"] for row in found)
        raise NothingFound(f"letter {asked}: several letters have this reference: give one of {ids}.")
    if not found:
        raise NothingFound(
            f"letter {asked}: not in the ledger of {home.root}. Letters that were only rendered are in the preview of"
            " their run; `o2c explain customer` says what was decided."
        )
    return found[0]


def _tell(home: Home, ledger: Ledger, con: Connection, letter: dict[str, Any]) -> LetterStory:
    letter_id = letter["letter_id"]
    manifest, run_rows = _run_of(home, con, letter)
    request_id = letter["request_id"]
    data = {
        "letter": [_told(letter)],
        "lines": _rows(con, letter_lines, letter_id, letter_lines.c.line_number),
        "decision": _decision(home, letter),
        "run": run_rows,
        "inputs": _inputs(ledger, manifest, run_rows),
        "checks": _checks(manifest),
        "approval_request": [
            row | {"amounts": _amounts(row["amounts"])}
            for row in _of_request(con, approval_requests, request_id, keep=("amounts",))
        ],
        "approvals": _of_request(con, approvals, request_id),
        "attempts": _rows(con, attempts, letter_id, attempts.c.attempt_number),
        "delivery_events": _rows(con, delivery_events, letter_id, delivery_events.c.occurred_at),
        "audit_trail": _trail(con, letter_id, request_id),
        "message": _message(home, con, letter),
    }
    return LetterStory(f"Letter {letter_id} ({short_reference(letter_id)}), {letter['state']}", data)


def short_reference(letter_id: str) -> str:
    """What the letter shows and people quote."""
    return f"{letter_id[:4]}-{letter_id[4:8]}".upper()


def _rows(con: Connection, table: Table, letter_id: str, *order: Any) -> list[dict[str, Any]]:
    found = con.execute(select(table).where(table.c.letter_id == letter_id).order_by(*order))
    return [_told(row._asdict()) for row in found]


def _of_request(
    con: Connection, table: Table, request_id: str | None, keep: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    if request_id is None:
        return []
    found = con.execute(
        select(table).where(table.c.request_id == request_id).order_by(*table.primary_key.columns)
    )
    return [_told(row._asdict(), keep) for row in found]


def _trail(con: Connection, letter_id: str, request_id: str | None) -> list[dict[str, Any]]:
    """Who did what to the letter and to the list it was approved with, in the order of the chain."""
    subjects = [f"letter:{letter_id}", *([f"request:{request_id}"] if request_id else [])]
    found = con.execute(select(audit).where(audit.c.subject.in_(subjects)).order_by(audit.c.sequence))
    names = ("sequence", "recorded_at", "actor", "action", "subject", "before", "after", "reason", "hash")
    return [_told({name: getattr(row, name) for name in names}) for row in found]


def _told(row: dict[str, Any], keep: tuple[str, ...] = ()) -> dict[str, Any]:
    """A row without what has no place in columns; the letter's id and hash say which message it is."""
    return {name: _in_utc(value) for name, value in row.items() if name not in _NOT_TOLD or name in keep}


def _in_utc(value: Any) -> Any:
    """An instant says that it is UTC; SQLite gives them back without a zone."""
    is_bare = isinstance(value, datetime) and value.tzinfo is None
    return value.replace(tzinfo=UTC) if is_bare else value


def _checks(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """What the run checked, those that did not hold first; the manifest has the columns by the alphabet."""
    columns = ("check_name", "severity", "passed", "expected", "actual")
    checks = sorted(manifest.get("checks", []), key=lambda check: bool(check.get("passed")))
    return [{name: check[name] for name in columns if name in check} for check in checks]


def _amounts(text: str) -> str:
    return ", ".join(f"{amount} {code}" for code, amount in sorted(json.loads(text).items()))


def _run_of(
    home: Home, con: Connection, letter: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The manifest of the run that decided the letter, which stays when its working files go; and its row here."""
    started = letter["batch_id"].removeprefix(f"{letter['decided_as_of_date']}-")
    found = con.execute(
        select(runs)
        .where(runs.c.run_id.startswith(started, autoescape=True))
        .where(runs.c.as_of_date == letter["decided_as_of_date"])
        .order_by(runs.c.run_number.desc())
    ).first()
    if found is None:
        return {}, []
    path = home.runs / found.run_id / "manifest.json"
    try:
        manifest = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError:
        raise _unreadable(path, "manifest") from None
    row = {
        "run_id": found.run_id,
        "run_number": found.run_number,
        "as_of_date": found.as_of_date,
        "state": found.state,
        "known_at": manifest.get("known_at", _in_utc(found.known_at)),
        "policy_version": manifest.get("policy_version"),
        "code_version": manifest.get("code_version"),
    }
    return manifest, [row]


def _inputs(ledger: Ledger, manifest: dict[str, Any], run: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files that the run was built from: content, and the name it came under.

    A run that died before its manifest was written has none; then what counted as landed when it began is told.
    """
    columns = ("source", "table_name", "name", "file_id", "loaded", "rejected")
    if "inputs" in manifest:
        return [{name: row[name] for name in columns if name in row} for row in manifest["inputs"]]
    known = files_known_at(ledger.engine, run[0]["known_at"]) if run else []
    return [{name: getattr(file, name) for name in columns[:4]} for file in known if file.is_chosen]


def _decision(home: Home, letter: dict[str, Any]) -> list[dict[str, Any]]:
    """The decision that the letter came of, as kept for its date.

    A later run of the same day may have decided otherwise, when the letter had left: then that is what is kept.
    """
    day = letter["decided_as_of_date"]
    path = home.published / "history" / _DECISIONS / f"{day}.parquet"
    if not path.exists():
        return []
    try:
        history = pl.read_parquet(path)
    except pl.exceptions.PolarsError:
        raise _unreadable(path, "Parquet file") from None
    own = history.filter(pl.col("letter_id") == letter["letter_id"])
    key = ("entity_id", "customer_id", "currency_code")
    of_customer = history.filter(*(pl.col(name) == letter[name] for name in key))
    return [
        {name: value for name, value in row.items() if name != "letter_id" or value != letter["letter_id"]}
        for row in (own if own.height else of_customer).to_dicts()
    ]


def _unreadable(path: Path, kind: str) -> NothingFound:
    return NothingFound(
        f"{path}: is no {kind} any more. Nothing is told. Bring the file back, or take it away."
    )


def _message(home: Home, con: Connection, letter: dict[str, Any]) -> list[dict[str, Any]]:
    """Recipient, subject and text of the message of which the ledger keeps the bytes, or else the outbox."""
    letter_id = letter["letter_id"]
    kept = con.execute(
        select(letter_messages.c.content).where(letter_messages.c.letter_id == letter_id)
    ).scalar_one_or_none()
    content = zlib.decompress(kept) if kept is not None else _in_outbox(home, letter)
    if content is None:
        return []
    if letter["channel"] == "sms":
        return [{"to": letter["address"], "subject": "", "attachments": "", "text": content.decode()}]
    parsed = message_from_bytes(content, policy=policy.default)
    body = parsed.get_body(("plain", "html"))
    attached = ", ".join(part.get_filename() or part.get_content_type() for part in parsed.iter_attachments())
    return [
        {
            "to": str(parsed["To"]),
            "subject": str(parsed["Subject"]),
            "attachments": attached,
            "text": body.get_content() if body is not None else "",
        }
    ]


def _in_outbox(home: Home, letter: dict[str, Any]) -> bytes | None:
    path: Path = home.outbox / letter["batch_id"] / file_name(letter["letter_id"], letter["channel"])
    return path.read_bytes() if path.exists() else None
