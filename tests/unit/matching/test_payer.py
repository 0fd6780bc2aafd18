"""Who paid: each rule on literal rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_books import POLICY, accounts, names, payment, payments
from polars.testing import assert_frame_equal

from o2c.matching.payer import PAYERS, find_payers

CUSTOMERS = names(
    MULLER="Müller & Söhne GmbH",
    GLOBAL="Global Logistics Inc",
    TWIN="Global Logistics Corp",
    NORTH="Nordwind Reederei AG",
    SOUTH="Nordwing Reederei AG",
    S12="Supermarkt 12 KG",
    S13="Supermarkt 13 KG",
    LONG="Internationale Verkehrsgesellschaft Nord AG",
    BLANK="",
    DELTAS="Delta Systems",
    DELTAT="Delta Trust",
)
ACCOUNTS = accounts(("DE89 3704", "MULLER"), ("!DE893704", "GLOBAL"), ("US1", "TWIN"))


def known(**paid):
    rows = payments(payment("P", "1.00", **paid)).with_row_index("payment_key")
    found = find_payers(rows, CUSTOMERS, ACCOUNTS, POLICY)
    assert found.schema == PAYERS
    return found.select("customer_id", "rule").rows()


@pytest.mark.parametrize(
    ("name", "customers"),
    [
        ("MUELLER UND SOEHNE", [("MULLER", "payer_name")]),
        ("global logistics", [("GLOBAL", "payer_name"), ("TWIN", "payer_name")]),
        ("Mueler & Söhne", [("MULLER", "similar_name")]),
        ("Globl Logistics", [("GLOBAL", "similar_name"), ("TWIN", "similar_name")]),
        ("Logistics Global", [("GLOBAL", "similar_name"), ("TWIN", "similar_name")]),
        ("Internationale Verkehrsgese", [("LONG", "similar_name")]),
        ("INTRNTNL VRKHRSGSLLSCHFT NRD AG", [("LONG", "similar_name")]),
        ("Müller & Söhne GmbH, Hauptstr. 5, Berlin", [("MULLER", "payer_name")]),
        ("Delta Group", [("DELTAS", "similar_name"), ("DELTAT", "similar_name")]),
        ("Delta Trust Ltd", [("DELTAT", "payer_name")]),
        ("Nordwinx Reederei", []),
        ("Supermarkt 1", []),
        ("Supermarkt 14", []),
        ("Supermarct 13", [("S13", "similar_name")]),
        ("Sonnenschein", []),
        ("", []),
        ("...", []),
        (None, []),
    ],
)
def test_a_payer_is_known_by_the_name_or_one_much_like_it(name, customers):
    assert known(payer_name=name) == customers


@pytest.mark.parametrize(
    ("paid", "customers"),
    [
        ({"payer_account": "DE893704"}, [("GLOBAL", "remembered_account"), ("MULLER", "payer_account")]),
        ({"payer_account": "de89 3704"}, [("GLOBAL", "remembered_account"), ("MULLER", "payer_account")]),
        ({"payer_account": "DE893705"}, []),
        ({"payer_account": ""}, []),
        ({"customer_id": "NEW"}, [("NEW", "source_customer")]),
        ({"customer_id": "TWIN", "payer_account": "US1"}, [("TWIN", "source_customer")]),
        ({"payer_account": "US1", "payer_name": "Mueler & Söhne"}, [("TWIN", "payer_account")]),
        (
            {"payer_account": "US1", "payer_name": "Müller & Söhne"},
            [("MULLER", "payer_name"), ("TWIN", "payer_account")],
        ),
    ],
    ids=[
        "a person's word and habit",
        "blanks and capitals mean nothing",
        "another account",
        "no account",
        "a customer without a name",
        "the most trusted rule is named",
        "a similar name only where nothing else is known",
        "two rules may know two customers",
    ],
)
def test_a_payer_is_known_by_source_account_and_name(paid, customers):
    assert known(**paid) == customers


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(random):
    called = ["Mueler & Söhne", "Globl Logistics", "Delta Group", None, "Nordwind Reederei", "Müller Söhne"]
    paid = payments(
        *(payment(f"P{at}", "1.00", payer_name=name) for at, name in enumerate(called))
    ).with_row_index("payment_key")
    seed = random.randrange(1000)
    mixed = [frame.sample(fraction=1, shuffle=True, seed=seed) for frame in (paid, CUSTOMERS, ACCOUNTS)]
    assert_frame_equal(find_payers(*mixed, POLICY), find_payers(paid, CUSTOMERS, ACCOUNTS, POLICY))
