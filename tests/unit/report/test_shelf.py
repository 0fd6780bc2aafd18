"""Pages are carried from release to release; that of a date is replaced by what is made of it again."""

from datetime import date
from pathlib import Path

from o2c.report.shelf import keep_pages, page_path, put_page

MONDAY, TUESDAY = date(2026, 9, 28), date(2026, 9, 29)


def test_earlier_pages_stand_beside_the_new_one(tmp_path: Path) -> None:
    put_page(tmp_path / "old", MONDAY, "monday")
    assert keep_pages(tmp_path / "old", tmp_path / "new") == 1
    put_page(tmp_path / "new", TUESDAY, "tuesday")
    pages = {
        str(path.relative_to(tmp_path / "new")): path.read_text() for path in (tmp_path / "new").rglob("*.*")
    }
    assert pages == {"reports/2026-09-28/index.html": "monday", "reports/2026-09-29/index.html": "tuesday"}


def test_a_date_that_is_run_again_has_its_new_page_and_the_old_release_its_own(tmp_path: Path) -> None:
    put_page(tmp_path / "old", MONDAY, "first")
    keep_pages(tmp_path / "old", tmp_path / "new")
    put_page(tmp_path / "new", MONDAY, "again")
    assert page_path(tmp_path / "old", MONDAY).read_text() == "first"
    assert page_path(tmp_path / "new", MONDAY).read_text() == "again"


def test_a_page_that_a_release_has_already_is_not_linked_over(tmp_path: Path) -> None:
    put_page(tmp_path / "old", MONDAY, "first")
    put_page(tmp_path / "new", MONDAY, "again")
    assert keep_pages(tmp_path / "old", tmp_path / "new") == 0
    assert page_path(tmp_path / "new", MONDAY).read_text() == "again"


def test_a_first_release_has_nothing_to_keep(tmp_path: Path) -> None:
    assert keep_pages(tmp_path / "published", tmp_path / "new") == 0
