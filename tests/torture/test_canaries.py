"""Marked persons and secrets go through everything that runs, and turn up only where docs/privacy.md says."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from canaries import MARK, SECRET, mark, places
from sqlalchemy import create_engine, text
from warm import Ended, Warm
from whole_mornings import DATES

from o2c.demo import generate
from o2c.settings import PROJECT

AS_OF = DATES[1]
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": f"AKIA{SECRET}",
    "AWS_SECRET_ACCESS_KEY": f"{SECRET}/key",
    "AWS_SESSION_TOKEN": f"{SECRET}/token",
    "O2C_OPERATOR": "preparer",
}
SECRET_URL = f"postgresql://o2c:{SECRET}@127.0.0.1:1/ledger"
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
}


def allowed() -> list[str]:
    """The first column of the table in docs/privacy.md."""
    found = re.findall(r"^\| `([^`]+)` \|", (PROJECT / "docs" / "privacy.md").read_text(), flags=re.MULTILINE)
    assert len(found) > 20
    return found


def unlisted(home: Path, word: str, patterns: list[str]) -> list[str]:
    return sorted(
        place for place in places(home, word) if not any(fnmatchcase(place, one) for one in patterns)
    )


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marked") / "books"
    generate(folder, invoices=200, seed=1)
    mark(folder)
    return folder


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Ours, with a person who may approve."""
    folder = tmp_path / "policies"
    shutil.copytree(PROJECT / "policies", folder)
    path = folder / "controls.yml"
    said, count = re.subn(
        r"approvers: \[\].*", "approvers: [{person: anna, roles: [finance_director]}]", path.read_text()
    )
    assert count == 1
    path.write_text(said)
    return folder


def shows_persons(arguments: tuple[str, ...]) -> bool:
    """Who asks for one letter, one customer or one list to approve is told where letters go."""
    return arguments[:2] in {("explain", "customer"), ("explain", "letter")} or (
        arguments[0] == "approve" and len(arguments) == 2 and arguments[1] != "--json"
    )


class Watched:
    """A home, the commands that were run in it, and what they must not have said."""

    def __init__(self, home: Path, warm: Warm, policies: Path) -> None:
        self.home, self._warm = home, warm
        self._environment = ENVIRONMENT | {"O2C_POLICIES": str(policies)}

    def run(
        self, *arguments: str, code: Collection[int] = (0, 1), by_dbt: bool = False, **more: str
    ) -> Ended:
        how = {"environment": self._environment | more} | ({"short_cuts": None} if by_dbt else {})
        ended = self._warm.run("--home", str(self.home), *arguments, **how)
        assert ended.code in code, (arguments, ended.output[-3000:])
        assert SECRET.lower() not in ended.output.lower(), arguments
        if not shows_persons(arguments):
            lines = [line for line in ended.output.splitlines() if MARK in line.lower()]
            assert lines == [], arguments
        return ended


def letter_ids(home: Path, state: str) -> list[str]:
    engine = create_engine(f"sqlite:///{home / 'ledger.db'}")
    try:
        with engine.connect() as con:
            query = text("select letter_id from letters where state = :state order by 1")
            return list(con.execute(query, {"state": state}).scalars())
    finally:
        engine.dispose()


def approve_all(watched: Watched) -> int:
    waiting = json.loads(watched.run("approve", "--json").output)
    for one in waiting:
        watched.run("approve", one["request_id"])
        watched.run(
            "approve", one["request_id"], "--by", "anna", "--role", "finance_director",
            "--hash", one["content_hash"], "--comment", "looked at",
        )  # fmt: skip
    return len(waiting)


