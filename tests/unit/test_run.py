"""A run's identity comes from what it is about; what it did is on record as data."""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import o2c.run
from o2c.checks import Check
from o2c.home import Home, Marker
from o2c.run import Run, Step, code_version, measured, run_id_of, write_json
from o2c.settings import Settings

DAY = date(2026, 3, 12)
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


class Version:
    """All of the policies that a run tells about."""

    version = "0123456789ab"


def run_of(**changes: Any) -> Run:
    values: dict[str, Any] = {
        "settings": Settings(),
        "home": Home(Path("/srv/o2c"), Marker()),
        "policies": Version(),
        "ledger": None,
        "as_of": DAY,
        "now": NOW,
        "run_id": "abcdef0123456789abcd",
        "is_sending": False,
        "inputs": [],
        "say": lambda _line: None,
    }
    return Run(**(values | changes))


# ── identity ──


def test_a_run_id_is_the_hash_of_what_the_run_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(o2c.run, "code_version", lambda: "1.0+code")
    about = "2026-03-12\npolicy\n1.0+code\na\nb"
    assert run_id_of(DAY, ["b", "a"], "policy") == hashlib.sha256(about.encode()).hexdigest()[:20]


def test_a_run_id_depends_on_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        run_id_of(DAY, ["a", "b"], "policy"),
        run_id_of(date(2026, 3, 13), ["a", "b"], "policy"),
        run_id_of(DAY, ["a", "c"], "policy"),
        run_id_of(DAY, ["a"], "policy"),
        run_id_of(DAY, [], "policy"),
        run_id_of(DAY, ["a", "b"], "other"),
        run_id_of(DAY, ["a", "b"], "policy", NOW),
        run_id_of(DAY, ["a", "b"], "policy", NOW.replace(hour=11)),
    }
    monkeypatch.setattr(o2c.run, "code_version", lambda: "other code")
    found.add(run_id_of(DAY, ["a", "b"], "policy"))
    assert len(found) == 9


def test_a_run_id_depends_on_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_id_of(DAY, ["a", "b"], "policy")
    monkeypatch.setenv("O2C_HOME", "/elsewhere")
    monkeypatch.setenv("O2C_THREADS", "1")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.chdir(tmp_path)
    assert run_id_of(DAY, ["b", "a"], "policy") == before


