"""Numbers in a text that nothing named accounts for: more may have been paid than was understood."""

import re
from collections.abc import Sequence
from datetime import datetime

_DATES = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\b\d{1,2}[ -]?[A-Z]{3}[ -]?\d{2,4}\b"
)
_AMOUNTS = re.compile(r"\b\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,3})?\b|\b\d+[.,]\d{2,3}\b")
_RUNS = re.compile(r"\d+")
_DAY_FORMS = ("%Y%m%d", "%d%m%Y", "%d%m%y", "%y%m%d", "%m%d%y")


# Who fills the line that a bank passes on may have been cut off.
_FULL_LINE = 135
_FROM_TO = re.compile(r"\b(?:TO|BIS|THRU|THROUGH|UNTIL)\b")


def unread_numbers(text: str, numbers: Sequence[str], least_digits: int) -> list[str]:
    """Runs of digits in a text, without leading zeros, that could be other documents' numbers.

    Dates, amounts and whatever has fewer digits than a number is looked for by, or more than any of the named numbers,
    is none. What is a part of a named number is read.

    Args:
        text: what the bank passed on.
        numbers: numbers of the documents that were found in it.
        least_digits: ``min_reference_length`` of the policy.
    """
    read = ["".join(_RUNS.findall(number)) for number in numbers]
    most_digits = max((len(digits) for digits in read), default=0)
    plain = _AMOUNTS.sub(" ", _DATES.sub(" ", text.upper()))
    found = [
        run.lstrip("0")
        for run in _RUNS.findall(plain)
        if least_digits <= len(run) <= most_digits
        and not any(_covers(digits, run) for digits in read)
        and not _is_day(run)
    ]
    return [run for run in dict.fromkeys(found) if run]


def may_go_on(text: str) -> bool:
    """Whether the text may mean more than the numbers in it: it was cut off, or names a range."""
    return len(text) >= _FULL_LINE or bool(_FROM_TO.search(text.upper()))


def _covers(digits: str, run: str) -> bool:
    bare = run.lstrip("0")
    return bare in digits or digits.lstrip("0") in run


def _is_day(run: str) -> bool:
    for form in _DAY_FORMS:
        if len(run) != (8 if "%Y" in form else 6):
            continue
        try:
            if 2000 <= datetime.strptime(run, form).year <= 2099:  # noqa: DTZ007 (a day, no instant)
                return True
        except ValueError:
            continue
    return False
