"""A ledger of any earlier version is taken to today's with all that it has, whoever opens it first."""

import importlib.util
import multiprocessing
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Engine,
    MetaData,
    Table,
    create_engine,
    insert,
    inspect,
    make_url,
    select,
    text,
    update,
)

import o2c.ledger
from o2c.landing import Delivery
from o2c.ledger import Ledger, LedgerError
from o2c.ledger.auditing import Change, append
from o2c.ledger.tables import audit, deliveries, letters, metadata
from o2c.ledger.triggers import drop_triggers
from o2c.ledger.upgrading import HEAD
from o2c.ledger.verify import rule_findings, verify

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


pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index.*")


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


def test_a_new_ledger_has_the_tables_of_this_version(empty_url: str, tmp_path: Path) -> None:
    engine = Ledger(empty_url).engine
    assert difference(engine) == []
    engine.dispose()


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


# ── what was there ──


def test_an_earlier_ledger_keeps_all_its_rows(earlier: Engine, empty_url: str) -> None:
    before = everything(earlier, EARLIER.tables)
    engine = Ledger(empty_url).engine
    assert everything(engine, EARLIER.tables) == before
    assert sum(len(rows) for rows in before.values()) == sum(len(rows) for rows in ROWS.values())
    engine.dispose()


def test_letters_of_an_earlier_ledger_mean_what_they_meant(earlier: Engine, empty_url: str) -> None:
    """What left counts from its day on; what a killed run left half sent is asked for; what waited waits."""
    engine = Ledger(empty_url).engine
    names = ("letter_id", "state", "carrier", "contact_date", "attempt_count", "owner", "request_id")
    with engine.connect() as con:
        columns = [letters.c[name] for name in names]
        rows = [tuple(row) for row in con.execute(select(*columns).order_by(letters.c.letter_id))]
        lease = con.execute(
            select(letters.c.lease_until).where(letters.c.letter_id == "sending")
        ).scalar_one()
        told = con.execute(
            select(audit.c.sequence, audit.c.action, audit.c.subject, audit.c.after).order_by(
                audit.c.sequence
            )
        )
        assert [tuple(row) for row in told] == [
            (number, "take over", f"letter:{letter_id}", state)
            for number, (letter_id, state) in enumerate(
                (
                    ("cancelled", "cancelled"),
                    ("sending", "sending"),
                    ("sent", "sent"),
                    ("waits", "approval_pending"),
                ),
                1,
            )
        ]
    assert rows == [
        ("cancelled", "cancelled", None, None, 0, None, None),
        ("sending", "sending", "folder", DAY, 0, "earlier version", None),
        ("sent", "sent", "folder", DAY, 0, None, None),
        ("waits", "approval_pending", None, None, 0, None, None),
    ]
    assert lease.replace(tzinfo=UTC) == datetime(2026, 3, 11, tzinfo=UTC)
    assert verify(engine).findings == ()
    assert Ledger(empty_url).latest_sending_date() == DAY
    engine.dispose()


@pytest.mark.parametrize("has_left", [True, False, None])
def test_what_a_killed_run_of_an_earlier_version_left_is_settled_by_asking_the_folder(
    earlier: Engine, empty_url: str, has_left: bool | None
) -> None:
    engine = Ledger(empty_url).engine
    after = {True: "sent", False: "approved", None: "unknown"}[has_left]
    with engine.begin() as con:
        values: dict[str, Any] = {"state": after, "owner": None, "lease_until": None, "state_changed_at": SIX}
        values |= {"sent_at": SIX} if has_left else {"contact_date": None} if has_left is False else {}
        con.execute(update(letters).where(letters.c.letter_id == "sending").values(**values))
        append(con, [Change("recovery", "expire", "letter:sending", "sending", after)], SIX)
        if has_left is False:
            gone = {"state": "cancelled", "state_changed_at": SIX}
            con.execute(update(letters).where(letters.c.letter_id == "sending").values(**gone))
            append(con, [Change("o2c", "cancel", "letter:sending", "approved", "cancelled", "stale")], SIX)
    assert verify(engine).findings == ()
    engine.dispose()


