"""Past dates: replayed as they were known, restated on purpose, filled in many at once; finance is not turned back."""

import shutil
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.backfill import BackfillRun, NotYet, fill
from flows.ingest import NothingKnown
from flows.nightly import NightlyRun, play
from o2c.home import SourceEntry, init_home, open_home
from o2c.knowledge import NotKnowable
from o2c.ledger import Ledger
from o2c.publish import DECIDED, MEASURED
from o2c.run import Run
from o2c.warehouse import connect

AUGUST, SEPTEMBER = date(2026, 8, 31), date(2026, 9, 30)
SPRING = [date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30)]
MEASURES = [
    "core.fct_customer_segments",
    "core.fct_customer_risk_terms",
    "receivables.fct_ar_aging",
    "receivables.fct_ar_kpis",
    "receivables.fct_open_items",
]


def quiet(_line: str) -> None:
    """Steps are not printed in tests."""


def run(
    home: Path,
    ledger: Path | None,
    as_of: date,
    known_at: datetime | str | None = None,
    *,
    send: bool = False,
) -> Run:
    sources = (SourceEntry(path=ledger),) if ledger else ()
    request = {"home": home, "sources": sources, "as_of_date": as_of, "known_at": known_at, "send": send}
    return play(NightlyRun.model_validate(request), quiet)


def rows(database: Path, query: str) -> pl.DataFrame:
    with connect(database, read_only=True) as con:
        return con.execute(query).pl()


def published(home: Path, query: str) -> pl.DataFrame:
    return rows(home / "published" / "o2c.duckdb", query)


def day_of(home: Path, table: str, day: date) -> pl.DataFrame:
    return published(home, f"select * from {table} where as_of_date = '{day}' order by all")


def history(home: Path, marts: tuple[str, ...], day: date) -> dict[str, bytes]:
    files = [home / "published" / "history" / mart / f"{day}.parquet" for mart in marts]
    return {file.parent.name: file.read_bytes() for file in files if file.exists()}


def pay_in_august(ledger: Path, home: Path) -> str:
    """A payment of August that came to light in September. Returns the invoice it settles."""
    invoice = day_of(home, "receivables.fct_open_items", AUGUST).filter(
        pl.col("document_type") == "invoice", pl.col("open_amount") > 100, pl.col("installment_number") == 1
    )[0]
    one = invoice.row(0, named=True)
    payments = pl.read_csv(ledger / "payments.csv", infer_schema=False)
    late = dict.fromkeys(payments.columns) | {
        "payment_id": "LATE-1",
        "entity_id": one["entity_id"],
        "customer_id": one["customer_id"],
        "value_date": "2026-08-20",
        "currency_code": one["currency_code"],
        "payment_amount": f"{one['open_amount']:.2f}",
        "reference_text": one["invoice_id"],
    }
    pl.concat([payments, pl.DataFrame([late], schema=payments.schema)]).write_csv(ledger / "payments.csv")
    return one["invoice_id"]


class Lived:
    """A home that ran August, then got a payment of August, and ran September."""

    def __init__(self, folder: Path, ledger: Path) -> None:
        self.home, self.ledger = folder / "home", folder / "ledger"
        shutil.copytree(ledger, self.ledger)
        self.first = run(self.home, self.ledger, AUGUST)
        self.august = {
            name: published(self.home, f"select * from {name} order by all")
            for name in published(
                self.home, "select table_schema || '.' || table_name as n from information_schema.tables"
            )["n"]
        }
        self.late_invoice = pay_in_august(self.ledger, self.home)
        run(self.home, self.ledger, SEPTEMBER)

    @property
    def ledger_db(self) -> Ledger:
        return Ledger(open_home(self.home).ledger_url)


@pytest.fixture(scope="module")
def lived_once(tmp_path_factory: pytest.TempPathFactory, small_ledger: Path) -> Lived:
    return Lived(tmp_path_factory.mktemp("lived"), small_ledger)


@pytest.fixture
def lived(lived_once: Lived, tmp_path: Path) -> Lived:
    """A copy that a test may change."""
    copy = object.__new__(Lived)
    copy.home, copy.ledger = tmp_path / "home", lived_once.ledger
    shutil.copytree(lived_once.home, copy.home, symlinks=True)
    copy.first, copy.august, copy.late_invoice = lived_once.first, lived_once.august, lived_once.late_invoice
    return copy


