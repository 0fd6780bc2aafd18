"""Bank files beside the sources of a run: landed by themselves, added as payments and remittance lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from flows._steps import step
from flows.ingest import Inputs
from o2c.calendars import BusinessCalendar
from o2c.home import Home, open_home
from o2c.ledger import Ledger
from o2c.policy import ControlsPolicy
from o2c.run import Step, measured
from o2c.settings import Settings
from o2c.sources.bank.contribution import contribute
from o2c.sources.bank.fitting import named_profile
from o2c.sources.bank.landing import SOURCE, BankReport, files_below, land_bank_files, landed_before
from o2c.sources.bank.profiles import BankProfile, load_profiles
from o2c.sources.effective import SourceKind


@dataclass(frozen=True)
class BankHome:
    """Where bank files of a home go, and what is known of its banks."""

    home: Home
    ledger: Ledger
    profiles: dict[str, BankProfile]


def open_bank_home(root: Path | None, settings: Settings) -> BankHome:
    """The home with the banks' profiles: ours, and those in its folder ``bank_profiles``."""
    home = open_home(root or settings.home)
    profiles = load_profiles(home.root / "bank_profiles")
    return BankHome(home, Ledger(settings.ledger_url or home.ledger_url), profiles)


def land_paths(paths: Sequence[Path], root: Path | None = None, profile: str | None = None) -> BankReport:
    """Land bank files, and those in folders, nothing else. A refused file leaves nothing; the others land.

    Args:
        paths: files and folders.
        root: the home; by default that of the settings.
        profile: name of a profile, or path of its YAML file; by default what fits each file.
    """
    settings = Settings()
    bank = open_bank_home(root, settings)
    chosen = named_profile(bank.profiles, profile) if profile else None
    with bank.home.lock("landing", settings.lock_wait_seconds):
        return land_bank_files(
            files_below(paths), bank.home.landing, bank.ledger, bank.profiles, datetime.now(UTC), chosen
        )


@step(name="add bank files")
def add_bank_files(
    home: Home,
    ledger: Ledger,
    landed: Inputs,
    as_of: date,
    controls: ControlsPolicy,
    steps: list[Step],
    say: Callable[[str], None],
) -> Inputs:
    """The inputs with everything that bank files said by the inputs' instant, each cent once.

    Statements must reach the last business day of each entity, by its country's calendar.
    """
    profiles = load_profiles(home.root / "bank_profiles")
    files = landed_before(home.landing, ledger, landed.known_at)
    countries = _countries(landed, controls.country_code)
    calendar = BusinessCalendar()
    due = {entity: calendar.last_business_day(country, as_of) for entity, country in countries.items()}
    with measured("bank files", steps, say) as counts:
        folder = home.landing / SOURCE / "_tables"
        found = contribute(files, profiles, sorted(countries), due, as_of, folder)
        counts["files"] = len(files)
        for one in found.counts:
            counts[f"{one['table_name']}".replace("_", " ")] = one["loaded"]
        counts["held"] = found.held.height
    if not files:
        return replace(landed, checks=[*landed.checks, *found.checks])
    effective = landed.effective
    for table, paths in found.tables.items():
        effective.tables[table] = [*effective.tables.get(table, []), *paths]
    effective.sources.append(SourceKind(SOURCE, False, None))
    effective.input_ids = sorted([*effective.input_ids, *found.input_ids])
    return replace(
        landed,
        rejected_rows=pl.concat([landed.rejected_rows, found.rejected_rows]),
        counts=pl.concat([landed.counts, pl.DataFrame(found.counts, schema=landed.counts.schema)]),
        checks=[*landed.checks, *found.checks],
        held_payments=found.held,
    )


def _countries(landed: Inputs, default: str) -> dict[str, str]:
    """Country of each of our entities: those delivered, else those that the invoices name."""
    for table in ("entities", "invoices"):
        if paths := landed.effective.tables.get(table):
            rows = pl.scan_parquet(paths)
            country = pl.col("country_code").fill_null(default) if table == "entities" else pl.lit(default)
            found = rows.select("entity_id", country=country).unique().collect()
            if found.height:
                return dict(found.sort("entity_id", "country").iter_rows())
    return {}
