import pytest

from o2c.demo.play import generate_only, play_mornings
from o2c.home import HomeError, init_home


def test_the_demo_leaves_a_home_alone_that_is_not_simulated(tmp_path):
    init_home(tmp_path, simulated=False, auto_approve=False)
    with pytest.raises(HomeError, match="not a simulated home"):
        play_mornings(tmp_path, 200, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["home.json"]


def test_the_demo_leaves_a_folder_alone_that_is_no_home(tmp_path):
    (tmp_path / "letters.txt").write_text("keep me")
    with pytest.raises(HomeError, match="not a simulated home"):
        play_mornings(tmp_path, 200, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_generating_alone_says_what_was_written(tmp_path):
    said = generate_only(tmp_path / "books", 200, 1, parquet=True)
    assert said.startswith(f"{tmp_path / 'books'}: a ledger as of 2026-09-30 with ")
    assert "3 entities" in said
    assert (tmp_path / "books" / "invoices.parquet").exists()


def test_impossible_books_are_refused_before_an_earlier_demo_is_deleted(tmp_path):
    init_home(tmp_path, simulated=True, auto_approve=True)
    with pytest.raises(ValueError, match="at least 200"):
        play_mornings(tmp_path, 10, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["home.json"]
