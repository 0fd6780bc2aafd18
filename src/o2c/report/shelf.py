"""Where pages stand: ``reports/<as_of>/index.html`` of a release, earlier dates' carried from release to release."""

import os
from datetime import date
from pathlib import Path

FOLDER = "reports"


def page_path(release: Path, as_of: date) -> Path:
    return release / FOLDER / as_of.isoformat() / "index.html"


def keep_pages(published: Path, release: Path) -> int:
    """Link the pages of what is published into a new release; a page never changes, so a link is as good as a copy.

    Returns:
        How many pages the release has from before.
    """
    kept = 0
    for page in sorted((published / FOLDER).glob("*/index.html")):
        target = release / FOLDER / page.parent.name / page.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(page, target)
            kept += 1
    return kept


def put_page(release: Path, as_of: date, page: str) -> Path:
    """Write the page of a date, in place of one that the release has of it from before. Returns where it is.

    The old file is let go and not written into: the release before, which somebody may be reading, has it too.
    """
    target = page_path(release, as_of)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.new")
    beside.write_text(page, encoding="utf-8", newline="\n")
    beside.replace(target)
    return target
