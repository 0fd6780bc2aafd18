"""Drawings: the same bytes for the same rows, nothing in them but geometry, words and colours that turn dark."""

import re
from datetime import date

import pytest
from report_rows import AS_OF, BEFORE, buckets, forecast, rollforward

from o2c.report import charts
from o2c.report.months import labels_of
from o2c.report.palette import DARK

RULES = [("median", 38.04), ("target", 40.0)]


def _aging() -> str:
    rows = [*buckets("A", "EUR", BEFORE), *buckets("A", "EUR", AS_OF)]
    return charts.aging_chart(rows, labels_of([BEFORE, AS_OF], AS_OF))


def _lines() -> str:
    points = [("Aug 26", "DSO", 41.5), ("Sep 26", "DSO", 40.25), ("Sep 26", "best possible", 20.0)]
    return charts.lines_chart(points, ["DSO", "best possible"], ["Aug 26", "Sep 26"], RULES, axis_format="~f")


DRAWINGS = {
    "aging": _aging,
    "lines": _lines,
    "rollforward": lambda: charts.rollforward_chart(rollforward("A", "EUR")),
    "forecast": lambda: charts.forecast_chart(forecast("A", "EUR")[:-1]),
}


@pytest.fixture(autouse=True)
def _drawn_anew(monkeypatch: pytest.MonkeyPatch, real_drawing: object) -> None:
    monkeypatch.setattr("vl_convert.vegalite_to_svg", real_drawing)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_the_same_bytes_again(name: str) -> None:
    assert DRAWINGS[name]() == DRAWINGS[name]()


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_has_no_id_no_reference_and_no_colour_that_stays_light(name: str) -> None:
    svg = DRAWINGS[name]()
    assert re.findall(r"\bid=|url\(|href|xmlns|<style|<image|<script|class=", svg) == []
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) - {"none", "transparent"}
    assert colours
    assert colours <= set(DARK)
    assert set(re.findall(r'font-family="([^"]*)"', svg)) == {"sans-serif"}


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [*buckets("A", "EUR", BEFORE), *buckets("A", "EUR", AS_OF)]
    labels = labels_of([BEFORE, AS_OF], AS_OF)
    in_order = sorted(rows, key=lambda row: (row["as_of_date"], row["bucket_order"]))
    assert charts.aging_chart(in_order, labels) == _aging()


def test_steps_that_moved_nothing_are_not_drawn() -> None:
    svg = charts.rollforward_chart(rollforward("A", "EUR"))
    words = re.findall(r">([A-Z][a-z]+)</t", svg)
    assert words == ["Opening", "Credited", "Collected", "Written", "Closing"]


def test_months_are_named_by_month_and_a_date_within_one_by_day() -> None:
    assert labels_of([BEFORE, AS_OF], AS_OF) == ["Aug\u00a026", "Sep\u00a026"]
    middle = date(2026, 10, 21)
    assert labels_of([AS_OF, middle], middle) == ["Sep\u00a026", "21\u00a0Oct"]
