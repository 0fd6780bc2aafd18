"""A check of a run: what was expected, what was found, and what follows when the two differ."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check of a run.

    Severity ``error`` stops it, ``gate`` closes sending, ``brake`` makes people look at every letter first, ``warn``
    and ``info`` are shown.
    """

    check_name: str
    expected: str
    actual: str
    passed: bool
    severity: str
