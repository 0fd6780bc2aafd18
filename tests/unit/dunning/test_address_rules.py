"""Whom a letter may go to: dead, suppressed, shared and moved addresses, complaints, and text messages."""

import random

import polars as pl
import pytest
from dunning_books import (
    ADDRESSES,
    AS_OF,
    POLICY,
    block,
    book,
    contact,
    customer,
    days,
    decide,
    decision,
    item,
    letter,
    outcome,
    previous,
    reminder,
)

from o2c.dunning.book import CONFIRMED, DEAD_ADDRESS, FAILED, NEVER_LEFT, PENDING
from o2c.ledger import states
from o2c.policy.dunning import Sms

WITH_SMS = POLICY.model_copy(update={"sms": Sms(enabled=True, max_level=2, max_characters=306)})
PHONE = "+4930123456"
LETTER_1 = ("letter", 1, "level_due")


def test_every_state_of_the_ledger_means_one_thing_to_dunning():
    assert set(CONFIRMED) | set(PENDING) | set(FAILED) <= set(states.ALL_STATES)
    assert set(FAILED) == set(states.FAILED_STATES)
    assert set(states.ALL_STATES) - set(NEVER_LEFT) == set(states.CONTACT_STATES)
    assert set(states.ALL_STATES) - {*CONFIRMED, *PENDING, *FAILED} == {"sending", "unknown", "complained"}
    assert set(DEAD_ADDRESS) == {"bounced", "not_delivered", "complained"}


# ── what became of the last letter ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("sent", ("letter", 2, "level_due")),
        ("delivered", ("letter", 2, "level_due")),
        ("sending", ("none", 0, "letter_unconfirmed")),
        ("unknown", ("none", 0, "letter_unconfirmed")),
        ("approved", LETTER_1),
        ("rendered", LETTER_1),
        ("approval_pending", LETTER_1),
        ("refused", LETTER_1),
        ("cancelled", LETTER_1),
        ("presumed_not_sent", ("letter", 1, "waiting_for_approval")),
        ("bounced", ("none", 0, "no_valid_address")),
        ("not_delivered", ("none", 0, "no_valid_address")),
        ("complained", ("none", 0, "complained")),
    ],
)
def test_only_a_letter_that_is_known_to_have_left_is_built_upon(state, expected):
    assert outcome(book([item(days_past_due=12)], letters=[letter(1, -7, state)])) == expected


@pytest.mark.parametrize("state", ["approved", "sending"])
def test_a_letter_that_waits_or_is_on_its_way_keeps_its_number(state):
    of_book = book([item(days_past_due=12)], letters=[letter(1, -1, state)])
    row = decision(of_book)
    if state == "approved":
        assert (row["decision"], row["try_number"]) == ("letter", 1)
    else:
        assert (row["decision"], row["reason_code"]) == ("none", "letter_unconfirmed")


@pytest.mark.parametrize(("sent", "reason"), [(-5, "quiet_days"), (-6, "level_due")])
@pytest.mark.parametrize("state", ["sending", "delivered", "complained"])
def test_a_letter_on_its_way_starts_the_quiet_days_of_its_address(state, sent, reason):
    theirs = letter(1, sent, state, customer_id="BOLT", address="ap@acme.example", sent_date=None)
    moved = contact(valid_from=days(-1)) if state == "complained" else contact()
    assert outcome(book([item()], contacts=[moved], letters=[theirs]))[2] == reason


def test_a_reminder_on_its_way_is_not_given_again():
    row, line = reminder("INV-1@-3", -3, "sending")
    of_book = book([item(days_past_due=-2)], letters=[row], lines=[line])
    assert outcome(of_book) == ("none", 0, "nothing_to_remind")


# ── complaints ───────────────────────────────────────────────────────────────────────────────────────


def complained(known=-3, **rows):
    """ACME got a reminder of another currency eight days ago, and its complaint came ``known`` days from today."""
    ours = letter(1, -8, "complained", currency_code="JPY", state_date=days(known))
    return book([item()], letters=[ours], **rows)


@pytest.mark.parametrize(
    ("entered", "expected"),
    [(None, "complained"), (-3, "complained"), (-2, "block_ended"), (0, "block_ended"), (1, "complained")],
    ids=["never", "on the day", "the day after", "today", "tomorrow"],
)
def test_a_complaint_protects_until_a_contact_is_entered_after_it(entered, expected):
    fresh = contact(valid_from=None if entered is None else days(entered))
    of_book = complained(contacts=[fresh], previous=[previous("complained")])
    assert outcome(of_book)[2] == expected


