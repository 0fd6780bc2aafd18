"""The published DuckDB file is read through SQLAlchemy, by another process, while new releases come."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from releases import release

from o2c.home import Home, open_home

# What BI tools do: an engine on the published path, a connection for each look, several queries in it.
READER = """
import json, sys
from sqlalchemy import create_engine, pool, text

engine = create_engine("duckdb:///" + sys.argv[1], poolclass=pool.NullPool, connect_args={"read_only": True})
queries = json.loads(sys.argv[2])
print("ready", flush=True)
for line in sys.stdin:
    with engine.connect() as con:
        seen = [con.execute(text(queries[0])).scalar_one()]
        if line == "wait\\n":
            print("waiting", flush=True)
            sys.stdin.readline()
        seen += [con.execute(text(query)).scalar_one() for query in queries[1:]]
    print(json.dumps(seen), flush=True)
"""
SEEN = [
    "select distinct run_id from quality.fct_run_checks",
    "select customer_name from core.dim_customers",
    "select 'run ' || cast(sum(open_amount) / 3 as bigint) from receivables.fct_invoices",
    "select 'run ' || cast(closing_open_amount / 3 as bigint) from receivables.fct_ar_kpis",
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def reader(home: Home):
    release(home, 1)
    command = [sys.executable, "-c", READER, str(home.published / "o2c.duckdb"), json.dumps(SEEN)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        def ask(word: str) -> str:
            process.stdin.write(word + "\n")
            process.stdin.flush()
            return process.stdout.readline().rstrip()

        yield ask
        process.stdin.close()


def test_each_look_sees_the_newest_release_whole(home: Home, reader) -> None:
    for number in range(2, 6):
        release(home, number)
        assert json.loads(reader("look")) == [f"run {number}"] * len(SEEN)


def test_who_has_the_file_open_keeps_its_release_to_the_end_of_its_look(home: Home, reader) -> None:
    """Also when two releases follow, which deletes the folder of the one that is being read."""
    assert reader("wait") == "waiting"
    release(home, 2)
    release(home, 3)
    assert json.loads(reader("go on")) == ["run 1"] * len(SEEN)
    assert json.loads(reader("look")) == ["run 3"] * len(SEEN)
