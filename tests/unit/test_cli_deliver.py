"""``o2c deliver`` on the command line: what it prints, what it leaves behind, and its exit codes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from o2c.cli import main
from o2c.home import init_home, open_home
from o2c.ledger import Ledger
from o2c.ledger.outgoing import open_pauses, pause
from o2c.ledger.suppressing import suppressed_addresses
from o2c.ledger.tables import audit, suppressions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("O2C_OPERATOR", "sam")
    monkeypatch.setenv("O2C_HOME", str(tmp_path / "home"))  # the command line sets it and leaves it behind
    init_home(tmp_path / "home", simulated=True, auto_approve=False)
    return tmp_path / "home"


def o2c(home: Path, *arguments: str) -> int:
    return main(["--home", str(home), "deliver", *arguments])


def audited(home: Path) -> list[tuple]:
    columns = (audit.c.actor, audit.c.action, audit.c.subject, audit.c.reason)
    with Ledger(open_home(home).ledger_url).engine.connect() as con:
        return [tuple(row) for row in con.execute(select(*columns).order_by(audit.c.sequence))]


def test_a_home_where_nothing_is_published_has_nothing_to_send(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert o2c(home) == 0
    assert capsys.readouterr().out == "Nothing is published yet, so nothing can leave.\n"


def test_as_json_it_has_every_count(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert o2c(home, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "as_of_date": None,
        "outcomes": {},
        "settled": {},
        "withdrawn": {},
        "waiting": {},
        "paused": {},
        "carried_out": 0,
        "faults": [],
        "closed_gates": [],
        "stopped": None,
    }


def test_stop_holds_until_go_and_both_are_on_record(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert o2c(home, "--stop", "wrong\n prices") == 0
    assert (home / "STOP").read_text() == "wrong prices (by sam)\n"
    assert o2c(home) == 2
    assert "stopped: wrong prices (by sam)" in capsys.readouterr().out
    assert o2c(home, "--go") == 0
    assert not (home / "STOP").exists()
    assert o2c(home) == 0
    assert audited(home) == [
        ("sam", "stop", "home:sending", "wrong prices"),
        ("sam", "go_on", "home:sending", None),
    ]
    assert o2c(home, "--go") == 0
    assert "nothing was stopped" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [(), ("--stop", "wrong prices"), ("--go",), ("--resume", "ses", "--by", "anna")]
)
def test_a_home_that_is_not_there_is_neither_made_nor_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    mistyped = tmp_path / "hme"
    assert o2c(mistyped, *arguments) == 2
    assert f"{mistyped}: is no home. Nothing was done." in capsys.readouterr().err
    assert not mistyped.exists()


def test_stop_works_where_the_ledger_does_not(home: Path) -> None:
    (home / "ledger.db").unlink(missing_ok=True)
    (home / "ledger.db").write_text("this is no database")
    assert o2c(home, "--stop", "the disk is failing") == 0
    assert (home / "STOP").exists()


def test_a_stop_that_is_a_folder_is_left_to_people(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "STOP").mkdir()
    assert o2c(home) == 2
    assert o2c(home, "--go") == 2
    assert "is a folder" in capsys.readouterr().err
    assert (home / "STOP").is_dir()


def test_a_stop_needs_a_reason(home: Path) -> None:
    assert o2c(home, "--stop", " ") == 2
    assert not (home / "STOP").exists()


def test_a_paused_carrier_is_used_again_when_somebody_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Ledger(open_home(home).ledger_url).engine
    now = datetime.now(UTC)
    pause(engine, "ses", "bounce_ratio", "4 of 50 letters bounced", None, "policy", now)
    pause(engine, "sms", "daily_quota", "quota", None, "policy", now)
    assert o2c(home, "--resume", "ses", "--by", "Anna") == 0
    assert capsys.readouterr().out == "ses is used again; it was paused for bounce_ratio\n"
    assert [one.carrier for one in open_pauses(engine, datetime.now(UTC))] == ["sms"]
    assert ("anna", "lift_pause", "carrier:ses", "bounce_ratio") in audited(home)


def test_a_carrier_that_is_not_paused_is_told_with_those_that_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pause(
        Ledger(open_home(home).ledger_url).engine,
        "sms",
        "daily_quota",
        "quota",
        None,
        "policy",
        datetime.now(UTC),
    )
    assert o2c(home, "--resume", "ses", "--by", "anna") == 2
    assert "Paused: sms." in capsys.readouterr().err


def test_a_suppressed_address_is_trusted_again_when_somebody_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Ledger(open_home(home).ledger_url).engine
    with engine.begin() as con:
        con.execute(
            insert(suppressions).values(address="ap@acme.example", reason="bounced", since=datetime.now(UTC))
        )
    assert o2c(home, "--trust", "AP@acme.example", "--by", "Anna") == 0
    said = capsys.readouterr()
    assert "may be written to again" in said.out
    assert "acme" not in said.out + said.err
    assert suppressed_addresses(engine) == {}
    assert ("anna", "lift_suppression") in [row[:2] for row in audited(home)]
    assert o2c(home, "--trust", "ap@acme.example", "--by", "anna") == 2


@pytest.mark.parametrize(
    "arguments", [("--resume", "ses"), ("--trust", "a@b.example"), ("--by", "anna"), ("--by", "anna", "--go")]
)
def test_who_and_what_go_together(
    home: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert o2c(home, *arguments) == 2
    assert "Nothing was done" in capsys.readouterr().err


def test_two_levers_at_once_are_refused(home: Path) -> None:
    with pytest.raises(SystemExit):
        o2c(home, "--stop", "x", "--go")