@pytest.mark.parametrize(
    ("last_day", "expected"),
    [(-4, "complained"), (-3, "complained"), (-2, "level_due"), (-1, "block_ended"), (0, "complained")],
    ids=["before it", "on its day", "after it", "yesterday", "holds today"],
)
def test_a_complaint_protects_until_a_block_after_it_has_ended(last_day, expected):
    held = block(valid_from=days(-20), valid_until=days(last_day))
    other = contact(email="ap@acme.example", contact_id="C-NEW")
    of_book = complained(blocks=[held], contacts=[other | {"email": "new@acme.example"}])
    assert outcome(of_book)[2] == expected


def test_a_complaint_stops_reminders_too_and_a_block_on_an_invoice_does_not_lift_it():
    over = block("INV-1", "invoice", valid_from=days(-20), valid_until=days(-2))
    of_book = complained(blocks=[over])
    assert outcome(of_book)[2] == "complained"
    soon = book(
        [item(days_past_due=-2)],
        letters=[letter(1, -8, "complained", state_date=days(-3), currency_code="JPY")],
    )
    assert outcome(soon) == ("none", 0, "complained")


def test_a_day_on_which_the_complaint_came_that_nobody_wrote_down_is_that_of_the_letter():
    ours = letter(1, -8, "complained", currency_code="JPY")
    lifted = contact(valid_from=days(-7))
    assert outcome(book([item()], letters=[ours], contacts=[lifted]))[2] == "level_due"
    assert outcome(book([item()], letters=[ours], contacts=[contact(valid_from=days(-8))]))[2] == "complained"


# ── suppressed addresses ─────────────────────────────────────────────────────────────────────────────


def test_a_suppressed_address_is_not_used_whatever_its_contact_says():
    suppressed = [{"address": "ap@acme.example", "reason": "bounce"}]
    of_book = book(
        [item()], contacts=[contact(email="AP@acme.example", valid_from=AS_OF)], suppressed=suppressed
    )
    row = decision(of_book)
    assert (row["reason_code"], row["contact_id"]) == ("no_valid_address", None)
    assert row["reason"].startswith(
        "A letter to the customer's address came back, or the address is suppressed"
    )


def test_another_contact_is_written_to_where_the_first_is_suppressed():
    suppressed = [{"address": "ap@acme.example", "reason": "complaint"}]
    other = contact(contact_id="C-2", email="office@acme.example", role="billing")
    row = decision(book([item()], contacts=[contact(), other], suppressed=suppressed))
    assert (row["decision"], row["contact_id"]) == ("letter", "C-2")


def test_an_international_domain_that_bounced_is_known_in_either_writing():
    back = letter(1, -8, "bounced", address="ap@xn--mller-kva.example", customer_id="BOLT")
    of_book = book([item()], contacts=[contact(email="ap@müller.example")], letters=[back])
    assert outcome(of_book)[2] == "no_valid_address"


# ── one address, many customers ──────────────────────────────────────────────────────────────────────


def crowd(count):
    names = [f"CUST{number}" for number in range(count)]
    items = [item(f"INV-{name}", customer_id=name) for name in names[:1]]
    return book(
        items,
        customers=[customer(name) for name in names],
        contacts=[contact(name, email="Info@shared.example") for name in names],
    )


@pytest.mark.parametrize(("count", "reason"), [(5, "level_due"), (6, "shared_address")])
def test_an_address_of_too_many_customers_is_held_for_a_person(count, reason):
    assert ADDRESSES.max_customers_per_address == 5
    assert outcome(crowd(count))[2] == reason


def test_contacts_of_one_customer_or_of_later_days_do_not_crowd_an_address():
    contacts = [contact(contact_id=f"C-{number}") for number in range(9)]
    contacts += [contact(f"OTHER{n}", email="ap@acme.example", valid_from=days(1)) for n in range(9)]
    assert outcome(book([item()], contacts=contacts)) == LETTER_1


def test_a_reminder_to_a_crowded_address_is_held_too():
    of_book = crowd(6)
    early = of_book.items.with_columns(days_past_due=pl.lit(-2, dtype=pl.Int64), due_date=pl.lit(days(2)))
    decisions, _ = decide(type(of_book)(**{**vars(of_book), "items": early}))
    assert decisions["reason_code"].to_list() == ["shared_address"]


# ── an address that moved ────────────────────────────────────────────────────────────────────────────


def moved(since=-3, *, level=2, **rows):
    """ACME's level ``level`` is due; its contact came ``since`` days from today, letters went to another domain."""
    before = [letter(n, -30 + n * 8, address="ap@acme.example") for n in range(1, level)]
    fresh = contact(email="ap@acme-payments.example", valid_from=None if since is None else days(since))
    given = {"letters": before, "contacts": [fresh]} | rows
    return book([item(days_past_due=29)], **given)


