"""Prints what came of the real bank files, per format, below the test results."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A table of files tried, right, refused as they should be, and exceptions raised, per format."""
    tried: Counter[str] = Counter()
    right: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    exceptions: Counter[str] = Counter()
    for status in ("passed", "failed"):
        for report in terminalreporter.getreports(status):
            known = dict(getattr(report, "user_properties", ()))
            if report.when != "call" or "bank_format" not in known:
                continue
            form = str(known["bank_format"])
            tried[form] += 1
            right[form] += status == "passed"
            refused[form] += bool(known["bank_refused"])
            exceptions[form] += int(str(known["bank_exceptions"]))
    if tried:
        terminalreporter.section("real bank files")
        row = "{:<12} {:>6} {:>6} {:>8} {:>11}"
        terminalreporter.write_line(row.format("format", "tried", "right", "refused", "exceptions"))
        for form in sorted(tried):
            line = row.format(form, tried[form], right[form], refused[form], exceptions[form])
            terminalreporter.write_line(line)
