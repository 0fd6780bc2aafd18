"""Many mornings in sequence: what the rules come to over weeks."""

import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from dunning_books import KEY, POLICY, block, book, contact, customer, item
from mornings import Mornings, weekdays

DUE = date(2026, 8, 31)  # a Monday


def day(number):
    """So many days past the due date."""
    return DUE + timedelta(days=number)


def acme(**given):
    return book([item(days_past_due=0, as_of=DUE)], **given)


def test_one_unpaid_invoice_goes_up_the_ladder_once():
    home = Mornings(acme())
    last = [home.morning(day) for day in weekdays(DUE - timedelta(days=10), 45)][-1]
    assert home.contacts() == [
        (day(-7), "courtesy", 0, 1),
        (day(-3), "courtesy", 0, 1),
        (day(1), "dunning", 1, 1),
        (day(7), "dunning", 2, 1),
        (day(14), "dunning", 3, 1),
    ]
    assert last.select("decision", "level", "reason_code").rows() == [("task", 4, "legal_review_due")]


def test_a_week_without_mornings_is_caught_up_by_state_one_level_at_a_time():
    home = Mornings(acme())
    for number in (1, 16, 17, 22, 23, 28, 29, 30):
        home.morning(day(number))
    assert home.contacts() == [
        (day(1), "dunning", 1, 1),
        (day(16), "dunning", 2, 1),
        (day(22), "dunning", 3, 1),
    ]


def test_an_old_backlog_starts_at_the_first_level():
    home = Mornings(book([item(days_past_due=300, as_of=DUE)]))
    home.morning(DUE)
    assert home.contacts() == [(DUE, "dunning", 1, 1)]


def test_levels_wait_while_nothing_confirms_them():
    home = Mornings(acme(), fate=lambda row: "approval_pending" if row["level"] == 2 else "sent")
    for morning in weekdays(day(1), 30):
        home.morning(morning)
    assert home.contacts()[0] == (day(1), "dunning", 1, 1)
    assert [(row["level"], row["state"], row["try_number"]) for row in home.letters] == [
        (1, "sent", 1),
        (2, "approval_pending", 1),
    ]


def test_a_letter_that_came_back_is_tried_again_once_there_is_another_address():
    home = Mornings(acme(), fate=lambda row: "bounced" if row["contact_id"] == "C-ACME" else "sent")
    decisions = [home.morning(day(number)) for number in (1, 2, 7, 8)]
    assert [frame["reason_code"][0] for frame in decisions[1:]] == ["no_valid_address"] * 3
    home.book = acme(
        contacts=[contact(), contact(contact_id="NEW", email="new@acme.example", role="billing")]
    )
    home.morning(day(9))
    home.morning(day(15))
    assert home.contacts() == [
        (day(1), "dunning", 1, 1),
        (day(9), "dunning", 1, 2),
        (day(15), "dunning", 2, 1),
    ]


@pytest.mark.parametrize(
    ("clean_days", "expected"),
    [(6, ("none", 1, "next_level_not_due", 1)), (7, ("letter", 1, "level_due", 2))],
    ids=["a day too few", "enough"],
)
def test_the_ladder_starts_again_after_seven_days_with_nothing_past_due(clean_days, expected):
    # INV-1 is paid on day 2; INV-2 falls due so that it is past due clean_days + 2 days after DUE.
    second = item("INV-2", -(clean_days + 1), as_of=DUE)
    home = Mornings(book([item(days_past_due=0, as_of=DUE), second]))
    home.morning(day(1))
    for number in range(2, clean_days + 2):
        home.morning(day(number), paid=["INV-1"])
    row = home.morning(day(clean_days + 2), paid=["INV-1"]).row(0, named=True)
    assert (row["decision"], row["level"], row["reason_code"], row["episode"]) == expected


def test_a_customer_without_a_row_for_weeks_starts_again_at_the_first_level():
    home = Mornings(book([item(days_past_due=0, as_of=DUE), item("INV-2", -40, as_of=DUE)]))
    home.morning(day(1))
    row = home.morning(day(42), paid=["INV-1"]).row(0, named=True)
    assert (row["decision"], row["level"], row["episode"]) == ("letter", 1, 2)