def test_a_ledger_of_the_first_version_gets_the_columns_and_tables_that_came_since(empty_url: str) -> None:
    engine = plain(empty_url)
    first = MetaData()
    for table in EARLIER.tables.values():
        if table.name not in ("known_files", "cash_decision_files"):
            table.to_metadata(first)
    runs = first.tables["runs"]
    first.remove(runs)
    columns = [column._copy() for column in runs.columns if column.name not in ("known_at", "publishes")]
    Table("runs", first, *columns)
    first.create_all(engine)
    with engine.begin() as con:
        con.execute(insert(first.tables["runs"]), ROWS["runs"])
    engine.dispose()
    ledger = Ledger(empty_url)
    assert ledger.published_known_at(DAY) == SIX
    assert ledger.current_date() == DAY
    assert ledger.application_files(SIX) == ["old.parquet"]
    assert difference(ledger.engine) == []
    ledger.engine.dispose()


def test_a_broken_reference_of_an_earlier_ledger_stops_the_upgrade_and_nothing_is_changed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    engine = create_engine(f"sqlite:///{path}")
    EARLIER.create_all(engine)
    with engine.begin() as con:
        con.execute(insert(EARLIER.tables["letter_lines"]), LINE)
    engine.dispose()
    with pytest.raises(LedgerError, match=r"1 rows refer to rows that are not there: letter_lines → letters"):
        Ledger(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as con:
        tables = {name for (name,) in con.execute("select name from sqlite_master where type = 'table'")}
        assert tables == set(EARLIER.tables)


# ── opening ──


def test_a_ledger_that_is_up_to_date_is_opened_without_a_migration(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_con: Any) -> None:
        raise AssertionError("migrated again")

    monkeypatch.setattr("o2c.ledger.upgrading._upgrade_in", never)
    Ledger(ledger_url).engine.dispose()


def test_a_ledger_of_a_later_version_is_refused_and_left_as_it_is(ledger_url: str) -> None:
    engine = Ledger(ledger_url).engine
    with engine.begin() as con:
        con.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(LedgerError, match="of version 9999, which only a later o2c knows"):
        Ledger(ledger_url)
    with engine.connect() as con:
        assert con.execute(text("select version_num from alembic_version")).scalar() == "9999"
    engine.dispose()


def test_rules_of_another_version_are_replaced_when_the_ledger_is_opened(ledger_url: str) -> None:
    engine = Ledger(ledger_url).engine
    with engine.begin() as con:
        drop_triggers(con)
        con.execute(text("update installed_triggers set content_hash = 'of another version'"))
    assert rule_findings_of(engine) != []
    engine.dispose()
    engine = Ledger(ledger_url).engine
    assert rule_findings_of(engine) == []
    engine.dispose()


def rule_findings_of(engine: Engine) -> list[Any]:
    with engine.connect() as con:
        return rule_findings(con)


def open_and_write(url: str, way: int) -> None:
    ledger = Ledger(url)
    for number in range(20):
        ledger.record(Delivery("books", f"{way}-{number}", "f", "m", SIX))


@pytest.mark.parametrize("is_new", [True, False], ids=["a new ledger", "an earlier ledger"])
def test_eight_processes_that_open_a_ledger_at_once_all_can_and_lose_nothing(
    empty_url: str, is_new: bool
) -> None:
    if not is_new:
        engine = plain(empty_url)
        EARLIER.create_all(engine)
        engine.dispose()
    fork = multiprocessing.get_context("fork")  # a new interpreter would take longer than all the rest
    ways = [fork.Process(target=open_and_write, args=(empty_url, number)) for number in range(8)]
    for way in ways:
        way.start()
    for way in ways:
        way.join()
    assert [way.exitcode for way in ways] == [0] * 8
    engine = Ledger(empty_url).engine
    with engine.connect() as con:
        names = con.execute(select(deliveries.c.name)).scalars().all()
        assert con.execute(text("select count(*) from alembic_version")).scalar() == 1
    assert sorted(names) == sorted(f"{way}-{number}" for way in range(8) for number in range(20))
    assert difference(engine) == []
    engine.dispose()
