"""What a run decided, as lists for people: letters, referrals, holds and releases, write-offs.

Pure. How many people a list needs is the policy's or, for a first run or a tripped brake, the caller's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from o2c.approvals import Item, Request
from o2c.policy.controls import RequestKind

TAKEN_AS_GIVEN = "approvals are taken as given in this simulated home"
# Why a group of letters needs so many people, the weightiest first where two ask for as many.
NOBODY, FINAL_NOTICE, SECOND_TRY, BY_POLICY = "policy", "final notice", "second try", "required by policy"
FINAL_LEVEL = 3
SECOND_TRY_COUNT = 2


@dataclass(frozen=True)
class Terms:
    """What all lists of a run share.

    ``is_given``: approvals are taken as given, so that nobody is asked; simulated homes only.
    """

    batch_id: str
    as_of: date
    prepared_by: str
    expiry_hours: int
    is_given: bool = False


def letter_lists(
    letters: pl.DataFrame, terms: Terms, at_least: int = 0, because: str = BY_POLICY
) -> list[Request]:
    """Letters grouped by how many people they need and why, the fewest first.

    Args:
        letters: ``letter_id, customer_id, level, stage, currency_code, total_amount, address, message_hash,
            required_approval_count, is_second_try`` (after one that is presumed not sent).
        terms: batch, date, who prepared.
        at_least: people that every letter of the run needs: a first run, a tripped brake.
        because: why, in a few words.
    """
    groups: dict[tuple[int, str], list[Item]] = {}
    for row in letters.sort("letter_id").iter_rows(named=True):
        needs = [
            (at_least, because),
            (SECOND_TRY_COUNT if row["is_second_try"] else 0, SECOND_TRY),
            (row["required_approval_count"], FINAL_NOTICE if row["level"] >= FINAL_LEVEL else BY_POLICY),
        ]
        count, reason = max(needs, key=lambda need: need[0])
        key = (0, TAKEN_AS_GIVEN) if terms.is_given else (count, reason if count else NOBODY)
        facts = ("customer_id", "level", "stage", "address", "message_hash")
        groups.setdefault(key, []).append(
            Item(
                row["letter_id"],
                row["currency_code"],
                row["total_amount"],
                {name: row[name] for name in ("letter_id", *facts)},
            )
        )
    return [_request("letters", terms, items, *key) for key, items in sorted(groups.items())]


def referral_lists(
    referrals: pl.DataFrame, evidence: Mapping[str, str], terms: Terms, required: int
) -> list[Request]:
    """Items proposed to an agency, one list per agency: none sees what the other gets.

    Args:
        referrals: AgencyReferrals; those proposed are listed.
        evidence: by agency, the sha-256 of what is handed over with the list.
        required: people, as agency.yml asks.
    """
    names = ("invoice_id", "installment_number", "entity_id", "customer_id", "agency_id", "rule")
    proposed = referrals.filter(pl.col("status") == "proposed")
    return _lists(
        proposed,
        lambda row: Item(
            f"{row['invoice_id']}|{row['installment_number']}",
            row["currency_code"],
            row["referred_amount"],
            {name: row[name] for name in names},
        ),
        lambda row: str(row["agency_id"]),
        lambda agency_id, items: _request(
            "referrals", terms, items, required, f"referral to {agency_id}", evidence[agency_id]
        ),
    )


def hold_lists(holds: pl.DataFrame, terms: Terms, required: int) -> list[Request]:
    """Orders to hold and orders to release, one list each: a release does not wait for a hold.

    Args:
        holds: OrderHolds.
        required: people, as credit.yml asks.
    """
    names = ("order_id", "customer_id", "action", "reason")
    return _lists(
        holds,
        lambda row: Item(
            f"{row['order_id']}|{row['action']}",
            row["currency_code"],
            max(row["uninvoiced_amount"], Decimal(0)),
            {name: row[name] for name in names}
            | {"decided_as_of_date": row["decided_as_of_date"].isoformat()},
        ),
        lambda row: str(row["action"]),
        lambda action, items: _request(
            "holds", terms, items, required, "orders to hold" if action == "hold" else "orders to release"
        ),
    )


def write_off_lists(withheld: pl.DataFrame, terms: Terms, required: int) -> list[Request]:
    """Amounts that a person gave up beyond the limit, one list per file of decisions; who decided prepared it.

    Args:
        withheld: CashDecisions that wait, with ``currency_code``.
        required: people, as controls.yml asks.
    """
    names = ("decision_id", "payment_id", "invoice_id", "action", "reason_code", "decided_by")

    def listed(key: str, items: list[Item]) -> Request:
        people = sorted({str(item.facts["decided_by"]) for item in items})
        theirs = Terms(terms.batch_id, terms.as_of, " and ".join(people), terms.expiry_hours, terms.is_given)
        return _request("write_offs", theirs, items, required, f"above the limit, file {key}")

    return _lists(
        withheld,
        lambda row: Item(
            row["decision_id"],
            row["currency_code"],
            row["amount"],
            {name: row[name] for name in names},
        ),
        lambda row: file_of(row["decision_id"]),
        listed,
    )


def file_of(decision_id: str) -> str:
    """The file of decisions that one came in: date and number, as ``cash_decisions`` gave them."""
    return "-".join(decision_id.split("-")[:2])


def _lists(
    frame: pl.DataFrame,
    item_of: Callable[[dict], Item],
    key_of: Callable[[dict], str],
    request_of: Callable[[str, list[Item]], Request],
) -> list[Request]:
    groups: dict[str, list[Item]] = {}
    for row in frame.iter_rows(named=True):
        groups.setdefault(key_of(row), []).append(item_of(row))
    return [request_of(key, items) for key, items in sorted(groups.items())]


def _request(
    kind: RequestKind,
    terms: Terms,
    items: list[Item],
    required: int,
    reason: str,
    evidence_hash: str | None = None,
) -> Request:
    return Request(
        kind=kind,
        batch_id=terms.batch_id,
        as_of_date=terms.as_of,
        items=tuple(sorted(items, key=lambda item: item.item_id)),
        required_approval_count=0 if terms.is_given else required,
        reason=f"{reason}; {TAKEN_AS_GIVEN}" if terms.is_given and reason != TAKEN_AS_GIVEN else reason,
        prepared_by=terms.prepared_by,
        expiry_hours=terms.expiry_hours,
        evidence_hash=evidence_hash,
    )
