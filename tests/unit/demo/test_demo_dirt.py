import pytest
from demo_files import read, unique

from o2c.demo import AS_MEASURED, CLEAN, Dirt, generate


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dirt")
    return {
        name: generate(folder / name, invoices=4_000, seed=1, dirt=dirt).folder
        for name, dirt in (("clean", CLEAN), ("contract", Dirt()), ("measured", AS_MEASURED))
    }


def test_a_clean_ledger_has_no_duplicates_and_no_blank_due_dates(ledgers):
    rows = read(ledgers["clean"], "invoices")
    assert len(unique(rows)) == len(rows)
    assert [row for row in rows if row["document_type"] == "invoice" and not row["due_date"]] == []


def test_within_the_contract_rows_are_doubled_and_due_dates_blank_at_the_measured_rates(ledgers):
    clean, rows = read(ledgers["clean"], "invoices"), read(ledgers["contract"], "invoices")
    assert 0.015 <= len(rows) / len(clean) - 1 <= 0.025
    assert {row["invoice_id"] for row in rows} == {row["invoice_id"] for row in clean}
    due = [row for row in unique(rows) if row["document_type"] == "invoice"]
    blank = [row for row in due if not row["due_date"]]
    assert 0.035 <= len(blank) / len(due) <= 0.065
    assert [row for row in blank if not row["payment_terms_days"]] == []


def test_one_customer_in_a_hundred_is_unknown(ledgers):
    known = {row["customer_id"] for row in read(ledgers["clean"], "customers")}
    billed = {row["customer_id"] for row in read(ledgers["clean"], "invoices")}
    assert 0.002 <= len(billed - known) / len(billed) <= 0.02


def test_a_ledger_as_measured_has_other_date_spellings_and_lost_zeros(ledgers):
    rows = [row for row in unique(read(ledgers["measured"], "invoices")) if row["document_type"] == "invoice"]
    spelled = [row["invoice_date"] for row in rows]
    assert 0.03 <= sum("." in day for day in spelled) / len(rows) <= 0.05
    assert 0.018 <= sum("/" in day for day in spelled) / len(rows) <= 0.036
    assert 0.2 <= sum(not row["customer_id"].startswith("0") for row in rows) / len(rows) <= 0.3
    plain = [row for row in rows if "-" in row["due_date"]]
    early = [row for row in plain if row["due_date"] < row["invoice_date"] and "-" in row["invoice_date"]]
    assert 0.001 <= len(early) / len(plain) <= 0.006


def test_a_share_outside_zero_to_one_is_refused_with_all_its_names():
    with pytest.raises(ValueError, match="duplicated_rows, blank_due_dates must be"):
        Dirt(duplicated_rows=2.0, blank_due_dates=-0.1)
