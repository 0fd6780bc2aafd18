from datetime import date, timedelta
from decimal import Decimal

import pytest
from demo_files import read, unique

from o2c.demo import CLEAN, DEFAULT_END, generate
from o2c.demo.cases import ALL_CASES, CREDIT, NOT_REFERABLE, REFERABLE, RUNGS

ID_OF = {case.name: f"{900_000 + number:010d}" for number, case in enumerate(ALL_CASES, 1)}


class Book:
    """What a person finds about a customer in the files, by the first morning."""

    def __init__(self, folder):
        self.customers = {row["customer_id"]: row for row in read(folder, "customers")}
        self.invoices = unique(read(folder, "invoices"))
        self.payments = unique(read(folder, "payments"))
        self.disputed = {row["invoice_id"] for row in read(folder, "disputes") if not row["resolved_date"]}
        self.held = {row["subject_id"] for row in read(folder, "blocks")}
        self.promised = {
            row["customer_id"] for row in read(folder, "promises") if row["promised_date"] >= str(DEFAULT_END)
        }
        self.planned = {row["customer_id"] for row in read(folder, "plans")}
        self.letters = [row for row in read(folder, "activities") if row["channel"] == "letter"]
        self.orders = {row["customer_id"]: row for row in read(folder, "orders")}

    def failed(self, customer_id: str) -> set[str]:
        """Conditions of POLICIES §3 that the customer's oldest invoice does not meet."""
        customer = self.customers[customer_id]
        invoice = min(
            (row for row in self.invoices if row["customer_id"] == customer_id),
            key=lambda row: row["due_date"],
        )
        sent = {
            row["outcome_code"]: date.fromisoformat(row["activity_at"][:10])
            for row in self.letters
            if row["customer_id"] == customer_id and row["activity_at"][:10] > invoice["due_date"]
        }
        final = sent.get("dunned_level_3")
        amount = Decimal(invoice["invoice_amount"])
        age = (DEFAULT_END - date.fromisoformat(invoice["due_date"])).days
        recent = str(DEFAULT_END - timedelta(days=30))
        own = [row for row in self.payments if row["customer_id"] == customer_id]
        unclaimed = [row for row in self.payments if not row["customer_id"] and not row["payer_account"]]
        checks = {
            "age": age <= 90,
            "dispute": invoice["invoice_id"] in self.disputed,
            "block": customer_id in self.held,
            "promise": customer_id in self.promised,
            "plan": customer_id in self.planned,
            "final notice": final is None or final > DEFAULT_END - timedelta(days=14),
            "payment": any(row["value_date"] > recent for row in own),
            "suspense": any(row["payer_name"] == customer["customer_name"].upper() for row in unclaimed),
            "minimum": amount < 50 and age <= 180,
            "type": customer["customer_type"] != "business",
            "country": customer["country_code"] not in {"US", "DE", "GB"},
        }
        return {name for name, fails in checks.items() if fails}


@pytest.fixture(scope="module", params=[1, 2, 3])
def book(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"seed{request.param}")
    return Book(generate(folder, invoices=600, seed=request.param, dirt=CLEAN).folder)


def test_every_condition_of_a_referral_holds_for_at_least_five(book):
    assert {case.name: book.failed(ID_OF[case.name]) for case in REFERABLE} == {
        case.name: set() for case in REFERABLE
    }
    assert len(REFERABLE) >= 5


def test_each_refused_case_fails_exactly_one_condition(book):
    assert {case.name: book.failed(ID_OF[case.name]) for case in NOT_REFERABLE} == {
        "Refused Disputed": {"dispute"},
        "Refused Promised": {"promise"},
        "Refused Recent Payer": {"payment"},
        "Refused Insolvent": {"block"},
        "Refused By Hand": {"block"},
        "Refused No Final Notice": {"final notice"},
        "Refused Young Final Notice": {"final notice"},
        "Refused Too Small": {"minimum"},
        "Refused Planned": {"plan"},
        "Refused Consumer": {"type"},
        "Refused Abroad": {"country"},
        "Refused Suspense": {"suspense"},
    }


def test_every_rung_of_the_ladder_has_customers_with_the_letters_below_it(book):
    found = {}
    for case in RUNGS:
        if len(case.debts) == 1 and case.name.split()[1] in {
            "Courtesy",
            "First",
            "Second",
            "Third",
            "Review",
        }:
            invoice = next(row for row in book.invoices if row["customer_id"] == ID_OF[case.name])
            age = (DEFAULT_END - date.fromisoformat(invoice["due_date"])).days
            letters = sum(row["customer_id"] == ID_OF[case.name] for row in book.letters)
            found.setdefault(case.name.split()[1], []).append((age, letters))
    assert found == {
        "Courtesy": [(-3, 0), (-7, 0), (-10, 0)],
        "First": [(1, 0), (2, 0), (3, 0)],
        "Second": [(9, 1), (10, 1), (11, 1)],
        "Third": [(17, 2), (18, 2), (19, 2)],
        "Review": [(31, 3), (32, 3), (33, 3)],
    }


def test_customers_over_their_limit_have_an_order_to_hold_and_a_cured_one_an_order_to_release(book):
    for case in CREDIT:
        key = ID_OF[case.name]
        paid = {row["reference_text"] for row in book.payments}
        owed = sum(
            Decimal(row["invoice_amount"])
            for row in book.invoices
            if row["customer_id"] == key and row["invoice_number"] not in paid
        )
        is_over = owed + Decimal(book.orders[key]["order_amount"]) > Decimal(
            book.customers[key]["credit_limit_amount"]
        )
        assert (is_over, book.orders[key]["status"]) == (
            (False, "held") if case.name == "Cured" else (True, "open")
        )


def test_other_customers_reach_every_level_too(small):
    levels = {
        row["outcome_code"]
        for row in read(small, "activities")
        if row["channel"] == "letter" and row["customer_id"] < "0000900000"
    }
    assert levels == {"dunned_level_1", "dunned_level_2", "dunned_level_3"}
