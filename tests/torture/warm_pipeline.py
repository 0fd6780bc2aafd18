"""Starts `o2c` from one warm process, as often as it is told to, and lets it die where it is told to.

Importing Prefect and dbt takes seconds; here that is paid once and each start is a fork. The child is a process and a
session of its own and runs ``o2c.cli.main`` as the command does. What it does to be remembered (syncs, renames, links,
deletions, commits, databases given back) is counted before and after; at a given count it kills itself by SIGKILL.

A line that comes in is a list of starts, all at once: each has ``arguments``, ``trace`` and ``output`` (files), and
may have ``die_at`` (count) or ``die_after`` (seconds), ``full_at`` (count from which on the disk takes nothing more),
``largest_file`` (bytes), ``short_cuts`` (a folder), ``environment``. The line that goes out says of each ``code``
(negative: the signal), ``seconds`` and ``orphans``.
"""

import contextlib
import errno
import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DURABLE = ("fsync", "fdatasync", "replace", "rename", "link", "symlink", "unlink", "rmdir")
NEEDS_ROOM = ("fsync", "fdatasync", "replace", "rename", "link", "symlink")
# What a run imports on its way too.
IMPORTED_ONCE = (
    "short_cuts",
    "o2c.cli",
    "o2c.report.page",
    "alembic.context",
    "pandera.polars",
    "pyarrow.dataset",
)
ORPHANS_MAY_END_SECONDS = 3.0


class Steps:
    """Counts durable steps of this process, each before and after it happens; at ``die_at`` the process is killed.

    From ``full_at`` on every step that needs room on the disk finds none.
    """

    def __init__(self, trace: int, die_at: int | None, full_at: int | None) -> None:
        self._trace, self._die_at, self._full_at, self._count = trace, die_at, full_at, 0

    def tick(self, what: str) -> None:
        self._count += 1
        os.write(self._trace, f"{self._count} {what}\n".encode())
        if self._count == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # another thread's kill takes a moment to arrive

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            shown = f"{name} {_named(arguments)}"
            self.tick(f"before {shown}")
            if self._full_at is not None and self._count >= self._full_at and name in NEEDS_ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), _named(arguments))
            result = call(*arguments, **named)
            self.tick(f"after {shown}")
            return result

        return counted

    def watch(self) -> None:
        """Count everything that this process does to be remembered, wherever it does it."""
        from sqlalchemy import Engine, event

        import flows._dbt

        for name in DURABLE:
            setattr(os, name, self.around(name, getattr(os, name)))
        give_back = flows._dbt.DuckDBConnectionManager.close_all_connections
        flows._dbt.DuckDBConnectionManager.close_all_connections = self.around("dbt gives back", give_back)
        event.listen(Engine, "commit", lambda _con: self.tick("before commit"))


def _named(arguments: tuple[Any, ...]) -> str:
    """The file of a step: the target of a rename, the name behind a handle."""
    if not arguments:
        return ""
    if isinstance(arguments[0], int):
        with contextlib.suppress(OSError):
            return str(Path(f"/proc/self/fd/{arguments[0]}").readlink())
        return str(arguments[0])
    return str(arguments[min(len(arguments), 2) - 1])


def run_child(order: dict[str, Any], gate: int) -> None:
    """Become the command that is asked for, when the gate opens. Never comes back."""
    os.setsid()
    os.read(gate, 1)
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(order.get("environment", {}))
    trace = os.open(order["trace"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    from o2c.cli import main

    if order.get("short_cuts"):
        import short_cuts

        short_cuts.take(Path(order["short_cuts"]))
    Steps(trace, order.get("die_at"), order.get("full_at")).watch()
    if order.get("largest_file"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a refused write is an error then, not the end
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"], order["largest_file"]))
    code = 99
    try:
        code = main(order["arguments"])
    except SystemExit as left:
        code = int(left.code or 0)
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def wait_for(pid: int, die_after: float | None) -> int:
    """The exit code of the child, which is killed with its whole session when its time is over."""
    if die_after is not None:
        ends = time.monotonic() + die_after
        while time.monotonic() < ends:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def orphans_of(session: int) -> list[str]:
    """Processes of a session that are still there a while after its first one has ended, and are ended now."""
    ends = time.monotonic() + ORPHANS_MAY_END_SECONDS
    while (left := _alive(session)) and time.monotonic() < ends:
        time.sleep(0.02)
    for pid, _ in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return [command for _, command in left]


def _alive(session: int) -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _parent, _group, of_session = (path / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(of_session) == session and state != "Z":
                found.append((int(path.name), (path / "cmdline").read_text().replace("\0", " ")))
    return found


def tell(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def serve() -> None:
    """Import everything, say so, then start what each line asks for."""
    for name in IMPORTED_ONCE:
        importlib.import_module(name)
    import flows.nightly
    from flows._dbt import _manifest
    from o2c.run import code_version

    _manifest("build", ())
    code_version()
    gc.freeze()  # children share the pages of what is there
    tell({"ready": flows.nightly.__name__})
    for line in sys.stdin:
        tell([*start(json.loads(line))])


def start(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Start all at one instant and wait for all."""
    gate, opener = os.pipe()
    children = []
    for order in orders:
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            run_child(order, gate)
        children.append(pid)
    os.close(gate)
    started = time.monotonic()
    os.close(opener)
    found = []
    for pid, order in zip(children, orders, strict=True):
        code = wait_for(pid, order.get("die_after"))
        seconds = round(time.monotonic() - started, 3)
        found.append({"code": code, "seconds": seconds, "orphans": orphans_of(pid)})
    return found


if __name__ == "__main__":
    serve()