def test_persons_and_secrets_stand_where_they_may_and_nowhere_else(
    tmp_path: Path, books: Path, policies: Path, warm: Warm, mornings: list
) -> None:
    watched = Watched(tmp_path / "home", warm, policies)
    watched.run("init", "--simulated")
    watched.run("run", "--source", str(books), "--as-of", AS_OF, "--send", by_dbt=True)
    assert approve_all(watched)
    watched.run("deliver")
    watched.run("run", "--as-of", AS_OF, "--send")
    sent = letter_ids(watched.home, "sent")
    assert sent
    for arguments in (("doctor",), ("apply-cash", "list"), ("ledger", "verify"), ("ingest",)):
        watched.run(*arguments)
    for letter_id in sent[:3]:
        story = json.loads(watched.run("explain", "letter", letter_id, "--json").output)
        assert story["lines"]
        assert story["decision"]
        assert story["inputs"]
        assert story["attempts"]
        assert MARK in story["message"][0]["to"]
    line = story["lines"][0]
    watched.run("explain", "invoice", line["invoice_id"])
    watched.run("explain", "customer", story["letter"][0]["customer_id"])

    assert unlisted(watched.home, MARK, allowed()) == []
    assert unlisted(watched.home, SECRET, []) == []


def test_runs_that_fail_tell_nothing_of_persons_or_secrets(
    tmp_path: Path, books: Path, policies: Path, warm: Warm, mornings: list
) -> None:
    watched = Watched(tmp_path / "home", warm, policies)
    source = ("--source", str(books), "--as-of", AS_OF)
    watched.run("init", "--simulated", "--auto-approve")
    watched.run("ingest", *source[:2])
    watched.run("run", *source, code={2}, O2C_LEDGER_URL=SECRET_URL)
    watched.run("publish", "--to", SECRET_URL, code={2})
    watched.run("run", *source, code={2}, O2C_THREADS=SECRET_URL)
    landed = watched.home.glob("landing/books/customers/*/*.parquet")
    (customers,) = (path for path in landed if "rejected" not in path.name)
    content = customers.read_bytes()
    for broken in (content[: len(content) // 2], content[:-400] + bytes(400)):
        customers.write_bytes(broken)
        watched.run("run", *source, code={2, 3})
    customers.write_bytes(content)
    rows = (books / "customers.csv").read_text()
    spoilt = tmp_path / "books"
    shutil.copytree(books, spoilt)
    (spoilt / "customers.csv").write_text(rows + rows.splitlines()[-1].replace("business", "nobody") + "\n")
    watched.run("run", "--source", str(spoilt), "--as-of", AS_OF, code={0, 1, 2})
    assert unlisted(watched.home, MARK, allowed()) == []
    assert unlisted(watched.home, SECRET, []) == []


UNDER_PREFECT = """
import json, sys
from datetime import date
from pathlib import Path
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness
import short_cuts
from flows.nightly import NightlyRun, nightly
from o2c.home import SourceEntry

short_cuts.take(Path(sys.argv[3]))
with prefect_test_harness(server_startup_timeout=180):
    entry = SourceEntry(path=Path(sys.argv[2]))
    nightly(NightlyRun(home=Path(sys.argv[1]), sources=(entry,), as_of_date=date.fromisoformat(sys.argv[4]), send=True))
    with get_client(sync_client=True) as client:
        kept = {
            kind: client.request("POST", f"/{kind}/filter", json={"limit": 200}).json()
            for kind in ("artifacts", "flow_runs", "task_runs", "logs", "events")
            if kind != "events"
        }
print(json.dumps(kept))
"""


def test_what_prefect_keeps_of_a_run_names_nobody(
    tmp_path: Path, books: Path, torture_folder: Path, mornings: list, warm: Warm
) -> None:
    home = tmp_path / "home"
    warm.run("--home", str(home), "init", "--simulated", "--auto-approve")
    environment = os.environ | ENVIRONMENT | QUIET | {"PREFECT_HOME": str(tmp_path / "prefect")}
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    )
    short_cuts = str(torture_folder / "short_cuts")
    done = subprocess.run(
        [sys.executable, "-c", UNDER_PREFECT, str(home), str(books), short_cuts, AS_OF],
        env=environment, cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    kept = json.loads(done.stdout.splitlines()[-1])
    assert kept["artifacts"]
    assert kept["flow_runs"]
    assert kept["task_runs"]
    for word in (MARK, SECRET.lower()):
        assert word not in done.stdout.lower()
        assert word not in done.stderr.lower()
        assert unlisted(tmp_path / "prefect", word, []) == []
    assert unlisted(home, MARK, allowed()) == []