def test_a_past_date_gives_what_its_run_gave_and_finance_stays_where_it_is(lived: Lived) -> None:
    before = history(lived.home, MEASURED + DECIDED, AUGUST)
    current = published(lived.home, "select * from receivables.fct_invoices order by all")
    recorded = lived.ledger_db.application_files()
    done = run(lived.home, lived.ledger, AUGUST)

    that_day = Path(done.outputs["that day"])
    for name, expected in lived.august.items():
        if name == "quality.fct_run_checks":  # what landing noticed is of the day of the landing
            continue
        found = rows(that_day, f"select * from {name} order by all")
        own = [column for column in ("batch_id", "is_of_last_run", "message_hash") if column in found.columns]
        assert_frame_equal(found.drop(own), expected.drop(own), check_row_order=False)
    for name in ("receivables.fct_open_items", "receivables.fct_ar_kpis", "receivables.fct_ar_aging"):
        expected = lived.august[name].filter(pl.col("as_of_date") == AUGUST)
        assert_frame_equal(day_of(lived.home, name, AUGUST), expected)

    assert history(lived.home, MEASURED + DECIDED, AUGUST) == before
    assert_frame_equal(published(lived.home, "select * from receivables.fct_invoices order by all"), current)
    assert published(lived.home, "select distinct as_of_date from core.dim_customers").rows() == [
        (SEPTEMBER,)
    ]
    assert lived.ledger_db.application_files() == recorded
    assert lived.ledger_db.current_date() == SEPTEMBER
    assert done.manifest()["known_at"] == lived.first.manifest()["known_at"]
    assert done.run_id != lived.first.run_id


def test_the_same_replay_has_the_same_id_and_bytes(lived: Lived) -> None:
    first = run(lived.home, lived.ledger, AUGUST)
    files = {path.name: path.read_bytes() for path in (first.folder / "release" / "parquet").iterdir()}
    again = run(lived.home, lived.ledger, AUGUST)
    assert again.run_id == first.run_id
    assert {
        path.name: path.read_bytes() for path in (again.folder / "release" / "parquet").iterdir()
    } == files


def test_a_past_date_is_restated_on_purpose_but_not_what_was_decided_then(lived: Lived) -> None:
    decided = history(lived.home, DECIDED, AUGUST)
    run(lived.home, lived.ledger, AUGUST, "now")
    before = lived.august["receivables.fct_ar_aging"]["open_amount"].sum()
    items = day_of(lived.home, "receivables.fct_open_items", AUGUST)
    assert lived.late_invoice not in items["invoice_id"].to_list()
    assert day_of(lived.home, "receivables.fct_ar_aging", AUGUST)["open_amount"].sum() < before
    assert history(lived.home, DECIDED, AUGUST) == decided

    restated = day_of(lived.home, "receivables.fct_ar_aging", AUGUST)
    run(lived.home, lived.ledger, AUGUST)
    assert_frame_equal(day_of(lived.home, "receivables.fct_ar_aging", AUGUST), restated)

    run(lived.home, lived.ledger, AUGUST, lived.first.known_at)
    assert_frame_equal(
        day_of(lived.home, "receivables.fct_ar_aging", AUGUST), lived.august["receivables.fct_ar_aging"]
    )


def test_what_is_not_known_yet_or_no_longer_cannot_be_told(lived: Lived) -> None:
    with pytest.raises(NothingKnown, match="no landing by"):
        run(lived.home, lived.ledger, AUGUST, "2026-01-01T00:00:00Z")
    with pytest.raises(NotKnowable, match="knows up to"):
        run(lived.home, lived.ledger, AUGUST, "2999-01-01T00:00:00Z")


def test_a_simulated_home_replays_too_and_its_letters_are_those_that_had_left(
    small_ledger: Path, tmp_path: Path
) -> None:
    init_home(tmp_path / "home", simulated=True, auto_approve=True)
    home, first, second = tmp_path / "home", SEPTEMBER, date(2026, 10, 7)
    run(home, small_ledger, first, send=True)
    letters = published(home, "select letter_id, state from collections.fct_letters order by all")
    run(home, None, second, send=True)
    outbox = sorted(path.name for path in home.glob("outbox/*/*.eml"))
    done = run(home, None, first)
    found = rows(
        Path(done.outputs["that day"]), "select letter_id, state from collections.fct_letters order by all"
    )
    assert_frame_equal(found, letters)
    assert sorted(path.name for path in home.glob("outbox/*/*.eml")) == outbox


# ── backfill ──


def fill_dates(home: Path, ledger: Path | None, dates: list[date], *, restate: bool = False) -> Run | None:
    sources = (SourceEntry(path=ledger),) if ledger else ()
    request = BackfillRun(home=home, sources=sources, from_date=dates[0], to_date=dates[-1], restate=restate)
    return fill(request, quiet)


