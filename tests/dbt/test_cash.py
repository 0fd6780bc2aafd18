"""Cash as the engine settles it, through the marts: every type, taken back, booked by the ledger, withheld."""

from datetime import date

import pytest
from cash_books import back, built_with_cash, deduction, engine, ties, with_new_cash
from customer_books import Book, load_book
from receivables_books import read
from test_receivables_edges import application, invoice, payment

from flows import _dbt

AS_OF = date(2026, 3, 31)
APPLIED = "raw.engine_applications"


def memo(invoice_id: str, amount: str, **more: object) -> dict[str, object]:
    return invoice(invoice_id, amount, document_type="credit_memo", **more)


NETTED = [
    engine("E1", "P", "I", "70", "2026-03-10"),
    engine("E2", "P", "I", "20", "2026-03-10", application_type="credit_memo", credit_memo_id="M"),
    engine("E3", "P", "I", "6", "2026-03-10", application_type="discount"),
    engine("E4", "P", "I", "4", "2026-03-10", application_type="write_off"),
]
BOOK = {"invoices": [invoice("I", "100"), memo("M", "50")], "payments": [payment("P", "75")]}


def test_money_credit_discount_and_write_off_settle_an_invoice_together(tmp_path):
    build = built_with_cash(Book(BOOK, [AS_OF]), tmp_path / "b", {}, {APPLIED: NETTED})
    columns = "invoice_id, applied_amount, written_off_amount, open_amount, status"
    assert read(build, "receivables.fct_invoices", columns) == [
        ("I", "96", "4", "0", "paid"),
        ("M", "-20", "0", "-30", "partly_paid"),
    ]
    # what was discounted, given up or credited is no money of the payment
    columns = "payment_amount, applied_amount, unapplied_amount, status"
    assert read(build, "receivables.fct_payments", columns) == [("75", "70", "5", "partly_applied")]
    columns = "application_id, credit_memo_id, application_type, applied_amount, discount_amount"
    assert read(build, "receivables.fct_payment_applications", columns) == [
        ("E1", None, "payment", "70", "0"),
        ("E2", "M", "credit_memo", "20", "0"),
        ("E3", None, "discount", "6", "6"),
        ("E4", None, "write_off", "4", "0"),
    ]
    columns = "customer_id, open_amount, credit_memo_amount, unapplied_amount, net_amount"
    assert read(build, "receivables.fct_ar_aging", columns) == [("C", "0", "30", "5", "-35")]
    assert ties(build) == []


def test_a_payment_that_goes_back_takes_back_all_that_was_settled_with_it(tmp_path):
    tables = BOOK | {
        "payments": [
            payment("P", "75"),
            payment("R", "-75", "2026-03-20", reverses_payment_id="P"),
        ]
    }
    taken_back = [back(one, "R", "2026-03-20") for one in NETTED]
    # the reversal of a credit need not repeat which credit memo it was
    taken_back[1]["credit_memo_id"] = None
    book = Book(tables, [date(2026, 3, 15), AS_OF])
    build = built_with_cash(book, tmp_path / "b", {APPLIED: NETTED}, {APPLIED: taken_back})
    assert read(build, "receivables.fct_open_items", "as_of_date, invoice_id, open_amount") == [
        ("2026-03-15", "M", "-30"),
        ("2026-03-31", "I", "100"),
        ("2026-03-31", "M", "-50"),
    ]
    assert read(
        build, "receivables.fct_payments", "payment_id, applied_amount, unapplied_amount, status"
    ) == [
        ("P", "70", "5", "reversed"),
        ("R", "-70", "-5", "reversed"),
    ]
    assert read(build, "receivables.fct_ar_aging", "as_of_date, unapplied_amount") == [
        ("2026-03-15", "5"),
        ("2026-03-31", "0"),
    ]
    assert ties(build) == []


