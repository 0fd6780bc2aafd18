"""Bank files on their way to disk: whole or not at all, once by content, whatever they are called."""

import gzip
import json
import resource
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from camt_files import Camt, detail, entry
from money_files import Desk

from o2c.sources.bank.inspect import inspect_files
from o2c.sources.bank.landed_tables import TABLES
from o2c.sources.bank.landing import files_below, land_bank_files, landed_before, reading_id
from o2c.sources.bank.profiles import STANDARD, BankProfile

PLAIN = Camt().xml()
NEXT = Camt(statement_head="<ElctrncSeqNb>8</ElctrncSeqNb>").xml()


def stored(desk: Desk) -> list[str]:
    return sorted(path.name for path in (desk.folder / "landing").rglob("*") if path.is_file())


def test_a_file_becomes_its_tables_and_a_receipt_under_its_content(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (landed,) = desk.take([("a.xml", PLAIN)]).landed
    assert stored(desk) == sorted(
        [f"{landed.file_id}.json", *(f"{landed.file_id}.{table}.parquet" for table in TABLES)]
    )
    assert {table: dict(pl.read_parquet_schema(landed.path(table))) for table in TABLES} == TABLES
    assert pl.read_parquet(landed.path("entries")).select(
        "file_id", "statement_ordinal", "entry_ordinal", "position", "amount", "currency_code", "status"
    ).rows() == [(landed.file_id, 1, 1, "statement 1, entry 1", Decimal(10), "EUR", "booked")]
    assert json.loads((landed.folder / f"{landed.file_id}.json").read_text())["entries"] == 1
    assert landed.said == "camt.053.001.08, 1 statement, 1 entry, 0 exceptions"


def test_the_same_content_lands_once_under_any_name_and_packing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    report = desk.take([("a.xml", PLAIN), ("b.xml", PLAIN), ("c.gz", gzip.compress(PLAIN)), ("a.xml", PLAIN)])
    assert [one.is_new for one in report.landed] == [True, False, False, False]
    assert [(note.severity, note.code, note.name) for note in report.notes] == [
        ("info", "known_content", "b.xml"),
        ("info", "known_content", "c.gz"),
    ]
    assert len(landed_before(desk.folder / "landing", desk.memory)) == 1
    assert [one.name for one in desk.memory.seen] == ["a.xml", "b.xml", "c.gz"]


def test_another_content_under_a_known_name_is_a_new_version_and_a_warning(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.take([("a.xml", PLAIN)])
    report = desk.take([("a.xml", NEXT)])
    assert [(note.severity, note.code, note.name) for note in report.notes] == [
        ("warning", "changed_content", "a.xml")
    ]
    assert len(landed_before(desk.folder / "landing", desk.memory)) == 2


def test_a_refused_file_leaves_nothing_and_stops_no_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    report = desk.take([("cut.xml", NEXT[:-20]), ("a.xml", PLAIN), ("empty", b""), ("text", b"hello\n")])
    assert [one.name for one in report.landed] == ["a.xml"]
    assert [one.file for one in report.refused] == ["cut.xml", "empty", "text"]
    assert {name.split(".")[0] for name in stored(desk)} == {report.landed[0].file_id}


@pytest.mark.parametrize(
    "missing", [":20:REF\n", ":20:REF\n:25:123\n", ":20:REF\n:25:123\n:28C:7\n:60F:C240306EUR0,00\n"]
)
def test_a_piece_of_a_message_never_lands_though_it_can_be_looked_at(tmp_path: Path, missing: str) -> None:
    whole = (
        ":20:REF\n:25:123\n:28C:7\n:60F:C240306EUR0,00\n:61:240307C10,00NTRFNONREF\n:62F:C240307EUR10,00\n-\n"
    )
    desk = Desk(tmp_path)
    report = desk.take([("piece.sta", whole.removeprefix(missing).encode()), ("whole.sta", whole.encode())])
    assert [one.name for one in report.landed] == ["whole.sta"]
    assert [one.reason for one in report.refused] == [
        "there is no :20:, a piece of a message; nothing of it can be loaded"
    ]
    assert {name.split(".")[0] for name in stored(desk)} == {report.landed[0].file_id}
    (shown,) = inspect_files(desk.folder.glob("in/*/piece.sta"))
    assert (shown.error, [one.entry_count for one in shown.statements]) == (None, [1])
    assert [one.code for one in shown.exceptions] == ["fragment"]


def test_a_path_that_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "there").symlink_to("/etc/passwd")
    desk = Desk(tmp_path / "desk")
    report = land_bank_files(
        [tmp_path / "not there", tmp_path / "there"],
        tmp_path / "landing",
        desk.memory,
        {},
        datetime(2024, 4, 1, tzinfo=UTC),
    )
    assert [one.file for one in report.refused] == ["not there", "there"]


def test_a_landing_without_its_receipt_is_done_again(tmp_path: Path) -> None:
    """The receipt comes last: what an interrupted landing left does not count."""
    desk = Desk(tmp_path)
    (landed,) = desk.take([("a.xml", PLAIN)]).landed
    receipt = landed.folder / f"{landed.file_id}.json"
    receipt.unlink()
    landed.path("entries").write_bytes(b"half")
    (again,) = desk.take([("a.xml", PLAIN)]).landed
    assert again.is_new
    assert pl.read_parquet(again.path("entries")).height == 1


def test_a_profile_that_reads_otherwise_lands_anew_and_the_later_reading_counts(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wrong = Camt(summary="<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>").xml()
    assert desk.take([("a.xml", wrong)]).exception_count == 1
    desk.profiles = {
        "b": BankProfile(recognised_by=("DE89370400440532013000",), warnings_only=("count_differs",))
    }
    assert desk.take([("a.xml", wrong)]).exception_count == 0
    (known,) = landed_before(desk.folder / "landing", desk.memory)
    assert known.receipt["warnings"] == 1


def test_who_owns_an_account_changes_no_reading() -> None:
    owned = BankProfile(name="x", recognised_by=("ABCD",), entities={"1": "E1"})
    assert reading_id(owned) == reading_id(STANDARD)
    assert reading_id(BankProfile(currency_code="EUR")) != reading_id(STANDARD)


def test_folders_are_opened_and_hidden_files_left_alone(tmp_path: Path) -> None:
    for name in ("b.xml", "a/c.xml", ".hidden", ".folder/d.xml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = files_below([tmp_path, tmp_path / "b.xml"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a/c.xml", "b.xml"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    entries = entry(details=detail(more="<RmtInf><Ustrd>INV-1 of last month</Ustrd></RmtInf>"))
    large = Camt(entries=entries * 20_000, balances="").xml()
    desk = Desk(tmp_path)
    desk.take([("small.xml", Camt(entries=entries * 5_500, balances="").xml())])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (landed,) = desk.take([("large.xml", large)]).landed
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert landed.receipt["details"] == 20_000
    assert grown < 30_000, f"{grown} KiB more for {len(large) >> 20} MiB"
