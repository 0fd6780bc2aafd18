"""The page says what the marts say, needs nothing from elsewhere, and is the same whenever it is made again."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hostile import EVERY_HOSTILE, HOSTILE
from lxml import html
from report_rows import AS_OF, BEFORE, buckets, check, customer, debtor, forecast_error, kpis, whole

from o2c.mime import one_line
from o2c.report.forecast import tried_weeks
from o2c.report.reading import Figures

Page = Callable[..., str]


def cells(page: str, caption: str) -> list[list[str]]:
    """Rows of a table as a reader sees them, a smaller line below a cell after a slash."""
    found = [
        table for table in html.fromstring(page).iter("table") if table.findtext(".//caption") is not None
        and table.find(".//caption").text_content() == caption
    ]  # fmt: skip
    assert len(found) == 1, caption
    rows = found[0].findall(".//tbody/tr")
    return [["/".join(part.strip() for part in cell.itertext()) for cell in row] for row in rows]


def texts(page: str) -> str:
    return " ".join(html.fromstring(page).text_content().split())


def test_buckets_shares_and_the_way_to_net_receivables_are_exact(page_of: Page) -> None:
    assert cells(page_of(whole()), "Open items by days past due, EUR") == [
        ["current", "150,000.00", "68.2\u00a0%", "1,500.00"],
        ["1-30 days", "20,000.00", "9.1\u00a0%", "200.00"],
        ["31-60 days", "18,000.00", "8.2\u00a0%", "180.00"],
        ["61-90 days", "10,000.00", "4.5\u00a0%", "100.00"],
        ["over 90 days", "22,000.00", "10.0\u00a0%", "220.00"],
        ["Open items", "220,000.00", "", "2,200.00"],
        ["Credit memos", "−5,000.00", "", ""],
        ["Unapplied cash", "−3,000.00", "", ""],
        ["Net receivables", "212,000.00", "", ""],
    ]


def test_key_figures_stand_beside_median_and_target(page_of: Page) -> None:
    assert cells(page_of(whole()), "Key figures as of 30\u00a0Sep\u00a02026")[0] == [
        "Days sales outstanding (DSO)", "76.3", "−4.5", "38.0", "40.0", "missed",
    ]  # fmt: skip


def test_the_rollforward_takes_off_what_it_takes_off(page_of: Page) -> None:
    assert cells(page_of(whole()), "Roll-forward of net receivables, EUR") == [
        ["Opening net receivables", "1,640.00"],
        ["Credited", "−120.00"],
        ["Collected", "−853.00"],
        ["Written off", "−40.00"],
        ["Closing net receivables", "627.00"],
    ]


def test_segments_stand_with_what_is_past_due_and_where_it_rises(page_of: Page) -> None:
    page = page_of(whole())
    assert cells(page, "Customer segments, EUR") == [
        ["Value tier A", "2", "220,000.00", "70,000.00", "31.8\u00a0%", "–", "rising"]
    ]
    assert "In 1 segment the past-due share rose three months in a row." in texts(page)


def test_a_customer_is_told_with_all_that_is_known_of_it(page_of: Page) -> None:
    story = html.fromstring(page_of(whole())).find_class("stories")[0].find("li")
    facts = dict(
        zip(
            [name.text for name in story.iter("dt")],
            [fact.text.replace("\u00a0", " ") for fact in story.iter("dd")],
            strict=True,
        )
    )
    assert facts == {
        "Open": "3 of 4 items past due, largest EUR 400.00; oldest 143 days past due",
        "Contact": "spoken to on 1 Sep 2026; letter of level 2 on 8 Sep 2026",
        "Promise": "1 promise pending, next for 5 Oct 2026; 2 broken in a year, last 1 Jul 2026",
        "Dispute": "EUR 50.00 in 1 dispute",
        "Next": "call (high priority); letter (follow up) decided",
        "Exposure": "EUR 850.00, 85.0 % of the limit EUR 1,000.00",
    }


def test_a_customer_of_whom_nothing_is_known_is_shown_by_its_id(page_of: Page) -> None:
    page = page_of(whole(debtors=(debtor("ACME", "EUR", "X9", disputed_amount=Decimal(0)),), customers=()))
    story = html.fromstring(page).find_class("stories")[0].find("li")
    assert [fact.text for fact in story.iter("dd")] == ["oldest 143 days past due", "none on record"]
    assert story.find(".//strong").text == "X9"


def test_last_months_forecast_is_held_against_what_came(page_of: Page) -> None:
    said = (
        "The forecast of 31 Aug 2026 expected EUR 400.00 in 4 weeks; 360.00 came, an error of −40.00 (−10.0 % of"
        " expected). 4 of 4 weeks within the range."
    )
    assert said in texts(page_of(whole())).replace("\u00a0", " ")


def test_of_earlier_forecasts_the_newest_with_four_weeks_is_tried_else_that_with_most() -> None:
    def made(day: date, weeks: int) -> list[dict[str, Any]]:
        return [forecast_error("A", "EUR", day, week) for week in range(1, weeks + 1)]

    older, newer, newest = date(2026, 8, 1), date(2026, 8, 25), date(2026, 9, 16)
    assert tried_weeks([*made(older, 4), *made(newer, 4), *made(newest, 2)]) == made(newer, 4)
    assert tried_weeks([*made(newer, 3), *made(newest, 2)]) == made(newer, 3)
    assert tried_weeks([]) == []


def test_checks_that_failed_are_named_and_those_that_held_are_counted(page_of: Page) -> None:
    failed = check("control_account", passed=False, severity="gate", expected="10.00", actual="9.99")
    page = page_of(whole(checks=(failed, check())))
    assert cells(page, "Checks that did not hold") == [
        ["control_account", "nothing is sent", "10.00", "9.99"]
    ]
    assert "1 of 2 checks held." in texts(page)
    assert "1 check of the run did not hold" in texts(page)


@pytest.mark.parametrize(
    ("code", "opening", "net"),
    [("JPY", "1,640", "212,000"), ("EUR", "1,640.00", "212,000.00"), ("KWD", "1,640.000", "212,000.000")],
)
def test_amounts_have_the_decimals_of_their_currency(
    page_of: Page, code: str, opening: str, net: str
) -> None:
    page = page_of(whole(code=code))
    assert cells(page, f"Roll-forward of net receivables, {code}")[0][1] == opening
    assert cells(page, "Entities and currencies, each in its own currency")[0][1] == net


def test_every_link_has_its_anchor_and_every_anchor_is_there_once(page_of: Page) -> None:
    page = page_of(whole())
    anchors = re.findall(r'\bid="([^"]*)"', page)
    links = re.findall(r'href="([^"]*)"', page)
    assert links
    assert all(link.startswith("#") for link in links)
    assert {link[1:] for link in links} <= set(anchors)
    assert len(anchors) == len(set(anchors))
    assert all(html.fromstring(page).get_element_by_id(link[1:]).text_content().strip() for link in links)


def test_the_page_needs_nothing_from_elsewhere_and_no_script(page_of: Page) -> None:
    page = page_of(whole())
    assert re.findall(r"https?:|//[a-z]|<script|<link|<iframe|<img|\bon\w+=|@import|url\(", page) == []
    assert "default-src 'none'" in page


def test_a_page_with_many_ledgers_stays_below_a_megabyte_and_says_what_it_leaves_out(page_of: Page) -> None:
    months = [date(2024 + (number // 12), number % 12 + 1, 28) for number in range(8, 32)]
    customers = tuple(customer(f"C{number}", f"Customer number {number} Ltd") for number in range(10))
    many: dict[str, list[Any]] = {part.name: [] for part in fields(Figures) if part.name != "absent"}
    for number in range(40):
        entity = "ALL" if number == 0 else f"E{number:02d}"
        one = whole(
            entity,
            kpis=tuple(kpis(entity, "EUR", day) for day in [*months, AS_OF]),
            buckets=tuple(row for day in [*months, AS_OF] for row in buckets(entity, "EUR", day)),
            debtors=tuple(debtor(entity, "EUR", f"C{rank}", debtor_rank=rank + 1) for rank in range(10)),
            customers=(),
        )
        for part in many:
            many[part] += getattr(one, part)
    page = page_of(Figures(**{**{name: tuple(rows) for name, rows in many.items()}, "customers": customers}))
    assert len(page.encode()) < 1_000_000
    assert len(html.fromstring(page).find_class("ledger")) == 12
    assert "28 more, with fewer open items, are in this table alone" in texts(page)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_text_and_changes_nothing_else(shared_pages: tuple[Any, Page], name: str) -> None:
    plain, page_of = shared_pages
    page = page_of(_named(name))
    assert [_shape(one) for one in html.fromstring(page).iter()] == plain
    shown = html.fromstring(page).find_class("stories")[0].find(".//strong").text
    assert (shown or "") == one_line(name)


def test_six_hundred_hostile_names_bring_no_tag(page_of: Page, capsys: pytest.CaptureFixture[str]) -> None:
    def page_with(names: list[str]) -> Any:
        figures = replace(
            _named(names[0]),
            debtors=tuple(debtor("ACME", "EUR", f"C{at}", debtor_rank=at + 1) for at in range(len(names))),
            customers=tuple(customer(f"C{at}", name) for at, name in enumerate(names)),
        )
        return html.fromstring(page_of(figures))

    shown = [name for name in EVERY_HOSTILE if one_line(name)]  # a blank one is shown as none
    plain = [_shape(one) for one in page_with(["Acme"] * 10).iter()]
    for start in range(0, len(shown), 10):
        names = [*shown[start : start + 10], *["Acme"] * 9][:10]
        page = page_with(names)
        assert [_shape(one) for one in page.iter()] == plain, names
        text = " ".join(page.text_content().split())
        assert [name for name in names if " ".join(one_line(name).split()) not in text] == []
    with capsys.disabled():
        print(f"\nfinance page: {len(EVERY_HOSTILE)} texts, 0 tags")  # noqa: T201


@pytest.fixture(scope="module")
def shared_pages(page_of: Page) -> tuple[Any, Page]:
    return [_shape(one) for one in html.fromstring(page_of(_named("Acme"))).iter()], page_of


def _named(name: str) -> Figures:
    """A small page with the text wherever other people's systems write one."""
    key = {"entity_id": "ACME", "currency_code": "EUR"}
    return Figures(
        balances=whole().balances,
        debtors=(debtor("ACME", "EUR", "C1"),),
        customers=(customer("C1", name or "-", segment=name),),
        alerts=({**key, "alert_code": "x", "subject": name, "alert_amount": Decimal(1),
                 "measured_ratio": None, "limit_ratio": None, "reason": name},),
        checks=(check(name, passed=False, expected=name, actual=name),),
    )  # fmt: skip


