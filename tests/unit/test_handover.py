"""What agencies are handed over and asked back: put together from the book, written once, tied to what was approved."""

import csv
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from openpyxl import load_workbook
from recovery_books import AS_OF, activity, book, frame, item

from o2c import frames
from o2c.approval_lists import Terms, referral_lists
from o2c.handover import evidence_hash, find_recalls, hand_overs
from o2c.handover_files import (
    HandoverMissing,
    forget_hand_overs,
    keep_hand_over,
    kept_hand_over,
    total_of,
    write_placement,
)
from o2c.ledger.placing import AT_AGENCY

TERMS = Terms("2026-09-30-b", AS_OF, "olga", 24)
NO_LETTERS = pl.DataFrame(
    schema={
        "letter_id": pl.String, "customer_id": pl.String, "level": pl.Int64, "stage": pl.String,
        "channel": pl.String, "state": pl.String, "message_hash": pl.String, "contact_date": pl.Date,
        "decided_as_of_date": pl.Date,
    }
)  # fmt: skip


def letters(*rows: tuple) -> pl.DataFrame:
    """``letter_id, level, state, day`` of letters to ACME."""
    filled = [
        (letter_id, "ACME", level, f"stage {level}", "email", state, f"hash of {letter_id}", None, day)
        for letter_id, level, state, day in rows
    ]
    return pl.DataFrame(filled, schema=NO_LETTERS.schema, orient="row")


def lines(*rows: tuple[str, str]) -> pl.DataFrame:
    listed = {"letter_id": pl.String, "invoice_id": pl.String, "installment_number": pl.Int64}
    return pl.DataFrame([(*row, 1) for row in rows], schema=listed, orient="row")


def referral(invoice_id: str = "INV-1", amount: str = "100.00", **given) -> dict:
    return {
        "as_of_date": AS_OF,
        "entity_id": "DE01",
        "customer_id": "ACME",
        "invoice_id": invoice_id,
        "installment_number": 1,
        "currency_code": "EUR",
        "agency_id": "AGENCY-EU",
        "status": "proposed",
        "rule": "standard",
        "failed_conditions": "",
        "policy_version": "v",
        "referred_amount": Decimal(amount),
        "days_past_due": 100,
    } | given


def handed(*referrals: dict, **given) -> dict[str, dict]:
    known = {"items": frame(frames.OpenItems, *(item(one["invoice_id"]) for one in referrals))}
    return hand_overs(
        frame(frames.AgencyReferrals, *referrals),
        book(**known | given.pop("book", {})),
        given.pop("letters", NO_LETTERS),
        given.pop("lines", lines()),
    )


def test_no_agency_sees_what_another_gets():
    found = handed(referral(), referral("INV-2", "7.00", agency_id="AGENCY-GB", currency_code="GBP"))
    assert {agency: [row["invoice_id"] for row in one["items"]] for agency, one in found.items()} == {
        "AGENCY-EU": ["INV-1"],
        "AGENCY-GB": ["INV-2"],
    }
    evidence = {agency: evidence_hash(one) for agency, one in found.items()}
    proposed = frame(
        frames.AgencyReferrals,
        referral(),
        referral("INV-2", "7.00", agency_id="AGENCY-GB", currency_code="GBP"),
        referral("INV-3", status="not_eligible", agency_id=None, rule=None, failed_conditions="disputed"),
    )
    lists = referral_lists(proposed, evidence, TERMS, 2)
    asked = [(one.reason, one.required_approval_count, one.amounts(), one.evidence_hash) for one in lists]
    assert asked == [
        ("referral to AGENCY-EU", 2, {"EUR": Decimal("100.00")}, evidence["AGENCY-EU"]),
        ("referral to AGENCY-GB", 2, {"GBP": Decimal("7.00")}, evidence["AGENCY-GB"]),
    ]


def test_the_contact_log_has_the_customers_of_the_list_alone_and_no_notes():
    activities = frame(
        frames.Activities,
        activity(10, "promise_made", note="said he is ill"),
        activity(5, None),
        activity(5, "no_answer", customer_id="OTHER"),
    )
    found = handed(referral(), book={"activities": activities})["AGENCY-EU"]["contact_log"]
    assert [(row["activity_date"], row["outcome_code"]) for row in found] == [
        ("2026-09-20", "promise_made"),
        ("2026-09-25", None),
    ]
    assert "ill" not in str(found)


def test_the_evidence_is_letters_that_left_and_listed_the_item_with_their_hashes():
    sent = letters(
        ("L1", 1, "sent", date(2026, 8, 1)),
        ("L2", 2, "delivered", date(2026, 8, 15)),
        ("L3", 3, "bounced", date(2026, 9, 1)),
        ("L4", 3, "sent", date(2026, 9, 2)),
    )
    listed = lines(("L1", "INV-1"), ("L2", "INV-1"), ("L3", "INV-1"), ("L4", "INV-9"))
    found = handed(referral(), letters=sent, lines=listed)["AGENCY-EU"]["evidence"]
    assert [(row["letter_id"], row["level"], row["sent_date"], row["message_hash"]) for row in found] == [
        ("L1", 1, "2026-08-01", "hash of L1"),
        ("L2", 2, "2026-08-15", "hash of L2"),
    ]


