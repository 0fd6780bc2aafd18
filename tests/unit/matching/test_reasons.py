"""What a customer's reason code means with us."""

import polars as pl
import pytest

from o2c.matching.reasons import our_reason, our_reasons
from o2c.policy import ReasonCodesPolicy

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