def project(root: Path) -> Path:
    for name in (
        "src/o2c/core.py",
        "flows/nightly.py",
        "dbt_project/models/a.sql",
        "dbt_project/models/a.yml",
        "templates/en/letter.j2",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def version_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(o2c.run, "PROJECT", root)
        return code_version.__wrapped__()


@pytest.mark.parametrize(
    "name",
    [
        "src/o2c/core.py",
        "flows/nightly.py",
        "dbt_project/models/a.sql",
        "dbt_project/models/a.yml",
        "templates/en/letter.j2",
    ],
)
def test_everything_that_decides_is_in_the_code_version(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path)
    versions = [version_of(root, monkeypatch)]
    (root / name).write_text("changed")
    versions.append(version_of(root, monkeypatch))
    (root / name).rename((root / name).with_stem("renamed"))
    versions.append(version_of(root, monkeypatch))
    assert len(set(versions)) == 3


@pytest.mark.parametrize(
    "name",
    ["README.md", "src/o2c/__pycache__/core.pyc", "dbt_project/target/run/a.sql", "tests/unit/test_core.py"],
)
def test_what_decides_nothing_is_not_in_the_code_version(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version_of(project(tmp_path), monkeypatch)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("new")
    assert version_of(tmp_path, monkeypatch) == before


def test_the_code_version_does_not_depend_on_where_the_project_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = project(tmp_path / "one"), project(tmp_path / "target" / "two")
    assert version_of(one, monkeypatch) == version_of(two, monkeypatch)


def test_a_batch_is_named_by_day_and_run() -> None:
    run = run_of()
    assert run.batch_id == "2026-03-12-abcdef01"
    assert run.build == Path("/srv/o2c/runs/abcdef0123456789abcd/build.duckdb")


# ── steps ──


def test_a_step_is_measured_said_and_kept() -> None:
    steps: list[Step] = []
    said: list[str] = []
    with measured("landing", steps, said.append) as counts:
        counts["rows"] = 12345
        counts["amount"] = Decimal("1234.50")
        counts["state"] = "well"
    (step,) = steps
    assert (step.name, step.counts) == ("landing", {"rows": 12345, "amount": "1234.50", "state": "well"})
    assert 0 <= step.wall_seconds < 5
    assert 0 <= step.cpu_seconds < 5
    assert step.peak_rss_mib > 1
    assert said == [f"landing        {step.wall_seconds:6.1f} s  12,345 rows, 1,234.50 amount, well state"]


def test_a_step_that_fails_is_not_said_to_be_done() -> None:
    steps: list[Step] = []
    said: list[str] = []
    with pytest.raises(ZeroDivisionError), measured("landing", steps, said.append):
        _ = 1 / 0
    assert (steps, said) == ([], [])


# ── exceptions ──


def check(name: str = "tie", severity: str = "gate", *, passed: bool = False) -> Check:
    return Check(name, "0", "1", passed, severity)


@pytest.mark.parametrize(
    ("changes", "has_exceptions", "closed"),
    [
        ({}, False, []),
        ({"checks": [check(passed=True)]}, False, []),
        ({"checks": [check()]}, True, [check()]),
        ({"checks": [check(severity="warn")]}, True, []),
        ({"checks": [check("landing.changed_content.books", "info")]}, False, []),
        ({"checks": [check("landing.shrunk.books", "warn")]}, True, []),
        ({"inputs": [{"rejected": 0}, {"rejected": 1}]}, True, []),
        ({"inputs": [{"rejected": 0}]}, False, []),
        ({"decided": {"payments": [{"status": "applied"}, {"status": "suspense"}]}}, True, []),
        ({"decided": {"payments": [{"status": "applied"}, {"status": "on_account"}]}}, False, []),
    ],
    ids=[
        "nothing",
        "passed",
        "closed gate",
        "warning",
        "everyday news",
        "other news",
        "rejected row",
        "none rejected",
        "suspense",
        "on account",
    ],
)
def test_a_person_must_look_at_gates_warnings_rejects_and_suspense(
    changes: dict[str, Any], has_exceptions: bool, closed: list[Check]
) -> None:
    run = run_of(**changes)
    assert run.has_exceptions is has_exceptions
    assert run.closed_gates == closed


# ── manifest ──


def test_a_manifest_is_json_and_says_everything_that_the_run_was_and_did(tmp_path: Path) -> None:
    run = run_of(
        inputs=[{"source": "books", "rejected": 0}],
        checks=[check(passed=True)],
        decided={"dunning": {"letter: past_due": 3}},
        outputs={"tables": "/srv/o2c/published/o2c.duckdb"},
    )
    with run.step("landing") as counts:
        counts["amount"] = Decimal("1.50")
    write_json(tmp_path / "manifest.json", run.manifest())
    found = json.loads((tmp_path / "manifest.json").read_text())
    (step,) = found.pop("steps")
    assert (step["name"], step["counts"]) == ("landing", {"amount": "1.50"})
    assert found == {
        "run_id": "abcdef0123456789abcd",
        "as_of_date": "2026-03-12",
        "as_of_dates": ["2026-03-12"],
        "known_at": "2026-03-12T10:00:00+00:00",
        "publishes": "current",
        "is_sending": False,
        "code_version": code_version(),
        "policy_version": "0123456789ab",
        "inputs": [{"source": "books", "rejected": 0}],
        "checks": [{"check_name": "tie", "expected": "0", "actual": "1", "passed": True, "severity": "gate"}],
        "decided": {"dunning": {"letter: past_due": 3}},
        "outputs": {"tables": "/srv/o2c/published/o2c.duckdb"},
        "started_at": "2026-03-12T10:00:00+00:00",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_json(path, {"b": 1, "a": DAY})
    assert path.read_text() == '{\n  "a": "2026-03-12",\n  "b": 1\n}\n'
    with pytest.raises(TypeError):
        write_json(path, {("no", "key"): 1})
    assert json.loads(path.read_text()) == {"a": "2026-03-12", "b": 1}
