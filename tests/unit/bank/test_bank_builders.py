"""Rows made quickly are the same rows; the collector is as it was afterwards."""

import gc
import pickle
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest

from o2c.sources.bank.builders import builder, no_cycle_collector
from o2c.sources.bank.model import Entry, RemittanceLine


def test_a_row_made_quickly_is_the_row_its_own_class_makes() -> None:
    build = builder(Entry)
    quick, slow = (
        build(1, "line 1", Decimal(1), "EUR", text="a"),
        Entry(1, "line 1", Decimal(1), "EUR", text="a"),
    )
    assert (type(quick), quick, hash(quick), repr(quick)) == (Entry, slow, hash(slow), repr(slow))
    assert replace(quick, amount=Decimal(2)) == Entry(1, "line 1", Decimal(2), "EUR", text="a")
    assert pickle.loads(pickle.dumps(quick)) == slow  # noqa: S301 - our own bytes


def test_a_row_made_quickly_is_frozen_and_knows_its_fields() -> None:
    build = builder(RemittanceLine)
    with pytest.raises(FrozenInstanceError):
        build(1, "line 1", "I1").ordinal = 2
    with pytest.raises(TypeError):
        build(1, "line 1", "I1", colour="red")
    with pytest.raises(TypeError):
        build(1)


@pytest.mark.parametrize("is_on", [True, False])
def test_the_cycle_collector_is_left_as_it_was_found(is_on: bool) -> None:
    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        with no_cycle_collector():
            assert not gc.isenabled()
        assert (gc.isenabled(), gc.get_freeze_count()) == (is_on, 0)
        with pytest.raises(KeyError), no_cycle_collector():
            raise KeyError
        assert (gc.isenabled(), gc.get_freeze_count()) == (is_on, 0)
    finally:
        (gc.enable if was_on else gc.disable)()
