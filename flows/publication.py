"""Gates before anything leaves; then the audited build becomes what everybody reads."""

import shutil
from datetime import datetime
from pathlib import Path

from flows._dbt import list_marts
from flows._steps import step
from flows.apply_cash import AppliedCash, record_cash
from flows.cash_lists import tell_cash, write_cash_list
from flows.credit_review import Accounts
from flows.ingest import Inputs
from flows.report import write_report
from flows.sending import Letters
from o2c import gates
from o2c.calendars import BusinessCalendar
from o2c.dated_release import prepare_dates
from o2c.delivery.folder import write_batch
from o2c.handouts import write_agency_list, write_credit_flags, write_worklists
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.publish import Mart, prepare_release, switch_to
from o2c.run import Run, write_json
from o2c.warehouse import read_frame


@step(name="check gates")
def check_gates(run: Run, landed: Inputs) -> None:
    """What must hold before anything leaves. A closed gate never stops publishing."""
    controls = run.policies.controls
    run.checks += gates.rejected_rows(landed.counts, controls)
    with run.open_build() as con:
        run.checks.append(
            gates.control_account(read_frame(con, "intermediate.int_control_accounts_compared"))
        )
        entities = read_frame(con, "intermediate.int_entities_completed", ["country_code"])
    countries = [controls.country_code, *entities["country_code"].drop_nulls()]
    run.checks.append(gates.calendar_known(countries, run.as_of, BusinessCalendar()))


@step(name="publish")
def publish(
    run: Run, cash: AppliedCash, letters: Letters, accounts: Accounts, *, records: bool = True
) -> None:
    """Write the release, its worklists and previews beside what is published, then switch.

    Args:
        records: keep what the run applied for the runs after it; a run that looks back keeps nothing.
    """
    with run.step("publish") as counts:
        applications_file = record_cash(run, cash) if records else None
        release = prepare_release(
            run.build,
            list_marts(run.build),
            run.home,
            run.release_name,
            [run.as_of],
            threads=run.settings.threads,
            memory_limit=run.settings.memory_limit,
        )
        write_preview(run, letters)
        tell_cash(run)
        counts["tables"] = len(list((release / "parquet").iterdir()))
    with run.step("workbooks") as counts:
        counts["files"] = write_workbooks(run, release, accounts) + write_cash_list(run, release, cash)
        for folder in ("worklists", "agency", "credit", "cash"):
            run.outputs[folder] = str(run.home.published / folder)
    write_report(run, release)
    run.outputs["tables"] = str(run.home.published / "o2c.duckdb")
    run.outputs["manifest"] = str(run.folder / "manifest.json")
    switch_to(release, run.home)
    run.ledger.finish_run(run.run_number, "published", run.now, applications_file)
    write_json(run.folder / "manifest.json", run.manifest())
    forget_old_runs(run)


@step(name="publish dates")
def publish_dates(run: Run, *, rewrites_history: bool, has_decisions: bool) -> None:
    """Put past dates beside what is published, in one switch. Finance's release stays of its own date.

    Args:
        rewrites_history: replace what is kept of these dates; else only dates that have no history get one.
        has_decisions: the run is one whole day: it is shown as a whole in the run's folder, where its decisions,
            letters and applications stay and count for nothing.
    """
    threads, memory_limit = run.settings.threads, run.settings.memory_limit
    dates = list(run.run_dates)
    with run.step("publish") as counts:
        marts = built_marts(run)
        whole = None
        if has_decisions:
            whole = prepare_release(
                run.build,
                marts,
                run.home,
                "release",
                dates,
                below=run.folder,
                threads=threads,
                memory_limit=memory_limit,
            )
            run.outputs["that day"] = str(whole / "o2c.duckdb")
        if run.home.published.exists():
            release = prepare_dates(
                run.build,
                marts,
                run.home,
                run.release_name,
                dates,
                rewrites_history=rewrites_history,
                threads=threads,
                memory_limit=memory_limit,
            )
        else:
            release = prepare_release(
                run.build,
                marts,
                run.home,
                run.release_name,
                dates,
                decides=False,
                threads=threads,
                memory_limit=memory_limit,
            )
        counts["dates"] = len(dates)
    if len(dates) == 1:  # tables of the last run date alone would be of another date than the other pages
        write_report(run, *filter(None, (whole, release)), replaces=rewrites_history)
    run.outputs["tables"] = str(run.home.published / "o2c.duckdb")
    run.outputs["manifest"] = str(run.folder / "manifest.json")
    switch_to(release, run.home)
    run.ledger.finish_run(run.run_number, "published", run.now, also_of=dates)
    write_json(run.folder / "manifest.json", run.manifest())
    forget_old_runs(run)


def finish_published(home: Home, ledger: Ledger, now: datetime) -> None:
    """Tell the ledger of a release that is shown already: its run died after the switch and before it could say so.

    The switch is what publishes, so what it applied counts. Ask for it under the publish lock, before anything is
    looked up about earlier runs.
    """
    if not home.published.exists():
        return
    name = home.published.resolve().name
    number = name.rpartition("-")[2]
    if number.isdigit() and ledger.is_unfinished(int(number)):
        recorded = name if (home.applications / name).exists() else None
        ledger.finish_run(int(number), "published", now, recorded)


def built_marts(run: Run) -> list[Mart]:
    """The marts that stand in the build: all of them, or those without decisions."""
    with run.open_build() as con:
        names = con.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    there = {name for (name,) in names}
    return [mart for mart in list_marts(run.build) if mart.name in there]


def write_preview(run: Run, letters: Letters) -> None:
    """Letters that do not leave, to leaf through: all of them in a run that sends nothing, else those that wait."""
    folder = run.folder / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    states = dict(letters.rows.select("letter_id", "state").iter_rows())
    stays = [message for message in letters.messages if states[message.letter_id] != "sent"]
    if stays or not run.is_sending:
        write_batch(folder, run.batch_id, stays, run.as_of, states, durable=False)
        run.outputs["preview"] = str(folder / run.batch_id / "index.html")


def write_workbooks(run: Run, release: Path, accounts: Accounts) -> int:
    """Worklists per collector, the agency list and the credit flags, inside the release. Returns how many files."""
    book = accounts.book
    files = write_worklists(
        release / "worklists",
        accounts.worklist,
        accounts.terms,
        book.items,
        book.customers,
        book.contacts,
        accounts.collectors,
        sorted(run.policies.worklist.next_actions),
        run.as_of,
    )
    files += write_agency_list(release / "agency", accounts.referrals, book.items, book.customers, run.as_of)
    files += write_credit_flags(release / "credit", accounts.flags, book.customers, run.as_of)
    return len(files)


def forget_old_runs(run: Run) -> None:
    """Delete the working folders of all but the latest runs; manifests stay, for questions months later."""
    folders = sorted(
        (path for path in run.home.runs.iterdir() if (path / "build.duckdb").exists() and path != run.folder),
        key=lambda path: path.stat().st_mtime_ns,
        reverse=True,
    )
    for old in folders[run.settings.runs_to_keep - 1 :]:
        for leftover in old.iterdir():
            if leftover.name != "manifest.json":
                _delete(leftover)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
