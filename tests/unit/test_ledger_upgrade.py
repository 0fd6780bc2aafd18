"""A ledger of any earlier version is taken to today's with all that it has, whoever opens it first."""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, insert, inspect, make_url, select

import o2c.ledger
from o2c.ledger import Ledger
from o2c.ledger.tables import metadata
from o2c.ledger.upgrading import HEAD

MIGRATIONS = Path(o2c.ledger.__file__).parent / "migrations"
DAY = date(2026, 3, 11)
SIX = datetime(2026, 3, 11, 6, tzinfo=UTC)


def revision(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, MIGRATIONS / "versions" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EARLIER = revision("0001_before_delivery").earlier


def plain(url: str) -> Engine:
    """The database without any of our code."""
    parts = make_url(url)
    return create_engine(
        parts.set(drivername="postgresql+psycopg") if parts.drivername == "postgresql" else parts
    )


def letter(letter_id: str, state: str, sent_at: datetime | None = None, day: date = DAY) -> dict[str, Any]:
    return {
        "letter_id": letter_id,
        "batch_id": "2026-03-11-b",
        "kind": "dunning",
        "entity_id": "E1",
        "customer_id": f"C-{letter_id}",
        "currency_code": "EUR",
        "episode": 1,
        "level": 1,
        "occasion": "",
        "try_number": 1,
        "stage": "first_contact",
        "channel": "email",
        "language_code": "en",
        "address": "Jane@acme.example",
        "total_amount": "90071992547409.9301",
        "state": state,
        "message_hash": "00ff",
        "decided_as_of_date": day,
        "sent_at": sent_at,
    }


LINE = {
    "letter_id": "sent",
    "line_number": 1,
    "invoice_id": "INV-1",
    "installment_number": 1,
    "invoice_number": "2026/1",
    "po_number": None,
    "currency_code": "EUR",
    "occasion": None,
    "invoice_amount": "100.0000",
    "disputed_amount": "0.0000",
    "amount": "100.0000",
    "days_past_due": 12,
    "invoice_date": date(2026, 1, 30),
    "due_date": date(2026, 2, 28),
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "deliveries": [
        {"source": "books", "name": "b.csv", "file_id": "f", "mapping_id": "m", "seen_at": SIX},
    ],
    "runs": [
        {
            "run_id": "old",
            "as_of_date": DAY,
            "state": "published",
            "is_sending": 1,
            "applications_file": "old.parquet",
            "started_at": SIX,
            "finished_at": SIX,
        }
    ],
    "letters": [
        letter("cancelled", "cancelled"),
        letter("sending", "sending"),
        letter("sent", "sent", SIX),
        letter("waits", "approval_pending"),
    ],
    "letter_lines": [LINE],
    "placements": [
        {
            "invoice_id": "INV-9",
            "installment_number": 1,
            "customer_id": "C-9",
            "agency_id": "AGENCY-US",
            "placed_date": DAY,
        }
    ],
}


@pytest.fixture
def earlier(empty_url: str) -> Iterator[Engine]:
    """A ledger as the last version without revisions left it."""
    engine = plain(empty_url)
    EARLIER.create_all(engine)
    with engine.begin() as con:
        for name, rows in ROWS.items():
            con.execute(insert(EARLIER.tables[name]), rows)
    yield engine
    engine.dispose()


def everything(engine: Engine, tables: Any) -> dict[str, list[dict[str, Any]]]:
    with engine.connect() as con:
        return {
            name: [dict(row) for row in con.execute(select(table).order_by(*table.primary_key)).mappings()]
            for name, table in tables.items()
        }


# ── the tables ──


def difference(engine: Engine) -> list[Any]:
    """What a revision would have to do; empty when the tables are those of ``tables.py``."""
    with engine.connect() as con:
        context = MigrationContext.configure(con, opts={"compare_type": True})
        return compare_metadata(context, metadata)


def constraints(engine: Engine) -> dict[str, Any]:
    """What Alembic does not compare: checks, keys, and the conditions of indexes."""
    found = inspect(engine)
    return {
        name: (
            sorted(
                (one["name"], str(one["type"]), one["nullable"], one["default"])
                for one in found.get_columns(name)
                if not one.get("autoincrement") or one["default"] is None
            ),
            sorted((one["name"] or "", one["sqltext"]) for one in found.get_check_constraints(name)),
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"], one["unique"], _condition(one)) for one in found.get_indexes(name)),
            sorted(one["name"] or "" for one in found.get_foreign_keys(name)),
        )
        for name in sorted(metadata.tables)
    }


def _condition(index: Any) -> dict[str, str]:
    return {name: str(value) for name, value in (index.get("dialect_options") or {}).items()}


@pytest.mark.filterwarnings("ignore:.*expression-based index.*")
def test_a_new_ledger_has_the_tables_of_this_version(empty_url: str, tmp_path: Path) -> None:
    engine = Ledger(empty_url).engine
    assert difference(engine) == []
    engine.dispose()


@pytest.mark.filterwarnings("ignore:.*expression-based index.*")
def test_an_earlier_ledger_gets_the_tables_of_this_version(earlier: Engine, empty_url: str) -> None:
    engine = Ledger(empty_url).engine
    assert difference(engine) == []
    migrated = constraints(engine)
    engine.dispose()
    fresh = plain(empty_url)
    metadata.drop_all(fresh)
    metadata.create_all(fresh)
    assert constraints(fresh) == migrated
    fresh.dispose()


def test_the_newest_revision_is_what_an_opened_ledger_is_held_against() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]
