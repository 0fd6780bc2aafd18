"""The raw layer of a run: views over what landed, typed empty tables, frames in and out."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from o2c import warehouse
from o2c.contract import PROVENANCE, TABLES
from o2c.frames import Applications

RATES = pl.DataFrame(
    {
        "rate_date": [date(2026, 3, 31)],
        "from_currency_code": ["USD"],
        "to_currency_code": ["EUR"],
        "rate": [Decimal("0.92500000")],
        "_source": ["ledger"],
        "_file_id": ["f"],
        "_line": [2],
        "_loaded_at": [datetime(2026, 3, 31, 7, tzinfo=UTC)],
    },
    schema=TABLES["fx_rates"].schema | PROVENANCE,
)


@pytest.fixture
def con():
    con = warehouse.connect()
    yield con
    con.close()


def test_a_table_of_the_contract_that_nobody_delivered_is_there_empty_and_typed(con):
    warehouse.load_raw(con, {})
    for table in TABLES.values():
        frame = warehouse.read_frame(con, f"raw.{table.name}")
        assert_frame_equal(frame, pl.DataFrame(schema=table.schema | PROVENANCE))


def test_landed_files_of_a_table_are_read_as_one(con, tmp_path):
    later = RATES.with_columns(rate_date=pl.lit(date(2026, 4, 1)))
    paths = [tmp_path / "it's one.parquet", tmp_path / "two.parquet"]
    for path, frame in zip(paths, (RATES, later), strict=True):
        frame.write_parquet(path)
    warehouse.load_raw(con, {"fx_rates": paths})
    found = warehouse.read_frame(con, "raw.fx_rates")
    assert_frame_equal(found, pl.concat([RATES, later]), check_row_order=False)


def test_a_raw_layer_can_be_loaded_again(con, tmp_path):
    path = tmp_path / "rates.parquet"
    RATES.write_parquet(path)
    warehouse.load_raw(con, {"fx_rates": [path]})
    warehouse.load_raw(con, {})
    assert warehouse.read_frame(con, "raw.fx_rates").is_empty()


def test_a_table_that_the_contract_does_not_have_is_named(con):
    with pytest.raises(warehouse.WarehouseError, match="not in the contract: rates"):
        warehouse.load_raw(con, {"rates": []})


def test_a_file_without_a_column_of_the_contract_is_refused_with_its_name(con, tmp_path):
    path = tmp_path / "rates.parquet"
    RATES.drop("rate").write_parquet(path)
    with pytest.raises(warehouse.WarehouseError, match=r"raw\.fx_rates: .*rate"):
        warehouse.load_raw(con, {"fx_rates": [path]})


def test_a_frame_comes_back_as_it_went_in(con):
    warehouse.load_raw(con, {})
    applications = pl.DataFrame(
        [
            {
                **{"application_id": "007", "payment_id": "P", "invoice_id": "I", "customer_id": "C"},
                **{"credit_memo_id": "M"},
                **{
                    "currency_code": "EUR",
                    "application_type": "payment",
                    "rule": "invoice_id",
                    "explanation": "é",
                },
                **{"reverses_application_id": None, "applied_amount": Decimal("99999999999999.9999")},
                **{"score": Decimal("0.999999"), "application_date": date(2026, 3, 31)},
            }
        ],
        schema=Applications.empty().schema,
    )
    warehouse.load_frame(con, "raw.engine_applications", applications)
    found = warehouse.read_frame(con, "raw.engine_applications", Applications.columns())
    assert_frame_equal(found, applications.select(Applications.columns()))
    warehouse.load_frame(con, "raw.engine_applications", Applications.empty())
    assert warehouse.read_frame(con, "raw.engine_applications").is_empty()


def test_a_frame_without_a_column_that_dbt_reads_is_refused_and_replaces_nothing(con):
    warehouse.load_raw(con, {})
    dates = pl.DataFrame({"as_of_date": [date(2026, 3, 31)], "is_run_date": [True]})
    warehouse.load_frame(con, "raw.as_of_dates", dates)
    with pytest.raises(warehouse.WarehouseError, match=r"missing: \['is_run_date'\]; not known: \['today'\]"):
        warehouse.load_frame(con, "raw.as_of_dates", dates.rename({"is_run_date": "today"}))
    assert_frame_equal(warehouse.read_frame(con, "raw.as_of_dates"), dates)


def test_rows_of_one_as_of_date_are_read(con):
    frame = pl.DataFrame({"as_of_date": [date(2026, 3, 30), date(2026, 3, 31)], "n": [1, 2]})
    warehouse.load_frame(con, "decided.worklist", frame)
    found = warehouse.read_frame(con, "decided.worklist", ["n"], as_of=date(2026, 3, 31))
    assert found.to_dicts() == [{"n": 2}]


def test_a_table_that_is_not_there_is_named(con):
    with pytest.raises(warehouse.WarehouseError, match=r"core\.dim_customers: cannot be read"):
        warehouse.read_frame(con, "core.dim_customers")


def test_memory_and_spill_folder_are_set(tmp_path):
    con = warehouse.connect(
        tmp_path / "x.duckdb", threads=1, memory_limit="256MiB", temp_directory=tmp_path / "spill"
    )
    settings = dict(
        con.execute(
            "select name, value from duckdb_settings()"
            " where name in ('threads', 'memory_limit', 'temp_directory', 'TimeZone')"
        ).fetchall()
    )
    con.close()
    assert settings == {
        "threads": "1",
        "memory_limit": "256.0 MiB",
        "temp_directory": str(tmp_path / "spill"),
        "TimeZone": "UTC",
    }


def test_a_sealed_connection_reaches_no_file(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    con = warehouse.connect_sealed()
    with pytest.raises(duckdb.PermissionException):
        con.execute(f"from read_csv('{tmp_path / 'secret.csv'}')")
    with pytest.raises(duckdb.InvalidInputException):
        con.execute("set enable_external_access = true")
    con.close()
