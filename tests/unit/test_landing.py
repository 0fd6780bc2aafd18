"""Landing: once, unchanged, complete; and what counts when there are several files, versions or sources."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from o2c.contract import PROVENANCE, TABLES
from o2c.landing import Delivery, LandingReport, RefusedFiles, land
from o2c.sources.check import check_source
from o2c.sources.definition import folder_definition, load_definition
from o2c.sources.effective import SourcesClash, effective

MONDAY = datetime(2026, 3, 30, 6, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 31, 6, tzinfo=UTC)
CUSTOMERS = "customer_id,customer_name\n"
DELTAS = """
source: books
files: {deltas: {path: 'deltas/*.csv'%s}}
tables: {customers: {from: deltas, columns: as_named}}
"""


class Memory:
    """Deliveries in a list."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def history(self, source: str) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.source == source]

    def record(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)


class Home:
    """A folder of books, a landing folder, a memory."""

    def __init__(self, folder: Path) -> None:
        self.books, self.landing, self.memory = folder / "books", folder / "landing", Memory()
        self.books.mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.books / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def land(
        self, definition: str | None = None, at: datetime = MONDAY, news_since: datetime | None = None
    ) -> LandingReport:
        if definition is not None:
            self.write("books.yml", definition)
            return land(load_definition(self.books / "books.yml"), self.landing, self.memory, at)
        return land(folder_definition(self.books), self.landing, self.memory, at, news_since=news_since)

    def names(self, report: LandingReport) -> dict[str, str]:
        rows = pl.read_parquet(effective([report], self.landing).tables["customers"])
        return dict(rows.select("customer_id", "customer_name").rows())

    def problems(self, report: LandingReport) -> list[tuple[str, str]]:
        whole = pl.concat(
            [pl.read_parquet(path) for path in effective([report], self.landing).rejected_paths]
        )
        return whole.select("severity", "reason_code").rows()


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def test_a_landed_file_has_the_contracts_columns_and_where_each_row_is_from(home):
    home.write("customers.csv", "customer_name,customer_id\nAcme,C1\n")

    (landed,) = home.land().landed

    file_id = hashlib.sha256((home.books / "customers.csv").read_bytes()).hexdigest()
    assert landed.path == home.landing / "books" / "customers" / landed.mapping_id / f"{file_id}.parquet"
    frame = pl.read_parquet(landed.path)
    assert dict(frame.schema) == TABLES["customers"].schema | PROVENANCE
    expected = {"customer_id": "C1", "customer_name": "Acme"}
    expected |= {"_source": "books", "_file_id": file_id, "_line": 2, "_loaded_at": MONDAY}
    assert frame.to_dicts() == [dict.fromkeys(frame.columns) | expected]


def test_the_same_file_twice_is_landed_once(home):
    home.write("customers.csv", CUSTOMERS + "C1,Acme\n")
    (first,) = home.land().landed
    written = first.path.stat().st_mtime_ns

    (second,) = home.land(at=TUESDAY).landed

    assert (first.is_new, second.is_new) == (True, False)
    assert second.path.stat().st_mtime_ns == written
    assert second.seen_at == MONDAY
    assert second.counts == first.counts
    assert len(home.memory.deliveries) == 1


def test_changed_content_under_the_same_name_is_a_new_version_and_a_warning(home):
    home.write("customers.csv", CUSTOMERS + "C1,Acme\n")
    (first,) = home.land().landed
    home.write("customers.csv", CUSTOMERS + "C1,Acme Ltd\n")

    report = home.land(at=TUESDAY)

    assert [(note.severity, note.code) for note in report.notes] == [("warning", "changed_content")]
    assert home.names(report) == {"C1": "Acme Ltd"}
    assert first.path.exists()


