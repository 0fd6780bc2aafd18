"""The customers with most past due, each with its story: what is open, what was said, what comes next."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from o2c.report import written
from o2c.report.parts import GROUP, Part, Story
from o2c.report.reading import Row

_TITLE = "Largest past-due customers"


def debtors_part(
    debtors: Sequence[Row],
    customers: Mapping[str, Row],
    items: Mapping[tuple[str, str, str], Row],
    worklist: Mapping[str, Row],
    decisions: Mapping[tuple[str, str, str], Row],
    past_due_amount: Decimal | None,
) -> Part:
    """Stories of the customers that owe most of what is past due, largest first.

    Args:
        debtors: of one entity and currency, by rank.
        customers, worklist: by customer_id; items, decisions: by entity, customer, currency.
        past_due_amount: all that is past due, to say how much of it theirs is.
    """
    if not debtors:
        return Part(_TITLE, "past-due", ["Nothing is past due."])
    code = debtors[0]["currency_code"]
    theirs = sum((row["past_due_amount"] for row in debtors), Decimal(0))
    words = [f"{written.counted(len(debtors), 'customer')} with {written.money_of(theirs, code)} past due"]
    if past_due_amount:
        words[0] += f", {written.share(theirs, past_due_amount)} of all that is"
    stories = []
    for row in debtors:
        key = (row["entity_id"], row["customer_id"], row["currency_code"])
        customer = customers.get(row["customer_id"], {})
        facts = [
            ("Open", _open(row, items.get(key), customer)),
            ("Contact", _contact(customer)),
            ("Promise", _promise(customer)),
            ("Dispute", _dispute(row, customer)),
            ("Next", _next(worklist.get(row["customer_id"]), decisions.get(key))),
            ("Exposure", _exposure(customer)),
        ]
        stories.append(
            Story(
                rank=row["debtor_rank"],
                name=written.text(customer.get("customer_name") or row["customer_id"]),
                customer_id=written.text(row["customer_id"]),
                marks=_marks(customer),
                past_due=written.money(row["past_due_amount"], code),
                open_amount=written.money(row["open_amount"], code),
                facts=[(name, fact) for name, fact in facts if fact],
            )
        )
    return Part(_TITLE, "past-due", [f"{words[0]}."], stories=stories)


def _marks(customer: Mapping[str, Any]) -> list[str]:
    marks = [f"{written.words(customer['risk_class'])} risk"] if customer.get("risk_class") else []
    if customer.get("segment"):
        marks.append(written.text(customer["segment"]))
    if customer.get("status") not in (None, "active"):
        marks.append(written.words(customer["status"]))
    return marks


def _open(row: Row, items: Row | None, customer: Mapping[str, Any]) -> str:
    oldest = row["oldest_days_past_due"]
    age = f"oldest {written.counted(oldest, 'day')} past due" if oldest else ""
    if items is not None:
        largest = written.money_of(items["largest_amount"], row["currency_code"])
        all_items = written.counted(items["item_count"], "item")
        count = f"{items['past_due_count']:,} of {all_items} past due, largest {largest}"
    elif row["entity_id"] == GROUP and customer:
        count = (
            f"{customer['past_due_invoice_count']:,} of {written.counted(customer['open_invoice_count'], 'invoice')}"
            " past due"
        )
    else:
        count = ""
    return "; ".join(one for one in (count, age) if one)


def _contact(customer: Mapping[str, Any]) -> str:
    said = []
    if customer.get("last_contact_date"):
        said.append(f"spoken to on {written.day(customer['last_contact_date'])}")
    if customer.get("last_letter_date"):
        level = customer.get("last_letter_level")
        kind = "courtesy reminder" if level == 0 else f"letter of level {level}"
        said.append(f"{kind} on {written.day(customer['last_letter_date'])}")
    if customer.get("last_payment_date"):
        said.append(f"last paid on {written.day(customer['last_payment_date'])}")
    return "; ".join(said) if said else "none on record"


def _promise(customer: Mapping[str, Any]) -> str:
    said = []
    if customer.get("next_promised_date"):
        said.append(
            f"{written.counted(customer['pending_promise_count'], 'promise')} pending, next for"
            f" {written.day(customer['next_promised_date'])}"
        )
    if customer.get("broken_promise_count"):
        last = customer.get("last_broken_promise_date")
        said.append(
            f"{customer['broken_promise_count']:,} broken in a year"
            + (f", last {written.day(last)}" if last else "")
        )
    return "; ".join(said)


def _dispute(row: Row, customer: Mapping[str, Any]) -> str:
    if not row["disputed_amount"]:
        return ""
    count = customer.get("open_dispute_count")
    disputes = f" in {written.counted(count, 'dispute')}" if count else ""
    return f"{written.money_of(row['disputed_amount'], row['currency_code'])}{disputes}"


def _next(work: Row | None, decision: Row | None) -> str:
    said = []
    if work is not None:
        said.append(f"{written.words(work['next_action'])} ({work['priority_class'].lower()} priority)")
    if decision is not None:
        stage = f" ({written.words(decision['stage'])})" if decision["stage"] else ""
        if decision["decision"] == "letter":
            said.append(f"letter{stage} decided")
        elif decision["decision"] == "task":
            said.append(f"task for a person{stage}")
        else:
            said.append(f"no letter: {written.text(decision['reason'])}")
    return "; ".join(said)


def _exposure(customer: Mapping[str, Any]) -> str:
    if customer.get("group_exposure_amount") is None:
        return ""
    exposure = written.money_of(customer["group_exposure_amount"], customer["group_currency_code"])
    if customer.get("credit_limit_amount") is None:
        return f"{exposure}, no limit known"
    limit = written.money_of(customer["credit_limit_amount"], customer["currency_code"])
    used = customer.get("utilisation_ratio")
    return (
        f"{exposure}, "
        + (f"{written.percent(used)} of " if used is not None else "beside ")
        + f"the limit {limit}"
    )