def test_a_backfill_gives_what_a_run_for_each_date_gives(small_ledger: Path, tmp_path: Path) -> None:
    single: dict[tuple[str, date], pl.DataFrame] = {}
    for day in SPRING:
        run(tmp_path / "singles", small_ledger, day)
        for name in MEASURES:
            single[name, day] = day_of(tmp_path / "singles", name, day)
    done = fill_dates(tmp_path / "filled", small_ledger, SPRING)
    assert done is not None
    assert done.run_dates == tuple(SPRING)
    for (name, day), expected in single.items():
        assert expected.height > 0
        assert_frame_equal(day_of(tmp_path / "filled", name, day), expected)
    ledger = Ledger(open_home(tmp_path / "filled").ledger_url)
    assert ledger.application_files() == []
    assert [ledger.published_known_at(day) for day in SPRING] == [done.known_at] * 3
    assert not (tmp_path / "filled" / "outbox").exists()


def test_a_backfill_adds_dates_decides_nothing_and_leaves_what_was_published(lived: Lived) -> None:
    aging = day_of(lived.home, "receivables.fct_ar_aging", AUGUST)
    decided = {
        name: published(lived.home, f"select * from {name} order by all")
        for name in (*DECIDED, "collections.fct_letters", "collections.fct_order_holds")
    }
    done = fill_dates(lived.home, None, [date(2026, 6, 30), date(2026, 7, 31), AUGUST, SEPTEMBER])
    assert done is not None
    assert done.run_dates == (date(2026, 6, 30), date(2026, 7, 31))
    found = published(lived.home, "select distinct as_of_date from receivables.fct_ar_aging order by all")
    assert found["as_of_date"].to_list() == [date(2026, 6, 30), date(2026, 7, 31), AUGUST, SEPTEMBER]
    assert_frame_equal(day_of(lived.home, "receivables.fct_ar_aging", AUGUST), aging)
    for name, expected in decided.items():
        assert_frame_equal(published(lived.home, f"select * from {name} order by all"), expected)
    risk = published(
        lived.home,
        "select as_of_date, at_risk_ratio is not null as is_known from receivables.fct_ar_kpis"
        " where entity_id <> 'ALL' and as_of_date >= '2026-05-31' and closing_open_amount > 0"
        " group by all order by all",
    )
    assert risk.rows() == [
        (date(2026, 5, 31), False),
        (date(2026, 6, 30), True),
        (date(2026, 7, 31), True),
        (AUGUST, True),
        (SEPTEMBER, True),
    ]
    assert fill_dates(lived.home, None, [date(2026, 6, 30), date(2026, 7, 31)]) is None

    run(lived.home, None, date(2026, 10, 1))
    again = published(
        lived.home,
        "select distinct as_of_date from receivables.fct_ar_kpis where at_risk_ratio is not null order by all",
    )
    assert again["as_of_date"].to_list() == [
        date(2026, 6, 30),
        date(2026, 7, 31),
        AUGUST,
        SEPTEMBER,
        date(2026, 10, 1),
    ]


def test_a_backfill_restates_when_it_is_asked_to_and_never_the_current_date(lived: Lived) -> None:
    before = day_of(lived.home, "receivables.fct_ar_aging", AUGUST)["open_amount"].sum()
    done = fill_dates(lived.home, None, [AUGUST, SEPTEMBER], restate=True)
    assert done is not None
    assert done.run_dates == (AUGUST,)
    assert day_of(lived.home, "receivables.fct_ar_aging", AUGUST)["open_amount"].sum() < before


def test_a_date_still_to_come_has_no_history(small_ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(NotYet, match="today is"):
        fill_dates(tmp_path / "home", small_ledger, [AUGUST, date(2999, 1, 31)])


@pytest.mark.parametrize(
    ("first", "last", "every", "dates"),
    [
        ("2026-01-31", "2026-03-30", "month-end", ["2026-01-31", "2026-02-28"]),
        ("2026-02-01", "2026-03-31", "month-end", ["2026-02-28", "2026-03-31"]),
        ("2024-02-29", "2024-02-29", "month-end", ["2024-02-29"]),
        ("2025-12-31", "2026-01-01", "day", ["2025-12-31", "2026-01-01"]),
    ],
    ids=["from a month end", "to a month end", "leap day", "days"],
)
def test_both_ends_are_among_the_dates(first: str, last: str, every: str, dates: list[str]) -> None:
    request = BackfillRun.model_validate({"from_date": first, "to_date": last, "every": every})
    assert [day.isoformat() for day in request.dates] == dates


def test_a_span_without_a_date_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no month-end"):
        BackfillRun(from_date=date(2026, 2, 1), to_date=date(2026, 2, 27))
    with pytest.raises(ValueError, match="there is no day"):
        BackfillRun(from_date=date(2026, 2, 2), to_date=date(2026, 2, 1), every="day")