def test_news_of_a_day_is_told_again_when_the_day_is_run_again(home):
    home.write("customers.csv", CUSTOMERS + "C1,Acme\n")
    home.land()
    home.write("customers.csv", CUSTOMERS + "C1,Acme Ltd\n")

    told = [home.land(at=TUESDAY, news_since=since).notes for since in (MONDAY, MONDAY, TUESDAY)]

    assert [note.code for note in told[0]] == ["changed_content"]
    assert told[1] == told[0]
    assert told[2] == []


def test_content_that_comes_back_is_the_latest_delivery_and_no_news_the_morning_after(home):
    for day, name in ((27, "Acme"), (28, "Acme Ltd"), (29, "Acme")):
        home.write("customers.csv", CUSTOMERS + f"C1,{name}\n")
        back = home.land(at=datetime(2026, 3, day, 6, tzinfo=UTC))

    (part,) = back.landed
    morning_after = home.land(at=MONDAY)

    assert [note.code for note in back.notes] == ["changed_content"]
    assert not part.is_new
    assert home.memory.deliveries[-1] == Delivery(
        part.source, part.name, part.file_id, part.mapping_id, datetime(2026, 3, 29, 6, tzinfo=UTC)
    )
    assert len(home.memory.deliveries) == 3
    assert morning_after.notes == []
    assert morning_after.landed[0].seen_at == part.seen_at == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert home.names(morning_after) == {"C1": "Acme"}


def test_a_delta_that_comes_back_wins_over_what_came_in_between(home):
    for day, name in ((27, "Acme"), (28, "Acme Ltd"), (29, "Acme")):
        home.write("deltas/a.csv", CUSTOMERS + f"C1,{name}\n")
        if day == 28:
            home.write("deltas/b.csv", CUSTOMERS + "C1,Acme Inc\n")
        report = home.land(DELTAS % "", at=datetime(2026, 3, day, 6, tzinfo=UTC))

    assert home.names(report) == {"C1": "Acme"}


def test_the_same_content_under_a_new_name_counts_once_with_a_note(home):
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme\n")
    home.land(DELTAS % "")
    home.write("deltas/b.csv", CUSTOMERS + "C1,Acme\n")

    report = home.land(DELTAS % "", TUESDAY)

    assert [(note.severity, note.code, note.name) for note in report.notes] == [
        ("info", "same_content", "deltas/b.csv")
    ]
    assert home.names(report) == {"C1": "Acme"}


def test_a_renamed_file_is_not_landed_again(home):
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme\n")
    home.land(DELTAS % "")
    (home.books / "deltas/a.csv").rename(home.books / "deltas/b.csv")

    report = home.land(DELTAS % "", TUESDAY)

    assert [(part.name, part.is_new) for part in report.landed] == [("deltas/b.csv", False)]
    assert [note.code for note in report.notes] == ["known_content"]


def test_a_file_that_has_gone_no_longer_counts_and_is_a_warning(home):
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme\n")
    home.write("deltas/b.csv", CUSTOMERS + "C2,Beta\n")
    home.land(DELTAS % "")
    (home.books / "deltas/b.csv").unlink()

    report = home.land(DELTAS % "", TUESDAY)

    assert [(note.severity, note.code, note.name) for note in report.notes] == [
        ("warning", "vanished", "deltas/b.csv")
    ]
    assert home.names(report) == {"C1": "Acme"}


def test_an_edited_definition_maps_the_same_file_anew(home):
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme\n")
    edited = DELTAS.replace(
        "as_named", "{customer_id: customer_id, customer_name: {column: customer_name, case: upper}}"
    )

    first, second = home.land(DELTAS % ""), home.land(edited % "", TUESDAY)

    assert first.landed[0].file_id == second.landed[0].file_id
    assert home.names(second) == {"C1": "ACME"}
    assert home.names(first) == {"C1": "Acme"}


