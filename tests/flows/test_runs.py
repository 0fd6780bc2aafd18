"""Whole runs on a small generated ledger: what they publish, send, keep, and never do."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import polars as pl
import pytest

import flows.nightly
import o2c.home
from flows._dbt import BuildFailed, Finding, run_tests
from flows.build import NothingYet
from flows.nightly import NightlyRun, PastDate, play
from o2c.home import AlreadyRunning, HomeError, SourceEntry, init_home, open_home
from o2c.ledger import Ledger
from o2c.run import Run
from o2c.settings import PROJECT
from o2c.warehouse import connect

MORNING = date(2026, 9, 30)
O2C = [sys.executable, "-m", "o2c.cli"]


def quiet(_line: str) -> None:
    """Steps are not printed in tests."""


def run(home: Path, ledger: Path | None = None, as_of: date = MORNING, *, send: bool = False) -> Run:
    sources = (SourceEntry(path=ledger),) if ledger else ()
    return play(NightlyRun(home=home, sources=sources, as_of_date=as_of, send=send), quiet)


def simulated(folder: Path) -> Path:
    init_home(folder, simulated=True, auto_approve=True)
    return folder


def published(home: Path, query: str) -> pl.DataFrame:
    with connect(home / "published" / "o2c.duckdb", read_only=True) as con:
        return con.execute(query).pl()


def outputs(home: Path) -> dict[str, str]:
    """Everything that must come out the same, by relative path and hash: tables, lists, letters."""
    files = [
        path
        for folder in (home / "published", *sorted((home / "outbox").glob("*")))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".duckdb"
    ]
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.fixture(scope="module")
def sent_home(tmp_path_factory: pytest.TempPathFactory, small_ledger: Path) -> Path:
    """A simulated home in which one morning was run and sent. Tests read it, or copy it."""
    home = simulated(tmp_path_factory.mktemp("sent") / "home")
    run(home, small_ledger, send=True)
    return home


@pytest.fixture
def changeable(sent_home: Path, small_ledger: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of that home and of its ledger that a test may change."""
    home, ledger = tmp_path / "home", tmp_path / small_ledger.name
    shutil.copytree(sent_home, home, symlinks=True)
    shutil.copytree(small_ledger, ledger)
    return home, ledger


