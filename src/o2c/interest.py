"""What paying early saves and paying late costs, in exact simple interest over 365 days (pure)."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

YEAR = 365
RATIO = Decimal("0.000001")
ACCRUED = Decimal("0.0001")


def discount_cost(discount_ratio: Decimal, discount_days: int, net_days: int) -> Decimal:
    """What leaving an early-payment discount costs a year, as a ratio at six decimals: 2/10 net 30 costs 0.372449.

    The discount is what is paid on the discounted amount for the days between both dates.

    Raises:
        ValueError: the discount is not between 0 and 1, or its date is not before the due date.
    """
    if not 0 < discount_ratio < 1 or not 0 <= discount_days < net_days:
        raise ValueError(
            f"{discount_ratio} {discount_days} net {net_days} is no discount:"
            " its ratio lies between 0 and 1 and its days before the net days"
        )
    share = Fraction(discount_ratio) / (1 - Fraction(discount_ratio))
    return _rounded(share * YEAR / (net_days - discount_days), RATIO)


def late_interest(
    amount: Decimal, rates: Sequence[tuple[date, Decimal]], due_date: date, paid_date: date
) -> Decimal:
    """Simple interest on an amount paid late, at four decimals: 10,000 at 11.75 % is 3.2192 a day.

    Counted for the days after the due date up to and with the day of payment, each at the rate of that day; rounded
    once. It keeps four decimals until it is claimed.

    Args:
        amount: what was paid late.
        rates: yearly ratios with the first day of each, in any order.

    Raises:
        ValueError: two rates begin on one day, or a day of delay is before the first rate.
    """
    if paid_date <= due_date:
        return ACCRUED * 0
    starts = sorted(rates)
    if len({start for start, _ in starts}) != len(starts):
        raise ValueError("two interest rates begin on one day; keep one of them")
    first = due_date + timedelta(days=1)
    if not starts or starts[0][0] > first:
        raise ValueError(f"there is no interest rate for {first}; give one that begins by then")
    ends = [start for start, _ in starts[1:]] + [paid_date + timedelta(days=1)]
    total = Fraction(0)
    for (start, ratio), end in zip(starts, ends, strict=True):
        days = (min(end, paid_date + timedelta(days=1)) - max(start, first)).days
        total += Fraction(amount) * Fraction(ratio) * max(days, 0) / YEAR
    return _rounded(total, ACCRUED)


def _rounded(value: Fraction, step: Decimal) -> Decimal:
    """Half away from zero on a step."""
    scaled = value / Fraction(step)
    units = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return (Decimal(units if scaled >= 0 else -units) * step).quantize(step, rounding=ROUND_HALF_UP)
