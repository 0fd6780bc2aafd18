"""``o2c inspect``: what a file holds, as JSON for programs and as a table for people."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from camt_files import Camt
from ofx_files import Ofx, transaction
from table_files import REMITTANCE, STATEMENT, csv, workbook

from o2c.cli import main
from o2c.sources.bank import camt, camt_reading
from o2c.sources.bank.inspect import Inspected, inspect_files
from o2c.sources.bank.inspect_text import in_text
from o2c.sources.bank.profiles import BadProfile

HEADER = "Payment Reference,Payment Date,Currency,Invoice,Invoice Amount,Discount,Deduction,Reason,Paid"


def _file(folder: Path, content: bytes, name: str = "file.dat") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _one(path: Path, **more: Any) -> Inspected:
    (found,) = inspect_files([path], **more)
    return found


def _json(found: Inspected) -> dict[str, Any]:
    line = found.as_json()
    assert "\n" not in line
    return json.loads(line)


def test_a_statement_as_json(tmp_path: Path) -> None:
    path = _file(
        tmp_path, Ofx(transactions=transaction() + transaction("-0.10", kind="DEBIT", number="F2")).bytes()
    )
    assert _json(_one(path)) == {
        "file": str(path),
        "format": "ofx.102",
        "error": None,
        "statements": [
            {
                "account": "0123456",
                "currency_code": "EUR",
                "statement_number": None,
                "opening_amount": None,
                "closing_amount": "1100.00",
                "entry_count": 2,
                "credit_amount": "100.00",
                "debit_amount": "0.10",
                "detail_count": 2,
            }
        ],
        "remittances": [],
        "exceptions": [],
    }


def test_a_remittance_as_json(tmp_path: Path) -> None:
    rows = ["P1,2024-03-07,EUR,R-1,100.00,2.00,8.00,damaged,90.00", "P1,2024-03-07,EUR,,,,,,5.00"]
    path = _file(tmp_path, csv(HEADER, *rows))
    assert _json(_one(path)) == {
        "file": str(path),
        "format": "csv",
        "error": None,
        "statements": [],
        "remittances": [
            {
                "reference": "P1",
                "currency_code": "EUR",
                "total_amount": "95.00",
                "line_count": 2,
                "lines": [
                    {
                        "invoice_reference": "R-1",
                        "paid_amount": "90.00",
                        "discount_amount": "2.00",
                        "deduction_amount": "8.00",
                        "reason_code": "damaged",
                    },
                    {
                        "invoice_reference": None,
                        "paid_amount": "5.00",
                        "discount_amount": None,
                        "deduction_amount": None,
                        "reason_code": None,
                    },
                ],
            }
        ],
        "exceptions": [
            {
                "position": "line 3",
                "code": "value_unreadable",
                "message": "5.00 paid without an invoice reference",
            }
        ],
    }


def test_a_refused_file_says_why_and_stops_no_other(tmp_path: Path) -> None:
    cut = _file(tmp_path, Ofx().bytes()[:-10], "cut.ofx")
    good = _file(tmp_path, Ofx().bytes(), "good.ofx")
    found = inspect_files([cut, tmp_path / "missing", tmp_path, good])
    assert [one.error is None for one in found] == [False, False, False, True]
    assert _json(found[0]) == {
        "file": str(cut),
        "format": "ofx",
        "error": found[0].error,
        "statements": [],
        "remittances": [],
        "exceptions": [],
    }
    assert (found[0].error or "").startswith("cut.ofx: line ")


def test_warnings_are_for_people_and_exceptions_for_all(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        Ofx(
            transactions=transaction("-1.00", kind="CREDIT") + transaction(kind="MAGIC", number="F2")
        ).bytes(),
    )
    found = _one(path)
    assert [one["code"] for one in _json(found)["exceptions"]] == ["sign_differs"]
    text = in_text([found])
    assert "  exception: statement 1, entry 1: sign_differs: a CREDIT of -1.00" in text
    assert "  warning: statement 1, entry 2: unknown_code: TRNTYPE 'MAGIC'" in text
    assert found.in_words() == "ofx.102, 1 statement, 2 entries, 1 exception"


def test_a_table_for_people(tmp_path: Path) -> None:
    path = _file(tmp_path, Ofx().bytes())
    assert in_text([_one(path)]).splitlines() == [
        f"{path}: ofx.102, 1 statement, 1 entry, 0 exceptions",
        "  account  currency  number  opening  entries  credits  debits   closing  details",
        "  0123456  EUR       -             -        1   100.00       0  1,100.00        1",
    ]


def test_a_remittance_and_a_refusal_for_people(tmp_path: Path) -> None:
    path = _file(tmp_path, csv(HEADER, "P1,2024-03-07,EUR,R-1,100.00,2.00,8.00,damaged,90.00"))
    bad = _file(tmp_path, b"Dear Sirs,\n\nplease find\n", "bad.txt")
    assert in_text(inspect_files([path, bad])).splitlines() == [
        f"{path}: csv, 1 remittance, 0 exceptions",
        "",
        "  remittance P1, 2024-03-07, 90.00 EUR",
        "  invoice   paid  discount  deduction  reason",
        "  R-1      90.00      2.00       8.00  damaged",
        "",
        f"{bad}: refused",
        "  bad.txt: line 1: begins with 'Dear Sirs,\\n\\nplease find\\n': no format we read; see"
        " docs/bank-files.md for those we do",
    ]


def test_a_camt_file_is_summed_in_parts_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = Camt().xml()
    whole = camt.read(content, "x")
    path = _file(tmp_path, content)
    at_once = _one(path)
    monkeypatch.setattr(camt_reading, "PART", 1)
    assert _one(path) == at_once
    assert [
        (one.account, one.number, one.entry_count, one.credit_amount, one.debit_amount, one.detail_count)
        for one in at_once.statements
    ] == [
        (
            one.account,
            one.electronic_number or one.number,
            one.entry_count,
            one.credit_amount,
            one.debit_amount,
            one.detail_count,
        )
        for one in whole.statements
    ]
    assert at_once.issues == whole.exceptions


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    found = _one(_file(tmp_path, gzip.compress(Ofx().bytes()), "a.gz"))
    assert (found.format, found.entry_count) == ("ofx.102", 1)


def test_a_table_needs_a_profile_by_name_by_path_or_by_its_header(tmp_path: Path) -> None:
    content = csv("Date,Text,Amount", "2024-03-07,x,1.00")
    path = _file(tmp_path, content)
    assert "no profile declares" in (_one(path).error or "")
    own = tmp_path / "profiles"
    own.mkdir()
    declared = own / "our_bank.yml"
    declared.write_text(yaml.safe_dump({"currency_code": "EUR", "table": STATEMENT}))
    for more in ({"profile": str(declared)}, {"folders": [own]}, {"folders": [own], "profile": "our_bank"}):
        found = _one(path, **more)
        assert (found.error, found.entry_count) == (None, 1)
    with pytest.raises(BadProfile, match="no profile 'our_bank'"):
        _one(path, profile="our_bank")
    with pytest.raises(BadProfile, match=r"missing\.yml"):
        _one(path, profile=str(own / "missing.yml"))


def test_lines_before_the_header_do_not_hide_a_declared_table(tmp_path: Path) -> None:
    path = _file(tmp_path, csv("Statement of account", "", "Date,Text,Amount", "2024-03-07,x,1.00"))
    declared = tmp_path / "our_bank.yml"
    declared.write_text(
        yaml.safe_dump({"currency_code": "EUR", "table": STATEMENT | {"dialect": {"skip_lines": 2}}})
    )
    assert _one(path).error is not None
    for more in ({"profile": str(declared)}, {"folders": [tmp_path]}):
        assert _one(path, **more).entry_count == 1


def test_a_profile_of_a_table_does_not_hide_what_another_file_is(tmp_path: Path) -> None:
    found = _one(_file(tmp_path, Ofx().bytes()), profile="n26")
    assert (found.format, found.entry_count) == ("ofx.102", 1)


def test_a_workbook_is_inspected(tmp_path: Path) -> None:
    declared = tmp_path / "payer.yml"
    declared.write_text(yaml.safe_dump({"currency_code": "EUR", "table": REMITTANCE}))
    path = _file(tmp_path, workbook(REMITTANCE["header"], ["R-1", 100, 2, 8, "damaged", 90, "P1"]), "a.bin")
    found = _one(path, folders=[tmp_path])
    assert (found.format, [str(one.total_amount) for one in found.remittances]) == ("xlsx", ["90.00"])


@pytest.mark.parametrize(
    ("contents", "code"),
    [
        ([Ofx().bytes()], 0),
        ([Ofx(transactions=transaction("-1.00")).bytes()], 1),
        ([Ofx().bytes()[:-10]], 2),
        ([Ofx().bytes(), Ofx(transactions=transaction("-1.00")).bytes(), b""], 2),
    ],
    ids=["fine", "exception", "refused", "one of three refused"],
)
def test_the_command_prints_a_line_a_file_and_tells_by_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], contents: list[bytes], code: int
) -> None:
    paths = [str(_file(tmp_path, content, f"{number}.ofx")) for number, content in enumerate(contents)]
    assert main(["inspect", "--json", *paths]) == code
    printed = capsys.readouterr()
    assert [json.loads(line)["file"] for line in printed.out.splitlines()] == paths
    assert printed.err == ""
    assert main(["inspect", *paths]) == code
    assert all(path in capsys.readouterr().out for path in paths[:1])


def test_the_command_refuses_an_unknown_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--profile", "nobody", str(_file(tmp_path, Ofx().bytes()))]) == 2
    assert "no profile 'nobody'" in capsys.readouterr().err


def test_what_a_hostile_name_or_value_says_reaches_no_terminal(tmp_path: Path) -> None:
    content = (
        Ofx(account="<BANKACCTFROM><BANKID>1<ACCTID>a\u202eb\u0085c<ACCTTYPE>X</BANKACCTFROM>")
        .text()
        .replace("ENCODING:USASCII", "ENCODING:UTF-8")
    )
    found = _one(_file(tmp_path, content.encode(), "a\x1b[2Jb"))
    text = in_text([found])
    assert all(line.isprintable() for line in text.splitlines())
    assert found.as_json().isascii()
