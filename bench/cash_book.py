"""A made-up ledger on the morning of cash application: customers, their accounts, open and lately settled documents.

Amounts are whole numbers of 0.0001 (``MONEY``'s last place) until they become decimals, so nothing is ever rounded.
Sizes of customers are log-normal with the mean, 99th percentile and largest that PERFORMANCE.md names.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from o2c.contract import MONEY, RATIO
from o2c.demo.names import company_name
from o2c.frames import ApplicableItems, CustomerNames, PayerAccounts

AS_OF = date(2026, 9, 30)
TODAY = np.datetime64(AS_OF, "D")
UNIT = 10_000


@dataclass(frozen=True)
class Size:
    """How much there is."""

    items: int
    customers: int
    payments: int


FULL = Size(1_000_000, 50_000, 300_000)
SMALL = Size(50_000, 2_500, 15_000)

ENTITIES = ("DE01", "US01", "CH01", "GB01", "JP01")
CURRENCIES = ("EUR", "USD", "CHF", "GBP", "JPY")
ENTITY_SHARES = (0.50, 0.28, 0.09, 0.09, 0.04)
NAMED_IN = ("DE", "US", "DE", "GB", "US")
# Rough rates, to weigh payments by value; nothing is applied with them.
EUROS = {"EUR": 1.0, "USD": 0.9, "CHF": 1.05, "GBP": 1.17, "JPY": 0.006}
# How each entity's two ledgers write invoice numbers: text before, year, text between, digits, text after.
SERIES = (
    (("INV-", "{yyyy}-", 6, ""), ("RE/", "{yy}/", 4, "")),
    (("9", "", 8, ""), ("", "", 4, "-{yy}")),
    (("CH", "", 8, ""), ("", "{yyyy}", 6, "")),
    (("SI", "", 7, ""), ("GB/", "", 5, "/A")),
    (("JP-", "", 5, ""), ("JP-K", "", 5, "")),
)
CREDIT_SERIES = (("CN-", "{yyyy}-", 5, ""), ("CM", "", 7, ""), None, None, ("JP-C", "", 5, ""))
SETTLED_RATIO = 0.3


@dataclass(frozen=True)
class Ledger:
    """Customers and documents: the frames of the seam, and the same as arrays for drawing payments."""

    items: pl.DataFrame
    customers: pl.DataFrame
    accounts: pl.DataFrame
    customer: np.ndarray
    account: np.ndarray
    entity: np.ndarray
    currency: np.ndarray
    open_units: np.ndarray
    invoice_units: np.ndarray
    invoice_date: np.ndarray
    due_date: np.ndarray
    discount_ratio: np.ndarray
    discount_due: np.ndarray
    is_credit: np.ndarray
    numbering: np.ndarray
    names: list[str]
    bank_accounts: list[str]
    parent: np.ndarray
    prices: np.ndarray


def make_ledger(size: Size, seed: int) -> Ledger:
    """The whole ledger of a seed."""
    rng = np.random.default_rng([seed, 1])
    count = size.customers
    weights = rng.lognormal(0.0, 1.37, count)
    owned = rng.multinomial(size.items - count, weights / weights.sum()) + 1
    home = rng.choice(len(ENTITIES), count, p=ENTITY_SHARES)
    parent = _parents(rng, home)
    settled = int(size.items * SETTLED_RATIO)
    customer = np.concatenate(
        [np.repeat(np.arange(count), owned), rng.choice(count, settled, p=owned / owned.sum())]
    )
    is_settled = np.arange(len(customer)) >= size.items
    entity, currency = _where(rng, customer, home)
    prices = _price_list(rng)
    units = _amounts(rng, customer, entity, currency, prices)
    invoice_date = _invoice_dates(rng, customer, is_settled)
    terms = rng.choice([14, 30, 30, 45, 60], count)
    has_discount = rng.random(count) < 0.25
    ratio = np.where(has_discount, rng.choice([0.02, 0.02, 0.03, 0.01], count), 0.0)
    days = rng.choice([10, 14, 20], count)
    is_credit = rng.random(len(customer)) < 0.03
    part_paid = ~is_settled & ~is_credit & (rng.random(len(customer)) < 0.03)
    units = np.where(is_credit, -np.maximum(units // (5 * UNIT) * UNIT, UNIT), units)
    left = np.where(
        part_paid,
        np.maximum((units * rng.uniform(0.3, 0.8, len(units))).astype(np.int64) // UNIT, 1) * UNIT,
        units,
    )
    series = (rng.random(count) < 0.3).astype(int)[customer]
    numbers, numbering = _numbers(rng, entity, series, is_credit, invoice_date, customer)
    names = _names(count, home, parent, rng)
    bank_accounts = _bank_accounts(rng, home)
    discount_ratio = np.where(is_credit, 0.0, ratio[customer])
    made = {
        "customer": customer,
        "entity": entity,
        "currency": currency,
        "open_units": np.where(is_settled, 0, left),
        "invoice_units": units,
        "invoice_date": invoice_date,
        "due_date": invoice_date + np.where(is_credit, 0, terms[customer]),
        "discount_ratio": discount_ratio,
        "discount_due": invoice_date + days[customer],
        "is_credit": is_credit,
    }
    return Ledger(
        items=_items(rng, made, numbers),
        customers=_customers(names, parent),
        accounts=_known_accounts(rng, bank_accounts, parent),
        account=(customer * len(ENTITIES) + entity) * len(CURRENCIES) + currency,
        numbering=numbering,
        names=names,
        bank_accounts=bank_accounts,
        parent=parent,
        prices=prices,
        **made,
    )


def customer_id(number: int | np.integer) -> str:
    """How a customer is called in the ledger."""
    return f"C{int(number):06}"


def _parents(rng: np.random.Generator, home: np.ndarray) -> np.ndarray:
    """The parent of each customer or -1: one in twelve belongs to one of few groups of its country."""
    parent = np.full(len(home), -1)
    is_head = rng.random(len(home)) < 0.02
    is_child = ~is_head & (rng.random(len(home)) < 0.08)
    for place in range(len(ENTITIES)):
        heads = np.flatnonzero(is_head & (home == place))
        children = np.flatnonzero(is_child & (home == place))
        if len(heads):
            parent[children] = rng.choice(heads, len(children))
    return parent


def _where(rng: np.random.Generator, customer: np.ndarray, home: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entity and currency of each document: mostly the customer's own, sometimes a sister's or in dollars."""
    entity = home[customer]
    buys_elsewhere = (rng.random(len(home)) < 0.04)[customer] & (rng.random(len(customer)) < 0.25)
    entity = np.where(buys_elsewhere, (entity + 1) % len(ENTITIES), entity)
    in_dollars = (rng.random(len(home)) < 0.03)[customer] & (rng.random(len(customer)) < 0.3) & (entity != 4)
    return entity, np.where(in_dollars, 1, entity)


