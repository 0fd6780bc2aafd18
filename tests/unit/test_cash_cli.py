"""``o2c apply-cash decide`` and ``list``: what they refuse before anything is written."""

import os
from pathlib import Path

import pytest

from flows.cash_decisions import Taken, take_decisions
from o2c.cash_sheet import DecisionsRefused
from o2c.cli import REFUSED, main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("O2C_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_nothing_can_be_listed_before_anything_is_published(home, capsys):
    assert main(["apply-cash", "list"]) == REFUSED
    assert "nothing is published yet" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(home, capsys):
    assert main(["apply-cash", "decide", "none.xlsx", "--by", "Kim Lee"]) == REFUSED
    assert "none.xlsx: cannot be read" in capsys.readouterr().err


def test_who_decided_must_be_said(home, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["apply-cash", "decide", "list.csv"])
    assert stopped.value.code == 2
    assert "--by" in capsys.readouterr().err
    with pytest.raises(DecisionsRefused, match="Give a name"):
        take_decisions(Path("list.csv"), " \t ", home)
    assert not (home / "decisions").exists()


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            (2, 1, 0),
            "list.csv: 2 decisions of Kim Lee about 1 payments are recorded. They take effect in the next run.",
        ),
        (
            (2, 1, 3),
            "list.csv: 2 decisions of Kim Lee about 1 payments are recorded; 3 more were given before."
            " They take effect in the next run.",
        ),
        ((0, 0, 3), "list.csv: 3 decisions, all of them given before; nothing was added"),
    ],
    ids=["all new", "some new", "none new"],
)
def test_what_became_of_a_file_is_said(counts, said):
    assert Taken(Path("list.csv"), "Kim Lee", *counts).text() == said