@pytest.mark.parametrize(
    ("since", "reason"), [(0, "address_changed"), (-13, "address_changed"), (-14, "level_due")]
)
def test_from_level_2_on_a_new_domain_waits_for_its_days(since, reason):
    assert ADDRESSES.changed_domain_days == 14
    before = [letter(1, -22, address="ap@acme.example")]
    assert outcome(moved(since, letters=before))[2] == reason


def test_the_first_letter_and_reminders_are_not_held_for_a_new_domain():
    old = contact(contact_id="C-OLD", email="ap@acme.example", role="billing")
    fresh = contact(email="ap@elsewhere.example", valid_from=days(-3))
    assert outcome(book([item()], contacts=[old, fresh])) == LETTER_1
    assert outcome(book([item(days_past_due=-2)], contacts=[old, fresh]))[2] == "courtesy_due"


def test_a_new_person_at_the_same_domain_is_no_move():
    same = contact(email="new.person@ACME.example", valid_from=days(-3))
    assert outcome(moved(contacts=[same]))[2] == "level_due"


def test_a_domain_that_was_known_before_is_no_move():
    colleague = contact(contact_id="C-2", email="office@acme-payments.example", role="escalation")
    fresh = contact(email="ap@acme-payments.example", valid_from=days(-3))
    assert outcome(moved(contacts=[colleague, fresh]))[2] == "level_due"
    later = colleague | {"valid_from": days(-3)}
    assert outcome(moved(contacts=[later, fresh]))[2] == "address_changed"


def test_a_letter_to_the_new_domain_proves_nothing_about_it():
    letters = [
        letter(1, -22, address="ap@acme.example"),
        letter(2, -10, address="ap@acme-payments.example"),
    ]
    assert outcome(moved(-12, level=3, letters=letters))[2] == "address_changed"


def test_another_contact_tells_the_domain_of_before_where_no_letter_does():
    told = letter(1, -22, address=None)
    old = contact(contact_id="C-OLD", email="ap@acme.example", role="escalation")
    fresh = contact(email="ap@elsewhere.example", valid_from=days(-3))
    assert outcome(moved(letters=[told], contacts=[old, fresh]))[2] == "address_changed"
    assert outcome(moved(letters=[told], contacts=[fresh]))[2] == "level_due"


@pytest.mark.parametrize(("last", "reason"), [(-14, "address_changed"), (-15, "level_due")])
def test_a_contact_without_a_date_is_as_new_as_the_last_letter_elsewhere(last, reason):
    old = letter(1, last, address="ap@acme.example")
    assert outcome(moved(None, letters=[old]))[2] == reason


# ── text messages ────────────────────────────────────────────────────────────────────────────────────


def phone_only(**given):
    return contact(phone=PHONE, sms_consent=True) | {"email": None} | given


def test_without_an_email_address_and_with_consent_a_text_message_is_written():
    row = decision(book([item()], contacts=[phone_only()]), WITH_SMS)
    assert [row[name] for name in ("decision", "channel", "contact_id", "level")] == [
        "letter",
        "sms",
        "C-ACME",
        1,
    ]
    soon = decision(book([item(days_past_due=-2)], contacts=[phone_only()]), WITH_SMS)
    assert [soon[name] for name in ("decision", "kind", "channel")] == ["letter", "courtesy", "sms"]


@pytest.mark.parametrize(
    "given",
    [
        {"sms_consent": False},
        {"sms_consent": None},
        {"phone": None},
        {"phone": "030 123456"},
        {"phone": "+49 30 123456"},
        {"phone": "+0301234567"},
        {"phone": "+4930123456\n"},
        {"phone": "+493012345612345678"},
        {"phone": "＋4930123456"},
        {"phone": "+٤٩٣٠١٢٣٤٥٦"},
        {"role": "escalation"},
        {"valid_from": days(1)},
    ],
    ids=str,
)
def test_without_consent_or_a_full_number_nothing_is_written(given):
    of_book = book([item()], contacts=[phone_only(**given)])
    assert outcome(of_book, WITH_SMS) == ("none", 0, "no_valid_address")


def test_no_text_message_where_the_policy_wants_none_or_any_contact_has_an_email_address():
    assert outcome(book([item()], contacts=[phone_only()]))[2] == "no_valid_address"
    mailed = contact(contact_id="C-2", role=None)
    row = decision(book([item()], contacts=[phone_only(), mailed]), WITH_SMS)
    assert (row["channel"], row["contact_id"]) == ("email", "C-2")
    back = letter(1, -8, "bounced", address="ap@acme.example")
    of_book = book([item(days_past_due=9)], contacts=[phone_only(), mailed], letters=[back])
    assert outcome(of_book, WITH_SMS)[2] == "no_valid_address"