def test_the_files_come_to_exactly_what_the_list_comes_to(tmp_path):
    referrals = [referral(f"INV-{at}", f"{at}.10") for at in range(1, 40)]
    found = handed(*referrals)["AGENCY-EU"]
    asked = referral_lists(
        frame(frames.AgencyReferrals, *referrals), {"AGENCY-EU": evidence_hash(found)}, TERMS, 2
    )[0]
    place = write_placement(tmp_path, found, "referrals-20260930-abc", AS_OF)
    with next(place.glob("*items.csv")).open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    sheet = load_workbook(next(place.glob("*.xlsx")))["Items"]
    heading = [cell.value for cell in sheet[1]]
    placed = [row[heading.index("Placed")].value for row in sheet.iter_rows(min_row=2)]
    total = sum(Decimal(row["Placed"]) for row in rows)
    assert {"EUR": total} == asked.amounts() == total_of(found["items"])
    assert sum(Decimal(str(value)) for value in placed) == total
    assert {row["Placement"] for row in rows} == {"referrals-20260930-abc"}
    assert len(rows) == len(asked.items) == 39


def test_the_same_hand_over_gives_the_same_bytes_and_is_written_once(tmp_path):
    found = handed(referral(), referral("INV-2"))["AGENCY-EU"]
    first = write_placement(tmp_path / "one", found, "referrals-1", AS_OF)
    other = write_placement(tmp_path / "two", found, "referrals-1", AS_OF)
    content = {path.name: path.read_bytes() for path in sorted(first.iterdir())}
    assert content == {path.name: path.read_bytes() for path in sorted(other.iterdir())}
    assert len(content) == 4
    changed = found | {"items": found["items"][:1]}
    write_placement(tmp_path / "one", changed, "referrals-1", AS_OF)
    assert content == {path.name: path.read_bytes() for path in sorted(first.iterdir())}


def test_what_customers_are_called_is_no_formula_in_the_files(tmp_path):
    customers = frame(frames.Customers, {"customer_name": "=HYPERLINK(1)"})
    found = handed(referral(), book={"customers": customers})["AGENCY-EU"]
    place = write_placement(tmp_path, found, "referrals-1", AS_OF)
    assert '"\'=HYPERLINK(1)"' in next(place.glob("*items.csv")).read_text()
    assert load_workbook(next(place.glob("*.xlsx")))["Items"]["C2"].data_type != "f"


def test_what_waits_is_kept_under_its_hash_and_forgotten_with_its_list(tmp_path):
    found = handed(referral())["AGENCY-EU"]
    name = keep_hand_over(tmp_path, found)
    assert kept_hand_over(tmp_path, name) == found
    forget_hand_overs(tmp_path, {name})
    assert kept_hand_over(tmp_path, name) == found
    forget_hand_overs(tmp_path, set())
    with pytest.raises(HandoverMissing, match="not there as it was approved"):
        kept_hand_over(tmp_path, name)


def test_what_was_changed_since_is_not_handed_over(tmp_path):
    name = keep_hand_over(tmp_path, handed(referral())["AGENCY-EU"])
    path = tmp_path / "waiting" / f"{name}.json"
    path.write_bytes(path.read_bytes().replace(b"100.00", b"900.00"))
    with pytest.raises(HandoverMissing, match="not there as it was approved"):
        kept_hand_over(tmp_path, name)


def placed(invoice_id: str = "INV-1", amount: str | None = "100.00") -> pl.DataFrame:
    row = (
        invoice_id, 1, "ACME", "AGENCY-EU", date(2026, 9, 1), "referrals-1", "EUR",
        None if amount is None else Decimal(amount),
    )  # fmt: skip
    return pl.DataFrame([row], schema=AT_AGENCY, orient="row")


BLOCK = {"scope": "customer", "subject_id": "ACME"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"items": (item(),)}, None),
        ({"items": (item(days_past_due=-3),)}, None),
        ({"items": ()}, "paid"),
        ({"items": (), "cancelled": frozenset({"INV-1"})}, "withdrawn"),
        ({"items": (item(disputed_amount="0.01"),)}, "disputed"),
        ({"items": (item(),), "blocks": (BLOCK,)}, "blocked"),
        ({"items": (item(),), "blocks": ({"scope": "invoice", "subject_id": "INV-1"},)}, "blocked"),
        ({"items": (item(),), "blocks": (BLOCK | {"valid_until": date(2026, 9, 29)},)}, None),
        ({"items": (item(),), "blocks": (BLOCK | {"valid_until": AS_OF},)}, "blocked"),
        ({"items": (item(),), "customer": {"status": "insolvent"}}, "customer_status"),
        ({"items": (item(open_amount="99.99"),)}, "paid_in_part"),
        ({"items": (item(open_amount="100.00"),)}, None),
        ({"items": (item(open_amount="1.00"),), "amount": None}, None),
    ],
    ids=[
        "still open", "due again", "paid", "cancelled", "disputed by a cent", "customer blocked", "item blocked",
        "block over", "last day of a block", "insolvent", "a cent less", "the same", "amount of earlier versions",
    ],
)  # fmt: skip
def test_an_agency_is_asked_for_what_it_must_not_collect_any_more(given, reason):
    found = find_recalls(
        placed(amount=given.get("amount", "100.00")),
        book(
            items=frame(frames.OpenItems, *given["items"]),
            customers=frame(frames.Customers, given.get("customer", {})),
            blocks=frame(frames.Blocks, *given.get("blocks", ())),
        ),
        given.get("cancelled", frozenset()),
        AS_OF,
    )
    assert found["recall_reason"].to_list() == ([reason] if reason else [])
