"""The guard that keeps tests on this machine, and the processes they start."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import network_guard
import pytest


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is tried here on purpose is not held against the run."""
    path = tmp_path / "tried.txt"
    monkeypatch.setenv(network_guard.LOG, str(path))
    return path


def test_other_machines_are_refused_by_address_and_by_name(log: Path):
    with socket.socket() as one, pytest.raises(network_guard.NetworkRefused, match=r"192\.0\.2\.1"):
        one.connect(("192.0.2.1", 443))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, pytest.raises(network_guard.NetworkRefused):
        one.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("email.eu-central-1.amazonaws.com", 443)
    assert log.read_text().count("in process") == 3


def test_this_machine_is_not(log: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()[:2]).close()
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    assert not log.exists()


def test_processes_that_tests_start_are_guarded(log: Path):
    code = "import socket; socket.create_connection(('192.0.2.1', 443), 1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert "tests reach this machine alone" in done.stderr
    assert "192.0.2.1" in log.read_text()


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), (b"127.0.0.1", True),
        (None, True), ("localhost", True), ("128.0.0.1", False), ("::2", False), ("::ffff:10.0.0.1", False),
        ("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("169.254.169.254", False),
    ],
)  # fmt: skip
def test_what_this_machine_is_called(host: str | bytes | None, is_ours: bool):
    assert network_guard.is_loopback(host) is is_ours