def test_rows_in_are_rows_loaded_rejected_and_skipped(home):
    home.write("customers.csv", CUSTOMERS + "C1,Acme\nC1,Acme\nC2,\nC3,A,B\nC4,X\nC4,Y\nC5,Eta\n")

    (landed,) = home.land().landed

    counts = landed.counts
    assert (counts.rows_in, counts.loaded, counts.rejected, counts.skipped) == (
        7,
        2,
        4,
        {"exact_duplicate": 1},
    )
    rejected = pl.read_parquet(landed.rejected_path).select("line", "reason_code", "raw_row").rows()
    assert rejected[:2] == [
        (4, "missing_required", '{"customer_id": "C2", "customer_name": null}'),
        (5, "field_count", '"C3,A,B"'),
    ]
    assert [line for line, code, _ in rejected if code == "key_collision"] == [6, 7]


def test_a_refused_file_lands_nothing_and_all_refusals_are_told_at_once(home):
    home.write("customers.csv", "customer_id,name\n")
    home.write("contacts.csv", "")

    report = home.land()

    with pytest.raises(RefusedFiles) as caught:
        report.require_no_refusals()
    assert [refusal.name for refusal in caught.value.refusals] == ["contacts.csv", "customers.csv"]
    assert "contacts.csv: the file has zero bytes" in str(caught.value)
    assert "customers.csv: declared columns of customers are missing" in str(caught.value)
    assert list(home.landing.rglob("*.parquet")) == []


def test_one_bad_table_of_a_file_keeps_all_its_tables_out(home):
    text = """
source: books
files: {rows: {path: rows.csv}}
tables:
  customers: {from: rows, columns: {customer_id: id, customer_name: name}}
  contacts: {from: rows, columns: {contact_id: id, customer_id: id, email: mail}}
"""
    home.write("rows.csv", "id,name\n1,Acme\n")

    report = home.land(text)

    assert "declared columns of contacts are missing: 'mail'" in report.refusals[0].says
    assert report.landed == []


def test_batches_give_the_same_rows_as_one_reading(home, monkeypatch):
    from o2c.sources import csv_reader

    home.write("customers.csv", CUSTOMERS + "".join(f'C{i},"Name\n{i}"\n' for i in range(300)) + "C7,Other\n")
    whole = pl.read_parquet(home.land().landed[0].path).drop("_loaded_at")
    home.landing = home.landing.with_name("other")
    monkeypatch.setattr(csv_reader.CsvReader.__init__, "__defaults__", (64,))

    parts = pl.read_parquet(home.land().landed[0].path).drop("_loaded_at")

    assert whole.equals(parts)
    assert whole.height == 299


# ── several files of a table ─────────────────────────────────────────────────────────────────────────


def test_one_key_with_other_content_in_files_seen_together_is_rejected_in_all(home):
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme\nC2,Beta\n")
    home.write("deltas/b.csv", CUSTOMERS + "C1,Acme Ltd\nC2,Beta\n")

    report = home.land(DELTAS % "")

    assert home.names(report) == {"C2": "Beta"}
    assert home.problems(report) == [("rejected", "key_collision")] * 2


def test_a_file_seen_later_wins_with_a_warning(home):
    home.write("deltas/b.csv", CUSTOMERS + "C1,Acme\nC2,Beta\n")
    home.land(DELTAS % "")
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme Ltd\n")

    report = home.land(DELTAS % "", TUESDAY)

    assert home.names(report) == {"C1": "Acme Ltd", "C2": "Beta"}
    assert home.problems(report) == [("warning", "superseded")]
    checks = {check.check_name: check.actual for check in effective([report], home.landing).checks}
    assert checks["landing.superseded_across_files.books.customers"] == "1"


def test_files_ordered_by_name_win_by_name_however_they_came(home):
    home.write("deltas/2026-03-02.csv", CUSTOMERS + "C1,Acme Ltd\n")
    home.write("deltas/2026-03-01.csv", CUSTOMERS + "C1,Acme\n")

    report = home.land(DELTAS % ", order: name")

    assert home.names(report) == {"C1": "Acme Ltd"}
    assert home.problems(report) == [("warning", "superseded")]


