from datetime import timedelta
from itertools import pairwise

import pytest
from demo_files import net_receivables, read

from o2c.contract import TABLES
from o2c.demo import CLEAN, DEFAULT_END, generate, generate_mornings

# The day on which a row became known, by table; rows of other tables were always known.
KNOWN = {
    "orders": "order_date",
    "invoices": "invoice_date",
    "payments": "value_date",
    "payment_applications": "application_date",
    "disputes": "opened_date",
    "promises": "made_date",
    "activities": "activity_at",
    "blocks": "valid_from",
    "adjustments": "adjustment_date",
    "plans": "agreed_date",
    "ledger_balances": "balance_date",
    "fx_rates": "rate_date",
}
CHILDREN = {
    "installments": ("invoice_id", "invoices"),
    "remittance_lines": ("payment_id", "payments"),
    "plan_lines": ("plan_id", "plans"),
}
# Columns whose value was not known yet on the earlier morning.
STATES = {"orders": {"status", "shipped_date", "invoiced_amount"}, "customers": {"status"}}


def restricted(folder, table, day):
    """What the later extract says of the time up to ``day``."""
    rows = read(folder, table)
    if table in KNOWN:
        rows = [row for row in rows if row[KNOWN[table]][:10] <= day]
    if table in CHILDREN:
        column, parent = CHILDREN[table]
        there = {row[column] for row in restricted(folder, parent, day)}
        rows = [row for row in rows if row[column] in there]
    if table == "disputes":
        rows = [row | ({"resolved_date": ""} if row["resolved_date"] > day else {}) for row in rows]
    return [{name: value for name, value in row.items() if name not in STATES.get(table, ())} for row in rows]


@pytest.mark.parametrize("table", TABLES)
def test_an_extract_is_a_later_one_restricted_to_what_was_known(mornings, table):
    for earlier, later in pairwise(mornings):
        day = earlier.isoformat()
        assert restricted(mornings[earlier], table, day) == restricted(mornings[later], table, day)
        assert len(read(mornings[earlier], table)) == len(restricted(mornings[earlier], table, day))


def test_every_morning_brings_something_new(mornings):
    for table in ("invoices", "payments", "orders", "disputes", "activities"):
        sizes = [len(read(folder, table)) for folder in mornings.values()]
        assert all(before < after for before, after in pairwise(sizes)), table


def test_orders_move_on_and_disputes_are_resolved(mornings):
    first, last = (list(mornings.values())[place] for place in (0, -1))
    before = {row["order_id"]: row["status"] for row in read(first, "orders")}
    moved = {
        (before[row["order_id"]], row["status"]) for row in read(last, "orders") if row["order_id"] in before
    }
    assert {("open", "invoiced"), ("shipped", "invoiced")} <= moved
    assert ("invoiced", "open") not in moved
    resolved = {row["dispute_id"] for row in read(last, "disputes") if row["resolved_date"]}
    assert any(row["dispute_id"] in resolved and not row["resolved_date"] for row in read(first, "disputes"))


def test_the_control_account_ties_on_every_morning(mornings):
    for day, folder in mornings.items():
        stated = {
            (row["entity_id"], row["currency_code"]): row["control_account_amount"]
            for row in read(folder, "ledger_balances")
            if row["balance_date"] == day.isoformat()
        }
        assert stated == {
            account: str(net) for account, net in net_receivables(folder, day.isoformat()).items()
        }


def test_the_first_morning_is_the_ledger_at_the_end_of_the_books(mornings, tmp_path):
    alone = generate(tmp_path, invoices=2_000, seed=1, dirt=CLEAN).folder
    for path in alone.iterdir():
        assert path.read_bytes() == (mornings[DEFAULT_END] / path.name).read_bytes()


def test_a_morning_of_which_nothing_is_known_is_refused(tmp_path):
    with pytest.raises(ValueError, match="2026-11-05 lies outside"):
        generate_mornings(tmp_path, invoices=200, seed=1, mornings=[DEFAULT_END + timedelta(days=36)])
    made = generate_mornings(tmp_path, invoices=200, seed=1, mornings=[DEFAULT_END + timedelta(days=35)])
    assert [extract.as_of.isoformat() for extract in made] == ["2026-11-04"]
