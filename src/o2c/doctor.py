"""Whether this installation can do its work: versions as pinned, policies readable, home usable."""

import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from o2c.home import HomeError, open_home
from o2c.ledger import Ledger, LedgerError
from o2c.policy import PolicyError, load_policies
from o2c.run import code_version
from o2c.settings import PROJECT, Settings

PACKAGES = (
    "prefect",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "polars",
    "pandera",
    "pydantic",
    "boto3",
    "sqlalchemy",
)
LEAST_FREE_GIB = 1


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    found: str
    is_well: bool


def examine(settings: Settings) -> list[Finding]:
    """Look at everything a run needs before it starts. Nothing is written but the home folder itself."""
    locked = dict(
        line.split(" ")[0].split("==")
        for line in (PROJECT / "requirements.lock").read_text().splitlines()
        if "==" in line
    )
    findings = [
        Finding("python", sys.version.split()[0], sys.version_info[:2] == (3, 11)),
        Finding("o2c", code_version(), True),
    ]
    findings += [_package(name, locked[name]) for name in PACKAGES]
    try:
        findings.append(Finding("policies", load_policies(settings.policies).version, True))
    except PolicyError as error:
        findings.append(Finding("policies", str(error), False))
    try:
        home = open_home(settings.home)
        Ledger(settings.ledger_url or home.ledger_url)
        free = shutil.disk_usage(home.root).free // 2**30
        findings.append(Finding("home", f"{home.root}, {free} GiB free", free >= LEAST_FREE_GIB))
    except (HomeError, LedgerError) as error:
        findings.append(Finding("home", str(error), False))
    return findings


def _package(name: str, locked: str) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        found = "not installed"
    return Finding(name, f"{found} (locked {locked})", found == locked)
