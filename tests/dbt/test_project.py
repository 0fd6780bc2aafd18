"""The project keeps its own rules: contracts, keys, descriptions, newer keys, no floats; and its unit tests hold."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from os import environ
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from customer_books import load_book, read_book

from flows import _dbt
from o2c import warehouse

PROJECT = Path(__file__).parents[2] / "dbt_project"
MODELS = PROJECT / "models"
YAML = sorted(MODELS.rglob("*.yml"))
SQL = sorted(MODELS.rglob("*.sql"))

# Rows of these differ in nothing that could be a key: they are sides of movements and sums on their way to a sum.
WITHOUT_KEY = {"int_movements_dated", "int_items_standing", "int_rolls_listed"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Every model, on a small book."""
    folder = tmp_path_factory.mktemp("whole")
    build = load_book(read_book("recv_one_quarter"), folder)
    for tag in ("tag:cash", "tag:marts", "tag:decisions"):
        _dbt.run_models(build, folder, tag)
    return build


@cache
def described() -> dict[str, dict[str, Any]]:
    """Models by name, as their YAML has them."""
    return {
        model["name"]: model | {"file": path}
        for path in YAML
        for model in yaml.safe_load(path.read_text()).get("models", [])
    }


def nested(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nested(value)
    elif isinstance(node, list):
        for value in node:
            yield from nested(value)


def test_every_model_is_described_beside_itself():
    known = described()
    assert {path.stem for path in SQL} == set(known)
    assert [
        name for name, model in known.items() if not (model["file"].parent / f"{name}.sql").exists()
    ] == []


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_a_model_says_its_grain_first_and_in_its_description(path):
    assert path.read_text().startswith("--")
    description = described()[path.stem]["description"]
    assert re.search(r"[Oo]ne row|one row", description) or path.stem in WITHOUT_KEY, description


def test_every_model_has_a_tested_key():
    without = {
        name
        for name, model in described().items()
        if not any("keyed_by" in test for test in model.get("data_tests", []) if isinstance(test, dict))
    }
    assert without == WITHOUT_KEY


def test_every_column_is_described(whole):
    con = warehouse.connect(whole, read_only=True)
    found = con.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_schema in ('staging', 'intermediate', 'core', 'receivables', 'collections', 'quality')"
    ).fetchall()
    con.close()
    stated = {
        (name, column["name"])
        for name, model in described().items()
        for column in model.get("columns", [])
        if column.get("description")
    }
    assert set(found) - stated == set(), "columns without a description"
    assert stated - set(found) == set(), "descriptions without a column"


def test_every_mart_has_a_contract_a_group_and_types():
    manifest = _dbt._manifest("build", ())
    marts = [node for node in manifest.nodes.values() if node.original_file_path.startswith("models/marts/")]
    models = [node for node in marts if node.resource_type == "model"]
    assert len(models) >= 15
    assert [model.name for model in models if not model.contract.enforced] == []
    assert [model.name for model in models if not model.group] == []
    assert [
        (model.name, column.name)
        for model in models
        for column in model.columns.values()
        if not column.data_type
    ] == []


def test_no_column_is_a_float(whole):
    con = warehouse.connect(whole, read_only=True)
    floats = con.execute(
        "select table_schema, table_name, column_name from information_schema.columns"
        " where data_type in ('DOUBLE', 'FLOAT', 'REAL')"
    ).fetchall()
    columns = con.execute("select count(*) from information_schema.columns").fetchall()
    con.close()
    assert floats == []
    assert columns[0][0] > 800


def test_money_and_ratios_of_marts_have_their_one_type(whole):
    con = warehouse.connect(whole, read_only=True)
    kinds = con.execute(
        "select distinct case when column_name like '%\\_amount' escape '\\' then 'amount' else 'ratio' end, data_type"
        " from information_schema.columns"
        " where table_schema in ('core', 'receivables', 'collections', 'quality')"
        " and (column_name like '%\\_amount' escape '\\' or column_name like '%\\_ratio' escape '\\') order by all"
    ).fetchall()
    con.close()
    assert kinds == [("amount", "DECIMAL(18,4)"), ("ratio", "DECIMAL(18,6)")]


@pytest.mark.parametrize("path", YAML, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_only_the_newer_keys_are_used(path):
    moved = {"access", "group", "tags", "meta", "freshness", "materialized", "severity"}
    for node in nested(yaml.safe_load(path.read_text())):
        assert "tests" not in node, f"{path}: data_tests, not tests"
        if "name" in node and ("columns" in node or "description" in node):
            assert not moved & set(node), f"{path}: {node['name']}: these stand under config"
        for test in node.get("data_tests", []):
            if isinstance(test, dict):
                ((name, body),) = test.items()
                assert set(body) <= {"arguments", "config", "name", "description"}, f"{path}: {name}"


@pytest.mark.parametrize(
    "path", [*SQL, *sorted((PROJECT / "tests").glob("*.sql"))], ids=lambda path: path.stem
)
def test_sql_reads_no_clock_and_sources_in_staging_and_decisions_only(path):
    text = re.sub(r"--.*", "", path.read_text())
    assert not re.search(r"current_date|current_timestamp|now\(\)|today\(\)", text, re.IGNORECASE)
    if path.stem.startswith("int_") or path.parent.name in {"core", "receivables", "tests"}:
        assert "source(" not in text
    assert not re.search(r"group by \d", text), "names are the grain and must be read"


def test_unit_tests_of_the_project_hold(whole):
    outcome = _dbt._invoke(["test", "--select", "test_type:unit"], whole, whole.parent)
    assert outcome.exception is None
    assert [
        (result.node.name, result.message) for result in outcome.result.results if result.status != "pass"
    ] == []
    assert len(outcome.result.results) >= 29


def test_deep_tests_hold_on_a_small_book(whole):
    findings = _dbt.run_tests(whole, whole.parent, "tag:deep", exclude="")
    assert findings == []


def test_the_dates_of_the_book_are_published(whole):
    con = warehouse.connect(whole, read_only=True)
    days = con.execute("select distinct as_of_date from receivables.fct_open_items order by all").fetchall()
    con.close()
    assert days == [(date(2026, 5, 31),), (date(2026, 6, 30),)]


def test_marts_are_listed_with_their_keys(whole):
    marts = {mart.name: mart.key for mart in _dbt.list_marts(whole)}
    assert marts["receivables.fct_open_items"] == ("as_of_date", "invoice_id", "installment_number")
    assert {name.partition(".")[0] for name in marts} == {"core", "receivables", "collections", "quality"}


def test_names_are_those_of_the_build_also_where_the_project_is_read_without_one(tmp_path, monkeypatch):
    """What is read is kept for every process of this user, and a run on names of another database finds nothing."""
    seen = []

    class Runner:
        def invoke(self, _arguments):
            seen.append(environ.get("O2C_WAREHOUSE"))
            return SimpleNamespace(result=None, exception="nothing is read here")

    monkeypatch.setattr(_dbt, "dbtRunner", Runner)
    monkeypatch.setattr(_dbt, "_manifests", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for given in (None, "/elsewhere/other.duckdb", "/run/build.duckdb"):
        if given is None:
            monkeypatch.delenv("O2C_WAREHOUSE", raising=False)
        else:
            monkeypatch.setenv("O2C_WAREHOUSE", given)
        with pytest.raises(_dbt.BuildFailed):
            _dbt._manifest("build", ())
        assert environ.get("O2C_WAREHOUSE") == given
    assert seen == ["build.duckdb", "build.duckdb", "/run/build.duckdb"]
