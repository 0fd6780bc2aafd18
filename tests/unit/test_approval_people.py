"""Who is who: names of approvers, names that people typed, and whether two of them may be one person."""

import pytest

from o2c.approval_people import is_name, is_same_person, preparer_name


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("anna", "anna", True),
        ("anna", "Anna", True),
        ("anna", " anna ", True),
        ("anna", "аnnа", True),
        ("anna", "ａｎｎａ", True),
        ("anna", "Änna", True),
        ("anna", "anna@ours.example", True),
        ("anna.berg", "Anna Berg", True),
        ("anna.berg", "Berg, Anna", True),
        ("anna_berg", "annaberg", True),
        ("a.berg", "Anna Berg", True),
        ("anna", "Anna Berg", True),
        ("anna.berg", "anna", True),
        ("bill", "biII", True),
        ("anna.mueller", "Anna Müller", True),
        ("soeren.aas", "Søren Ås", True),
        ("oneil", "O'Neil", True),
        ("anna", "???", True),
        ("anna", "bert", False),
        ("anna.berg", "anna.klein", False),
        ("anna.berg", "bert.berg", False),
        ("anna", "hanna", False),
        ("anna", "annabel", False),
        ("ab", "a.c", False),
    ],
)
def test_two_names_are_of_one_person_unless_something_tells_them_apart(one, other, is_same):
    assert is_same_person(one, other) is is_same
    assert is_same_person(other, one) is is_same
    if other != "???":  # whoever prepared a list is compared as the ledger keeps the name
        assert is_same_person(one, preparer_name(other)) is is_same


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Anna Müller", "anna.muller"),
        ("  Anna   Berg ", "anna.berg"),
        ("anna@ours.example", "anna@ours.example"),
        ("user01", "user01"),
        ("Аnnа", "anna"),
        ("王", "u738b"),
        ("O'Neil", "o.neil"),
        ("Berg, Anna", "berg.anna"),
        ("Anna Berg (finance)", "anna.berg.finance"),
        ("???", "u3fu3fu3f"),
    ],
)
def test_a_name_that_was_typed_is_kept_in_plain_letters(typed, kept):
    assert preparer_name(typed) == kept
    assert is_name(kept)


@pytest.mark.parametrize("name", ["anna", "a", "anna.berg@ours-2.example", "0x"])
def test_these_can_be_names_of_approvers(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", "Anna", "anna berg", "аnna", "anna\n", ".anna", "@anna", "a" * 101, "anna;--"]
)
def test_these_cannot(name):
    assert not is_name(name)
