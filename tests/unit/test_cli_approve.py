"""``o2c approve``: what it lists, what it shows, what it takes and refuses, and with which exit code."""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from approval_books import DAY, ask, item, private_file, public_line

from o2c.cli import DONE, EXCEPTIONS, REFUSED, main
from o2c.home import init_home
from o2c.ledger import Ledger
from o2c.ledger.approving import read_request
from o2c.settings import PROJECT

MORNING = datetime(2026, 3, 12, 10, tzinfo=UTC)  # six o'clock in New York
PEOPLE = f"""  approvers:
    - {{person: anna, roles: [collections_lead]}}
    - {{person: bert, roles: [finance_director]}}
    - {{person: dora, roles: [credit_manager], public_key: "{public_line("dora")}"}}
"""


@pytest.fixture
def home(tmp_path: Path, ledger_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A simulated home of the morning of 2026-03-12, with three people who may approve."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    policies = tmp_path / "policies"
    shutil.copytree(PROJECT / "policies", policies)
    text = (policies / "controls.yml").read_text().partition("  approvers:")[0]
    (policies / "controls.yml").write_text(text + PEOPLE)
    monkeypatch.setenv("O2C_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("O2C_POLICIES", str(policies))
    init_home(tmp_path / "home", simulated=True, auto_approve=False)
    shutil.copyfile(ledger_file, tmp_path / "home" / "ledger.db")
    ledger = Ledger(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}")
    number = ledger.start_run("run", DAY, is_sending=True, now=MORNING)
    ledger.finish_run(number, "published", MORNING)
    return tmp_path / "home"


def engine_of(home: Path):
    return Ledger(f"sqlite:///{home / 'ledger.db'}").engine


def ask_holds(home: Path) -> tuple[str, str]:
    """Id and hash of a list of two orders."""
    items = (item("ORD-1", "1200.00"), item("ORD-2", "50", "JPY"))
    request_id = ask(engine_of(home), *items, now=MORNING, prepared_by="olga")
    return request_id, hash_of(home, request_id)


def hash_of(home: Path, request_id: str) -> str:
    pending = read_request(engine_of(home), request_id)
    assert pending is not None
    return pending.content_hash


def test_nothing_waits_in_a_quiet_home(home, capsys):
    assert main(["approve"]) == DONE
    assert capsys.readouterr().out == "0 lists wait for people\n"
    assert main(["approve", "--json"]) == DONE
    assert json.loads(capsys.readouterr().out) == []


def test_what_waits_is_listed_with_everything_that_one_decides_by(home, capsys):
    request_id, content_hash = ask_holds(home)
    assert main(["approve"]) == EXCEPTIONS
    assert capsys.readouterr().out.splitlines() == [
        f"{request_id}  2 holds: orders to hold",
        "  total     1,200.00 EUR, 50 JPY",
        "  largest   1,200.00 EUR, 50 JPY",
        "  needs     2 approvals, of collections_lead, credit_manager, finance_director",
        "  so far    none; it is waiting",
        "  prepared  by olga at 2026-03-12T10:00+00:00, expires 2026-03-13T10:00+00:00",
        f"  hash      {content_hash[:12]}",
        "",
        "1 list waits for people",
    ]


def test_one_of_a_kind_is_told_as_one(home, capsys):
    ask(engine_of(home), item("ORD-1", "1200.00"), now=MORNING, prepared_by="olga")
    main(["approve"])
    assert " 1 hold: orders to hold" in capsys.readouterr().out


def test_a_mistyped_home_is_refused_and_not_made(home, tmp_path, capsys):
    assert main(["--home", str(tmp_path / "hmoe"), "approve"]) == REFUSED
    assert "is no home. Nothing was done." in capsys.readouterr().err
    assert not (tmp_path / "hmoe").exists()


def test_what_waits_is_data_for_programs(home, capsys):
    request_id, content_hash = ask_holds(home)
    assert main(["approve", "--json"]) == EXCEPTIONS
    (one,) = json.loads(capsys.readouterr().out)
    assert one["amounts"] == {"EUR": "1200.00", "JPY": "50"}
    assert (one["request_id"], one["content_hash"], one["state"]) == (request_id, content_hash, "waiting")
    assert one["approvals"] == []


def test_a_list_is_shown_in_full(home, capsys):
    request_id, _ = ask_holds(home)
    assert main(["approve", request_id]) == EXCEPTIONS
    rows = capsys.readouterr().out.splitlines()[-3:]
    assert [row.split() for row in rows] == [
        ["action", "amount", "currency_code", "customer_id", "decided_as_of_date", "order_id", "reason"],
        ["hold", "1200.00", "EUR", "C1", "2026-03-12", "ORD-1", "over", "the", "limit"],
        ["hold", "50", "JPY", "C1", "2026-03-12", "ORD-2", "over", "the", "limit"],
    ]
    assert main(["approve", request_id, "--json"]) == EXCEPTIONS
    assert [row["order_id"] for row in json.loads(capsys.readouterr().out)["items"]] == ["ORD-1", "ORD-2"]


def test_two_people_approve_and_the_orders_are_exported(home, tmp_path, capsys):
    request_id, content_hash = ask_holds(home)
    (tmp_path / "key").write_bytes(private_file("dora"))
    answer = ["approve", request_id, "--hash", content_hash[:8]]
    assert main([*answer, "--by", "bert", "--role", "finance_director", "--comment", "seen\n twice"]) == DONE
    assert capsys.readouterr().out == (
        f"{request_id}: approve by bert is recorded, unsigned; 1 of 2 approvals; it is waiting.\n"
    )
    signed = [*answer, "--by", "dora", "--role", "credit_manager", "--key", str(tmp_path / "key")]
    assert main(signed) == DONE
    assert capsys.readouterr().out.splitlines() == [
        f"{request_id}: approve by dora is recorded, signed; 2 of 2 approvals; it is approved.",
        f"{request_id}: carried out",
    ]
    assert (home / "order-holds" / request_id / "orders.csv").exists()
    assert main(["approve"]) == DONE
    capsys.readouterr()
    assert main(["approve", request_id, "--json"]) == DONE
    said = json.loads(capsys.readouterr().out)["approvals"]
    assert [(one["approver"], one["role"], one["is_signed"], one["comment"]) for one in said] == [
        ("bert", "finance_director", False, "seen twice"),
        ("dora", "credit_manager", True, None),
    ]


def test_one_no_ends_it(home, capsys):
    request_id, content_hash = ask_holds(home)
    answer = ["approve", request_id, "--hash", content_hash, "--by", "anna", "--role", "collections_lead"]
    assert main([*answer, "--reject", "--comment", "not this one"]) == DONE
    assert (
        "reject by anna is recorded, unsigned; 0 of 2 approvals; it is rejected." in capsys.readouterr().out
    )
    assert main(["approve"]) == DONE
    assert not (home / "order-holds").exists()
    assert main(["approve", request_id]) == DONE
    assert "reject by anna as collections_lead, unsigned (not this one)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--by", "anna"], "an answer needs a REQUEST and --by, --role and --hash"),
        (["--reject"], "an answer needs a REQUEST and --by, --role and --hash"),
        (["--by", "anna", "--role", "x", "--hash", "12345678"], "controls.yml has no such role"),
        (["--by", "dora", "--role", "credit_manager", "--hash", "HASH"], "must be signed"),
        (["--by", "dora", "--role", "credit_manager", "--hash", "HASH", "--key", "none"], "none: the key cannot"),
        (["--by", "anna", "--role", "collections_lead", "--hash", "00000000"], "another one"),
    ],
    ids=["no role", "a bare no", "no such role", "unsigned", "no key file", "another hash"],
)  # fmt: skip
def test_what_is_refused_says_why_and_leaves_it_waiting(home, capsys, arguments, why):
    request_id, content_hash = ask_holds(home)
    given = [content_hash if word == "HASH" else word for word in arguments]
    assert main(["approve", request_id, *given]) == REFUSED
    assert why in capsys.readouterr().err
    assert main(["approve"]) == EXCEPTIONS