def test_before_it_is_carried_out_a_return_is_listed_with_all_that_it_reopens(tmp_path):
    tables = {
        "invoices": [invoice("I", "100", "2024-01-01"), memo("M", "20", dated="2024-01-01")],
        "payments": [
            payment("P", "75", "2024-01-10"),
            payment("R", "-75", "2026-03-20", reverses_payment_id="P"),
        ],
    }
    long_ago = [one | {"application_date": "2024-01-10"} for one in NETTED]
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", {APPLIED: long_ago})
    applicable = "intermediate.int_payments_applicable"
    assert read(build, applicable, "payment_id, unapplied_amount") == [("R", "-75")]
    assert read(build, "intermediate.int_items_applicable", "invoice_id, open_amount") == [
        ("I", "0"),
        ("M", "0"),
    ]
    carried_out = [back(one, "R", "2026-03-20") for one in long_ago]
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "again", {APPLIED: [*long_ago, *carried_out]})
    assert read(build, applicable, "payment_id, unapplied_amount") == []
    assert read(build, "intermediate.int_items_applicable", "invoice_id, open_amount") == [
        ("I", "100"),
        ("M", "-20"),
    ]


def test_a_payment_of_zero_nets_a_credit_memo(tmp_path):
    tables = {"invoices": [invoice("I", "20"), memo("M", "20")], "payments": [payment("Z", "0")]}
    netting = engine("E", "Z", "I", "20", "2026-03-10", application_type="credit_memo", credit_memo_id="M")
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", {})
    assert read(build, "intermediate.int_payments_applicable", "payment_id") == [("Z",)]
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "again", {APPLIED: [netting]})
    assert read(build, "intermediate.int_payments_applicable", "payment_id") == []
    assert read(build, "receivables.fct_invoices", "invoice_id, open_amount") == [("I", "0"), ("M", "0")]
    assert read(build, "receivables.fct_payments", "status") == [("applied",)]
    assert ties(build) == []


def test_once_the_ledger_has_booked_it_a_return_takes_nothing_back_twice(tmp_path):
    """Ours was taken back when the ledger had not booked it yet; then the ledger books both."""
    tables = {
        "invoices": [invoice("I", "100")],
        "payments": [payment("P", "98"), payment("R", "-98", "2026-03-20", reverses_payment_id="P")],
        "payment_applications": [
            application("L1", "P", "I", "98"),
            application("L2", "P", "I", "2", application_type="discount"),
            application(
                "L3", "P", "I", "-98", application_type="reversal", reverses_application_id="L1",
                application_date="2026-03-20",
            ),
            application(
                "L4", "P", "I", "-2", application_type="reversal", reverses_application_id="L2",
                application_date="2026-03-20",
            ),
        ],
    }  # fmt: skip
    ours = [
        engine("E1", "P", "I", "98", "2026-03-10"),
        engine("E2", "P", "I", "2", "2026-03-10", application_type="discount"),
    ]
    ours += [back(one, "R", "2026-03-20") for one in ours]
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", {APPLIED: ours})
    assert read(build, "intermediate.int_applications_superseded", "application_id") == [
        ("E1",), ("E2",), ("back-E1",), ("back-E2",)
    ]  # fmt: skip
    assert read(build, "receivables.fct_invoices", "open_amount, status") == [("100", "open")]
    assert read(build, "intermediate.int_payments_applicable", "payment_id") == []
    assert ties(build) == []


def test_money_found_to_be_a_customers_is_on_account_from_that_day(tmp_path):
    tables = {"invoices": [invoice("I", "100")], "payments": [payment("P", "30", customer_id=None)]}
    found = {
        "payment_id": "P",
        "customer_id": "C",
        "rule": "payer_name",
        "explanation": "the name is the same",
    }
    found |= {"score": "0.9", "assigned_date": "2026-03-16"}
    book = Book(tables, [date(2026, 3, 15), AS_OF])
    build = built_with_cash(book, tmp_path / "b", {"raw.payer_assignments": [found]})
    assert read(build, "receivables.fct_payments", "customer_id, status") == [("C", "on_account")]
    assert read(
        build,
        "receivables.fct_ar_aging",
        "as_of_date, customer_id, unapplied_amount",
        "unapplied_amount <> 0",
    ) == [
        ("2026-03-15", "(unidentified)", "30"),
        ("2026-03-31", "C", "30"),
    ]
    columns = "bank_account_id, balance_type, unapplied_amount, age_8_30_amount, oldest_age_days"
    assert read(build, "receivables.fct_unapplied_cash_aging", columns) == [
        ("(none)", "on_account", "30", "30", 21),
        ("ALL", "on_account", "30", "30", 21),
    ]
    assert ties(build) == []


