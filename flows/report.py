"""The page that finance opens, out of the audited build and into the release before it is shown."""

from pathlib import Path

from flows._dbt import describe_marts
from flows._steps import step
from o2c.checks import Check
from o2c.report.definitions import load_definitions
from o2c.report.reading import read_figures
from o2c.report.shelf import keep_pages, page_path, put_page
from o2c.report.templates import PageTemplate
from o2c.run import Run
from o2c.settings import PROJECT


@step(name="finance page")
def write_report(run: Run, *releases: Path, replaces: bool = True) -> None:
    """The page of the run's date into each release, beside the pages of the dates before.

    A page that cannot be made stops nothing: it is told of as a check that did not hold.

    Args:
        releases: folders that are not shown yet; the last one is to become the published one.
        replaces: put it in place of one that was published of this date; else that one stays.
    """
    release = releases[-1]
    with run.step("report") as counts:
        counts["earlier pages"] = keep_pages(run.home.published, release)
        try:
            page = _render(run)
        except Exception as fault:
            # Letters may have left by now, and tables are sound: both must be recorded, with or without a page.
            run.checks.append(Check("finance_page", "a page", f"none: {fault}", False, "warn"))
            run.say(
                f"finance page: could not be made, all else is published. {type(fault).__name__}: {fault}"
            )
            return
        for folder in releases:
            if replaces or not page_path(folder, run.as_of).exists():
                put_page(folder, run.as_of, page)
        run.outputs["report"] = str(page_path(run.home.published, run.as_of))
        counts["KiB"] = len(page.encode()) // 1024


def _render(run: Run) -> str:
    # Drawing costs a second to import: only a run that publishes pays for it.
    from o2c.report.page import render_page

    with run.open_build() as con:
        figures = read_figures(con, run.as_of)
    return render_page(
        figures,
        load_definitions(PROJECT / "docs" / "kpis.md", describe_marts(run.build)),
        PageTemplate(run.settings.templates),
        run.as_of,
        run_id=run.run_id,
        policy_version=run.policies.version,
    )