def test_a_final_notice_is_no_text_message():
    letters = [letter(1, -20, address=PHONE), letter(2, -10, address=PHONE)]
    of_book = book([item(days_past_due=20)], contacts=[phone_only()], letters=letters)
    row = decision(of_book, WITH_SMS)
    assert (row["decision"], row["level"], row["reason_code"]) == ("none", 2, "no_valid_address")
    assert (
        row["reason"] == "The customer has no e-mail address, and this letter is too much for a text message."
    )
    second = book([item(days_past_due=9)], contacts=[phone_only()], letters=letters[:1])
    assert decision(second, WITH_SMS)["channel"] == "sms"


def test_numbers_have_quiet_days_and_can_be_suppressed_like_addresses():
    theirs = letter(1, -5, customer_id="BOLT", address=PHONE)
    assert outcome(book([item()], contacts=[phone_only()], letters=[theirs]), WITH_SMS)[2] == "quiet_days"
    suppressed = [{"address": PHONE, "reason": "opt_out"}]
    assert (
        outcome(book([item()], contacts=[phone_only()], suppressed=suppressed), WITH_SMS)[2]
        == "no_valid_address"
    )


# ── a thousand swapped addresses ─────────────────────────────────────────────────────────────────────


def swapped(seed):
    """A book of two hundred customers, some of whose contacts a stranger or a slip has changed.

    Returns the book and the customers that a rule must hold.
    """
    draw = random.Random(seed)  # noqa: S311
    names = [f"CUST{number}" for number in range(200)]
    late, sent, contacts, held = [], [], [], set()
    for number, name in enumerate(names):
        level = draw.choice([1, 2, 3])
        late.append(item(f"INV-{number}", 29, customer_id=name))
        home = f"{name.lower()}.example"
        last = 20
        for step in range(1, level):
            sent.append(letter(step, -last + step * 6 - 6, customer_id=name, address=f"ap@{home}"))
        fate = draw.choice(["kept", "kept", "swapped", "stale", "undated", "crowd"])
        entered = -draw.randint(0, 20)
        if fate == "crowd":
            contacts.append(contact(name, email=f"info@general{number // 20}.example", valid_from=days(-90)))
        elif fate == "swapped" and level >= 2:
            other = draw.choice([one for one in names if one != name]).lower()
            where = draw.choice([f"ap@{other}.example", "ap@freemail.example", f"ap@{home}.evil.example"])
            contacts.append(contact(name, email=where, valid_from=days(entered)))
            earlier = any(
                one["customer_id"] == name and one["decided_as_of_date"] < days(entered) for one in sent
            )
            if entered > -14 and earlier:
                held.add(name)
        elif fate == "stale":
            address = f"ap@{home}"
            contacts.append(contact(name, email=address, valid_from=days(-90)))
            state = draw.choice(["bounced", "not_delivered"])
            sent.append(letter(3, -40, state, customer_id=name, address=address, episode=2))
            held.add(name)
        elif fate == "undated" and level >= 2:
            contacts.append(contact(name, email="ap@undated.example"))
            newest = max(one["decided_as_of_date"] for one in sent if one["customer_id"] == name)
            if (AS_OF - newest).days <= 14:
                held.add(name)
        else:
            contacts.append(contact(name, email=f"AP@{home}", valid_from=days(-90)))
    for group in range(10):
        users = {one["customer_id"] for one in contacts if one["email"] == f"info@general{group}.example"}
        held |= users if len(users) > 3 else set()
    of_book = book(
        late,
        customers=[customer(name) for name in names],
        contacts=contacts,
        letters=sent,
    )
    return of_book, held


def test_of_a_thousand_swapped_or_stale_addresses_every_one_is_held_and_none_is_a_strangers(capsys):
    few = ADDRESSES.model_copy(update={"max_customers_per_address": 3})
    held = letters = 0
    seed = 0
    while held < 1000:
        of_book, must_wait = swapped(seed)
        decisions, _ = decide(of_book, addresses=few)
        written = decisions.filter(pl.col("decision") == "letter")
        assert set(written["customer_id"]) & must_wait == set(), seed
        waiting = decisions.filter(pl.col("customer_id").is_in(list(must_wait)))
        assert set(waiting["reason_code"]) <= {"address_changed", "shared_address", "no_valid_address"}, seed
        own = of_book.contacts.select("contact_id", "customer_id")
        assert written.join(own, on=["contact_id", "customer_id"], how="anti").is_empty(), seed
        held, letters, seed = held + len(must_wait), letters + written.height, seed + 1
    with capsys.disabled():
        print(f"\n{held} swapped or stale addresses held, {letters} letters to own contacts, {seed} books")  # noqa: T201
    assert letters > 500
