from decimal import Decimal

import pytest
from demo_files import net_receivables, read, unique

from o2c.demo import generate


def balances(folder, day):
    return {
        (row["entity_id"], row["currency_code"]): Decimal(row["control_account_amount"])
        for row in read(folder, "ledger_balances")
        if row["balance_date"] == day
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_control_account_ties_to_the_cent(tmp_path, seed):
    folder = generate(tmp_path, invoices=1_200, seed=seed).folder
    assert balances(folder, "2026-09-30") == net_receivables(folder, "2026-09-30")


def test_the_control_account_ties_on_every_month_end(small):
    for day in ("2025-12-31", "2026-03-31", "2026-08-31"):
        assert balances(small, day) == net_receivables(small, day)


def test_a_difference_can_be_asked_for(tmp_path):
    folder = generate(tmp_path, invoices=300, seed=1, control_difference_cents=1).folder
    off = {
        account: amount + Decimal("0.01") for account, amount in net_receivables(folder, "2026-09-30").items()
    }
    assert balances(folder, "2026-09-30") == off


def test_nothing_is_applied_beyond_what_is_there(small):
    limits = {row["invoice_id"]: Decimal(row["invoice_amount"]) for row in read(small, "invoices")}
    limits |= {row["payment_id"]: Decimal(row["payment_amount"]) for row in read(small, "payments")}
    used: dict[str, Decimal] = {}
    for row in read(small, "payment_applications"):
        amount = Decimal(row["applied_amount"])
        for key in filter(None, (row["invoice_id"], row["credit_memo_id"])):
            used[key] = used.get(key, Decimal(0)) + amount
        if row["application_type"] in ("payment", "reversal"):
            used[row["payment_id"]] = used.get(row["payment_id"], Decimal(0)) + amount
    for row in read(small, "adjustments"):
        used[row["invoice_id"]] = used.get(row["invoice_id"], Decimal(0)) + Decimal(row["adjustment_amount"])
    assert {key: amount for key, amount in used.items() if not 0 <= amount <= limits[key]} == {}


def test_remittance_lines_add_up_to_their_payment(small):
    payments = {row["payment_id"]: Decimal(row["payment_amount"]) for row in read(small, "payments")}
    sums: dict[str, Decimal] = {}
    for row in read(small, "remittance_lines"):
        sums[row["payment_id"]] = sums.get(row["payment_id"], Decimal(0)) + Decimal(row["paid_amount"])
    assert len(sums) > 10
    assert sums == {payment: payments[payment] for payment in sums}


def test_installments_add_up_to_their_invoice(tmp_path):
    folder = generate(tmp_path, invoices=5_000, seed=1).folder
    invoices = {row["invoice_id"]: Decimal(row["invoice_amount"]) for row in read(folder, "invoices")}
    sums: dict[str, Decimal] = {}
    for row in read(folder, "installments"):
        sums[row["invoice_id"]] = sums.get(row["invoice_id"], Decimal(0)) + Decimal(row["installment_amount"])
    assert len(sums) > 3
    assert sums == {invoice: invoices[invoice] for invoice in sums}


def test_a_return_takes_back_exactly_its_payment(small):
    payments = {row["payment_id"]: row for row in unique(read(small, "payments"))}
    returns = [row for row in payments.values() if row["reverses_payment_id"]]
    assert len(returns) > 0
    for row in returns:
        original = payments[row["reverses_payment_id"]]
        assert Decimal(row["payment_amount"]) == -Decimal(original["payment_amount"])
        assert row["value_date"] > original["value_date"]
