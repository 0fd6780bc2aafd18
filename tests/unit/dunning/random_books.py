"""Random small books: few customers, every protection and state of a letter now and then."""

from datetime import date, timedelta

from dunning_books import (
    AS_OF,
    activity,
    block,
    book,
    contact,
    customer,
    item,
    letter,
    placed,
    plan,
    possible_payer,
    previous,
    promise,
    reminder,
    unapplied,
)
from hypothesis import strategies as st

CUSTOMERS = ["ACME", "BOLT", "CORK"]
KEYS = [
    ("DE01", "ACME", "EUR"),
    ("DE01", "ACME", "JPY"),
    ("US01", "ACME", "EUR"),
    ("DE01", "BOLT", "EUR"),
    ("US01", "BOLT", "EUR"),
    ("DE01", "CORK", "EUR"),
]
STATES = ["sent"] * 4 + ["delivered"] * 4 + [
    "approved", "sending", "complained", "rendered", "approval_pending", "cancelled", "refused", "bounced",
    "not_delivered", "presumed_not_sent", "unknown",
]  # fmt: skip
REASONS = ["level_due"] * 12 + [
    "next_level_not_due",
    "quiet_days",
    "disputed",
    "blocked",
    "block_ended",
    "promise_pending",
]
AMOUNTS = ["0.01", "24.99", "25.00", "25.01", "100.00", "2499", "2500", "2501", "9000", "9001"]
ADDRESSES = ["ap@acme.example", "ap@shared.example", "ap@shared.example", "two@x.example,y@z.example", None]

PHONES = ["+4930123456", "+4930123456", "+12125550100", "030 123456", "+0301234567", None]

# What is special about a customer: mostly nothing, else one thing, so that the rules further down are reached.
ODDITIES = [
    *[{}] * 16,
    {"customer_type": "consumer"},
    {"customer_type": "consumer", "country_code": "US"},
    {"country_code": "JP"},
    {"status": "insolvent"},
    {"status": "legal"},
    {"status": "do_not_contact"},
    {"status": "closed"},
    {"status": "merged"},
    {"customer_type": "intercompany"},
    {"customer_type": None},
    {"country_code": None},
    {"country_code": "XX"},
    {"is_stub": True, "country_code": None, "customer_type": None},
]
PROTECTING = ["blocks", "promises", "plans", "possible_payers", "placed"]

key_parts = st.sampled_from(KEYS).map(
    lambda key: dict(zip(("entity_id", "customer_id", "currency_code"), key, strict=True))
)
seldom = lambda strategy: st.lists(strategy, max_size=3).filter(lambda rows: len(rows) != 2)  # noqa: E731


def mostly(usual, *others):
    return st.sampled_from([usual] * 12 + list(others))


