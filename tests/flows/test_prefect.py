"""The deployments as a data team uses them: a server, `prefect deploy --all`, a process worker, one run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from o2c.policy import load_policies
from o2c.settings import PROJECT

PREFECT = [sys.executable, "-m", "prefect"]
PATIENCE = 180  # seconds; a first start migrates the server's database


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Prefect server of our own on a free port, in a process group that ends with the test."""
    folder = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "O2C_HOME": str(folder / "home"),
    }
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(f"{environment['PREFECT_API_URL']}/health"):
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, "the Prefect server did not start"
            time.sleep(0.5)
        yield environment
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except OSError:
        return False


def _prefect(server: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [*PREFECT, "--no-prompt", *arguments],
        env=server,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_schedules_are_in_the_business_time_zone() -> None:
    time_zone = load_policies(PROJECT / "policies").controls.time_zone
    deployments = yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]
    assert {schedule["timezone"] for one in deployments for schedule in one["schedules"]} == {time_zone}
    assert {one["concurrency_limit"]["limit"] for one in deployments} == {1}


def test_every_deployment_is_accepted_and_one_runs_through_a_worker(
    server: dict[str, str], small_ledger: Path
) -> None:
    _prefect(server, "work-pool", "create", "o2c", "--type", "process")
    _prefect(server, "deploy", "--all")
    listed = json.loads(_prefect(server, "deployment", "ls", "-o", "json"))
    names = {
        "o2c-nightly",
        "o2c-ingest",
        "bank-intake",
        "month-end",
        "backfill",
        "deliver",
        "delivery-events",
    }
    assert {one["name"] for one in listed} == names

    run = {
        "home": server["O2C_HOME"],
        "sources": [{"path": str(small_ledger)}],
        "as_of_date": "2026-09-30",
    }
    _prefect(server, "deployment", "run", "o2c-nightly/o2c-nightly", "--params", json.dumps({"run": run}))
    _prefect(server, "worker", "start", "--pool", "o2c", "--type", "process", "--run-once")

    (nightly,) = [one["id"] for one in listed if one["name"] == "o2c-nightly"]
    runs = json.loads(_prefect(server, "flow-run", "ls", "--limit", "200", "-o", "json"))
    states = [one["state_type"] for one in runs if one["deployment_id"] == nightly]
    assert [state for state in states if state != "SCHEDULED"] == ["COMPLETED"], runs
    assert (Path(server["O2C_HOME"]) / "published" / "o2c.duckdb").exists()