def test_a_list_that_there_is_not_is_refused(home, capsys):
    assert main(["approve", "holds-1"]) == REFUSED
    assert main(["approve", "holds-1", "--by", "anna", "--role", "x", "--hash", "12345678"]) == REFUSED
    assert capsys.readouterr().err.count("holds-1: there is no such list") == 2


def test_an_answer_without_a_list_is_refused(home, capsys):
    assert main(["approve", "--by", "anna", "--role", "x", "--hash", "12345678"]) == REFUSED
    assert "needs a REQUEST" in capsys.readouterr().err


def test_a_list_that_is_over_does_not_wait(home, capsys):
    request_id, content_hash = ask_holds(home)
    ledger = Ledger(f"sqlite:///{home / 'ledger.db'}")
    number = ledger.start_run("next", DAY.replace(day=13), is_sending=True, now=MORNING)
    ledger.finish_run(number, "published", MORNING)
    assert main(["approve"]) == DONE
    assert main(["approve", request_id]) == DONE
    assert "it is expired" in capsys.readouterr().out
    answer = ["--by", "anna", "--role", "collections_lead", "--hash", content_hash]
    assert main(["approve", request_id, *answer]) == REFUSED
    assert "it expired at 2026-03-13T10:00+00:00" in capsys.readouterr().err
