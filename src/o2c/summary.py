"""What a run decided, in a screenful: for the terminal and as a Prefect artifact."""

from o2c.cash_summary import cash_lines
from o2c.run import Run

_TITLES = {"gate": "gate closed", "brake": "brake tripped"}


def summary_of(run: Run) -> str:
    """Markdown that also reads well as plain text: counts, totals per currency, checks, where to look."""
    lines = [f"# o2c {run.as_of}  run {run.run_id[:8]}  policy {run.policies.version}", ""]
    for title, rows in run.decided.items():
        if not rows:
            continue
        lines.append(f"{title.replace('_', ' ').capitalize()}:")
        if title == "cash_application":
            lines += cash_lines(rows)
        elif isinstance(rows, dict):
            width = max(len(name) for name in rows)
            lines += [f"  {name:<{width}}  {_number(value):>16}" for name, value in rows.items()]
        elif isinstance(rows, list):
            lines += ["  " + "  ".join(_number(value) for value in row.values()) for row in rows]
        else:
            lines.append(f"  {_number(rows)}")
        lines.append("")
    failed = [check for check in run.checks if not check.passed]
    if failed:
        lines.append("To look at:")
        lines += [
            f"  {_TITLES.get(check.severity, check.severity)}: {check.check_name}"
            f" expected {check.expected}, found {check.actual}"
            for check in failed
        ]
        lines.append("")
    lines.append("Where to look:")
    lines += [f"  {name:<12} {path}" for name, path in run.outputs.items()]
    return "\n".join(lines)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