def rewrite(path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    change(pl.read_csv(path, infer_schema=False)).write_csv(path)


def test_a_morning_publishes_every_mart_beside_its_parquet(sent_home: Path) -> None:
    tables = published(
        sent_home,
        "select table_schema || '.' || table_name as name from information_schema.tables order by name",
    )["name"].to_list()
    assert sorted(path.stem for path in (sent_home / "published" / "parquet").iterdir()) == tables
    assert {
        "core.dim_customers",
        "core.fct_customer_segments",
        "receivables.fct_invoices",
        "receivables.fct_open_items",
        "receivables.fct_ar_aging",
        "receivables.fct_payments",
        "receivables.fct_payment_applications",
        "receivables.fct_ar_kpis",
        "collections.fct_dunning_decisions",
        "collections.fct_letters",
        "collections.fct_credit_flags",
        "collections.fct_order_holds",
        "collections.fct_agency_referrals",
        "collections.fct_worklist",
        "collections.fct_worklist_terms",
        "quality.fct_rejected_rows",
        "quality.fct_run_checks",
    } <= set(tables)


def test_no_published_column_is_a_float(sent_home: Path) -> None:
    floats = published(
        sent_home,
        "select table_name, column_name from information_schema.columns where data_type in ('DOUBLE', 'FLOAT', 'REAL')",
    )
    assert floats.rows() == []


def test_what_was_sent_lies_in_the_outbox_and_nothing_else(sent_home: Path) -> None:
    sent = published(sent_home, "select letter_id from collections.fct_letters where state = 'sent'")[
        "letter_id"
    ]
    assert sent.len() > 0
    assert sorted(path.stem for path in sent_home.glob("outbox/*/*.eml")) == sorted(sent)


def test_the_hash_on_record_is_that_of_the_message_that_left(sent_home: Path) -> None:
    rows = published(
        sent_home, "select letter_id, message_hash from collections.fct_letters where state = 'sent'"
    )
    for letter_id, message_hash in rows.iter_rows():
        (message,) = sent_home.glob(f"outbox/*/{letter_id}.eml")
        assert hashlib.sha256(message.read_bytes()).hexdigest() == message_hash


def test_the_same_morning_again_sends_nothing_new_and_gives_the_same_bytes(
    changeable: tuple[Path, Path],
) -> None:
    home, _ = changeable
    before = outputs(home)
    run(home, send=True)
    assert outputs(home) == before


def test_another_home_another_thread_count_the_same_bytes(
    sent_home: Path, small_ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("O2C_THREADS", "1")
    ledger = tmp_path / small_ledger.name
    shutil.copytree(small_ledger, ledger)
    home = simulated(tmp_path / "elsewhere" / "home")
    run(home, ledger, send=True)
    assert outputs(home) == outputs(sent_home)


def test_a_preview_leaves_ledger_and_outbox_as_they_were(small_ledger: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = run(home, small_ledger)
    assert Path(done.outputs["preview"]).exists()
    assert list(home.glob("outbox/*/*.eml")) == []
    assert Ledger(open_home(home).ledger_url).letter_rows(MORNING).is_empty()
    states = published(home, "select distinct state from collections.fct_letters")["state"]
    assert set(states) <= {"rendered", "approval_pending"}


def test_what_needs_a_person_is_shown_as_a_preview_and_does_not_leave(
    small_ledger: Path, tmp_path: Path
) -> None:
    init_home(tmp_path / "home", simulated=True, auto_approve=False)
    done = run(tmp_path / "home", small_ledger, send=True)
    states = published(tmp_path / "home", "select letter_id, state, level from collections.fct_letters")
    waiting = states.filter(pl.col("state") == "approval_pending")
    # nothing is there yet that this run could be compared with, so people look at all of it
    assert set(waiting["level"]) == set(states["level"]) >= {1, 2, 3}
    shown = {path.stem for path in Path(done.outputs["preview"]).parent.glob("*.eml")}
    left = {path.stem for path in (tmp_path / "home").glob("outbox/*/*.eml")}
    assert shown == set(waiting["letter_id"])
    assert left == set()
    proposed = published(tmp_path / "home", "select distinct status from collections.fct_agency_referrals")[
        "status"
    ]
    assert set(proposed) == {"proposed", "not_eligible"}


def test_who_paid_at_noon_is_not_dunned_in_the_afternoon_and_the_morning_stays_on_record(
    changeable: tuple[Path, Path],
) -> None:
    home, ledger = changeable
    letter = published(
        home,
        "select letters.customer_id, letters.letter_id, lines.invoice_id, lines.amount, invoices.entity_id,"
        " letters.currency_code from collections.fct_letters as letters"
        " join collections.fct_letter_lines as lines using (letter_id)"
        " join receivables.fct_invoices as invoices using (invoice_id)"
        " where letters.kind = 'dunning' and letters.state = 'sent'"
        " and (select count(*) from collections.fct_letter_lines as all_lines"
        "      where all_lines.letter_id = letters.letter_id) = 1 order by letters.letter_id limit 1",
    ).row(0, named=True)

    def paid(payments: pl.DataFrame) -> pl.DataFrame:
        noon = dict.fromkeys(payments.columns) | {
            "payment_id": "NOON-1",
            "entity_id": letter["entity_id"],
            "customer_id": letter["customer_id"],
            "value_date": MORNING.isoformat(),
            "currency_code": letter["currency_code"],
            "payment_amount": f"{letter['amount']:.2f}",
            "reference_text": letter["invoice_id"],
        }
        return pl.concat([payments, pl.DataFrame([noon], schema=payments.schema)])

    rewrite(ledger / "payments.csv", paid)
    rewrite(ledger / "ledger_balances.csv", lambda balances: balances.head(0))
    run(home, ledger, send=True)
    decision = published(
        home,
        "select decision from collections.fct_dunning_decisions where decision = 'letter'"
        f" and customer_id = '{letter['customer_id']}' and currency_code = '{letter['currency_code']}'",
    )
    assert decision.is_empty()
    kept = published(
        home, f"select state from collections.fct_letters where letter_id = '{letter['letter_id']}'"
    )
    assert kept.rows() == [("sent",)]
    assert len(list(home.glob(f"outbox/*/{letter['letter_id']}.eml"))) == 1


def test_a_failed_audit_leaves_what_is_published_sends_nothing_and_says_why(
    changeable: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = changeable
    before = outputs(home)

    def a_cent_lost(build: Path, folder: Path) -> list[Finding]:
        with connect(build) as con:
            con.execute("update receivables.fct_ar_aging set open_amount = open_amount + 0.01")
        return run_tests(build, folder)

    monkeypatch.setattr("flows.build.run_tests", a_cent_lost)
    with pytest.raises(BuildFailed, match="assert_buckets_sum_to_open_amount"):
        run(home, as_of=date(2026, 10, 1), send=True)
    assert outputs(home) == before


def test_a_control_account_that_is_a_cent_off_publishes_and_sends_nothing(
    changeable: tuple[Path, Path],
) -> None:
    home, ledger = changeable
    letters_before = sorted(path.name for path in home.glob("outbox/*/*.eml"))
    latest = pl.col("balance_date") == pl.col("balance_date").max()
    cent_off = (
        pl.col("control_account_amount").cast(pl.Decimal(18, 2)) + pl.lit("0.01").cast(pl.Decimal(18, 2))
    ).cast(pl.String)
    rewrite(
        ledger / "ledger_balances.csv",
        lambda balances: balances.with_columns(
            control_account_amount=pl.when(latest).then(cent_off).otherwise("control_account_amount")
        ),
    )
    done = run(home, ledger, date(2026, 10, 1), send=True)
    assert [check.check_name for check in done.closed_gates] == ["control_account_ties"]
    assert published(home, "select max(as_of_date) from receivables.fct_ar_aging").row(0) == (
        date(2026, 10, 1),
    )
    assert sorted(path.name for path in home.glob("outbox/*/*.eml")) == letters_before


def test_history_keeps_every_date_and_replaces_the_one_that_is_run_again(
    changeable: tuple[Path, Path],
) -> None:
    home, _ = changeable
    run(home, as_of=date(2026, 10, 1), send=True)
    run(home, as_of=date(2026, 10, 1), send=True)
    days = "select as_of_date, count(*) as rows from receivables.fct_ar_aging group by 1 order by 1"
    rows = published(home, days)
    assert rows["as_of_date"].to_list() == [MORNING, date(2026, 10, 1)]
    history = home / "published" / "history" / "receivables.fct_ar_aging"
    assert {path.stem: pl.read_parquet(path).height for path in history.iterdir()} == {
        str(day): count for day, count in rows.iter_rows()
    }


def test_a_simulated_home_only_moves_forward(changeable: tuple[Path, Path]) -> None:
    home, _ = changeable
    with pytest.raises(PastDate, match="only moves forward"):
        run(home, as_of=date(2026, 9, 29), send=True)


def test_an_ordinary_home_does_not_send_for_a_past_date(small_ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(PastDate, match="today is"):
        run(tmp_path / "home", small_ledger, send=True)


def test_in_an_ordinary_home_letters_wait_until_people_approve_them(
    small_ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Morning(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2026, 9, 30, 11, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(flows.nightly, "datetime", Morning)
    monkeypatch.setattr(o2c.home, "datetime", Morning)
    home = tmp_path / "home"
    done = run(home, small_ledger, send=True)
    states = published(home, "select distinct state from collections.fct_letters")["state"].to_list()
    assert states == ["approval_pending"]
    assert done.has_exceptions
    assert not list((home / "outbox").glob("*/*.eml"))
    (waiting,) = [one for one in done.decided["approvals_waiting"] if one["kind"] == "letters"]
    assert waiting["approvals"] == "0 of 1"
    assert "only 0 of 5 runs" in waiting["reason"]


def test_before_the_first_document_there_is_nothing_to_say(small_ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingYet, match="2019-12-31"):
        run(tmp_path / "home", small_ledger, date(2019, 12, 31))
    assert not (tmp_path / "home" / "published").exists()


def test_a_home_without_sources_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="--source"):
        run(tmp_path / "home")


@pytest.mark.parametrize("place", ["/proc/o2c-home", "a-file/home"], ids=["not writable", "below a file"])
def test_a_home_that_cannot_be_written_is_refused_by_name(place: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    with pytest.raises(HomeError, match="--home"):
        open_home(tmp_path / place)


def test_a_second_run_waits_and_is_then_refused_with_nothing_done(
    changeable: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = changeable
    before = outputs(home)
    monkeypatch.setenv("O2C_LOCK_WAIT_SECONDS", "0")
    with open_home(home).lock("publish", 0), pytest.raises(AlreadyRunning, match="Wait for it to end"):
        run(home, as_of=date(2026, 10, 1), send=True)
    assert outputs(home) == before


@pytest.mark.parametrize("step", ["landing", "marts", "accounts", "publish"])
def test_a_run_killed_at_a_step_and_started_again_gives_what_an_undisturbed_run_gives(
    step: str, sent_home: Path, small_ledger: Path, tmp_path: Path
) -> None:
    home = simulated(tmp_path / "home")
    ledger = tmp_path / small_ledger.name
    shutil.copytree(small_ledger, ledger)
    command = [*O2C, "--home", str(home), "run", "--source", str(ledger), "--as-of", str(MORNING), "--send"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(step):
            break
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run(home, ledger, send=True)
    assert outputs(home) == outputs(sent_home)
