"""What a run would send, against what the runs before it sent. Pure: measures and a policy in, checks out.

A tripped brake stops nothing by itself: it says that this run is unlike the last ones, so that people look at every
letter of it before the first one leaves.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from o2c.checks import Check
from o2c.gates import PROTECTIVE_TABLES
from o2c.policy.controls import Brakes
from o2c.run_measures import CurrencyMeasures, Measures


def judge_brakes(
    measures: Measures, earlier: Sequence[Measures], policy: Brakes, *, is_given: bool = False
) -> list[Check]:
    """Each brake as a check of severity ``brake``; none while there are too few runs to compare with.

    What lies exactly on a limit passes. Of small runs, currencies and tables no ratios are judged: a customer more
    is a large change there.

    Args:
        measures: of the run.
        earlier: of the runs that sent, the latest first; only the first ``run_count`` count.
        is_given: approvals are taken as given here, so that a tripped brake is only told.
    """
    earlier = earlier[: policy.run_count]
    if len(earlier) < policy.run_count:
        people = f"people who approve every letter instead: {policy.first_runs_approval_count}"
        found = f"{len(earlier)}; {'approval is taken as given here' if is_given else people}"
        return [Check("brakes", f"{policy.run_count} runs that sent", found, True, "info")]
    found = [
        *_messages(measures, earlier, policy),
        *_money(measures, earlier, policy),
        *_customers(measures, policy),
        *_hard_steps(measures, earlier, policy),
        *_rows(measures, earlier[0], policy),
        *_suspense(measures, policy),
        *_unexplained(measures),
    ]
    if not is_given:
        return found
    return [
        check
        if check.passed
        else Check(
            check.check_name, check.expected, f"{check.actual}; approval is taken as given here", True, "info"
        )
        for check in found
    ]


def required_approvals(checks: Iterable[Check], policy: Brakes, earlier_count: int) -> tuple[int, str]:
    """How many people every letter of the run needs at least, and why; 0 and no reason in an ordinary run.

    Args:
        checks: what ``judge_brakes`` found.
        earlier_count: runs that sent before; fewer than ``run_count`` are no measure.
    """
    tripped = [check for check in checks if check.severity == "brake" and not check.passed]
    if tripped:
        said = "; ".join(f"{check.check_name}: {check.actual}, not {check.expected}" for check in tripped)
        return policy.tripped_approval_count, f"unlike the runs before: {said}"
    if earlier_count < policy.run_count:
        return policy.first_runs_approval_count, (
            f"only {earlier_count} of {policy.run_count} runs have sent that this one could be compared with"
        )
    return 0, ""


def median(values: Iterable[int | Decimal]) -> Decimal:
    """The middle value; of an even count, the exact mean of the two in the middle."""
    ordered = sorted(Decimal(value) for value in values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _brake(name: str, expected: str, actual: str, passed: bool) -> Check:
    return Check(f"brake.{name}", expected, actual, passed, "brake")


def _change(
    name: str, value: Decimal, usual: Decimal, ratio: Decimal, run_count: int, unit: str = ""
) -> Check:
    least, most = usual * (1 - ratio), usual * (1 + ratio)
    return _brake(
        name,
        f"{_plain(least)} to {_plain(most)}{unit}",
        f"{_plain(value)}{unit} (median of {run_count} runs: {_plain(usual)})",
        least <= value <= most,
    )


def _messages(measures: Measures, earlier: Sequence[Measures], policy: Brakes) -> list[Check]:
    count, usual = measures.message_count, median(run.message_count for run in earlier)
    if not count or max(count, usual) <= policy.small_run:
        return []
    return [_change("messages", Decimal(count), usual, policy.message_change_ratio, len(earlier))]


def _money(measures: Measures, earlier: Sequence[Measures], policy: Brakes) -> list[Check]:
    checks = []
    nothing = CurrencyMeasures()
    for currency in sorted({code for run in (measures, *earlier) for code in run.by_currency}):
        own = measures.by_currency.get(currency, nothing)
        before = [run.by_currency.get(currency, nothing) for run in earlier]
        usual_count = median(run.letter_count for run in before)
        if measures.message_count and max(own.letter_count, usual_count) > policy.small_run:
            usual = median(run.amount for run in before)
            checks.append(
                _change(
                    f"amount.{currency}",
                    own.amount,
                    usual,
                    policy.amount_change_ratio,
                    len(earlier),
                    f" {currency}",
                )
            )
        if own.letter_count > policy.small_run:
            limit = own.amount * policy.largest_customer_ratio
            checks.append(
                _brake(
                    f"largest_customer.{currency}",
                    f"at most {_plain(limit)} {currency} of {_plain(own.amount)}",
                    f"{_plain(own.largest_customer_amount)} {currency}",
                    own.largest_customer_amount <= limit,
                )
            )
    return checks


def _customers(measures: Measures, policy: Brakes) -> list[Check]:
    if measures.message_count <= policy.small_run:
        return []
    fresh, limit = measures.first_time_customer_count, measures.customer_count * policy.first_time_ratio
    return [
        _brake(
            "first_time_customers",
            f"at most {_plain(limit)} of {measures.customer_count}",
            str(fresh),
            fresh <= limit,
        )
    ]


def _hard_steps(measures: Measures, earlier: Sequence[Measures], policy: Brakes) -> list[Check]:
    """Final notices and referrals: what can hardly be taken back."""
    checks = []
    if measures.message_count > policy.small_run:
        limit = policy.final_notice_multiple * median(run.final_notice_count for run in earlier)
        notices = measures.final_notice_count
        checks.append(_brake("final_notices", f"at most {_plain(limit)}", str(notices), notices <= limit))
    usual = policy.referral_multiple * median(run.referral_count for run in earlier)
    limit = max(Decimal(policy.referral_minimum), usual)
    referrals = measures.referral_count
    return [*checks, _brake("referrals", f"at most {_plain(limit)}", str(referrals), referrals <= limit)]


def _rows(measures: Measures, last: Measures, policy: Brakes) -> list[Check]:
    """Rows that are gone since the last run that sent; of a small table that protects customers, all of them."""
    checks = []
    for name, before in sorted(last.row_counts.items()):
        now = measures.row_counts.get(name, 0)
        is_gone = now == 0 and before > 0 and name.rpartition(".")[2] in PROTECTIVE_TABLES
        if before > policy.small_run or is_gone:
            least = before * (1 - policy.row_loss_ratio)
            checks.append(_brake(f"rows.{name}", f"at least {_plain(least)}", str(now), now >= least))
    return checks


def _suspense(measures: Measures, policy: Brakes) -> list[Check]:
    checks = []
    for currency, own in sorted(measures.by_currency.items()):
        if own.payment_count > policy.small_run:
            limit = own.received_amount * policy.suspense_ratio
            checks.append(
                _brake(
                    f"suspense.{currency}",
                    f"at most {_plain(limit)} {currency} of {_plain(own.received_amount)} received",
                    f"{_plain(own.suspense_amount)} {currency}",
                    own.suspense_amount <= limit,
                )
            )
    return checks


def _unexplained(measures: Measures) -> list[Check]:
    off = {name: amount for name, amount in sorted(measures.unexplained_amounts.items()) if amount}
    found = "; ".join(f"{name}: {_plain(amount)}" for name, amount in off.items())
    return [
        _brake("unexplained_change", "every change of open receivables posted", found or "so it is", not off)
    ]


def _plain(value: Decimal) -> str:
    """Digits without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
