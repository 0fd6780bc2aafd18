"""Readers see one whole release or the next, never a part; history keeps every date."""

import threading
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

import o2c.publish
from o2c.home import Home, open_home
from o2c.publish import Mart, prepare_release, switch_to
from o2c.warehouse import connect

AGING = Mart("receivables.fct_ar_aging", ("as_of_date", "customer_id"))
INVOICES = Mart("receivables.fct_invoices", ("invoice_id",))
HOLDS = Mart("collections.fct_order_holds", ("order_id",))
MARTS = [INVOICES, AGING, HOLDS]
FIRST, SECOND, THIRD = date(2026, 3, 11), date(2026, 3, 12), date(2026, 3, 13)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "it's home")


def build(home: Home, tag: int, *days: date) -> Path:
    """A build of three marts, rows in no order; every row carries the tag of its run."""
    path = home.root / f"build-{tag}.duckdb"
    path.unlink(missing_ok=True)
    with connect(path, threads=1) as con:
        con.execute("create schema receivables; create schema collections")
        con.execute(
            "create table receivables.fct_invoices as select * from"
            f" (values ('INV-2', {tag}), ('INV-3', {tag}), ('INV-1', {tag})) as t (invoice_id, tag)"
        )
        con.execute(
            "create table collections.fct_order_holds as select * from"
            f" (values ('ORD-2', {tag}), ('ORD-1', {tag})) as t (order_id, tag)"
        )
        con.execute(
            "create table receivables.fct_ar_aging (as_of_date date, customer_id varchar, tag integer)"
        )
        for day in days:
            con.execute(
                f"insert into receivables.fct_ar_aging values ('{day}', 'C-2', {tag}), ('{day}', 'C-1', {tag})"
            )
    return path


def publish(home: Home, tag: int, *days: date) -> Path:
    release = prepare_release(build(home, tag, *days), MARTS, home, f"release-{tag}", list(days))
    switch_to(release, home)
    return release


def rows(home: Home, table: str) -> list[tuple]:
    with connect(home.published / "o2c.duckdb", read_only=True) as con:
        return con.execute(f"select * from {table}").fetchall()


def aging(day: date, tag: int) -> list[tuple]:
    return [(day, "C-1", tag), (day, "C-2", tag)]


def test_a_release_is_the_database_a_parquet_file_for_each_mart_and_history(home: Home) -> None:
    publish(home, 1, FIRST)
    files = sorted(
        path.relative_to(home.published).as_posix() for path in home.published.rglob("*") if path.is_file()
    )
    assert files == [
        "history/collections.fct_order_holds/2026-03-11.parquet",
        "history/receivables.fct_ar_aging/2026-03-11.parquet",
        "o2c.duckdb",
        "parquet/collections.fct_order_holds.parquet",
        "parquet/receivables.fct_ar_aging.parquet",
        "parquet/receivables.fct_invoices.parquet",
    ]
    assert home.published.readlink() == Path("releases/release-1")


def test_rows_stand_in_the_order_of_their_key_on_disk_and_in_the_database(home: Home) -> None:
    publish(home, 1, SECOND, FIRST)
    expected = {
        "receivables.fct_invoices": [("INV-1", 1), ("INV-2", 1), ("INV-3", 1)],
        "collections.fct_order_holds": [("ORD-1", 1), ("ORD-2", 1)],
        "receivables.fct_ar_aging": aging(FIRST, 1) + aging(SECOND, 1),
    }
    for mart, ordered in expected.items():
        assert rows(home, mart) == ordered
        assert pl.read_parquet(home.published / "parquet" / f"{mart}.parquet").rows() == ordered


def test_nothing_is_visible_before_the_switch(home: Home) -> None:
    prepare_release(build(home, 1, FIRST), MARTS, home, "release-1", [FIRST])
    assert not home.published.exists()


def test_the_same_rows_give_the_same_bytes(home: Home) -> None:
    def files(release: Path) -> dict[str, bytes]:
        return {
            path.relative_to(release).as_posix(): path.read_bytes() for path in release.rglob("*.parquet")
        }

    path = build(home, 1, FIRST)
    one, two = (prepare_release(path, MARTS, home, name, [FIRST]) for name in ("one", "two"))
    assert files(one) == files(two)


# ── history ──


def test_history_of_other_dates_is_carried_over_without_a_copy(home: Home) -> None:
    kept = Path("history") / AGING.name / f"{FIRST}.parquet"
    first = publish(home, 1, FIRST)
    second = publish(home, 2, SECOND)
    assert (first / kept).stat().st_ino == (second / kept).stat().st_ino
    assert rows(home, AGING.name) == aging(FIRST, 1) + aging(SECOND, 2)
    assert pl.read_parquet(home.published / "parquet" / f"{AGING.name}.parquet").rows() == aging(SECOND, 2)
    assert rows(home, INVOICES.name) == [("INV-1", 2), ("INV-2", 2), ("INV-3", 2)]


def test_a_date_that_is_run_again_replaces_its_history_and_no_other(home: Home) -> None:
    for tag, day in enumerate((FIRST, SECOND, THIRD, SECOND), start=1):
        publish(home, tag, day)
    assert rows(home, AGING.name) == aging(FIRST, 1) + aging(SECOND, 4) + aging(THIRD, 3)


