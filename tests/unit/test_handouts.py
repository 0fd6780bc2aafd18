"""What people are handed: their own customers in order, with words instead of codes."""

import csv
from datetime import date
from decimal import Decimal

import pytest
from letter_builders import AS_OF, frame
from openpyxl import load_workbook

from o2c.frames import (
    AgencyReferrals,
    Collectors,
    Contacts,
    CreditFlags,
    Customers,
    OpenItems,
    Worklist,
    WorklistTerms,
)
from o2c.handouts import NOT_YET_MET, write_agency_list, write_credit_flags, write_worklists
from o2c.placement import CONDITIONS

OUTCOMES = ("promise", "dispute", "unreachable")


def customer(customer_id, name):
    return {
        "as_of_date": AS_OF,
        "customer_id": customer_id,
        "customer_name": name,
        "status": "active",
        "behaviour_class": "new",
        "risk_class": "low",
        "segment": "s",
        "risk_score": Decimal(0),
        "settled_invoice_count": 0,
        "broken_promise_count": 0,
        "returned_payment_count": 0,
        "is_stub": False,
    }


def task(customer_id, collector_id="K1", rank=1, **changes):
    return {
        "as_of_date": AS_OF,
        "collector_id": collector_id,
        "customer_id": customer_id,
        "currency_code": "EUR",
        "priority_class": "High",
        "next_action": "call_again",
        "reason": "=promise broken",
        "policy_version": "p",
        "past_due_amount": Decimal("1234.50"),
        "priority_score": Decimal("0.6"),
        "work_rank": rank,
        "oldest_days_past_due": 40,
        "is_in_capacity": True,
        **changes,
    }


def item(invoice_id, customer_id, days=40, **changes):
    return {
        "as_of_date": AS_OF,
        "entity_id": "E1",
        "customer_id": customer_id,
        "invoice_id": invoice_id,
        "installment_number": 1,
        "invoice_number": f"No-{invoice_id}",
        "document_type": "invoice",
        "currency_code": "EUR",
        "aging_bucket": "31-60",
        "invoice_amount": Decimal(100),
        "open_amount": Decimal(80),
        "disputed_amount": Decimal(0),
        "days_past_due": days,
        "invoice_date": date(2026, 1, 1),
        "due_date": date(2026, 1, 31),
        **changes,
    }


CUSTOMERS = frame(Customers, customer("A", "Acme"), customer("B", "Bolt"), customer("C", "Core"))
CONTACTS = frame(
    Contacts,
    {"contact_id": "1", "customer_id": "A", "role": "billing", "name": "Bill", "phone": "+49 1"},
    {"contact_id": "2", "customer_id": "A", "role": "dunning", "name": "Old", "valid_from": date(2024, 1, 1)},
    {"contact_id": "3", "customer_id": "A", "role": "dunning", "name": "New", "valid_from": date(2025, 1, 1)},
    {
        "contact_id": "4",
        "customer_id": "A",
        "role": "dunning",
        "name": "Later",
        "valid_from": date(2026, 3, 13),
    },
)
COLLECTORS = frame(Collectors, {"collector_id": "K1", "name": "Kim"}, {"collector_id": "K2", "name": "Lee"})


def hand_out(folder, *tasks):
    terms = frame(
        WorklistTerms,
        *(
            {
                "as_of_date": AS_OF,
                "customer_id": row["customer_id"],
                "currency_code": "EUR",
                "term": "days_past_due",
                "weight": Decimal("0.35"),
                "value": Decimal("0.5"),
                "contribution": Decimal("0.175"),
            }
            for row in tasks
        ),
    )
    items = frame(OpenItems, item("I1", "A"), item("I2", "B"), item("I3", "C", document_type="credit_memo"))
    return write_worklists(
        folder, frame(Worklist, *tasks), terms, items, CUSTOMERS, CONTACTS, COLLECTORS, OUTCOMES, AS_OF
    )


def rows_of(path, sheet):
    return [[cell.value for cell in row] for row in load_workbook(path)[sheet].rows]


def test_each_collector_gets_one_workbook_and_one_csv_in_order_of_rank(tmp_path):
    paths = hand_out(
        tmp_path / "new", task("B", rank=2, is_in_capacity=False), task("A"), task("C", "(unowned)")
    )
    assert [path.name for path in paths] == [
        "worklist_unowned_2026-03-12.xlsx",
        "worklist_unowned_2026-03-12.csv",
        "worklist_K1_2026-03-12.xlsx",
        "worklist_K1_2026-03-12.csv",
    ]
    assert rows_of(paths[2], "Worklist")[1:] == [
        [1, "A", "Acme", "High", 0.6, 1234.5, 40, "call again", "=promise broken", "New", None, None, "yes"]
        + [None] * 4,
        [2, "B", "Bolt", "High", 0.6, 1234.5, 40, "call again", "=promise broken", None, None, None, "later"]
        + [None] * 4,
    ]
    assert [row[:4] for row in rows_of(paths[2], "Items")[1:]] == [
        ["A", "Acme", "No-I1", "invoice"],
    ]
    assert rows_of(paths[2], "Score") == [
        ["Rank", "Customer no.", "Customer", "Score", "Days past due"],
        [1, "A", "Acme", 0.6, 0.175],
    ]
    assert [row[:4] for row in rows_of(paths[0], "Items")[1:]] == [["C", "Core", "No-I3", "credit memo"]]