def test_what_a_customer_withheld_is_contested_and_only_the_rest_is_past_due(tmp_path):
    tables = {
        "invoices": [
            invoice("short", "100", due_date="2026-03-20"),
            invoice("part", "100", due_date="2026-03-20"),
            invoice("late_discount", "100", due_date="2026-03-20"),
        ],
        "payments": [payment("P", "90"), payment("Q", "50"), payment("S", "98")],
    }
    made = {
        APPLIED: [
            engine("E1", "P", "short", "90", "2026-03-10"),
            engine("E2", "Q", "part", "50", "2026-03-10"),
            engine("E3", "S", "late_discount", "98", "2026-03-10"),
        ],
        "raw.cash_deductions": [
            deduction("D1", "P", "short", "10", "2026-03-10", customer_reason_code="01"),
            deduction("D2", "Q", "part", "10", "2026-03-10"),
            deduction("D3", "S", "late_discount", "2", "2026-03-10", opens_dispute=False),
        ],
    }
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", {}, made)
    columns = (
        "deduction_id, entity_id, customer_reason_code, reason_code, status, deduction_amount, resolved_date"
    )
    assert read(build, "receivables.fct_deductions", columns) == [
        ("D1", "E", "01", "pricing", "open", "10", None),
        ("D2", "E", None, "pricing", "open", "10", None),
        ("D3", "E", None, "pricing", "open", "2", None),
    ]
    columns = "invoice_id, open_amount, disputed_amount, days_past_due"
    assert read(build, "receivables.fct_open_items", columns) == [
        ("late_discount", "2", "0", 11),
        ("part", "50", "10", 11),
        ("short", "10", "10", 11),
    ]
    assert read(build, "receivables.fct_ar_aging", "open_amount, disputed_amount") == [("62", "20")]
    assert ties(build) == []


TOO_MUCH = [
    ("document", [engine("X", "P", "I", "100.01", "2026-03-10")]),
    (
        "document",
        [
            engine("E", "P", "I", "100", "2026-03-10"),
            engine("X", "P", "I", "0.01", "2026-03-10", application_type="discount"),
        ],
    ),
    ("payment", [engine("E", "P", "I", "100", "2026-03-10"), engine("X", "P", "J", "50.01", "2026-03-10")]),
    (
        "document",
        [engine("X", "P", "J", "50.01", "2026-03-10", application_type="credit_memo", credit_memo_id="M")],
    ),
]


def test_our_applications_never_exceed_item_payment_or_credit_memo(tmp_path):
    tables = {
        "invoices": [invoice("I", "100"), invoice("J", "200"), memo("M", "50")],
        "payments": [payment("P", "150")],
    }
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", {})
    for subject, new in TOO_MUCH:
        with_new_cash(build, {APPLIED: new})
        found = rf"assert_engine_applies_within_amounts: 1 rows\s+subject {subject}"
        with pytest.raises(_dbt.BuildFailed, match=found):
            ties(build)


def test_an_item_paid_twice_by_us_for_some_days_is_noticed_though_it_is_right_in_the_end(tmp_path):
    tables = {
        "invoices": [invoice("I", "100")],
        "payments": [
            payment("P", "100"),
            payment("R", "-100", "2026-03-20", reverses_payment_id="P"),
            payment("Q", "100", "2026-03-12"),
        ],
    }
    first = engine("E1", "P", "I", "100", "2026-03-10")
    new = [first, back(first, "R", "2026-03-20"), engine("E2", "Q", "I", "100", "2026-03-12")]
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", {}, {APPLIED: new})
    with pytest.raises(
        _dbt.BuildFailed, match=r"subject_id I, whole_amount 100\.0000, applied_amount 200\.0000"
    ):
        ties(build)
    new[2]["application_date"] = "2026-03-20"
    assert ties(with_new_cash(build, {APPLIED: new})) == []