@st.composite
def books(draw, as_of=AS_OF):
    """A DunningBook with up to ten documents of up to three customers."""
    customers = [
        customer(
            name,
            behaviour_class=draw(
                st.sampled_from(["slightly_late", "slightly_late", "always_on_time", "new"])
            ),
            risk_class=draw(st.sampled_from(["low", "high"])),
            customer_group=draw(st.sampled_from([None, "strategic"])),
        )
        | draw(st.sampled_from(ODDITIES))
        for name in CUSTOMERS
        if draw(mostly(True, False))
    ]
    contacts = [
        contact(
            draw(st.sampled_from(CUSTOMERS)),
            f"C-{number}",
            role=draw(st.sampled_from(["dunning", "billing", "escalation", None])),
            valid_from=draw(
                st.sampled_from(
                    [None, date(2026, 1, 1), *[AS_OF + timedelta(days=n) for n in (-14, -13, -4, 0, 1)]]
                )
            ),
            phone=draw(st.sampled_from(PHONES)),
            sms_consent=draw(st.sampled_from([True, True, False, None])),
        )
        | {"email": draw(st.sampled_from(ADDRESSES))}
        for number in range(draw(st.integers(0, 5)))
    ]
    # Now and then nobody has an address, so that text messages are reached.
    if draw(mostly(True, True, False, False, False)):
        contacts += [contact(name) for name in CUSTOMERS if draw(mostly(True, False))]
    else:
        contacts = [one | {"email": draw(mostly(None, "ap@shared.example"))} for one in contacts]
        contacts += [
            contact(name, phone=draw(st.sampled_from(PHONES)), sms_consent=True) | {"email": None}
            for name in CUSTOMERS
        ]
    documents = []
    for number in range(draw(st.integers(1, 10))):
        amount = draw(st.sampled_from(AMOUNTS))
        late = draw(st.sampled_from([-8, -7, -5, -3, -2, -1, 0, 1, 2, 6, 7, 13, 14, 19, 20, 21, 40]))
        if draw(mostly(True, False)):
            contested = draw(mostly("0", amount, "0.01"))
            documents.append(
                item(f"INV-{number}", late, amount, disputed_amount=contested, **draw(key_parts))
            )
        else:
            documents.append(
                item(
                    f"INV-{number}",
                    0,
                    f"-{amount}",
                    document_type="credit_memo",
                    aging_bucket=None,
                    **draw(key_parts),
                )
            )
    invoices = st.integers(0, 9).map(lambda number: f"INV-{number}")
    someone = st.sampled_from(CUSTOMERS)
    day = st.integers(-12, -1)
    maybe_invoice = st.one_of(st.none(), invoices)
    letters = draw(
        st.lists(
            st.builds(
                lambda parts, level, sent, state, episode, address, known: letter(
                    level, sent, state, episode=episode, address=address, state_date=known, **parts
                ),
                key_parts,
                st.integers(1, 3),
                day,
                st.sampled_from(STATES),
                st.integers(1, 2),
                st.sampled_from(
                    ["ap@acme.example", "ap@shared.example", "ap@bolt.example", "+4930123456", None]
                ),
                st.sampled_from([None, AS_OF - timedelta(days=1), AS_OF - timedelta(days=5)]),
            ),
            max_size=6,
        )
    )
    reminders = draw(
        seldom(
            st.builds(
                lambda parts, invoice, offset, sent, state: reminder(
                    f"{invoice}@{offset}", sent, state, **parts
                ),
                key_parts,
                invoices,
                st.sampled_from([-7, -3]),
                day,
                st.sampled_from(STATES),
            )
        )
    )
    before = {
        tuple(parts.values()): previous(
            reason,
            ago,
            episode=episode,
            is_confirmed_level=level,
            nothing_past_due_since=AS_OF - timedelta(days=ago + clean) if clean is not None else None,
            **parts,
        )
        for parts, reason, ago, episode, level, clean in draw(
            st.lists(
                st.tuples(
                    key_parts,
                    st.sampled_from(REASONS),
                    st.integers(1, 9),
                    st.integers(0, 2),
                    st.integers(0, 3),
                    st.one_of(st.none(), st.integers(0, 8)),
                ),
                max_size=5,
            )
        )
    }
    kinds = st.sampled_from(["manual", "insolvency", "legal", "payment_plan"])
    ends = st.sampled_from([None, AS_OF, AS_OF - timedelta(days=1), AS_OF - timedelta(days=4)])
    held = draw(st.sampled_from([(), (), *[(name,) for name in PROTECTING], tuple(PROTECTING)]))
    rows = lambda name, strategy: draw(seldom(strategy)) if name in held else []  # noqa: E731
    return book(
        documents,
        customers=customers,
        contacts=contacts,
        unapplied=draw(
            seldom(
                st.builds(
                    lambda parts, amount: unapplied(amount, **parts), key_parts, st.sampled_from(AMOUNTS)
                )
            )
        ),
        blocks=rows(
            "blocks",
            (
                st.one_of(
                    st.builds(
                        lambda who, kind, until: block(who, "customer", kind, None, until),
                        someone,
                        kinds,
                        ends,
                    ),
                    st.builds(
                        lambda what, kind, until: block(what, "invoice", kind, None, until),
                        invoices,
                        kinds,
                        ends,
                    ),
                )
            ),
        ),
        promises=rows(
            "promises",
            (
                st.builds(
                    lambda invoice, status, who: promise(invoice, status, customer_id=who),
                    maybe_invoice,
                    st.sampled_from(["pending", "kept", "broken"]),
                    someone,
                )
            ),
        ),
        plans=rows(
            "plans",
            (
                st.builds(
                    lambda invoice, good, who: plan(invoice, good, customer_id=who),
                    maybe_invoice,
                    st.booleans(),
                    someone,
                )
            ),
        ),
        possible_payers=rows("possible_payers", st.builds(possible_payer, someone)),
        placed=rows("placed", st.builds(placed, invoices)),
        activities=draw(
            seldom(
                st.builds(
                    lambda level, ago, who: activity(level, AS_OF - timedelta(days=ago), who),
                    st.integers(1, 3),
                    st.sampled_from([0, 3, 5, 6, 7, 20, 60]),
                    someone,
                )
            )
        ),
        letters=[*letters, *(row for row, _ in reminders)],
        lines=[line for _, line in reminders],
        previous=list(before.values()),
        suppressed=draw(
            seldom(
                st.sampled_from(["ap@acme.example", "ap@bolt.example", "+4930123456"]).map(
                    lambda address: {"address": address, "reason": "bounce"}
                )
            )
        ),
    )
