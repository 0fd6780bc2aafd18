"""The command line: arguments in, one call, lines and an exit code out."""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_run import check, run_of

from flows import ingest, nightly
from flows.nightly import NightlyRun
from o2c import __version__, cli
from o2c.explain import NothingFound, Story
from o2c.home import AlreadyRunning, SourceEntry, open_home
from o2c.run import Run


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command writes into the environment is gone after the test, and no test writes into the project."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("O2C_HOME", str(tmp_path / "home"))


def commands() -> list[str]:
    (action,) = (
        one
        for one in cli._parser()._actions
        if isinstance(one, argparse._SubParsersAction)  # argparse has no public way to list them
    )
    return list(action.choices)


class Plays:
    """Stands in for the nightly flow: keeps what it was asked and gives back a run."""

    def __init__(self, result: Run | BaseException) -> None:
        self.result = result
        self.asked: list[NightlyRun] = []

    def __call__(self, request: NightlyRun, say: Callable[[str], None]) -> Run:
        self.asked.append(request)
        say("landing          0.1 s")
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def plays(monkeypatch: pytest.MonkeyPatch, result: Run | BaseException) -> Plays:
    plays = Plays(result)
    monkeypatch.setattr(nightly, "play", plays)
    return plays


# ── exit codes ──


@pytest.mark.parametrize(
    ("arguments", "checks", "code"),
    [
        (["run"], [check(passed=True)], 0),
        (["run", "--send"], [check(passed=True)], 0),
        (["run"], [check(severity="warn")], 1),
        (["run", "--send"], [check(severity="warn")], 1),
        (["run"], [check()], 1),
        (["publish"], [check()], 1),
        (["run", "--send"], [check()], 2),
    ],
    ids=[
        "well",
        "sent",
        "warning",
        "sent with a warning",
        "closed gate and nothing was to be sent",
        "closed gate, published",
        "closed gate and letters were to be sent",
    ],
)
def test_a_run_ends_with_the_code_of_what_it_found(
    arguments: list[str], checks: list[Any], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays(monkeypatch, run_of(checks=checks))
    assert cli.main(arguments) == code


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        ({"outcomes": {"accepted": 3}, "closed_gates": [], "stopped": None}, 0),
        ({"outcomes": {}, "closed_gates": [vars(check())], "stopped": None}, 2),
        ({"outcomes": {}, "closed_gates": [], "stopped": "wrong prices"}, 2),
    ],
    ids=["left", "a gate closed meanwhile", "stopped"],
)
def test_a_run_whose_letters_were_kept_back_at_the_door_is_refused(
    delivery: dict[str, Any], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays(monkeypatch, run_of(checks=[check(passed=True)], decided={"delivery": delivery}))
    assert cli.main(["run", "--send"]) == code


@pytest.mark.parametrize(
    "refusal",
    [
        AlreadyRunning("/srv/o2c: another run holds the publish lock."),
        nightly.PastDate("--as-of 2026-03-11: letters may not leave."),
        PermissionError(13, "Permission denied", "/srv/o2c"),
        OSError(5, "Input/output error"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_is_a_line_and_no_traceback(
    refusal: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plays(monkeypatch, refusal)
    assert cli.main(["run"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"landing          0.1 s\no2c: {refusal}\n")


def test_a_full_disk_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plays(monkeypatch, OSError(28, "No space left on device"))
    assert cli.main(["run"]) == 2
    told = capsys.readouterr()
    assert "no space left" in told.err
    assert "Make room, then start again." in told.err


def test_an_internal_error_tells_where_it_happened_and_keeps_the_rest_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plays(monkeypatch, ZeroDivisionError("nobody thought of this"))
    assert cli.main(["run"]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert "ZeroDivisionError" in told.err
    assert "nobody thought of this" not in told.err  # a message may quote a row
    (kept,) = (Path(os.environ["O2C_HOME"]) / "faults").iterdir()
    assert "ZeroDivisionError: nobody thought of this" in kept.read_text()


def test_an_interrupted_run_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plays(monkeypatch, KeyboardInterrupt())
    assert cli.main(["run"]) == 2
    assert capsys.readouterr().err.endswith("o2c: interrupted; what was published before is untouched.\n")


@pytest.mark.parametrize(
    ("name", "value"), [("O2C_THREADS", "0"), ("O2C_THREADS", "many"), ("O2C_LOCK_WAIT_SECONDS", "-1")]
)
def test_a_setting_that_cannot_be_is_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert cli.main(["doctor"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("o2c: settings not accepted, nothing was run.\n")
    assert f"  {name}: Input should be " in told
    assert "Traceback" not in told


# ── arguments ──


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: o2c {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    listed = re.findall(r"^    ([a-z-]+)(?:  |$)", capsys.readouterr().out, re.MULTILINE)
    assert listed == commands()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["publish", "--send"],
        ["decide", "--send"],
        ["explain", "order", "1"],
        ["inspect"],
        ["generate"],
        ["generate", "--folder", "books", "--invoices", "199"],
        ["generate", "--folder", "books", "--invoices", "10000001"],
        ["demo", "--invoices", "many"],
    ],
    ids=" ".join,
)
def test_what_makes_no_command_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert "usage: o2c" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["30.09.2026", "2026-02-30", "2026-09", "tomorrow", ""])
def test_a_bad_date_is_refused_and_shown_how_to_write(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--as-of", text])
    assert end.value.code == 2
    assert f"{text!r} is no date; write it like 2026-09-30" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "until"),
    [
        ("run", "published"),
        ("publish", "published"),
        ("apply-cash", "cash"),
        ("build", "marts"),
        ("decide", "decisions"),
    ],
)
def test_each_part_of_the_morning_stops_where_it_says_and_sends_nothing(
    command: str, until: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = plays(monkeypatch, run_of())
    assert cli.main([command]) == 0
    assert flow.asked == [NightlyRun.model_validate({"until": until})]
    assert flow.asked[0].send is False


def test_a_run_is_asked_for_its_sources_its_day_and_to_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = plays(monkeypatch, run_of())
    where = ["--source", "a.yml", "--source", "/b", "--data-root", "data"]
    cli.main(["--home", "there", "run", *where, "--as-of", "2026-03-12", "--send"])
    data = tmp_path / "data"
    assert flow.asked == [
        NightlyRun(
            sources=(
                SourceEntry(path=tmp_path / "a.yml", data_root=data),
                SourceEntry(path=Path("/b"), data_root=data),
            ),
            as_of_date=date(2026, 3, 12),
            send=True,
        )
    ]
    assert os.environ["O2C_HOME"] == "there"


def test_progress_goes_to_stderr_and_the_summary_or_the_manifest_to_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of()
    plays(monkeypatch, run)
    cli.main(["run"])
    told = capsys.readouterr()
    assert told.out.startswith("# o2c 2026-03-12  run abcdef01")
    assert told.err == "landing          0.1 s\n"
    cli.main(["run", "--json"])
    assert json.loads(capsys.readouterr().out) == run.manifest()


def test_nothing_that_we_run_reports_home_unless_somebody_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in cli.QUIET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    plays(monkeypatch, run_of())
    cli.main(["run"])
    assert {name: os.environ[name] for name in cli.QUIET} == cli.QUIET | {"PREFECT_LOGGING_LEVEL": "DEBUG"}


# ── the other commands ──


def test_init_makes_a_home_of_the_kind_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "home"
    assert cli.main(["--home", str(place), "init", "--simulated", "--auto-approve"]) == 0
    assert capsys.readouterr().out == f"{place}: simulated home is ready, approvals are taken as given\n"
    assert cli.main(["--home", str(place), "init"]) == 2
    assert "another kind" in capsys.readouterr().err
    assert open_home(place).marker.auto_approve


def test_init_refuses_to_approve_by_itself_outside_a_simulation(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "--auto-approve"]) == 2
    assert "--auto-approve is for simulated homes alone" in capsys.readouterr().err


def test_a_home_without_sources_is_refused_by_ingest_with_what_to_give(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["ingest"]) == 2
    assert "no source is known here. Give one with --source" in capsys.readouterr().err


def test_explain_tells_the_story_as_text_or_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_home(tmp_path / "home")
    asked: list[tuple[Any, ...]] = []

    def story(_home: Any, *what: Any) -> Story:
        asked.append(what)
        return Story("Customer C-1", {"customer": [{"customer_id": "C-1", "since": date(2026, 3, 12)}]})

    monkeypatch.setattr("o2c.explain.explain_customer", story)
    assert cli.main(["explain", "customer", "C-1"]) == 0
    assert (
        capsys.readouterr().out == "Customer C-1\n\nCustomer\n  customer_id  C-1\n  since        2026-03-12\n"
    )
    assert cli.main(["explain", "customer", "C-1", "--as-of", "2026-03-11", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "customer": [{"customer_id": "C-1", "since": "2026-03-12"}]
    }
    assert asked == [("C-1", None), ("C-1", date(2026, 3, 11))]


@pytest.mark.parametrize(
    "arguments", [("explain", "letter", "K7Q2-HF3D"), ("ledger", "verify")], ids=" ".join
)
def test_a_home_that_is_not_there_has_nothing_to_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert cli.main(["--home", str(tmp_path / "hme"), *arguments]) == 2
    assert f"{tmp_path / 'hme'}: is no home." in capsys.readouterr().err
    assert not (tmp_path / "hme").exists()


def test_explain_refuses_who_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_home(tmp_path / "home")

    def nobody(*_what: Any) -> Story:
        raise NothingFound("invoice 7: not in what is published.")

    monkeypatch.setattr("o2c.explain.explain_invoice", nobody)
    assert cli.main(["explain", "invoice", "7"]) == 2
    assert capsys.readouterr().err == "o2c: invoice 7: not in what is published.\n"


@pytest.mark.parametrize(
    ("first", "last", "every"),
    [("2026-10-01", "2026-10-20", "month-end"), ("2026-10-02", "2026-10-01", "day")],
)
def test_a_backfill_of_no_date_is_refused(
    capsys: pytest.CaptureFixture[str], first: str, last: str, every: str
) -> None:
    assert cli.main(["backfill", "--from", first, "--to", last, "--every", every]) == 2
    assert capsys.readouterr().err.startswith(
        f"o2c: from {first} to {last} there is no {every}. Nothing was run."
    )


def test_ingest_without_a_source_asks_for_those_of_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ingest.IngestRun] = []

    def land(request: ingest.IngestRun, say: Any) -> Any:
        asked.append(request)
        raise FileNotFoundError(2, "No such file", "/data/a.csv")

    monkeypatch.setattr(ingest, "land_only", land)
    assert cli.main(["ingest", "--source", "/a.yml"]) == 2
    assert asked == [ingest.IngestRun(sources=(SourceEntry(path=Path("/a.yml")),))]


def test_the_module_is_the_command() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "o2c.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout == f"o2c {__version__}\n"
