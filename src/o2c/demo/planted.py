"""The planted cases as rows of the source tables, like those of everybody else."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from o2c.contract import TABLES, Kind
from o2c.demo.books import Books
from o2c.demo.cases import ALL_CASES, Case, Debt
from o2c.demo.parties import ENTITIES

_CURRENCIES = dict(ENTITIES.select("entity_id", "currency_code").iter_rows())
# Documents of planted customers are numbered from here, far from all others.
_FIRST_DOCUMENT = 90_000_000
_EXTRA_TYPES: dict[str, pl.DataType] = {
    "known_day": pl.Int32(),
    "stopped_day": pl.Int32(),
    "invoiced_day": pl.Int32(),
    "fate": pl.String(),
}

INVOICE_COUNT = sum(len(case.debts) + (case.other_entity_debt is not None) for case in ALL_CASES)


def planted_tables(books: Books) -> dict[str, pl.DataFrame]:
    """Rows of the planted customers per table, in the columns in which the generator passes rows on."""
    rows = _Rows(books)
    for number, case in enumerate(ALL_CASES, 1):
        _plant(rows, case, f"{900_000 + number:010d}", number)
    return {name: _frame(name, listed) for name, listed in rows.tables.items()}


@dataclass
class _Rows:
    """Rows per table, and the next document number."""

    books: Books
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    documents: int = 0

    def add(self, table: str, known: int, **row: Any) -> None:
        self.tables[table].append({"known_day": known, **row})

    def day(self, offset: int) -> int:
        return self.books.last_day + offset


def _plant(rows: _Rows, case: Case, customer_id: str, number: int) -> None:
    long_ago = rows.books.first_day - 400
    rows.add(
        "customers",
        long_ago,
        customer_id=customer_id,
        customer_name=f"{case.name} Trading",
        country_code=case.country,
        language_code="de" if case.country == "DE" else "en",
        customer_type=case.customer_type,
        fate=case.status,
        stopped_day=None if case.status == "active" else rows.day(-60),
        payment_terms_days=30,
        credit_limit_amount=case.limit,
        credit_limit_currency_code=_CURRENCIES[case.entity],
        credit_limit_valid_until=rows.day(300),
        collector_id=f"K{number % 4 + 1:03d}",
        account_owner_email=f"sales-{case.entity.lower()}@example.com",
        created_date=long_ago,
    )
    rows.add(
        "contacts",
        long_ago,
        contact_id=f"{customer_id}-B",
        customer_id=customer_id,
        role="billing",
        name="Accounts Payable",
        email=f"accounts@c{customer_id}.example.com",
        phone=f"+121255501{number:02d}",
        language_code="de" if case.country == "DE" else "en",
        sms_consent=False,
    )
    debts = [(case.entity, debt) for debt in case.debts]
    if case.other_entity_debt is not None:
        debts.append(("GB", case.other_entity_debt))
    first = str(_FIRST_DOCUMENT + rows.documents + 1)
    for entity, debt in debts:
        _owe(rows, case, customer_id, entity, debt)
    if case.disputed is not None:
        _dispute(rows, case, first)
    for level, offset in enumerate(case.letters, 1):
        rows.add(
            "activities",
            rows.day(offset),
            activity_id=f"ACT-L{level}-{customer_id}",
            customer_id=customer_id,
            activity_at=_at(rows, offset),
            channel="letter",
            outcome_code=f"dunned_level_{level}",
        )
    _protect(rows, case, customer_id, first)
    _order(rows, case, customer_id)


def _owe(rows: _Rows, case: Case, customer_id: str, entity: str, debt: Debt) -> None:
    """The invoice, and its payment if any."""
    rows.documents += 1
    document = str(_FIRST_DOCUMENT + rows.documents)
    invoiced = rows.day(debt.due - debt.terms)
    common = {"entity_id": entity, "customer_id": customer_id, "currency_code": _CURRENCIES[entity]}
    rows.add(
        "invoices",
        invoiced,
        **common,
        invoice_id=f"INV-{document}",
        invoice_number=f"{entity}-{document}",
        document_type="invoice",
        invoice_date=invoiced,
        due_date=rows.day(debt.due),
        payment_terms_days=debt.terms,
        invoice_amount=debt.amount,
        sent_date=invoiced,
        delivery_channel="email",
        po_number=f"PO-{document}",
        status="posted",
        settlement="terms",
    )
    if debt.paid is not None:
        rows.add(
            "payments",
            rows.day(debt.paid),
            **common,
            payment_id=f"PAY-{document}-1",
            bank_account_id=f"{entity}-{_CURRENCIES[entity]}-1",
            payer_name=f"{case.name} Trading".upper(),
            payer_account=f"DEMO{customer_id}",
            value_date=rows.day(debt.paid),
            booking_date=rows.day(debt.paid),
            payment_amount=debt.amount,
            payment_method="ach",
            reference_text=f"{entity}-{document}",
            settlement="terms",
        )


def _dispute(rows: _Rows, case: Case, document: str) -> None:
    opened = rows.day(case.debts[0].due + 1)
    rows.add(
        "disputes",
        opened,
        dispute_id=f"DSP-{document}",
        invoice_id=f"INV-{document}",
        disputed_amount=case.disputed,
        reason_code="pricing",
        opened_date=opened,
        resolved_date=None,
        owner_email=f"sales-{case.entity.lower()}@example.com",
    )


def _protect(rows: _Rows, case: Case, customer_id: str, document: str) -> None:
    """What keeps a customer from being dunned or referred: a block, a promise, a plan, money that may be theirs."""
    currency = _CURRENCIES[case.entity]
    debt = case.debts[0]
    if case.block:
        rows.add(
            "blocks",
            rows.day(-70),
            block_id=f"BLK-{customer_id}",
            scope="customer",
            subject_id=customer_id,
            kind=case.block,
            valid_from=rows.day(-70),
            reason="insolvency opened" if case.block == "insolvency" else "sales asked to wait",
            set_by="collections-lead",
        )
    if case.promised_on is not None:
        rows.add(
            "promises",
            rows.day(-5),
            promise_id=f"PRM-{customer_id}",
            customer_id=customer_id,
            invoice_id=f"INV-{document}",
            promised_amount=debt.amount,
            currency_code=currency,
            promised_date=rows.day(case.promised_on),
            made_date=rows.day(-5),
        )
    if case.plan_agreed is not None:
        plan, agreed = f"PLN-{customer_id}", rows.day(case.plan_agreed)
        rows.add("plans", agreed, plan_id=plan, customer_id=customer_id, agreed_date=agreed, status="active")
        third = debt.amount // 3
        for line, amount in enumerate((third, third, debt.amount - 2 * third), 1):
            rows.add(
                "plan_lines",
                agreed,
                plan_id=plan,
                line_number=line,
                invoice_id=f"INV-{document}",
                due_date=agreed + 40 * line,
                plan_amount=amount,
                currency_code=currency,
            )
    if case.suspense is not None:
        rows.add(
            "payments",
            rows.day(-2),
            payment_id=f"PAY-{document}-9",
            entity_id=case.entity,
            bank_account_id=f"{case.entity}-{currency}-1",
            payer_name=f"{case.name} Trading".upper(),
            value_date=rows.day(-2),
            booking_date=rows.day(-2),
            currency_code=currency,
            payment_amount=case.suspense,
            payment_method="wire",
            reference_text="NOTPROVIDED",
            settlement="terms",
        )


def _order(rows: _Rows, case: Case, customer_id: str) -> None:
    if case.open_order is None:
        return
    rows.add(
        "orders",
        rows.day(-6),
        order_id=f"ORD-{customer_id}",
        entity_id=case.entity,
        customer_id=customer_id,
        order_date=rows.day(-6),
        order_amount=case.open_order,
        currency_code=_CURRENCIES[case.entity],
        status="held" if case.held_order else "open",
        shipped_date=rows.books.last_day + 999,
        invoiced_day=rows.books.last_day + 999,
        settlement="terms",
    )


def _at(rows: _Rows, offset: int) -> datetime:
    day = rows.books.end + timedelta(days=offset)
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def _frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows with whole-number days and cents, all columns that any of them has."""
    schema = dict(_EXTRA_TYPES)
    for column in TABLES[table].columns:
        schema[column.name] = TABLES[table].schema[column.name]
        if column.kind is Kind.DATE:
            schema[column.name] = pl.Int32()
        elif column.kind in (Kind.AMOUNT, Kind.UNSIGNED_AMOUNT):
            schema[column.name] = pl.Int64()
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame(
        [{name: row.get(name) for name in names} for row in rows], schema={n: schema[n] for n in names}
    )


def planted_customer_ids() -> list[str]:
    """Ids of the planted customers, in the order of ``ALL_CASES``."""
    return [f"{900_000 + number:010d}" for number in range(1, len(ALL_CASES) + 1)]