def _price_list(rng: np.random.Generator) -> np.ndarray:
    """240 prices that many pay: 49.00, 99.90, 1,250.00."""
    whole = np.unique(np.round(rng.lognormal(5.8, 1.2, 2_000)).astype(np.int64))
    ending = rng.choice([0, 0, 50, 90, 95], len(whole))
    chosen = rng.choice(len(whole), 240, replace=False)
    return (whole[chosen] * 100 + ending[chosen]) * (UNIT // 100)


def _amounts(rng, customer, entity, currency, prices) -> np.ndarray:
    """35 % from the price list, of the customer's few usual ones; the rest anything, some of it round."""
    count = len(customer)
    usual = rng.integers(len(prices), size=(customer.max() + 1, 4))
    listed = prices[usual[customer, rng.integers(4, size=count)]]
    free = np.maximum((rng.lognormal(6.4, 1.3, count) * 100).astype(np.int64), 100) * (UNIT // 100)
    is_round = rng.random(count) < 0.08
    free = np.where(is_round, np.maximum(free // (10 * UNIT), 1) * 10 * UNIT, free)
    units = np.where(rng.random(count) < 0.35, listed, free)
    return np.where(currency == 4, np.maximum(units // UNIT, 1) * 100 * UNIT, units)


def _invoice_dates(rng: np.random.Generator, customer: np.ndarray, is_settled: np.ndarray) -> np.ndarray:
    """Open ones are young, settled ones up to a year old; some come out of one billing run of their customer."""
    age = np.minimum(rng.exponential(38.0, len(customer)), 360).astype(np.int64)
    age = np.where(is_settled, rng.integers(30, 390, len(customer)), age)
    in_run = rng.random(len(customer)) < 0.2
    in_run[0] = False
    in_run[1:] &= (customer[1:] == customer[:-1]) & ~is_settled[1:]
    first = np.maximum.accumulate(np.where(in_run, 0, np.arange(len(customer))))
    return TODAY - age[first]


def _numbers(rng, entity, series, is_credit, invoice_date, customer) -> tuple[list[str], np.ndarray]:
    """Numbers in the order of issue, per entity, ledger and year; and that order itself."""
    own_credits = np.array([one is not None for one in CREDIT_SERIES])[entity] & is_credit
    block = np.where(own_credits, 2, series) + 3 * entity
    year = invoice_date.astype("datetime64[Y]").astype(int) + 1970
    forms = [(*SERIES[at], CREDIT_SERIES[at] or SERIES[at][0]) for at in range(len(ENTITIES))]
    # Numbers with a year in them start again each year; the others go on.
    restarts = np.array([["{y" in form[1] + form[3] for form in three] for three in forms]).reshape(-1)
    group = block * 10_000 + np.where(restarts[block], year, 0)
    order = np.lexsort((rng.random(len(entity)), customer, invoice_date, group))
    is_first = np.concatenate([[True], group[order][1:] != group[order][:-1]])
    starts = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - starts + 1
    numbers = []
    for kind, y, n in zip(block.tolist(), year.tolist(), place.tolist(), strict=True):
        before, between, digits, after = forms[kind // 3][kind % 3]
        text = f"{before}{between}{n:0{digits}}{after}"
        numbers.append(text.replace("{yyyy}", str(y)).replace("{yy}", str(y % 100)))
    return numbers, order


def _names(count: int, home: np.ndarray, parent: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Company names; children carry their parent's with a place, and a few names stand twice."""
    country = pl.Series([NAMED_IN[place] for place in home])
    frame = pl.DataFrame({"number": np.arange(count), "country": country})
    names = frame.select(company_name(pl.col("number"), pl.col("country"))).to_series().to_list()
    places = ("Nord", "South", "Berlin", "Lakeside", "Services", "Retail", "Export", "Plant 2")
    for child in np.flatnonzero(parent >= 0):
        if child % 2:
            bare, form = names[parent[child]].rsplit(" ", 1)[0], names[child].rsplit(" ", 1)[1]
            names[child] = f"{bare} {places[child % len(places)]} {form}"
    for copy in np.flatnonzero(rng.random(count) < 0.005):
        names[copy] = names[int(rng.integers(count))]
    return names


def _bank_accounts(rng: np.random.Generator, home: np.ndarray) -> list[str]:
    digits = rng.integers(10**17, 10**18, len(home)).tolist()
    form = ("DE{}44", "021000021/{}", "CH{}1", "GB{}77", "0005/{}")
    return [
        form[place].format(str(number)[: 10 if place in (1, 4) else 18])
        for place, number in zip(home, digits, strict=True)
    ]


def _known_accounts(rng: np.random.Generator, bank_accounts: list[str], parent: np.ndarray) -> pl.DataFrame:
    """Accounts that paid before: all but a few new ones; some parents have paid for a child, too."""
    known = rng.random(len(bank_accounts)) >= 0.03
    rows = [(bank_accounts[n], customer_id(n)) for n in np.flatnonzero(known)]
    children = np.flatnonzero((parent >= 0) & (rng.random(len(parent)) < 0.3))
    rows += [(bank_accounts[parent[n]], customer_id(n)) for n in children if known[parent[n]]]
    frame = pl.DataFrame(rows, schema=["payer_account", "customer_id"], orient="row")
    return frame.with_columns(is_remembered=pl.lit(False)).select(*PayerAccounts.columns())


def _customers(names: list[str], parent: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [customer_id(n) for n in range(len(names))],
            "customer_name": names,
            "parent_customer_id": [customer_id(n) if n >= 0 else None for n in parent],
        },
        schema=CustomerNames.empty().schema,
    )


def _items(rng: np.random.Generator, made: dict[str, np.ndarray], numbers: list[str]) -> pl.DataFrame:
    """ApplicableItems of the arrays, with orders and purchase orders that one to three documents share."""
    customer, count = made["customer"], len(numbers)
    order = np.cumsum(
        np.concatenate([[True], (customer[1:] != customer[:-1]) | (rng.random(count - 1) < 0.7)])
    )
    style = (rng.integers(4, size=customer.max() + 1))[customer]
    has_order, has_po = rng.random(count) < 0.8, rng.random(count) < 0.6
    number = pl.col("order").cast(pl.String)
    po = (
        pl.when(pl.col("style") == 0)
        .then(pl.format("45{}", number.str.zfill(8)))
        .when(pl.col("style") == 1)
        .then(pl.format("PO-{}", number.str.zfill(6)))
        .when(pl.col("style") == 2)
        .then(pl.format("B2026-{}", number))
        .otherwise(pl.format("{}/BEST", number))
    )
    entity = pl.Series(ENTITIES).gather(made["entity"])
    frame = pl.DataFrame({key: value for key, value in made.items() if key not in ("entity", "currency")})
    frame = frame.with_columns(
        invoice_number=pl.Series(numbers),
        entity_id=entity,
        currency_code=pl.Series(CURRENCIES).gather(made["currency"]),
        order=pl.Series(order),
        style=pl.Series(style),
        has_order=pl.Series(has_order),
        has_po=pl.Series(has_po),
    )
    discounted = pl.col("discount_ratio") > 0
    return frame.select(
        invoice_id=pl.format("{}|{}", "entity_id", "invoice_number"),
        entity_id="entity_id",
        customer_id=pl.format("C{}", pl.col("customer").cast(pl.String).str.zfill(6)),
        invoice_number="invoice_number",
        document_type=pl.when("is_credit").then(pl.lit("credit_memo")).otherwise(pl.lit("invoice")),
        order_id=pl.when("has_order").then(pl.format("SO{}", number.str.zfill(7))),
        po_number=pl.when("has_po").then(po),
        currency_code="currency_code",
        invoice_amount=money("invoice_units"),
        open_amount=money("open_units"),
        discount_ratio=pl.when(discounted).then(pl.col("discount_ratio")).cast(RATIO),
        invoice_date=pl.col("invoice_date").cast(pl.Date),
        due_date=pl.col("due_date").cast(pl.Date),
        discount_due_date=pl.when(discounted).then(pl.col("discount_due").cast(pl.Date)),
    ).select(*ApplicableItems.columns())


def money(column: str) -> pl.Expr:
    """Whole numbers of 0.0001 as money."""
    return (pl.col(column).cast(pl.Decimal(38, 4)) / pl.lit(UNIT, dtype=pl.Decimal(38, 4))).cast(MONEY)
