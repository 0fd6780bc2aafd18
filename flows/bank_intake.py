"""Every few minutes: bank files that are complete in the inbox land, once, wherever they lie afterwards."""

import time
from pathlib import Path

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from flows._steps import WAITING_HELPS, show_markdown, step
from flows.bank_files import land_paths
from o2c.home import open_home
from o2c.settings import Settings
from o2c.sources.bank.errors import printable
from o2c.sources.bank.landing import BankReport, files_below, look_of


class IntakeRun(BaseModel):
    """Which inbox is looked into."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path | None = Field(
        default=None, description="folder of all state; by default that of the settings"
    )
    inbox: Path | None = Field(default=None, description="folder to watch; by default inbox/ in the home")
    settle_seconds: float = Field(
        default=10, ge=0, description="a file that changes within this time is still being written"
    )


def default_inbox() -> IntakeRun:
    """What the deployment runs when nothing is said."""
    return IntakeRun()


@flow(name="bank-intake", persist_result=False)
def bank_intake(run: IntakeRun = default_inbox()) -> int:  # noqa: B008
    """Land what is complete. Returns the number of files that are new."""
    report = look_into(run)
    show_markdown("bank-intake", "\n".join(report_lines(report)))
    return sum(one.is_new for one in report.landed)


@step(name="look into the inbox", **WAITING_HELPS)
def look_into(run: IntakeRun) -> BankReport:
    """Land the files of the inbox that did not change between two looks; nothing is moved or deleted.

    A file still being written changes between the looks, while it is read, or has no end: it is left for the next
    time. Takes the landing lock alone, so it never waits for a run or holds one up.
    """
    inbox = run.inbox or open_home(run.home or Settings().home).root / "inbox"
    if not inbox.is_dir():
        return BankReport()
    before = {path: look_of(path) for path in files_below([inbox])}
    time.sleep(run.settle_seconds)
    settled = [path for path, look in before.items() if look is not None and look_of(path) == look]
    return land_paths(settled, run.home)


def report_lines(report: BankReport) -> list[str]:
    """A line per file: what it is, whether it is new, or why it was refused."""
    lines = [
        f"{one.name}: {printable(one.said, 200)}{'' if one.is_new else ', landed before'}"
        for one in report.landed
    ]
    lines += [f"{note.severity}: {note.name} {note.says}" for note in report.notes]
    return lines + [f"refused: {one}" for one in report.refused]
