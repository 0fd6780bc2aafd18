"""Names of companies in all their spellings."""

import polars as pl
import pytest
from matching_books import names

from o2c.matching.names import families, name_keys, name_likeness


def bare(name):
    return name_keys(pl.Series([name], dtype=pl.String))["bare"].item()


def core(name):
    return name_keys(pl.Series([name], dtype=pl.String))["core"].item()


def alike(one, other):
    return name_likeness(pl.Series([one], dtype=pl.String), pl.Series([other], dtype=pl.String)).item()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller GmbH & Co. KG", "MUELLER"),
        ("Muller und Sohn AG", "Müller & Sohn"),
        ("Smith and Jones Ltd.", "SMITH & JONES LIMITED"),
        ("Société Générale S.A.", "societe generale"),
        ("Fiat S.p.A.", "FIAT"),
        ("Acme A/S", "ACME AS"),
        ("Acme Pty Ltd", "Acme"),
        ("Foo Sp. z o.o.", "FOO"),
        ("Škoda Auto a.s.", "SKODA AUTO"),
        ("Cemex S.A.B. de C.V.", "Cemex SAB de CV"),
        ("Toyota K.K.", "Toyota"),
        ("株式会社トヨタ", "トヨタ"),
        ("McDonald's Corp.", "MCDONALDS CORPORATION"),
        ("WAL-MAR corp", "WAL MAR"),
        ("Łódź Sp. z o.o.", "LODZ"),
        ("Smørrebrød ApS", "Smorrebrod"),
        ("Straße AG", "Strasse"),
        ("ACME   INC", "a c m e"),
    ],
)
def test_spellings_and_legal_forms_of_one_name_are_one_name(one, other):
    assert bare(one) == bare(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Delta Systems", "Delta Trust"),
        ("Store 12 Inc", "Store 13 Inc"),
        ("Inc Magazine", "Magazine"),
        ("AG", "SA"),
        ("Sabine", "Bine"),
        ("Costa", "Cost"),
    ],
)
def test_other_names_stay_others(one, other):
    assert bare(one) != bare(other)


@pytest.mark.parametrize("name", [None, "", "  ", "...", "&"])
def test_an_empty_name_is_empty_and_like_none(name):
    assert bare(name) == core(name) == ""
    assert alike(name, name) == 0.0
    assert alike(name, "ACME") == alike("ACME", name) == 0.0


@pytest.mark.parametrize("name", ["AG", "S.A.", "Group Holding", "The Company"])
def test_a_name_of_nothing_but_forms_is_itself(name):
    assert bare(name) != ""
    assert core(name) != ""


@pytest.mark.parametrize(
    "suffix", ["corp", "in", "us", "systems", "associates", "trust", "foundation", "co", "llc", ""]
)
def test_weak_words_are_no_part_of_the_core(suffix):
    assert core(f"WAL-MAR {suffix}") == "WAL MAR"


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("ACME Inc", "acme", 1.0, 1.0),
        ("Global Logistics", "Globl Logistics Inc", 0.95, 0.99),
        ("Global Logistics", "Logistics Global", 1.0, 1.0),
        ("Internationale Verkehrsgesell", "Internationale Verkehrsgesellschaft Nord AG", 0.95, 0.95),
        ("Delta Systems", "Delta Trust", 1.0, 1.0),
        ("Customer 0012", "Customer 0013", 0.0, 0.0),
        ("Alpha", "Omega", 0.0, 0.5),
    ],
)
def test_likeness_is_of_what_tells_names_apart(one, other, least, most):
    assert least <= alike(one, other) <= most
    assert alike(one, other) == alike(other, one)


def test_likeness_comes_in_the_order_of_the_pairs():
    payers = pl.Series(["ACME", None, "Beta", "ACME"])
    customers = pl.Series(["Beta", "ACME", "Beta GmbH", "Acme Inc"])
    assert [value > 0.9 for value in name_likeness(payers, customers)] == [False, False, True, True]


def test_a_family_is_named_by_the_head_of_the_chain_of_parents():
    customers = names(
        A="a",
        B=("b", "A"),
        C=("c", "B"),
        D=("d", "GONE"),
        E=("e", "F"),
        F=("f", "E"),
        G=("g", "F"),
        H=("h", "H"),
    )
    assert families(customers).rows() == [
        ("A", "A"),
        ("B", "A"),
        ("C", "A"),
        ("D", "GONE"),
        ("E", "E"),
        ("F", "E"),
        ("G", "E"),
        ("H", "H"),
    ]
    assert families(customers.reverse()).rows() == families(customers).rows()