def test_a_derived_table_has_one_row_per_key_over_all_files(home):
    derived = DELTAS.replace("columns: as_named", "one_per: {key: customer_id}, columns: as_named")
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme\nC1,Acme\n")
    home.write("deltas/b.csv", CUSTOMERS + "C1,ACME\nC2,Beta\n")

    assert home.names(home.land(derived % "")) == {"C1": "ACME", "C2": "Beta"}


# ── several sources ──────────────────────────────────────────────────────────────────────────────────


def test_two_sources_with_one_id_need_a_prefix(home):
    reports = []
    for name in ("north", "south"):
        home.write(f"{name}.csv", CUSTOMERS + "C1,Acme\n")
        text = f"source: {name}\nfiles: {{c: {{path: {name}.csv}}}}\n"
        text += "tables: {customers: {from: c, columns: as_named}}\n"
        reports.append((home.land(text), text))

    with pytest.raises(SourcesClash, match=r"customers C1 is in north and in south[\s\S]*id_prefix"):
        effective([report for report, _ in reports], home.landing)

    prefixed = home.land("id_prefix: 'S-'\n" + reports[1][1])
    assert len(effective([reports[0][0], prefixed], home.landing).tables["customers"]) == 2


def test_write_offs_in_two_places_are_refused(home):
    home.write(
        "adjustments.csv",
        "adjustment_id,invoice_id,adjustment_type,adjustment_amount,adjustment_date\nA1,I1,write_off,5,2026-01-02\n",
    )
    home.write(
        "payment_applications.csv",
        "application_id,invoice_id,application_date,applied_amount,application_type\nP1,I2,2026-01-02,5,write_off\n",
    )
    report = home.land()

    with pytest.raises(SourcesClash, match="would count twice"):
        effective([report], home.landing)


def test_an_open_items_source_says_so_with_its_date(home):
    home.write("deltas/a.csv", CUSTOMERS + "C1,Acme\n")
    report = home.land("open_items_only: true\nbalance_date: 2026-03-01\n" + DELTAS % "")

    (kind,) = effective([report], home.landing).sources

    assert (kind.source, kind.is_open_items_only, str(kind.balance_date)) == ("books", True, "2026-03-01")


# ── checking a source ────────────────────────────────────────────────────────────────────────────────


def test_a_check_shows_counts_problems_and_first_rows_and_keeps_nothing(home):
    home.write("customers.csv", CUSTOMERS + "C1,Acme\nC2,\n")

    check = check_source(home.books, loaded_at=MONDAY)

    assert check.is_usable
    assert check.text().splitlines() == [
        f"{home.books}: usable",
        "  note: no source delivers invoices (another source of the same run may)",
        "  note: no source delivers payments or payment_applications. Where the invoices are open items with the"
        " amounts that are still open, declare `open_items_only: true` and their `balance_date`"
        " (another source of the same run may)",
        "",
        "customers: 2 rows in, 1 loaded, 1 rejected, 0 warnings",
        "  rejected missing_required x 1, line 3: customer_name is required and has no value",
        "  customer_id    C1",
        "  customer_name  Acme",
        "  _line          2",
    ]
    assert not home.landing.exists()


def test_a_check_tells_what_keeps_a_source_from_being_loaded(home):
    home.write("customers.csv", "customer_id;customer_name\n")

    check = check_source(home.books)

    assert not check.is_usable
    assert "It seems to be delimited by ';': declare `delimiter`." in check.text()


def test_a_data_root_that_is_not_there_is_told(home):
    from o2c.sources.definition import DefinitionError

    home.write("books.yml", DELTAS % "")

    with pytest.raises(DefinitionError, match=r"data root .*/gone is not a folder"):
        load_definition(home.books / "books.yml", home.books / "gone")


def test_a_landing_folder_that_cannot_be_written_is_told(home):
    home.write("customers.csv", CUSTOMERS + "C1,Acme\n")
    home.landing.write_text("in the way")

    with pytest.raises(PermissionError, match="cannot write there"):
        home.land()
