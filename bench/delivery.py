"""How many letters a second the ledger lets leave, by a carrier that answers at once, beside bare insert and commit.

Run ``python -m bench.delivery [--letters 2000] [--folder DIR]``: SQLite (write-ahead log, synchronous full) in a folder
that must be on a real disk, and PostgreSQL with fsync on beside it. One worker, which posts one letter at a time or as
many at once as a fast account allows; every letter has its claim, its last look and its record durable. The folder
carrier takes its letters by the batch, so it is measured by the morning.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from o2c.delivery.carrier import Outcome, OutgoingLetter
from o2c.delivery.limits import AccountLimits
from o2c.delivery.outbox import FolderCarrier
from o2c.delivery.post import DeliveryReport, deliver
from o2c.ledger import Ledger
from o2c.settings import PROJECT

sys.path.insert(0, str(PROJECT / "tests"))
import postgres
from post_office import Clock, Postbox, approve, planned, relaxed

FAST = AccountLimits(max_send_rate=10_000.0, max_24_hour_send=-1, sent_last_24_hours=0)
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Instant(Postbox):
    """Takes every letter at once and keeps nothing of it."""

    def send(self, letter: OutgoingLetter) -> Outcome:
        return Outcome("accepted", f"m-{letter.letter_id}", 200)


def letters_per_second(url: str, count: int, account: AccountLimits | None) -> float:
    """One worker, from the first claim to the last record."""
    ledger = Ledger(url)
    approve(ledger.engine, (planned(f"L{number:06}") for number in range(count)))
    caps = relaxed().caps.model_copy(update={"messages_per_run": 10**6, "messages_per_day": 10**6})
    edge = Clock().edge(monotonic=time.monotonic, sleep=time.sleep)
    started = time.perf_counter()
    report = deliver(ledger.engine, Instant(), relaxed(caps=caps), edge, owner="bench", account=account)
    seconds = time.perf_counter() - started
    _check(report, count)
    ledger.engine.dispose()
    return count / seconds


def morning_seconds(folder: Path, count: int) -> float:
    """A simulated morning's letters into the folder."""
    ledger = Ledger(f"sqlite:///{folder / 'morning.db'}")
    approve(ledger.engine, (planned(f"L{number:06}", content=_letter(number)) for number in range(count)))
    started = time.perf_counter()
    report = deliver(
        ledger.engine,
        FolderCarrier(folder / "outbox", ledger.engine),
        relaxed(),
        Clock().edge(),
        owner="bench",
    )
    seconds = time.perf_counter() - started
    _check(report, count)
    ledger.engine.dispose()
    return seconds


def commits_per_second(commit: Callable[[int], None], count: int) -> float:
    started = time.perf_counter()
    for number in range(count):
        commit(number)
    return count / (time.perf_counter() - started)


def bare_sqlite(folder: Path, count: int) -> float:
    """One row, one commit, nothing else."""
    con = sqlite3.connect(folder / "bare.db")
    con.execute("pragma journal_mode = wal")
    con.execute("pragma synchronous = full")
    con.execute("create table rows (number integer, content text)")

    def commit(number: int) -> None:
        con.execute("insert into rows values (?, ?)", (number, "x" * 500))
        con.commit()

    rate = commits_per_second(commit, count)
    con.close()
    return rate


def bare_postgresql(url: str, count: int) -> float:
    """One row, one commit, nothing else."""
    with psycopg.connect(url) as con:
        con.execute("create table rows (number integer, content text)")
        con.commit()

        def commit(number: int) -> None:
            con.execute("insert into rows values (%s, %s)", (number, "x" * 500))
            con.commit()

        return commits_per_second(commit, count)


@contextmanager
def durable_postgresql() -> Iterator[postgres.Server]:
    """A server as the tests start it, but one that loses nothing."""
    before = dict(postgres.SETTINGS)
    postgres.SETTINGS.update(DURABLE)
    try:
        with postgres.serve() as server:
            yield server
    finally:
        postgres.SETTINGS.update(before)


def _letter(number: int) -> bytes:
    """A message as large as a rendered one."""
    html = "".join(f"<tr><td>INV-{number}-{line}</td><td>100.00</td></tr>" for line in range(120))
    plain = f"To: ap@l{number:06}.example\r\nSubject: Reminder {number}\r\n"
    mark = 'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="=_o2c"\r\n\r\n'
    head = "--=_o2c\r\nContent-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    parts = [head.format(kind) + b64encode(html.encode()).decode() + "\r\n" for kind in ("plain", "html")]
    return (plain + mark + "".join(parts) + "--=_o2c--\r\n").encode()


def _check(report: DeliveryReport, count: int) -> None:
    if report.outcomes != {"accepted": count}:
        raise SystemExit(f"not all letters left: {report}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=2000)
    parser.add_argument("--morning", type=int, default=10_000, help="letters of a simulated morning")
    parser.add_argument("--folder", type=Path, default=PROJECT / "bench" / "out", help="on a real disk")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.folder) as made, durable_postgresql() as server:
        folder = Path(made)
        rates = {}
        for name, fresh in {
            "SQLite": lambda: f"sqlite:///{folder / f'{time.time_ns()}.db'}",
            "PostgreSQL": server.database,
        }.items():
            bare = (
                bare_postgresql(fresh(), asked.letters)
                if name == "PostgreSQL"
                else bare_sqlite(folder, asked.letters)
            )
            for how, account in {"one by one": None, "16 at once": FAST}.items():
                rates[f"{name}, {how}"] = letters_per_second(fresh(), asked.letters, account), bare
        seconds = morning_seconds(folder, asked.morning)
    for name, (letters, commits) in rates.items():
        print(
            f"{name:<23}{letters:8.0f} letters/s {commits:8.0f} bare commits/s   1 : {commits / letters:.1f}"
        )
    print(f"folder                 {asked.morning:8} letters in {seconds:.1f} s")


if __name__ == "__main__":
    main()
