"""What a customer's reason code means with us."""

from pathlib import Path

import polars as pl
import pytest

from o2c.matching.reasons import our_reason, our_reasons
from o2c.policy import ReasonCodesPolicy, load_policies
from o2c.sources.bank.remadv_reading import reasons as edifact_reasons
from o2c.sources.bank.x12_values import reasons as x12_reasons

POLICY = ReasonCodesPolicy.model_validate(
    {
        "reasons": [
            {"code": code, "text": code.replace("_", " "), "opens_dispute": code != "bank_fee"}
            for code in (
                "pricing",
                "damaged",
                "returned_goods",
                "bank_fee",
                "discount",
                "none_given",
                "unknown",
            )
        ],
        "x12_426": {"01": "pricing", "11": "returned_goods", "J3": "damaged"},
        "iso_20022": {"TMDS": "discount", "J3": "pricing"},
        "edifact_4465": {"1": "damaged", "11": "bank_fee"},
        "customers": {"ACME": {"K7": "damaged", "01": "bank_fee", "edifact_4465:1": "pricing"}},
        "lists": {"EDI": ["edifact_4465", "iso_20022"], "OWN": []},
        "unexplained": "none_given",
        "unearned_discount": "discount",
        "unmapped": "unknown",
    }
)


@pytest.mark.parametrize(
    ("customer_id", "code", "reason", "list_name"),
    [
        ("ACME", "K7", "damaged", "customer"),
        ("ACME", "01", "bank_fee", "customer"),
        ("ACME", "x12_426:01", "bank_fee", "customer"),
        ("ACME", "edifact_4465:1", "pricing", "customer"),
        ("ACME", "1", "unknown", None),
        ("ACME", "11", "returned_goods", "x12_426"),
        ("OTHER", "K7", "unknown", None),
        ("OTHER", "01", "pricing", "x12_426"),
        ("OTHER", "1", "unknown", None),
        ("OTHER", " j3 ", "damaged", "x12_426"),
        ("OTHER", "iso_20022:J3", "pricing", "iso_20022"),
        ("OTHER", "tmds", "discount", "iso_20022"),
        ("OTHER", "edifact_4465:11", "bank_fee", "edifact_4465"),
        ("OTHER", "EDIFACT_4465 : 11", "bank_fee", "edifact_4465"),
        ("OTHER", "edifact_4465:01", "unknown", None),
        ("OTHER", "edifact_9999:11", "unknown", None),
        ("EDI", "11", "bank_fee", "edifact_4465"),
        ("EDI", "01", "unknown", None),
        ("EDI", "x12_426:01", "pricing", "x12_426"),
        ("EDI", "TMDS", "discount", "iso_20022"),
        ("OWN", "01", "unknown", None),
        ("OTHER", None, "none_given", None),
        ("ACME", "  ", "none_given", None),
    ],
)
def test_a_code_is_looked_up_in_the_customers_own_list_then_in_that_it_says_then_in_the_shipped_ones(
    customer_id, code, reason, list_name
):
    assert our_reason(customer_id, code, POLICY) == (reason, list_name)


def test_many_rows_keep_their_order_and_their_other_columns():
    codes = pl.DataFrame(
        {
            "line": [3, 1, 2, 4],
            "customer_id": ["OTHER", "ACME", "OTHER", "OTHER"],
            "customer_reason_code": ["01", "01", None, "01"],
        }
    )
    assert our_reasons(codes, POLICY).rows() == [
        (3, "OTHER", "01", "pricing", "x12_426"),
        (1, "ACME", "01", "bank_fee", "customer"),
        (2, "OTHER", None, "none_given", None),
        (4, "OTHER", "01", "pricing", "x12_426"),
    ]
    assert our_reasons(codes.clear(), POLICY).rows() == []


def test_every_code_that_a_reader_knows_has_a_meaning_but_those_that_are_agreed_with_one_customer():
    shipped = load_policies(Path(__file__).parents[3] / "policies").reason_codes
    without = {
        name: sorted(code for code in known if our_reason("ANY", f"{name}:{code}", shipped)[0] == "unmapped")
        for name, known in (("x12_426", x12_reasons()), ("edifact_4465", edifact_reasons()))
    }
    assert without == {"x12_426": ["27", "37", "73", "AX", "IA", "ZZ"], "edifact_4465": ["ZZZ"]}
