"""Faults and warnings of a batch as rows: which line, why, and what stood there."""

import json

import polars as pl

from o2c.sources.reading import Batch
from o2c.sources.values import Fault

PROBLEMS = {
    "line": pl.Int64(),
    "severity": pl.String(),
    "reason_code": pl.String(),
    "reason": pl.String(),
    "raw_row": pl.String(),
}

_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False)
_ESCAPED = r'[\x00-\x1f"\\]'
_NO_PROBLEMS = pl.DataFrame(schema=PROBLEMS)


def rows_of(faults: list[Fault], height: int) -> pl.Series:
    mask = pl.repeat(False, height, eager=True, dtype=pl.Boolean)
    for fault in faults:
        mask = mask.scatter(fault.rows, True)
    return mask


def not_twice(found: list[Fault], earlier: list[Fault]) -> list[Fault]:
    """Contract faults less those of values already called unreadable: their null is the consequence, not the fault."""
    kept = []
    for fault in found:
        seen = [other.rows.cast(pl.UInt32) for other in earlier if other.column == fault.column]
        if fault.code == "missing_required" and seen:
            rows = fault.rows.filter(~fault.rows.is_in(pl.concat(seen).implode()))
            fault = Fault(rows, fault.column, fault.code, None, fault.says)
        if len(fault.rows):
            kept.append(fault)
    return kept


def problem_rows(
    text: pl.DataFrame, lines: pl.Series, faults: list[Fault], severity: str, without: pl.Series | None
) -> pl.DataFrame:
    """One row per rejected row (first code, all reasons), or one per row and code of a warning (all reasons)."""
    if not faults:
        return _NO_PROBLEMS
    said = pl.concat(
        pl.DataFrame(
            {"row": fault.rows.cast(pl.UInt32), "reason_code": fault.code, "reason": fault.reasons()}
        )
        for fault in faults
    )
    if without is not None:
        said = said.filter(~without.gather(said["row"]))
    if severity == "rejected":
        said = said.group_by("row").agg(pl.col("reason_code").first(), pl.col("reason").str.join("; "))
    else:
        said = said.group_by("row", "reason_code", maintain_order=True).agg(pl.col("reason").str.join("; "))
    said = said.sort("row", maintain_order=True)
    if said.is_empty():
        return _NO_PROBLEMS
    there = said["row"].unique().sort()
    raw = _as_json(text.drop("_line", strict=False)[there])
    return said.select(
        lines.gather(said["row"]).cast(pl.Int64).alias("line"),
        pl.lit(severity).alias("severity"),
        "reason_code",
        "reason",
        raw.gather(there.search_sorted(said["row"])).alias("raw_row"),
    )


def _as_json(text: pl.DataFrame) -> pl.Series:
    """Each row as a JSON object; only a row in which something must be escaped is spelled by itself."""
    parts: list[pl.Expr] = []
    for name in text.columns:
        mark = ("{" if not parts else ", ") + _JSON.encode(name) + ": "
        value = pl.concat_str(pl.lit('"'), pl.col(name), pl.lit('"')).fill_null(pl.lit("null"))
        parts += [pl.lit(mark), value]
    if not parts:
        return pl.Series(["{}"], dtype=pl.String).new_from_index(0, text.height)
    plain = text.select(pl.concat_str(*parts, pl.lit("}"))).to_series()
    is_odd = text.select(pl.any_horizontal(pl.all().str.contains(_ESCAPED).fill_null(False))).to_series()
    rows = is_odd.arg_true()
    return plain.scatter(rows, [_JSON.encode(row) for row in text[rows].iter_rows(named=True)])


def unreadable_rows(batch: Batch) -> pl.DataFrame:
    if not batch.bad:
        return _NO_PROBLEMS
    rows = [
        (bad.line, "rejected", bad.reason_code, bad.reason, json.dumps(bad.raw, ensure_ascii=False))
        for bad in batch.bad
    ]
    return pl.DataFrame(rows, schema=PROBLEMS, orient="row")
