"""What texts and remittance lines name, rule by rule, and the texts that name nothing."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_books import POLICY, frame, item, items, payment, payments
from polars.testing import assert_frame_equal

from o2c.frames import RemittanceLines
from o2c.matching.references import REFERENCES, find_references, lines_of_payments

NOBODY = pl.DataFrame(schema={"payment_key": pl.UInt32, "customer_id": pl.String})


def book(*numbers: str | dict[str, Any]) -> pl.DataFrame:
    """Items of ACME over 100.00 with these invoice numbers; their ids are ID0, ID1 and so on."""
    rows = [{"invoice_number": number} if isinstance(number, str) else number for number in numbers]
    return items(
        *(item(f"ID{at}", row.get("open_amount", "100.00"), **_without(row)) for at, row in enumerate(rows))
    ).with_row_index("item_key")


def _without(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "open_amount"}


def line(reference: str, amount: str, **other: Any) -> dict[str, Any]:
    return {"invoice_reference": reference, "paid_amount": Decimal(amount), **other}


def lines(*rows: dict[str, Any]) -> pl.DataFrame:
    numbered = [{"remittance_id": "R", "line_number": at, **row} for at, row in enumerate(rows, start=1)]
    return frame(RemittanceLines, numbered)


def of_acme(paid: pl.DataFrame) -> pl.DataFrame:
    return paid.select("payment_key", customer_id=pl.lit("ACME"))


def references(texts, ledger, remittances=(), payers=of_acme, policy=POLICY, amount="100.00"):
    """Every reference as (payment, line number or None, invoice number, rule, what was read)."""
    paid = payments(*(payment(f"P{at}", amount, text) for at, text in enumerate(texts))).with_row_index(
        "payment_key"
    )
    said = lines_of_payments(paid, lines(*remittances).with_row_index("line_key"))
    found = find_references(paid, said, ledger, payers(paid), policy)
    assert found.schema == REFERENCES
    keyed = (
        found.join(paid.select("payment_key", "payment_id"), on="payment_key")
        .join(said.select("line_key", "line_number"), on="line_key", how="left")
        .join(ledger.select("item_key", "invoice_number"), on="item_key")
        .sort("payment_key", "line_key", "invoice_number")
    )
    return keyed.select("payment_id", "line_number", "invoice_number", "rule", "said").rows()


def named(text, *numbers, **how):
    return [(number, rule) for _, _, number, rule, _ in references([text], book(*numbers), **how)]


LEDGER = (
    "INV-2024-0017",
    "INV-1001",
    "INV-1002",
    "INV-1003",
    "INV-100",
    "CM-1004",
    "4711",
    "RE/24/0815",
    "1234A",
)


@pytest.mark.parametrize(
    ("text", "number", "rule"),
    [
        ("INV-2024-0017", "INV-2024-0017", "invoice_number"),
        (" inv2024/0017 ", "INV-2024-0017", "invoice_number"),
        ("1234a", "1234A", "invoice_number"),
        ("4711", "4711", "invoice_number"),
        ("Rechnung INV-2024-0017 vom 3.4.", "INV-2024-0017", "embedded_number"),
        ("INV 2024 0017", "INV-2024-0017", "embedded_number"),
        ("INV-20240 017", "INV-2024-0017", "embedded_number"),
        ("INV-2024-00 17 SEPA", "INV-2024-0017", "embedded_number"),
        ("RechnungINV1001", "INV-1001", "embedded_number"),
        ("INV\u20111001 bez.", "INV-1001", "embedded_number"),
        ("INV\u00ad-10\u00ad01 bez.", "INV-1001", "embedded_number"),
        ("INV\u00a01001\u00a0bez.", "INV-1001", "embedded_number"),
        ("INV\uff11\uff10\uff10\uff11 bez.", "INV-1001", "embedded_number"),
        ("INV-\u0661\u0660\u0660\u0661 bez.", "INV-1001", "embedded_number"),
        ("PO 77 INV-1001", "INV-1001", "embedded_number"),
        ("INV 4711", "4711", "embedded_number"),
        ("Zahlung4711", "4711", "embedded_number"),
        ("1234A vom 5.", "1234A", "embedded_number"),
        ("2024-0017", "INV-2024-0017", "digits"),
        ("INV-2024-17", "INV-2024-0017", "digits"),
        ("2024/17", "INV-2024-0017", "digits"),
        ("INV-01001", "INV-1001", "digits"),
        ("1001", "INV-1001", "digits"),
        ("0001001", "INV-1001", "digits"),
        ("Invoice 1001", "INV-1001", "digits"),
        ("INV-2024-0017VOM3", "INV-2024-0017", "embedded_number"),
        ("RG 24/815", "RE/24/0815", "digits"),
        ("0815", "RE/24/0815", "digits"),
        ("INV-1001-01", "INV-1001", "digits"),
        ("1234", "1234A", "digits"),
    ],
)
def test_a_text_names_the_invoice_by_the_rule(text, number, rule):
    assert named(text, *LEDGER) == [(number, rule)]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "   ",
        "diverse Rechnungen",
        "2024",
        "Miete 2024",
        "20240403",
        "am 20240403",
        "03.04.2024",
        "2024-04-03",
        "April 2024, 17.",
        "1,001.00",
        "1001.00 EUR",
        "EUR 1001",
        "1'001.00",
        "1 001,00",
        "PO 1001",
        "PO-1001",
        "Order no. 1001",
        "Kd.-Nr. 1001",
        "Kundennummer: 4711",
        "customer no 4711",
        "Tel 0711 1001 1002",
        "Fax +49 711 4711",
        "Konto 4711 1001",
        "DE89 3704 0044 0532 0130 00",
        "CM-1001",
        "X1001",
        "INV-10O1",
        "INV-lOO1",
        "INV-10011",
        "INV-1 001x9",
        "2023-0017",
        "INV-2023-0017",
        "24-1001",
        "INV-1001B",
        "RG 240815",
        "1234B",
        "INV-10",
        "17",
        "71001",
        "10010",
        "V-1001234",
    ],
)
def test_a_text_that_only_looks_like_a_number_names_nothing(text):
    assert named(text, *LEDGER, "20240403A", payers=lambda _: NOBODY) == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("INV-1001 INV-1002", ["INV-1001", "INV-1002"]),
        ("INV-1001,1002+1003", ["INV-1001", "INV-1002", "INV-1003"]),
        ("1001/1002", ["INV-1001", "INV-1002"]),
        ("1001/9999", ["INV-1001"]),
        ("INV-100/INV-1001", ["INV-100", "INV-1001"]),
        ("INV-100", ["INV-100"]),
        ("INV-100 1", ["INV-100"]),
        ("CM-1004 INV-1001", ["CM-1004", "INV-1001"]),
        ("INV-1001 vom 03.04.2024 1.002,00 EUR", ["INV-1001"]),
        ("2024-04-03 2024-04-04 1001", ["INV-1001"]),
        ("INV-1001 INV 1001", ["INV-1001"]),
        ("Tel 0711 1002, RE 1001", ["INV-1001"]),
    ],
)
def test_a_text_names_all_its_invoices_and_no_more(text, numbers):
    assert [number for number, _ in named(text, *LEDGER)] == numbers


def test_the_longer_number_wins_where_one_begins_like_the_other():
    assert named("INV-1001-05", "INV-1001", "INV-1001-05") == [("INV-1001-05", "invoice_number")]
    assert named("zu INV-1001-05", "INV-1001", "INV-1001-05") == [("INV-1001-05", "embedded_number")]
    assert named("INV 2024 0017", "2024", "INV-2024-0017") == [("INV-2024-0017", "embedded_number")]


def test_a_year_is_a_number_only_where_it_is_called_an_invoice():
    assert named("Rechnung 2024", "2024") == [("2024", "embedded_number")]
    assert named("Jahr 2024", "2024") == []
    assert named("2024", "2024") == [("2024", "invoice_number")]


def test_numbers_that_end_in_a_year_are_told_apart_by_the_rest():
    numbers = ("INV-0017-2024", "INV-0018-2024", "INV-0017-2025")
    assert named("0017-2024 bezahlt", *numbers) == [("INV-0017-2024", "digits")]
    assert named("INV-17/2024", *numbers) == [("INV-0017-2024", "digits")]
    assert named("17/2024", *numbers) == [("INV-0017-2024", "digits")]
    assert named("2024", *numbers) == []


@pytest.mark.parametrize(("number", "found"), [("A123", [("A123", "embedded_number")]), ("A12", [])])
def test_short_numbers_are_not_looked_for_inside_texts(number, found):
    assert named(f"fuer {number} danke", number) == found


@pytest.mark.parametrize(
    ("text", "found"), [("fuer 1234 danke", [("INV-1234", "digits")]), ("fuer 123 danke", [])]
)
def test_few_digits_say_nothing_without_their_letters(text, found):
    assert named(text, "INV-1234", "INV-123") == found


@pytest.mark.parametrize(("count", "found"), [(20, 20), (21, 0)])
def test_a_text_that_fits_too_many_items_says_nothing(count, found):
    assert len(named("INV-1001", *["INV-1001"] * count)) == found
    assert len(named("zu INV-1001 bez.", *["INV-1001"] * count)) == found
    assert len(named("1001", *[f"{chr(65 + at)}{chr(66 + at)}-1001" for at in range(count)])) == found


def test_digits_that_many_numbers_share_do_not_hide_the_number_itself():
    numbers = [f"A{chr(65 + at)}-1001" for at in range(25)]
    assert named("zu AC-1001 bez.", *numbers) == [("AC-1001", "embedded_number")]


@pytest.mark.parametrize("other", [{"entity_id": "US01"}, {"currency_code": "USD"}])
def test_nothing_is_found_across_entity_or_currency(other):
    numbers = [{"invoice_number": number} | other for number in ("INV-1001", "INV-1002", "INV-1003")]
    for text in ("INV-1001", "zu INV-1001", "1001", "INV-1001-1003", "ID0", "INV-1O01"):
        assert named(text, *numbers) == []
    assert references([None], book(*numbers), [line("INV-1001", "100.00", payment_id="P0")]) == []


SERIES = [f"INV-{number}" for number in range(1001, 1061)]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("INV1001-1005", 1001, 1005),
        ("INV-1001 - INV-1005", 1001, 1005),
        ("INV 1001 bis 1005", 1001, 1005),
        ("invoices 1001 thru 1005", 1001, 1005),
        ("1001 to 1005", 1001, 1005),
        ("1001-05", 1001, 1005),
        ("INV-1001-05", 1001, 1005),
        ("INV1001-5", 1001, 1005),
        ("INV-1001-1050", 1001, 1050),
    ],
)
def test_a_range_names_its_ends_and_what_lies_between(text, first, last):
    assert [number for number, _ in named(text, *SERIES)] == [f"INV-{n}" for n in range(first, last + 1)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("INV-1001-1051", ["INV-1001", "INV-1051"]),
        ("INV-1005-1001", ["INV-1001", "INV-1005"]),
        ("INV-1058-1062", ["INV-1058"]),
        ("1001-26", []),
        ("INV-1001, 1005", ["INV-1001", "INV-1005"]),
    ],
    ids=["too long", "backwards", "no such end", "far away without our letters", "a list"],
)
def test_what_is_no_range_names_its_ends_at_most(text, numbers):
    assert [number for number, _ in named(text, *SERIES)] == numbers


YEARLY = [f"{number}-26" for number in range(1864, 1900)]


@pytest.mark.parametrize("text", ["1864-26 - 1868-26", "RG 1864-26..1868", "1864-26 bis 1868"])
def test_a_range_counts_before_the_year_at_the_end_of_numbers(text):
    assert [number for number, _ in named(text, *YEARLY)] == [f"{n}-26" for n in range(1864, 1869)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("INV-2026-013806,010259,018353", ["INV-2026-010259", "INV-2026-013806", "INV-2026-018353"]),
        ("INV-2026-013806 und 010259", ["INV-2026-010259", "INV-2026-013806"]),
        ("INV-2025-010259, 013806", ["INV-2025-010259"]),
        ("INV-2026-013806, 10259", ["INV-2026-013806"]),
        ("INV-2026-013806 Ref 010259", ["INV-2026-013806"]),
        ("010259 INV-2026-013806", ["INV-2026-013806"]),
    ],
    ids=["a list", "with and", "of another year", "fewer digits", "other words between", "before the first"],
)
def test_a_list_goes_on_from_its_first_number(text, numbers):
    ledger = ("INV-2026-013806", "INV-2026-010259", "INV-2026-018353", "INV-2025-010259")
    assert [number for number, _ in named(text, *ledger)] == numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fuer 4110", [("900004110", "digits")]),
        ("fuer 00004110", [("900004110", "digits")]),
        ("fuer 04110", [("900004110", "digits")]),
        ("fuer 110", []),
        ("fuer 0411", []),
        ("Kd-Nr 4110", []),
        ("fuer 4111", []),
    ],
)
def test_what_all_numbers_of_a_series_begin_with_may_be_left_out(text, found):
    assert named(text, "900004110", "900011045") == found


def test_a_series_that_begins_in_several_ways_is_no_series():
    assert named("fuer 4110", "900004110", "100011045") == []
    assert named("fuer 1", "900001", "900002") == []


def test_a_range_passes_over_numbers_that_are_not_ours():
    numbers = ("INV-1001", "INV-1003", "CM-1002")
    assert [number for number, _ in named("INV-1001-1003", *numbers)] == ["INV-1001", "INV-1003"]


def test_a_number_that_looks_like_a_range_wins():
    assert named("INV1001-1003", *SERIES, "INV-1001-1003") == [("INV-1001-1003", "invoice_number")]
    assert named("zu INV1001-1003", *SERIES, "INV-1001-1003") == [("INV-1001-1003", "embedded_number")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("RF18539007547034", ["539007547034"]),
        ("RF18 5390 0754 7034", ["539007547034"]),
        ("Zahlung RF18 5390 0754 7034 danke", ["539007547034"]),
        ("RF19539007547034", []),
        ("210000000003139471430009017", ["RE-313947143000901"]),
        ("21 00000 00003 13947 14300 09017", ["RE-313947143000901"]),
        ("210000000003139471430009018", []),
        ("+++090/9337/55493+++", ["909337554"]),
        ("+++090/9337/55494+++", []),
    ],
)
def test_a_creditor_reference_with_right_check_digits_holds_the_number(text, found):
    rows = named(text, "539007547034", "RE-313947143000901", "909337554")
    assert rows == [(number, "creditor_reference") for number in found]


def test_the_letters_of_a_creditor_reference_are_the_numbers_own():
    assert named("RF45G72UUR", "G72UUR") == [("G72UUR", "creditor_reference")]
    assert named("RF45G72UUR", "X72UUR") == []


def test_an_order_names_its_items_where_no_invoice_is_named():
    orders = [
        {"invoice_number": "INV-1001", "order_id": "SO0007", "po_number": "4500012345"},
        {"invoice_number": "INV-1002", "order_id": "SO0007", "po_number": "B-9/X"},
    ]
    both = [("INV-1001", "order_number"), ("INV-1002", "order_number")]
    assert named("SO-0007", *orders) == both
    assert named("PO 4500012345", *orders) == both[:1]
    assert named("Ihre Bestellung 4500012345, danke", *orders) == both[:1]
    assert named("B-9/X", *orders) == []
    assert named("SO-0007 INV-1002", *orders) == [("INV-1002", "embedded_number")]
    assert named("SO7", *orders) == []
    assert named("Kunde 4500012345", *orders) == []


@pytest.mark.parametrize(
    "text",
    [
        "INV-1O01",
        "INV-1011",
        "INV-0101",
        "INV-10001",
        "INV-101",
        "INW-1001",
        "Re INV-l001 vom 3.4.",
        "INV 1 O01",
    ],
)
def test_one_error_in_the_number_is_forgiven_with_payer_and_amount(text):
    assert named(text, "INV-1001", "CM-9999") == [("INV-1001", "typo")]
    assert named(text, "INV-1001", amount="99.99") == []
    assert named(text, {"invoice_number": "INV-1001", "customer_id": "OTHER"}) == []
    assert named(text, "INV-1001", payers=lambda _: NOBODY) == []


@pytest.mark.parametrize("text", ["INV-1OO1", "INV-1", "1011", "KD 10011", "INV-11", "2027"])
def test_two_errors_or_too_little_to_go_by_are_not_forgiven(text):
    assert named(text, "INV-1001", "2026") == []


def test_an_error_between_two_items_of_one_amount_names_neither():
    assert named("INV-1OO4", "INV-1004", "INV-10O4") == []
    assert named("INV-1O04", "INV-1004", "INV-1104") == []
    other_amount = {"invoice_number": "INV-1104", "open_amount": "50.00"}
    assert named("INV-1O04", "INV-1004", other_amount) == [("INV-1004", "typo")]


def test_a_number_that_exists_is_no_error_for_another():
    small = {"invoice_number": "INV-1002", "open_amount": "5.00"}
    assert named("INV-1002", "INV-1001", small) == [("INV-1002", "invoice_number")]


@pytest.mark.parametrize(
    ("reference", "number", "rule", "said"),
    [
        ("ID0", "INV-1001", "remittance_line", "ID0, the invoice's id"),
        ("INV-1001", "INV-1001", "remittance_line", "INV-1001, the invoice's number"),
        ("inv 1001", "INV-1001", "remittance_line", "inv 1001, spelled differently"),
        ("1001", "INV-1001", "remittance_line", "1001, with letters or zeros lost"),
        ("17", "0017", "remittance_line", "17, with letters or zeros lost"),
        ("Invoice INV-1001 of May", "INV-1001", "embedded_number", "INV-1001"),
        ("INV-1O01", "INV-1001", "typo", "INV1O01"),
    ],
)
def test_a_remittance_line_names_a_document_as_a_whole_or_like_any_text(reference, number, rule, said):
    found = references([None], book("INV-1001", "0017"), [line(reference, "100.00", payment_id="P0")])
    assert found == [("P0", 1, number, rule, said)]


def test_a_line_is_read_by_its_surest_way_only():
    assert [
        row[2]
        for row in references([None], book("1001", "INV-1001"), [line("1001", "1.00", payment_id="P0")])
    ] == ["1001"]
    assert (
        references(
            [None], book("INV-1001"), [line("CM-1001", "1.00", payment_id="P0")], payers=lambda _: NOBODY
        )
        == []
    )


def test_a_mistyped_line_needs_the_amount_that_it_settles():
    short = line("INV-1O01", "90.00", payment_id="P0", deduction_amount=Decimal("10.00"))
    assert [row[3] for row in references([None], book("INV-1001"), [short], amount="500.00")] == ["typo"]
    other = line("INV-1O01", "90.00", payment_id="P0")
    assert references([None], book("INV-1001"), [other], amount="500.00") == []


def test_a_rule_that_is_not_in_use_finds_nothing():
    for text, rule in (
        ("ID0", "invoice_id"),
        ("INV-1001", "invoice_number"),
        ("zu INV-1001", "embedded_number"),
        ("1001", "digits"),
        ("INV-1O01", "typo"),
    ):
        kept = POLICY.model_copy(update={"rules": tuple(one for one in POLICY.rules if one != rule)})
        assert rule not in {found for _, found in named(text, "INV-1001", policy=kept)}


def test_lines_belong_to_the_payment_named_or_the_one_that_carries_their_reference():
    paid = payments(
        payment("P0", "1.00", "REF-1"),
        payment("P1", "1.00", "x REF-2 y"),
        payment("P2", "1.00", "REF-3"),
        payment("P3", "1.00", " REF-3"),
    ).with_row_index("payment_key")
    said = lines(
        line("A", "1.00", payment_id="P1"),
        line("B", "1.00", payment_id="gone"),
        line("C", "1.00", payment_reference=" REF-1 "),
        line("D", "1.00", payment_reference="REF-2"),
        line("E", "1.00", payment_reference="REF-3"),
        line("F", "1.00", payment_reference="REF"),
        line("G", "1.00", payment_reference=" "),
    ).with_row_index("line_key")
    found = lines_of_payments(paid, said)
    assert found.select("invoice_reference", "payment_key").rows() == [
        ("A", 1),
        ("B", None),
        ("C", 0),
        ("D", 1),
        ("E", None),
        ("F", None),
        ("G", None),
    ]


TEXTS = st.lists(
    st.sampled_from(
        [
            "INV",
            "-",
            " ",
            "/",
            "1001",
            "1002",
            "05",
            "1001-1003",
            "2024",
            "0017",
            "O",
            "PO",
            ",",
            "RF18",
            "x",
            "vom 3.4.",
        ]
    ),
    max_size=6,
).map("".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(texts, random):
    ledger = book(*LEDGER, "INV-1001", "1001", "1005")
    paid = payments(*(payment(f"P{at}", "100.00", text) for at, text in enumerate(texts))).with_row_index(
        "payment_key"
    )
    said = lines_of_payments(
        paid,
        lines(*(line(text, "100.00", payment_id="P0") for text in texts if text)).with_row_index("line_key"),
    )
    found = find_references(paid, said, ledger, of_acme(paid), POLICY)
    seed = random.randrange(1000)
    mixed = [frame.sample(fraction=1, shuffle=True, seed=seed) for frame in (paid, said, ledger)]
    again = find_references(mixed[0], mixed[1], mixed[2], of_acme(mixed[0]), POLICY)
    assert_frame_equal(found, again)
    assert found.is_duplicated().sum() == 0
    assert found.select("payment_key", "line_key", "item_key").is_duplicated().sum() == 0