def _shape(element: Any) -> tuple[Any, ...]:
    return element.tag, sorted(element.attrib.items())


def _emptied() -> list[Any]:
    parts = [part.name for part in fields(Figures) if part.name != "absent"]
    return [
        *(pytest.param({name: ()}, id=name) for name in parts),
        pytest.param(dict.fromkeys(parts, ()), id="all"),
    ]


@pytest.mark.parametrize("parts", _emptied())
def test_a_part_without_rows_is_told_in_words_and_drawn_as_nothing(
    page_of: Page, parts: dict[str, Any]
) -> None:
    page = page_of(replace(whole(), **parts))
    tree = html.fromstring(page)
    assert all(table.findall(".//tbody/tr") for table in tree.iter("table"))
    assert all(len(heading.getparent()) > 1 for heading in tree.iter("h2", "h3"))
    assert {link[1:] for link in re.findall(r'href="([^"]*)"', page)} <= set(
        re.findall(r'\bid="([^"]*)"', page)
    )


def test_a_first_run_and_a_ledger_of_open_amounts_say_what_is_missing(page_of: Page) -> None:
    first = whole(
        kpis=(kpis("ACME", "EUR"),), buckets=tuple(buckets("ACME", "EUR")), rollforward=(), forecast_errors=()
    )
    said = texts(page_of(first))
    assert "There are not yet two dates to draw." in said
    assert "There is no roll-forward: it needs invoices and payments, and not open amounts alone." in said
    assert "No earlier forecast can be held against what came: none is old enough." in said


