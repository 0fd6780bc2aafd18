"""What the product says of its own run: the steps in its manifest, the totals in its published database."""

import json
from pathlib import Path

import duckdb

OPEN = """
select entity_id, currency_code, coalesce(aging_bucket, 'credit memos') as aging_bucket, count(*) as item_count,
    cast(sum(open_amount) as varchar) as open_amount
from receivables.fct_open_items where as_of_date = $as_of group by all
"""
NET = """
select entity_id, currency_code, cast(sum(net_amount) as varchar) from receivables.fct_ar_aging
where as_of_date = $as_of group by all
"""


def steps_of(home: Path) -> list[dict[str, object]]:
    """``name, wall_seconds, cpu_seconds, peak_rss_mib, counts`` of each step of the newest run of this home."""
    manifests = sorted((home / "runs").glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise SystemExit(f"{home}/runs: no manifest.json, so the run has told nothing about its steps")
    return json.loads(manifests[-1].read_text())["steps"]


def published_totals(home: Path, as_of: str) -> dict[str, object]:
    """Open items per bucket and net receivables per account, as finance reads them."""
    con = duckdb.connect(str(home / "published" / "o2c.duckdb"), read_only=True)
    cursor = con.execute(OPEN, {"as_of": as_of})
    names = [column[0] for column in cursor.description]
    open_items = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {"open": open_items, "net": con.execute(NET, {"as_of": as_of}).fetchall()}
