"""What a call of ``o2c deliver`` says of itself, and the exit code that follows."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from o2c.checks import Check
from o2c.delivery.sendout import Sendout

DAY = date(2026, 3, 12)
GATE = Check("control_account_ties", "no difference", "E1 EUR: ledger 1, items 2", False, "gate")


def sendout(**given: Any) -> Sendout:
    return Sendout(as_of=DAY, **{name: Counter(v) if name in COUNTED else v for name, v in given.items()})


COUNTED = ("outcomes", "settled", "withdrawn", "waiting")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 0),
        ({"outcomes": {"accepted": 3}, "withdrawn": {"settled": 1}, "settled": {"sent": 1}}, 0),
        ({"outcomes": {"accepted": 3}, "waiting": {"approval": 1}}, 1),
        ({"outcomes": {"accepted": 3, "unknown": 1}}, 1),
        ({"outcomes": {"refused": 1}}, 1),
        ({"paused": {"ses": "daily_quota"}}, 1),
        ({"faults": ["R-1: the hand-over is missing"]}, 1),
        ({"stopped": "wrong prices"}, 2),
        ({"closed_gates": [GATE], "waiting": {"later": 2}}, 2),
    ],
    ids=[
        "nothing to do", "all left", "people are asked", "one is unknown", "one was refused", "a paused carrier",
        "a list that could not be carried out", "stopped", "a closed gate",
    ],
)  # fmt: skip
def test_the_exit_code_says_whether_something_is_left_to_do(given: dict, code: int) -> None:
    assert sendout(**given).exit_code == code


def test_it_says_what_left_what_was_withdrawn_and_what_waits_in_counts_alone() -> None:
    done = sendout(
        outcomes={"accepted": 1200, "unknown": 1},
        settled={"unknown": 2},
        withdrawn={"settled": 3, "address_changed": 1},
        waiting={"outside_contact_hours": 40},
        paused={"ses": "unknown_in_a_row"},
        carried_out=1,
        faults=["R-1: the hand-over is missing"],
    )
    assert done.text().splitlines() == [
        "Letters that may leave on 2026-03-12:",
        "  accepted  1,200",
        "  unknown  1",
        "  found again: unknown  2",
        "  withdrawn: address changed  1",
        "  withdrawn: settled  3",
        "  waits: outside contact hours  40",
        "  paused: ses, unknown_in_a_row. `o2c deliver --resume ses --by NAME` lifts it.",
        "  approved lists carried out  1",
        "  fault: R-1: the hand-over is missing",
    ]


def test_what_stops_everything_comes_first() -> None:
    assert sendout(stopped="wrong prices", closed_gates=[GATE]).text().splitlines() == [
        "Letters that may leave on 2026-03-12:",
        "  stopped: wrong prices. Nothing leaves until `o2c deliver --go`.",
        "  gate closed: control_account_ties expected no difference, found E1 EUR: ledger 1, items 2",
    ]


def test_nothing_to_say_is_said() -> None:
    assert sendout().text() == "Letters that may leave on 2026-03-12:\n  none"
    assert Sendout().text() == "Nothing is published yet, so nothing can leave."


def test_as_data_it_is_in_a_fixed_order() -> None:
    done = sendout(waiting={"b": 1, "a": 2}, outcomes={"unknown": 1, "accepted": 1})
    assert list(done.data()) == [
        "as_of_date", "outcomes", "settled", "withdrawn", "waiting", "paused", "carried_out", "faults",
        "closed_gates", "stopped",
    ]  # fmt: skip
    assert (list(done.data()["waiting"]), list(done.data()["outcomes"])) == (
        ["a", "b"],
        ["accepted", "unknown"],
    )