def test_what_a_run_did_not_make_is_not_said_to_be_nothing(page_of: Page) -> None:
    empty = replace(whole(), alerts=(), checks=(), disputes=(), deductions=())
    unknown = frozenset({"alerts", "checks", "disputes", "deductions", "worklist"})
    made, unmade = texts(page_of(empty)), texts(page_of(replace(empty, absent=unknown)))
    assert made.count("This run did not make these figures.") == 0
    assert unmade.count("This run did not make these figures.") == 3
    assert "No alert: nothing that is watched crossed its limit." in made
    assert "No alert" not in unmade


def test_the_page_can_be_read_by_machine_headings_captions_and_words_for_drawings(page_of: Page) -> None:
    tree = html.fromstring(page_of(whole()))
    levels = [int(one.tag[1]) for one in tree.iter("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert tree.get("lang") == "en"
    assert all(
        table.findtext("caption") or table.find("caption/a") is not None for table in tree.iter("table")
    )
    assert all(row[0].get("scope") == "row" for row in tree.iterfind(".//tbody/tr"))
    drawings = [one.getparent() for one in tree.iter("svg")]
    assert len(drawings) == 5
    assert all(one.get("role") == "img" and len(one.get("aria-label")) > 40 for one in drawings)


def test_the_same_figures_make_the_same_bytes(page_of: Page) -> None:
    assert page_of(whole()) == page_of(whole())


def test_the_group_comes_first_and_has_its_own_total(page_of: Page) -> None:
    figures = whole("ALL", "USD")
    both = Figures(**{
        part.name: (*getattr(whole("ACME"), part.name), *getattr(figures, part.name))
        for part in fields(Figures) if part.name != "absent"
    })  # fmt: skip
    titles = [one.find("h2").text for one in html.fromstring(page_of(both)).find_class("ledger")]
    assert titles == ["Group · USD", "ACME · EUR"]
    assert cells(page_of(both), "Open items by days past due, USD")[-2:] == [
        ["Credit memos and unapplied cash", "−8,000.00", "", ""],
        ["Net receivables", "212,000.00", "", ""],
    ]


def test_the_month_before_is_in_the_table_of_months(page_of: Page) -> None:
    rows = cells(page_of(whole()), "Open items by age at month ends, EUR")
    assert [row[0] for row in rows] == ["30\u00a0Sep\u00a02026", "31\u00a0Aug\u00a02026"]
    assert rows[1][-1] == "220,000.00"
    assert BEFORE < AS_OF