def test_what_the_ledger_books_since_speaks_against_ours_and_does_not_stop_the_run(tmp_path):
    """We settled the invoice with P; then the ledger books Q on it."""
    tables = {
        "invoices": [invoice("I", "100")],
        "payments": [payment("P", "100"), payment("Q", "100")],
        "payment_applications": [application("L", "Q", "I", "100")],
    }
    ours = {APPLIED: [engine("E", "P", "I", "100", "2026-03-10")]}
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", ours)
    assert read(build, "receivables.fct_payment_applications", "application_id, contradicted_by") == [
        ("E", "document_overpaid"),
        ("L", None),
    ]
    assert ties(build) == ["assert_ledger_applies_within_amounts"]
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "new", {}, ours)
    with pytest.raises(_dbt.BuildFailed, match="assert_engine_applies_within_amounts"):
        ties(build)


def test_an_exception_without_anything_to_decide_is_refused(tmp_path):
    tables = {"invoices": [invoice("I", "100")], "payments": [payment("P", "100"), payment("Q", "7")]}
    exception = {
        "entity_id": "E",
        "currency_code": "EUR",
        "reason_code": "no_match",
        "reason": "nothing fits",
    }
    exception |= {"value_date": "2026-03-10", "customer_id": "C"}
    waits = exception | {"payment_id": "Q", "payment_amount": "7", "unapplied_amount": "7"}
    new = {
        APPLIED: [engine("E", "P", "I", "100", "2026-03-10")],
        "raw.cash_exceptions": [waits],
    }
    build = built_with_cash(Book(tables, [AS_OF]), tmp_path / "b", {}, new)
    columns = "as_of_date, payment_id, reason_code, unapplied_amount, waiting_days"
    assert read(build, "receivables.fct_cash_exceptions", columns) == [
        ("2026-03-31", "Q", "no_match", "7", 21)
    ]
    columns = (
        "period, bank_account_id, received_count, automatic_count, waiting_count, automatic_amount_ratio"
    )
    assert read(build, "receivables.fct_cash_application_kpis", columns) == [
        ("30_days", "(none)", 2, 1, 1, "0.934579"),
        ("30_days", "ALL", 2, 1, 1, "0.934579"),
    ]
    assert ties(build) == []
    new["raw.cash_exceptions"].append(
        exception | {"payment_id": "P", "payment_amount": "100", "unapplied_amount": "0"}
    )
    with_new_cash(build, new)
    with pytest.raises(_dbt.BuildFailed, match=r"payment_id P, reason_code no_match"):
        ties(build)


def test_the_same_money_from_the_bank_and_from_the_ledger_is_noticed(tmp_path):
    """Five equal payments of seven are the same money; four, or five of ten, may be chance."""
    of_ledger = [payment(f"L{n}", f"{n}.25") for n in range(1, 6)]
    of_bank = [payment(f"B{n}", f"{n}.25", _source="_bank") for n in range(1, 6)]
    more = [payment(f"C{n}", f"{n}.75", _source="_bank") for n in range(5)]
    for name, payments, found in (
        ("five of seven", [*of_ledger, *of_bank, *more[:2]], ["assert_payments_come_one_way"]),
        ("four", [*of_ledger, *of_bank[:4]], []),
        ("five of ten", [*of_ledger, *of_bank, *more], []),
    ):
        tables = {"invoices": [invoice("I", "100")], "payments": payments}
        folder = tmp_path / name
        folder.mkdir()
        build = load_book(Book(tables, [AS_OF]), folder)
        _dbt.run_models(build, folder, "stg_payments")
        findings = _dbt.run_tests(build, folder, "assert_payments_come_one_way", exclude="")
        assert [finding.name for finding in findings] == found, name