def test_the_csv_says_the_same_with_its_currency_and_runs_nothing(tmp_path):
    paths = hand_out(tmp_path, task("A"))
    with paths[1].open(newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert (row["Past due"], row["Currency"], row["Reason"], row["Outcome"]) == (
        "1234.50",
        "EUR",
        "'=promise broken",
        "",
    )


def test_outcomes_are_offered_to_choose_from(tmp_path):
    page = load_workbook(hand_out(tmp_path, task("A"))[0])["Worklist"]
    assert [(str(rule.sqref), rule.formula1) for rule in page.data_validations.dataValidation] == [
        ("N2", '"promise,dispute,unreachable"')
    ]
    assert page["N1"].value == "Outcome"


def test_two_collectors_whose_files_would_meet_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'K1' and 'k1' differ in case only"):
        hand_out(tmp_path, task("A", "K1"), task("B", "k1"))
    assert list(tmp_path.iterdir()) == []


def referral(invoice_id, customer_id, status, failed="", days=100):
    return {
        "as_of_date": AS_OF,
        "entity_id": "E1",
        "customer_id": customer_id,
        "invoice_id": invoice_id,
        "installment_number": 1,
        "currency_code": "EUR",
        "agency_id": "AGENCY-EU" if status == "proposed" else None,
        "status": status,
        "rule": "small_balances" if status == "proposed" else None,
        "failed_conditions": failed,
        "policy_version": "p",
        "referred_amount": Decimal(80),
        "days_past_due": days,
    }


def test_the_agency_list_parts_the_proposed_from_those_that_fail_and_says_why(tmp_path):
    referrals = frame(
        AgencyReferrals,
        referral("I1", "A", "not_eligible", "final_notice_too_recent,promise_pending,some_new_rule"),
        referral("I2", "B", "proposed"),
        referral("I3", "C", "placed"),
    )
    items = frame(OpenItems, item("I1", "A"), item("I2", "B"))
    workbook, table = write_agency_list(tmp_path, referrals, items, CUSTOMERS, AS_OF)
    assert [[row[0], row[3], row[-1]] for row in rows_of(workbook, "Proposed")[1:]] == [
        ["B", "No-I2", "small balances"]
    ]
    assert [[row[0], row[3], row[-1]] for row in rows_of(workbook, "Not eligible")[1:]] == [
        ["A", "No-I1", "final notice is too recent; a promise to pay is pending; some new rule"]
    ]
    assert [[row[0], row[3]] for row in rows_of(workbook, "At an agency")[1:]] == [["C", "I3"]]
    with table.open(newline="") as handle:
        assert [(row["Invoice"], row["Status"], row["Amount"]) for row in csv.DictReader(handle)] == [
            ("No-I1", "not eligible", "80.00"),
            ("No-I2", "proposed", "80.00"),
            ("I3", "placed", "80.00"),
        ]


def test_every_condition_has_its_words():
    assert set(NOT_YET_MET) == set(CONDITIONS)


def test_credit_flags_stand_most_severe_first(tmp_path):
    flags = [
        {
            "as_of_date": AS_OF,
            "customer_id": customer_id,
            "flag_code": "over_limit",
            "severity": severity,
            "currency_code": "EUR",
            "action": "reduce_limit",
            "reason": "r",
            "policy_version": "p",
            "exposure_amount": Decimal(exposure),
            "utilisation_ratio": Decimal("1.1"),
        }
        for customer_id, severity, exposure in (("A", "low", 900), ("B", "high", 10), ("C", "high", 20))
    ]
    workbook, table = write_credit_flags(tmp_path, frame(CreditFlags, *flags), CUSTOMERS, AS_OF)
    assert rows_of(workbook, "Credit flags")[1:] == [
        ["C", "Core", "over limit", "high", "reduce limit", 20, None, 1.1, None, "r"],
        ["B", "Bolt", "over limit", "high", "reduce limit", 10, None, 1.1, None, "r"],
        ["A", "Acme", "over limit", "low", "reduce limit", 900, None, 1.1, None, "r"],
    ]
    assert table.name == "credit-flags_2026-03-12.csv"