def test_a_dispute_after_a_clean_week_does_not_bring_the_old_level_back():
    items = [item(days_past_due=0, as_of=DUE), item("INV-2", -9, as_of=DUE, disputed_amount="100.00")]
    home = Mornings(book(items))
    home.morning(day(1))
    for number in (2, 9, 10, 11):
        disputed = home.morning(day(number), paid=["INV-1"])
    assert disputed.select("reason_code", "episode", "nothing_past_due_since").rows() == [
        ("disputed", 1, day(2))
    ]
    home.book = book([item("INV-2", -9, as_of=DUE)])
    reasons = [home.morning(day(number)).row(0, named=True) for number in (14, 15)]
    assert [(row["reason_code"], row["episode"], row["level"]) for row in reasons] == [
        ("block_ended", 2, 0),
        ("level_due", 2, 1),
    ]


def test_a_block_holds_the_ladder_and_the_day_after_it_is_silent():
    free, blocked = acme(), acme(blocks=[block(valid_from=day(2), valid_until=day(8))])
    home = Mornings(free)
    home.morning(day(1))
    home.book = blocked
    reasons = [home.morning(day(number))["reason_code"][0] for number in (7, 8, 9, 10)]
    assert reasons == ["blocked", "blocked", "block_ended", "level_due"]


NAMES = [f"K{number:02}" for number in range(24)]


def big_book(dice):
    """Customers of two entities and two currencies; some share an address, some are protected."""
    items = [
        item(
            f"I{number:03}",
            dice.randint(-50, 30),
            dice.choice(["20.00", "80.00", "500.00"]),
            as_of=DUE,
            customer_id=dice.choice(NAMES),
            entity_id=dice.choice(["DE01", "US01"]),
            currency_code=dice.choice(["EUR", "EUR", "USD"]),
            disputed_amount=dice.choice(["0"] * 6 + ["20.00"]),
        )
        for number in range(150)
    ]
    odd = [
        {"status": "insolvent"},
        {"customer_type": "consumer"},
        {"risk_class": "high"},
        {"is_stub": True},
        {},
        {},
    ]
    customers = [customer(name, **dice.choice(odd)) for name in NAMES]
    contacts = [contact(name, email=dice.choice([None, None, "shared@group.example"])) for name in NAMES]
    paid_on = {row["invoice_id"]: dice.choice([None, dice.randint(0, 60)]) for row in items}
    return book(items, customers=customers, contacts=contacts), paid_on


def apart(days, least):
    return all((later - earlier).days >= least for earlier, later in pairwise(sorted(set(days))))


def test_sixty_mornings_of_a_busy_book_keep_every_promise():
    dice = random.Random(11)  # noqa: S311 (a seeded book, no secret)
    of_book, paid_on = big_book(dice)
    states = ["sent"] * 14 + ["cancelled", "refused", "presumed_not_sent", "unknown"]
    home = Mornings(of_book, fate=lambda row: dice.choice(states))
    for number in range(60):
        paid = [invoice for invoice, when in paid_on.items() if when is not None and when <= number]
        home.morning(day(number), paid=paid)

    dunned = [row for row in home.letters if row["kind"] == "dunning"]
    left = [row for row in dunned if row["state"] not in {"cancelled", "refused"}]
    assert len(left) > 40
    for column in ("customer_id", "address"):
        for value in {row[column] for row in left}:
            days = [row["decided_as_of_date"] for row in left if row[column] == value]
            assert apart(days, POLICY.quiet_days), (column, value)
    for address in {row["address"] for row in left}:
        at = [(row["decided_as_of_date"], row["customer_id"]) for row in left if row["address"] == address]
        assert len({one for one, _ in at}) == len(set(at)), "two customers at one address on one day"

    episodes = {(*(row[name] for name in KEY), row["episode"]) for row in dunned}
    assert max(key[-1] for key in episodes) > 1
    for key in episodes:
        sent = [
            (row["decided_as_of_date"], row["level"])
            for row in left
            if row["state"] == "sent" and (*(row[name] for name in KEY), row["episode"]) == key
        ]
        levels = [level for _, level in sorted(sent)]
        assert levels == list(range(1, len(levels) + 1)), key

    reminders = [
        row
        for row in home.letters
        if row["kind"] == "courtesy" and row["state"] not in {"cancelled", "refused"}
    ]
    assert len(reminders) > 20
    for name in NAMES:
        days = [row["decided_as_of_date"] for row in reminders if row["customer_id"] == name]
        assert apart(days, POLICY.courtesy.min_days_between), name
    announced = [row["occasion"] for row in home.lines if row["state"] in {"sent", "unknown"}]
    assert len(announced) == len(set(announced))
    protected = {
        row["customer_id"]
        for row in of_book.customers.iter_rows(named=True)
        if row["status"] != "active" or row["is_stub"]
    }
    assert not protected & {row["customer_id"] for row in home.letters}
    assert all(row["decided_as_of_date"].weekday() < 5 for row in home.letters)
