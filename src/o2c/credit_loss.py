"""What roll rates say of losses: where money that is open now ends, paid or written off (pure, exact).

An absorbing chain: Q holds the shares that go from bucket to bucket in a month, R those that are paid or written
off. N = (I - Q)^-1 counts the months spent in each bucket, B = N R says where each amount ends. Worked out in
fractions, and rounded once, so that no order of sums or machine changes a cent.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from o2c import money

LOST = "written_off"
SETTLED = "paid"
RATIO = pl.Decimal(18, 6)
CHAIN_LOSSES = {
    "as_of_date": pl.Date,
    "entity_id": pl.String,
    "currency_code": pl.String,
    "aging_bucket": pl.String,
    "chain_loss_ratio": RATIO,
    "chain_allowance_amount": money.MONEY,
}
Rolled = Mapping[tuple[str, str], Decimal]
Matrix = list[list[Fraction]]


def absorbed_in(
    rolled: Mapping[tuple[str, str], Decimal | Fraction | int], absorbing: Collection[str]
) -> dict[str, dict[str, Fraction]]:
    """Shares of each bucket that end in each absorbing state.

    Args:
        rolled: amounts, or shares, that went from a bucket to a bucket or an absorbing state. Each bucket's row is
            taken as shares of its own sum.
        absorbing: states that nothing leaves.

    Returns:
        By bucket and absorbing state. A bucket is left out when it is not known where its money ends: because it,
        or a bucket that it leads to, has no rows, or because nothing that goes there ever leaves.
    """
    sums: dict[str, Fraction] = {}
    for (start, _), amount in rolled.items():
        sums[start] = sums.get(start, Fraction(0)) + Fraction(amount)
    shares = {
        (start, end): Fraction(amount) / sums[start]
        for (start, end), amount in rolled.items()
        if amount and sums[start]
    }
    known = _leading_to_an_end(shares, absorbing)
    places = {bucket: place for place, bucket in enumerate(sorted(known))}
    size = len(places)
    left = [[Fraction(int(row == column)) for column in range(size)] for row in range(size)]
    ends = sorted(absorbing)
    right = [[Fraction(0)] * len(ends) for _ in range(size)]
    for (start, end), share in shares.items():
        if start not in places:
            continue
        if end in absorbing:
            right[places[start]][ends.index(end)] += share
        else:
            left[places[start]][places[end]] -= share
    solved = _solved(left, right)
    return {bucket: dict(zip(ends, solved[place], strict=True)) for bucket, place in places.items()}


def chain_losses(
    rates: pl.DataFrame, balances: pl.DataFrame, roll_months: int, buckets: Sequence[str]
) -> pl.DataFrame:
    """Expected losses of open debit items by the roll rates of the months before each date.

    Args:
        rates: month_end_date, entity_id, currency_code, from_bucket, to_bucket, rolled_amount (fct_roll_rates).
        balances: as_of_date, entity_id, currency_code, aging_bucket, open_amount; one row per bucket.
        roll_months: how many months that end on or before the date are added up.
        buckets: labels of the buckets, youngest first.

    Returns:
        Columns of CHAIN_LOSSES, one row per as_of_date, entity_id, currency_code, aging_bucket. The allowances of a
        date are parts of one sum that is rounded once. Null where the chain does not say where the money ends: for
        the ratio of such a bucket, and for all allowances of a date on which such a bucket holds anything.
    """
    amounts = _rolled_by_ledger(rates)
    found: list[dict[str, Any]] = []
    kept: dict[tuple[str, str, tuple[date, ...]], dict[str, Fraction]] = {}
    key = ["as_of_date", "entity_id", "currency_code"]
    for (as_of, entity, currency), rows in sorted(balances.group_by(key)):
        months = amounts.get((entity, currency), {})
        used = tuple(
            sorted(month for month in months if _months_before(as_of, month) < roll_months and month <= as_of)
        )
        if (entity, currency, used) not in kept:
            kept[entity, currency, used] = _loss_shares([months[month] for month in used])
        shares = kept[entity, currency, used]
        opens = dict(rows.select("aging_bucket", "open_amount").iter_rows())
        allowances = _allowances({label: opens.get(label, Decimal(0)) for label in buckets}, shares, currency)
        found += [
            {
                "as_of_date": as_of,
                "entity_id": entity,
                "currency_code": currency,
                "aging_bucket": label,
                "chain_loss_ratio": _at_six(shares[label]) if label in shares else None,
                "chain_allowance_amount": allowances[label] if allowances else None,
            }
            for label in buckets
            if label in opens
        ]
    return pl.DataFrame(found, schema=CHAIN_LOSSES)


def _rolled_by_ledger(
    rates: pl.DataFrame,
) -> dict[tuple[str, str], dict[date, dict[tuple[str, str], Decimal]]]:
    ledgers: dict[tuple[str, str], dict[date, dict[tuple[str, str], Decimal]]] = {}
    columns = ["entity_id", "currency_code", "month_end_date", "from_bucket", "to_bucket", "rolled_amount"]
    for entity, currency, month, start, end, amount in rates.select(columns).iter_rows():
        ledgers.setdefault((entity, currency), {}).setdefault(month, {})[start, end] = amount
    return ledgers


def _months_before(as_of: date, month_end: date) -> int:
    """Months between the month that contains the date and that of the month end."""
    return 12 * (as_of.year - month_end.year) + as_of.month - month_end.month


def _loss_shares(months: Sequence[Rolled]) -> dict[str, Fraction]:
    """By bucket, the share that ends as written off, by the amounts of all months together."""
    total: dict[tuple[str, str], Fraction] = {}
    for month in months:
        for pair, amount in month.items():
            total[pair] = total.get(pair, Fraction(0)) + Fraction(amount)
    return {bucket: ends[LOST] for bucket, ends in absorbed_in(total, (SETTLED, LOST)).items()}


def _allowances(
    opens: Mapping[str, Decimal], shares: Mapping[str, Fraction], currency: str
) -> dict[str, Decimal] | None:
    """Allowance by bucket: one sum, rounded once, its parts by largest remainder; null if a share is not known."""
    held = {label: max(amount, Decimal(0)) for label, amount in opens.items()}
    if any(amount and label not in shares for label, amount in held.items()):
        return None
    step = Fraction(money.unit(currency))
    exact = {
        label: Fraction(amount) * shares.get(label, Fraction(0)) / step for label, amount in held.items()
    }
    units = _half_up(sum(exact.values(), Fraction(0)))
    parts = {label: part.numerator // part.denominator for label, part in exact.items()}
    # sorted() is stable, so among equal remainders the younger bucket gets the unit
    for label in sorted(exact, key=lambda label: parts[label] - exact[label])[: units - sum(parts.values())]:
        parts[label] += 1
    return {label: part * money.unit(currency) for label, part in parts.items()}


def _leading_to_an_end(shares: Mapping[tuple[str, str], Fraction], absorbing: Collection[str]) -> set[str]:
    """Buckets from which every way leads on to an absorbing state."""
    starts = {start for start, _ in shares}
    ways = {start: {end for origin, end in shares if origin == start} for start in starts}
    known = set(starts)
    while True:
        ended = set(absorbing)
        while grown := {start for start in known - ended if ways[start] & ended}:
            ended |= grown
        left = {start for start in known if start in ended and ways[start] <= known | set(absorbing)}
        if left == known:
            return known
        known = left


def _solved(left: Matrix, right: Matrix) -> Matrix:
    """X of left X = right, by elimination in fractions; left is I - Q of a chain that ends, so it has an inverse."""
    rows = [[*a, *b] for a, b in zip(left, right, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = next(row for row in range(column, size) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [value / head for value in rows[column]]
        for row in range(size):
            factor = rows[row][column]
            if row != column and factor:
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[size:] for row in rows]


def _at_six(value: Fraction) -> Decimal:
    return Decimal(_half_up(value * 10**6)).scaleb(-6)


def _half_up(value: Fraction) -> int:
    """The nearest whole number, a half upwards; the values here are never negative."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
