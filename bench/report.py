"""The results of one size as a table for people."""

Cost = dict[str, object]
# Steps of the night that do what the DuckDB script does: from landed Parquet to marts, cash applied.
MARTS = {"load", "staging", "cash", "marts"}


def table(size: int, found: dict[str, object], fixed: Cost | None) -> str:
    """One line per stage: wall and CPU seconds, what of them is marginal, peak memory, and what came of it."""
    lines = [
        f"\n{size:,} invoices",
        f"{'stage':<34}{'wall s':>9}{'cpu s':>9}{'marginal':>10}{'MiB':>8}  notes",
    ]
    lines.append(_line("generate (CSV)", found["generate"]))
    night = found.get("night")
    if night:
        fixed_steps = {step["name"]: step for step in fixed["steps"]} if fixed else {}
        for step in night["steps"]:
            lines.append(_line(f"  {step['name']}", step, fixed_steps.get(step["name"]), _notes(step)))
        lines.append(_line("whole night", night, fixed))
    for name in ("duckdb", "pandas"):
        if name in found:
            lines.append(_line(f"reference: {name}", found[name]))
    for name, stage in found.get("pandas", {}).get("stages", {}).items():
        lines.append(_line(f"  pandas {name}", stage))
    if night:
        lines += _ratios(found, night, fixed)
    lines += [f"totals {pair}: {'agree' if same else 'DIFFER'}" for pair, same in found["agreement"].items()]
    lines += [f"  {difference}" for difference in found["differences"]]
    return "\n".join(lines)


def _ratios(found: dict[str, object], night: Cost, fixed: Cost | None) -> list[str]:
    lines = []
    marts, marts_fixed = _cpu_of_marts(night), _cpu_of_marts(fixed) if fixed else 0.0
    if "duckdb" in found:
        limit = found["duckdb"]["cpu_seconds"]
        lines.append(
            f"marts with cash, marginal, over the DuckDB script: {(marts - marts_fixed) / limit:.2f}"
            f" ({marts:.1f} s less {marts_fixed:.1f} s fixed, over {limit:.1f} s; the script does less, see its head)"
        )
    if "pandas" in found:
        limit = found["pandas"]["cpu_seconds"]
        lines.append(
            f"whole night over the pandas script: {night['cpu_seconds'] / limit:.2f}"
            f" ({night['cpu_seconds']:.1f} s over {limit:.1f} s; the script does less, see its head)"
        )
        letters, seconds = found["pandas"]["letters"], found["pandas"]["stages"]["letters"]["cpu_seconds"]
        lines.append(f"pandas letters: {letters:,} at {letters / max(seconds, 1e-9):,.0f} per cpu second")
    return lines


def _cpu_of_marts(night: Cost) -> float:
    return sum(float(step["cpu_seconds"]) for step in night["steps"] if step["name"] in MARTS)


def _line(name: str, cost: Cost, fixed: Cost | None = None, notes: str = "") -> str:
    cpu = float(cost["cpu_seconds"])
    marginal = f"{cpu - float(fixed['cpu_seconds']):.2f}" if fixed else ""
    memory = cost.get("peak_rss_mib", "")
    return (
        f"{name:<34}{float(cost['wall_seconds']):>9.2f}{cpu:>9.2f}{marginal:>10}{memory:>8}  {notes}".rstrip()
    )


def _notes(step: Cost) -> str:
    return ", ".join(
        f"{name} {value}" for name, value in step.get("counts", {}).items() if not isinstance(value, dict)
    )[:140]
