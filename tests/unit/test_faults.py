"""What is printed of an error that is none of ours says where it happened and nothing of persons or secrets."""

import errno
import os
import stat
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import o2c.cli
from flows._steps import StepFailed, quoting_nothing
from o2c.cli import main
from o2c.faults import is_about_room, keep_whole, where_it_happened
from o2c.home import Home, Marker
from o2c.ledger import Ledger, LedgerError
from o2c.ledger.opening import rule_broken
from o2c.settings import Settings

AT = datetime(2026, 3, 12, 6, 30, tzinfo=UTC)
MARK = "jane.doe@acme.example"


def fails_on_a_row() -> None:
    frame = pl.DataFrame({"email": [MARK]})
    try:
        frame.with_columns(pl.col("email").cast(pl.Int64))
    except pl.exceptions.PolarsError as error:
        raise KeyError(MARK) from error


def caught() -> BaseException:
    with pytest.raises(KeyError) as raised:
        fails_on_a_row()
    return raised.value


def test_the_lines_say_where_and_which_kind_and_quote_nothing() -> None:
    error = caught()
    assert MARK in str(error.__cause__)
    said = where_it_happened(error)
    assert MARK not in said
    assert "fails_on_a_row" in said
    assert (
        said.index("polars.exceptions") < said.index("which was the end of") < said.index("builtins.KeyError")
    )


def test_the_whole_text_is_kept_for_the_owner_alone(tmp_path: Path) -> None:
    path = keep_whole(caught(), tmp_path, AT)
    assert path is not None
    assert MARK in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert keep_whole(caught(), tmp_path / "file", AT) is None


def test_an_internal_error_prints_no_message_and_exits_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(o2c.cli, "_doctor", lambda _arguments: fails_on_a_row())
    assert main(["--home", str(tmp_path), "doctor"]) == 3
    said = "".join(capsys.readouterr())
    assert MARK not in said
    assert "fails_on_a_row" in said
    (kept,) = (tmp_path / "faults").iterdir()
    assert str(kept) in said


def test_a_panic_of_a_library_is_an_internal_error_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Panic(BaseException):
        """As a library in Rust raises it: not an Exception."""

    def panics(_arguments: object) -> int:
        raise Panic(MARK)

    monkeypatch.setattr(o2c.cli, "_doctor", panics)
    assert main(["--home", str(tmp_path), "doctor"]) == 3
    assert MARK not in "".join(capsys.readouterr())


def test_no_room_is_a_refusal_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fills_up(_arguments: object) -> int:
        raise duckdb.IOException(f"Could not write file: No space left on device {MARK}")

    monkeypatch.setattr(o2c.cli, "_doctor", fills_up)
    assert main(["--home", str(tmp_path), "doctor"]) == 2
    said = capsys.readouterr().err
    assert "no space left" in said.lower()
    assert "Make room" in said
    assert MARK not in said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), True),
        (OSError(errno.EFBIG, os.strerror(errno.EFBIG)), True),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), True),
        (OSError(errno.ENOENT, os.strerror(errno.ENOENT)), False),
        (ValueError("the list is full"), False),
    ],
    ids=["no space", "too large", "quota", "not there", "another error"],
)
def test_room_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_about_room(error) is expected


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
from o2c.faults import is_about_room
try:
    {}
except Exception as error:
    sys.exit(7 if is_about_room(error) else str(error))
"""


@pytest.mark.parametrize(
    "writes",
    [
        "import duckdb; duckdb.connect(sys.argv[1]).execute('create table t as select range::varchar x, hash(range) h"
        " from range(200000)')",
        "import sqlalchemy as s; e = s.create_engine('sqlite:///' + sys.argv[1]); c = e.connect();"
        " c.execute(s.text('create table t (x)')); [c.execute(s.text('insert into t values (randomblob(100000))'))"
        " for _ in range(9)]; c.commit()",
        "import polars as pl; pl.select(pl.int_range(500000).hash()).write_parquet(sys.argv[1])",
        "open(sys.argv[1], 'wb').write(bytes(300000))",
    ],
    ids=["DuckDB", "SQLite", "polars", "Python"],
)
def test_whoever_writes_says_that_there_is_no_room(writes: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED.format(writes), str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr


def test_an_error_of_the_ledger_has_no_values_of_the_row(tmp_path: Path) -> None:
    engine = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").engine
    with engine.connect() as con, pytest.raises(DBAPIError) as refused:
        con.execute(text("select nothing where :address"), {"address": MARK})
    assert MARK not in str(refused.value)
    engine.dispose()


def test_a_rule_that_the_database_names_comes_without_the_row_that_broke_it(postgres_url: str) -> None:
    """PostgreSQL says in further lines which row it was, with every value."""
    engine = Ledger(postgres_url).engine
    broken = text("insert into suppressions (address, reason, since) values (:address, 'bounce', now())")
    with engine.begin() as con, pytest.raises(DBAPIError) as refused:
        con.execute(broken, {"address": MARK.title()})
    engine.dispose()
    assert MARK.title() in str(refused.value.orig)
    assert "suppressed_address_in_lower_case" in rule_broken(refused.value)
    assert MARK.title() not in rule_broken(refused.value)


def test_settings_are_shown_without_the_ledgers_password() -> None:
    settings = Settings(ledger_url="postgresql://o2c:hidden@host/ledger")
    assert "hidden" not in f"{settings!r} {settings}"
    assert settings.ledger_url == "postgresql://o2c:hidden@host/ledger"


def test_a_step_under_prefect_quotes_nothing_and_leaves_our_errors_and_the_systems_alone(
    tmp_path: Path,
) -> None:
    def step(home: Home, error: Exception | None) -> str:
        if error is not None:
            raise error
        return home.root.name

    home, guarded = Home(tmp_path, Marker()), quoting_nothing(step)
    assert guarded(home, None) == tmp_path.name
    for stays in (LedgerError(MARK), FileNotFoundError(MARK), TimeoutError(MARK)):
        with pytest.raises(type(stays), match=MARK):
            guarded(home, stays)
    with pytest.raises(StepFailed) as failed:
        guarded(home, KeyError(MARK))
    assert MARK not in "".join(traceback.format_exception(failed.value))
    (kept,) = (tmp_path / "faults").iterdir()
    assert str(kept) in str(failed.value)
    assert MARK in kept.read_text()