def test_a_run_of_several_dates_replaces_each_of_them(home: Home) -> None:
    publish(home, 1, FIRST)
    publish(home, 2, SECOND)
    publish(home, 3, SECOND, THIRD)
    assert rows(home, AGING.name) == aging(FIRST, 1) + aging(SECOND, 3) + aging(THIRD, 3)
    history = home.published / "history" / AGING.name
    assert {path.stem: pl.read_parquet(path).rows() for path in history.iterdir()} == {
        str(FIRST): aging(FIRST, 1),
        str(SECOND): aging(SECOND, 3),
        str(THIRD): aging(THIRD, 3),
    }


def test_a_date_without_rows_is_a_date_nevertheless(home: Home) -> None:
    publish(home, 1, FIRST)
    empty = build(home, 2)
    switch_to(prepare_release(empty, MARTS, home, "release-2", [SECOND]), home)
    assert rows(home, AGING.name) == aging(FIRST, 1)
    assert (home.published / "history" / AGING.name / f"{SECOND}.parquet").exists()


def test_order_holds_show_the_last_run_and_each_date_is_kept_beside(home: Home) -> None:
    publish(home, 1, FIRST)
    publish(home, 2, SECOND)
    publish(home, 3, SECOND)
    assert rows(home, HOLDS.name) == [("ORD-1", 3), ("ORD-2", 3)]
    history = home.published / "history" / HOLDS.name
    assert {path.stem: pl.read_parquet(path)["tag"].to_list() for path in history.iterdir()} == {
        str(FIRST): [1, 1],
        str(SECOND): [3, 3],
    }


# ── switch ──


def releases(home: Home) -> list[str]:
    return sorted(path.name for path in home.releases.iterdir())


def test_the_release_before_stays_and_older_ones_go(home: Home) -> None:
    for tag in (1, 2, 3):
        publish(home, tag, FIRST)
    assert releases(home) == ["release-2", "release-3"]


def test_the_release_before_stays_also_where_the_home_is_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to("disk")
    home = open_home(tmp_path / "home")
    for tag in (1, 2, 3):
        publish(home, tag, FIRST)
    assert releases(home) == ["release-2", "release-3"]


def test_a_home_that_is_moved_shows_what_it_has_published(home: Home, tmp_path: Path) -> None:
    publish(home, 1, FIRST)
    home.root.rename(tmp_path / "moved")
    assert rows(open_home(tmp_path / "moved"), AGING.name) == aging(FIRST, 1)


def test_what_a_killed_run_left_behind_is_no_hindrance(home: Home) -> None:
    publish(home, 1, FIRST)
    leftover = prepare_release(build(home, 2, SECOND), MARTS, home, "release-2", [SECOND])
    (leftover / "half").write_text("written")
    (home.root / "published.new").symlink_to("releases/release-2")
    release = publish(home, 2, SECOND)
    assert not (release / "half").exists()
    publish(home, 3, THIRD)
    assert rows(home, AGING.name) == aging(FIRST, 1) + aging(SECOND, 2) + aging(THIRD, 3)
    assert not (home.root / "published.new").is_symlink()


class Killed(BaseException):
    """As a kill: nothing of ours catches it."""


@pytest.mark.parametrize("point", ["symlink_to", "replace"])
def test_a_crash_before_the_switch_leaves_the_release_of_before(
    home: Home, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise Killed

    publish(home, 1, FIRST)
    release = prepare_release(build(home, 2, SECOND), MARTS, home, "release-2", [SECOND])
    with monkeypatch.context() as patch:
        patch.setattr(Path, point, die)
        with pytest.raises(Killed):
            switch_to(release, home)
    assert rows(home, AGING.name) == aging(FIRST, 1)
    switch_to(release, home)
    assert rows(home, AGING.name) == aging(FIRST, 1) + aging(SECOND, 2)


def test_all_of_a_release_is_on_disk_before_it_is_shown(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, Path]] = []
    sync, replace = o2c.publish.sync, Path.replace

    def replaced(path: Path, target: Path) -> Path:
        done.append(("shown", target))
        return replace(path, target)

    monkeypatch.setattr(o2c.publish, "sync", lambda path: (done.append(("synced", path)), sync(path)))
    monkeypatch.setattr(Path, "replace", replaced)
    release = publish(home, 1, FIRST)
    shown = done.index(("shown", home.published))
    before = {path for what, path in done[:shown] if what == "synced"}
    assert before == {release, home.releases, *release.rglob("*")}
    assert done[shown + 1 :] == [("synced", home.root)]


def test_a_reader_in_a_loop_sees_whole_releases_only(home: Home) -> None:
    publish(home, 0, FIRST)
    seen: list[tuple[set[int], set[int]]] = []
    faults: list[Exception] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                # A reader of its own, as a BI tool is: the real file, whatever the link says a moment later.
                with duckdb.connect(str((home.published / "o2c.duckdb").resolve()), read_only=True) as con:
                    found = con.execute(
                        "select tag from receivables.fct_invoices union all select tag from receivables.fct_ar_aging"
                        " union all select tag from collections.fct_order_holds"
                    ).fetchall()
                file = pl.read_parquet(home.published / "parquet" / f"{AGING.name}.parquet")
                seen.append(({tag for (tag,) in found}, set(file["tag"])))
                if len(found) != 7 or file.height != 2:
                    raise AssertionError((found, file))
            except Exception as fault:  # told to the test, which fails
                faults.append(fault)

    reader = threading.Thread(target=read)
    reader.start()
    for tag in range(1, 21):
        publish(home, tag, FIRST)
        while not faults and (not seen or seen[-1][0] != {tag}):
            stop.wait(0.001)
    stop.set()
    reader.join()
    assert faults == []
    assert all(len(tags) == 1 and len(in_file) == 1 for tags, in_file in seen)
    assert {tag for tags, _ in seen for tag in tags} >= set(range(1, 21))
