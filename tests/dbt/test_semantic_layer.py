"""MetricFlow gives the figures of the marts, from the project's own semantic layer."""

import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from customer_books import Book, load_book, read_book
from dbt.contracts.graph.semantic_manifest import SemanticManifest
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from flows import _dbt
from o2c import warehouse

# Metrics that have another name than their column.
COLUMNS = {"open_amount": "closing_open_amount", "net_receivables_amount": "closing_net_amount"}


class DuckDb:
    """What MetricFlow must know of a database to write its SQL; the queries are run by us."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        return f"${bind_parameter_key}"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("semantic")
    made = load_book(of_two_entities(read_book("recv_one_quarter")), folder)
    for tag in ("tag:cash", "tag:marts", "tag:decisions"):
        _dbt.run_models(made, folder, tag)
    return made


def of_two_entities(book: Book) -> Book:
    """The book with a second entity in the same currency, of other size and lateness."""
    invoice = {"entity_id": "E2", "document_type": "invoice", "customer_id": "BETA", "currency_code": "EUR"}
    more = {
        "entities": [
            {
                "entity_id": "E2",
                "entity_name": "Card Mill",
                "country_code": "DE",
                "currency_code": "EUR",
                "time_zone": "Europe/Berlin",
            }
        ],
        "invoices": [
            invoice
            | {
                "invoice_id": f"J{i}",
                "invoice_number": str(i),
                "invoice_date": day,
                "due_date": due,
                "invoice_amount": amount,
            }
            for i, (day, due, amount) in enumerate(
                [
                    ("2026-03-02", "2026-03-20", 70),
                    ("2026-05-20", "2026-07-20", 410),
                    ("2026-04-02", "2026-05-02", 90),
                ]
            )
        ],
        "payments": [
            {
                "payment_id": "Q1",
                "entity_id": "E2",
                "customer_id": "BETA",
                "value_date": "2026-06-02",
                "currency_code": "EUR",
                "payment_amount": 90,
            }
        ],
        "payment_applications": [
            {
                "application_id": "B1",
                "payment_id": "Q1",
                "invoice_id": "J2",
                "application_date": "2026-06-02",
                "applied_amount": 90,
                "application_type": "payment",
            }
        ],
    }
    return replace(book, tables={name: [*rows, *more.get(name, ())] for name, rows in book.tables.items()})


@pytest.fixture(scope="module")
def metricflow(build: Path) -> MetricFlowEngine:
    file = build.parent / "semantic_manifest.json"
    SemanticManifest(_dbt._manifest(build.stem, ())).write_json_to_file(str(file))
    manifest = parse_manifest_from_dbt_generated_manifest(file.read_text())
    return MetricFlowEngine(SemanticManifestLookup(manifest), DuckDb())


@pytest.fixture
def ask(build: Path, metricflow: MetricFlowEngine):
    """Rows of a metric query by its metrics and dimensions, as dicts."""

    def query(metrics: list[str], *by: str, where: str | None = None) -> list[dict[str, Any]]:
        request = MetricFlowQueryRequest.create(
            metric_names=metrics,
            group_by_names=by or None,
            where_constraints=[where] if where else None,
        )
        with warehouse.connect(build, read_only=True) as con:
            found = con.sql(metricflow.explain(request).sql_statement.sql)
            return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    return query


def mart(build: Path, query: str) -> list[dict[str, Any]]:
    with warehouse.connect(build, read_only=True) as con:
        found = con.sql(query)
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def day(value: Any) -> date:
    return value.date() if hasattr(value, "date") else value


def assert_same(found: Any, expected: Any, about: Any) -> None:
    """Quotients come as floats of the database; they are told to six decimals."""
    if found is None or expected is None:
        assert found is expected, about
    else:
        assert abs(Decimal(found) - expected) <= Decimal("0.00000051"), about


def public(metricflow: MetricFlowEngine, model: str) -> list[str]:
    """Metrics of a semantic model that are there to be asked for."""
    manifest = metricflow._semantic_manifest_lookup.semantic_manifest
    return [
        metric.name
        for metric in manifest.metrics
        if metric.type.value == "derived"
        and any(one.name.startswith(f"{model}_") for one in metric.type_params.metrics or ())
    ]


def test_every_key_figure_is_that_of_the_mart(build, metricflow, ask) -> None:
    metrics = public(metricflow, "kpi")
    assert len(metrics) == 24
    expected = {
        (row["as_of_date"], row["entity_id"], row["currency_code"]): row
        for row in mart(build, "select * from receivables.fct_ar_kpis")
    }
    found = ask(metrics, "metric_time__day", "key_figure__entity_id", "key_figure__currency_code")
    keys = {
        (day(row["metric_time__day"]), row["key_figure__entity_id"], row["key_figure__currency_code"]): row
        for row in found
    }
    assert set(keys) == set(expected)
    assert len(found) == len(expected)
    for key, row in expected.items():
        for metric in metrics:
            assert_same(keys[key][metric], row[COLUMNS.get(metric, metric)], (key, metric))
    known = {metric for metric in metrics if any(row[metric] is not None for row in found)}
    assert set(metrics) - known == set(), "a figure that is null everywhere shows nothing"


def test_every_figure_of_the_mart_that_people_compare_is_a_metric(metricflow) -> None:
    measured = set(public(metricflow, "kpi"))
    sql = (_dbt.PROJECT / "models/intermediate/receivables/int_kpis_listed.sql").read_text()
    compared = set(re.findall(r'^    "(\w+)",$', sql, re.MULTILINE))
    assert len(compared) == 14
    assert compared - measured == set()


def test_the_saved_query_asks_for_all_of_them(metricflow) -> None:
    (saved,) = metricflow._semantic_manifest_lookup.semantic_manifest.saved_queries
    assert sorted(saved.query_params.metrics) == sorted(public(metricflow, "kpi"))


def test_movements_are_those_of_the_roll_forward_and_add_up_over_months(build, metricflow, ask) -> None:
    metrics = public(metricflow, "movement")
    assert len(metrics) == 5
    by = ["movement__entity_id", "movement__currency_code"]
    columns = ", ".join(f"sum({metric}) as {metric}" for metric in metrics)
    for time, group in (("metric_time__day", "month_end_date, "), (None, "")):
        expected = mart(
            build,
            f"select {group}entity_id, currency_code, {columns} from receivables.fct_ar_rollforward"
            f" group by {group}entity_id, currency_code order by all",
        )
        found = ask(metrics, *([time] if time else []), *by)
        rows = sorted(
            (*([day(row[time])] if time else []), *(row[name] for name in by), *(row[m] for m in metrics))
            for row in found
        )
        assert rows == [tuple(row.values()) for row in expected]


def test_expected_losses_are_those_of_the_mart(build, metricflow, ask) -> None:
    metrics = public(metricflow, "loss")
    assert sorted(metrics) == ["expected_loss_amount", "expected_loss_by_rolls_amount"]
    expected = mart(
        build,
        "select as_of_date, entity_id, currency_code, sum(allowance_amount), sum(chain_allowance_amount)"
        " from receivables.fct_expected_credit_loss group by all order by all",
    )
    by = ["metric_time__day", "loss__entity_id", "loss__currency_code"]
    found = ask(["expected_loss_amount", "expected_loss_by_rolls_amount"], *by)
    rows = sorted(tuple(row.values()) for row in found)
    assert [(day(row[0]), *row[1:]) for row in rows] == [tuple(row.values()) for row in expected]


def test_amounts_of_several_currencies_are_not_added_up(build, ask) -> None:
    """Nor those of all entities and of their parts: null is better than a number that means nothing."""
    by_day = ask(["open_amount", "dso_days", "past_due_ratio"], "metric_time__day")
    scopes = {
        row["as_of_date"]: row["n"]
        for row in mart(
            build,
            "select as_of_date, count(distinct entity_id = 'ALL' or null) + count(distinct currency_code) as n"
            " from receivables.fct_ar_kpis group by as_of_date",
        )
    }
    mixed = [row for row in by_day if scopes[day(row["metric_time__day"])] > 1]
    assert mixed
    for row in mixed:
        assert (row["open_amount"], row["dso_days"], row["past_due_ratio"]) == (None, None, None)


def test_a_ratio_of_several_entities_is_made_of_their_sums(build, ask) -> None:
    """Not the mean of their ratios; without a day, it is that of the last one."""
    metrics = ["past_due_ratio", "dso_days", "collection_effectiveness_ratio", "open_amount"]
    found = ask(
        metrics, "key_figure__currency_code", where="{{ Dimension('key_figure__entity_id') }} <> 'ALL'"
    )
    expected = mart(
        build,
        "select currency_code, count(*) as entities, sum(past_due_amount) as past_due,"
        " sum(closing_open_amount) as open,"
        " sum(closing_net_amount) as net, sum(credit_sales_amount) as sales, sum(current_amount) as current,"
        " sum(month_opening_net_amount) as opening, sum(month_credit_sales_amount) as month_sales"
        " from receivables.fct_ar_kpis where entity_id <> 'ALL'"
        " and as_of_date = (select max(as_of_date) from receivables.fct_ar_kpis) group by currency_code order by all",
    )
    assert [
        row["key_figure__currency_code"]
        for row in sorted(found, key=lambda r: r["key_figure__currency_code"])
    ] == [row["currency_code"] for row in expected]
    assert max(row["entities"] for row in expected) == 2
    for row in expected:
        (one,) = [each for each in found if each["key_figure__currency_code"] == row["currency_code"]]
        collectable = row["opening"] + row["month_sales"]
        assert one["open_amount"] == row["open"]
        for metric, over, under in (
            ("past_due_ratio", row["past_due"], row["open"]),
            ("dso_days", 90 * row["net"], row["sales"]),
            ("collection_effectiveness_ratio", collectable - row["net"], collectable - row["current"]),
        ):
            assert_same(one[metric], over / under if under > 0 else None, (row, metric))


def test_every_metric_and_measure_says_what_it_is(metricflow) -> None:
    manifest = metricflow._semantic_manifest_lookup.semantic_manifest
    parts = [*manifest.metrics, *manifest.semantic_models, *manifest.saved_queries]
    parts += [part for model in manifest.semantic_models for part in (*model.measures, *model.dimensions)]
    assert len(parts) > 70
    silent = [part.name for part in parts if len(part.description or "") < 10]
    assert silent == []
    text = json.dumps([part.description for part in parts])
    assert "TODO" not in text
