"""Six hundred hostile texts in every workbook, CSV, file name, query and artifact: data, and nothing but data."""

import csv
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hostile import EVERY_HOSTILE, HALVES
from letter_builders import AS_OF
from lxml import etree
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from sqlalchemy import create_engine, insert, select

import flows._steps as steps
from o2c.cash_workbook import CashSheets, write_cash_workbook
from o2c.contract import MONEY
from o2c.frames import (
    AgencyReferrals,
    Applications,
    CashCandidates,
    CashExceptions,
    Collectors,
    Contacts,
    CreditFlags,
    Customers,
    Deductions,
    OpenItems,
    Worklist,
    WorklistTerms,
)
from o2c.handouts import write_agency_list, write_credit_flags, write_worklists
from o2c.handover_files import write_order_holds, write_placement, write_recall
from o2c.ledger.tables import delivery_events, metadata
from o2c.policy import load_policies
from o2c.sources.expression import quoted as quoted_column
from o2c.workbooks import Column, Sheet, file_name, guarded, unguarded, write_csv, write_workbook

POLICIES = Path(__file__).parents[2] / "policies"
COUNT = len(EVERY_HOSTILE)
AT = datetime(2026, 1, 1, tzinfo=UTC)
SUSPECT = set("=+-@＝＋－＠﹦﹢﹣﹫\t\r\n\x00")
NAMES = frozenset(EVERY_HOSTILE)


def hostile_rows(model, **fixed):
    """One row per hostile text, which stands in every column of text that is not told otherwise."""
    plain = {
        pl.Int64: 1,
        pl.Boolean: True,
        pl.Date: AS_OF,
        pl.Decimal: Decimal(1),
    }
    rows = []
    for number, text in enumerate(EVERY_HOSTILE):
        row = {}
        for name, dtype in model.empty().schema.items():
            given = fixed.get(name, text if dtype == pl.String else plain.get(dtype.base_type()))
            row[name] = given(number, text) if callable(given) else given
        rows.append(row)
    return pl.DataFrame(rows, schema=model.empty().schema)


def key(number, text):
    return f"{number:03}{text}"


CUSTOMERS = hostile_rows(Customers, customer_id=key)
ITEMS = hostile_rows(OpenItems, customer_id=key, invoice_id=key, document_type="invoice", currency_code="EUR")
CONTACTS = hostile_rows(Contacts, customer_id=key, contact_id=key, role="dunning")


def read_back(paths, named):
    """Texts of a column of all files, after every cell of them was found to be data."""
    found = {}
    for path in paths:
        if path.suffix == ".xlsx":
            found[path.name] = read_workbook(path, named)
        elif path.suffix == ".csv":
            found[path.name] = read_csv(path, named)
    return found


def read_workbook(path, named):
    with zipfile.ZipFile(path) as parts:
        for name in parts.namelist():
            assert name == Path(name).as_posix()
            assert ".." not in name
            if name.endswith(".xml"):
                tree = etree.fromstring(parts.read(name))
                tags = {etree.QName(element).localname for element in tree.iter(etree.Element)}
                assert tags & {"f", "hyperlink", "externalReference", "oleObject", "ddeLink"} == set(), name
            elif name.endswith(".rels"):
                assert b"External" not in parts.read(name)
    texts = []
    for sheet in load_workbook(path):
        heading = [cell.value for cell in sheet[1]]
        for row in sheet.iter_rows(min_row=2):
            assert {cell.data_type for cell in row} <= {"s", "n", "d"}
            assert all(cell.hyperlink is None for cell in row)
            if named in heading:
                value = row[heading.index(named)].value
                texts.append(unescape(value) if value is not None else "")
    return texts


def read_csv(path, named):
    texts = []
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.reader(handle, strict=True)
        heading = next(reader)
        for row in reader:
            assert len(row) == len(heading)
            for cell in row:
                start = cell.lstrip("'").lstrip(" \u00a0\u3000\u2009\v\f")[:1]
                is_number = cell.replace("-", "", 1).replace(".", "", 1).isdigit() and cell.isascii()
                assert start not in SUSPECT or cell[0] == "'" or is_number, cell
            if named in heading:
                texts.append(unguarded(row[heading.index(named)]))
    return texts


def assert_all_there(found, capsys, what):
    for name, texts in found.items():
        assert {text for text in NAMES if text.strip()} <= set(texts) | {""}, name
    with capsys.disabled():
        print(f"\n{what}: {COUNT} texts in {len(found)} files, 0 formulas")  # noqa: T201


def test_there_are_more_than_five_hundred():
    assert len(NAMES) == COUNT >= 500


def test_worklists(tmp_path, capsys):
    tasks = hostile_rows(
        Worklist,
        customer_id=key,
        collector_id="K1",
        currency_code="EUR",
        priority_class="High",
        work_rank=lambda n, _: n,
    )
    terms = hostile_rows(WorklistTerms, customer_id=key, currency_code="EUR", term="days")
    collectors = pl.DataFrame(
        [{"collector_id": "K1", "name": EVERY_HOSTILE[0]}], schema=Collectors.empty().schema
    )
    paths = write_worklists(
        tmp_path, tasks, terms, ITEMS, CUSTOMERS, CONTACTS, collectors, ("promise",), AS_OF
    )
    assert_all_there(read_back(paths, "Customer"), capsys, "worklists")
    assert_all_there(read_back(paths, "Reason"), capsys, "reasons of worklists")


def test_names_of_collectors_are_names_of_files_in_the_folder(tmp_path):
    tasks = hostile_rows(
        Worklist,
        customer_id=key,
        currency_code="EUR",
        collector_id=key,
        priority_class="Low",
        is_in_capacity=False,
    )
    tasks = tasks[::15]  # a workbook each
    nothing = (
        WorklistTerms.empty(),
        ITEMS.clear(),
        CUSTOMERS.clear(),
        CONTACTS.clear(),
        Collectors.empty(),
        (),
    )
    paths = write_worklists(tmp_path / "lists", tasks, *nothing, AS_OF)
    assert {path.parent for path in paths} == {tmp_path / "lists"}
    assert len({path.name.casefold() for path in paths}) == 2 * tasks.height
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(paths)


def test_agency_lists_and_credit_flags(tmp_path, capsys):
    referrals = hostile_rows(
        AgencyReferrals, customer_id=key, invoice_id=key, currency_code="EUR", status="not_eligible"
    )
    flags = hostile_rows(CreditFlags, customer_id=key, currency_code="EUR", severity="high", action="hold")
    paths = write_agency_list(tmp_path / "agency", referrals, ITEMS, CUSTOMERS, AS_OF)
    paths += write_credit_flags(tmp_path / "credit", flags, CUSTOMERS, AS_OF)
    assert_all_there(read_back(paths, "Customer"), capsys, "agency list and credit flags")


def test_the_cash_workbook(tmp_path, capsys):
    exceptions = hostile_rows(CashExceptions, payment_id=key, customer_id=key, currency_code="EUR")
    sheets = CashSheets(
        exceptions=exceptions,
        candidates=hostile_rows(CashCandidates, payment_id=key, customer_id=key, currency_code="EUR"),
        payments=pl.DataFrame(
            {
                "payment_id": [key(number, text) for number, text in enumerate(EVERY_HOSTILE)],
                **{name: list(EVERY_HOSTILE) for name in ("payer_name", "payer_account", "reference_text")},
            }
        ),
        customers=CUSTOMERS.select("customer_id", "customer_name"),
        documents=pl.DataFrame({"invoice_id": list(EVERY_HOSTILE), "invoice_number": list(EVERY_HOSTILE)}),
        applications=hostile_rows(
            Applications, payment_id=key, application_id=key, application_type="payment", currency_code="EUR"
        ),
        deductions=Deductions.empty(),
    )
    reasons = load_policies(POLICIES).reason_codes
    paths = write_cash_workbook(tmp_path, sheets, reasons, 5, AS_OF)
    assert_all_there(read_back(paths, "Payer"), capsys, "cash exceptions")


def test_what_is_handed_over(tmp_path, capsys):
    names = (
        "customer_id", "customer_name", "country_code", "language_code", "contact_name", "phone", "email",
        "entity_name", "remit_to", "invoice_id", "invoice_number", "po_number", "rule", "channel", "outcome_code",
        "activity_id", "stage", "state", "letter_id", "message_hash", "order_id", "action", "reason", "agency_id",
    )  # fmt: skip
    money = dict.fromkeys(
        ("invoice_amount", "open_amount", "referred_amount", "amount", "placed_amount"), "1.00 EUR"
    )
    days = dict.fromkeys(
        ("invoice_date", "due_date", "activity_date", "sent_date", "decided_as_of_date", "placed_date"),
        AS_OF.isoformat(),
    )
    counts = dict.fromkeys(("installment_number", "days_past_due", "level"), 1)
    rows = [
        dict.fromkeys(names, text) | money | days | counts | {"currency_code": "EUR"}
        for text in EVERY_HOSTILE
    ]
    placed = write_placement(
        tmp_path, {"agency_id": "=1+1", "items": rows, "contact_log": rows, "evidence": rows}, "P1", AS_OF
    )
    holds = write_order_holds(tmp_path / "orders", rows, "H1")
    recalls = pl.DataFrame(
        [
            {
                "agency_id": "../x",
                "request_id": text,
                "customer_id": text,
                "invoice_id": text,
                "installment_number": 1,
                "currency_code": "EUR",
                "placed_amount": Decimal(1),
                "open_amount": Decimal(1),
                "recall_reason": "paid",
                "placed_date": AS_OF,
            }
            for text in EVERY_HOSTILE
        ],
        schema_overrides={"placed_amount": MONEY, "open_amount": MONEY},
    )
    back = write_recall(tmp_path, recalls, "R1", AS_OF)
    paths = [path for folder in (placed, holds, back) for path in folder.iterdir()]
    assert_all_there(read_back(paths, "Customer no."), capsys, "placements, recalls, order holds")
    assert {text["invoice_id"] for text in json.loads((back / "recall.json").read_text())["items"]} == NAMES
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(paths)


def test_any_sheet_and_any_csv(tmp_path, capsys):
    frame = pl.DataFrame({"name": list(EVERY_HOSTILE)})
    columns = (Column("Name", "name"),)
    paths = [
        write_workbook(tmp_path / "t.xlsx", [Sheet("T", frame, columns)], AS_OF, title=EVERY_HOSTILE[1]),
        write_csv(tmp_path / "t.csv", frame, columns),
    ]
    found = read_back(paths, "Name")
    assert found["t.csv"] == list(EVERY_HOSTILE)
    assert [text for text in found["t.xlsx"] if text] == [text for text in EVERY_HOSTILE if text]
    assert [unguarded(guarded(text)) for text in (*EVERY_HOSTILE, *HALVES)] == [*EVERY_HOSTILE, *HALVES]
    assert_all_there(found, capsys, "any table")


def test_no_file_name_leads_out_of_its_folder_or_meets_another(tmp_path):
    names = [file_name("list", text, suffix=".xlsx") for text in EVERY_HOSTILE]
    assert len(set(names)) == COUNT
    for name in names:
        assert (tmp_path / name).resolve().parent == tmp_path.resolve()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        assert len(name) < 200


def test_queries_take_them_as_names_and_as_values(capsys):
    with duckdb.connect(config={"enable_external_access": False}) as con:
        for text in EVERY_HOSTILE:
            if not text or "\x00" in text:  # no database has such a column
                continue
            name = quoted_column(text)
            con.execute(f"create or replace table t ({name} varchar)")
            con.execute("insert into t values (?)", [text])
            found = con.execute(f"select {name} from t")
            assert (found.fetchall(), [column[0] for column in found.description]) == ([(text,)], [text])
        assert con.execute("select table_name from information_schema.tables").fetchall() == [("t",)]
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as con:
        con.execute(
            insert(delivery_events),
            [
                {
                    "event_id": f"{number}{text}",
                    "carrier": text,
                    "event_type": text,
                    "detail": text,
                    "occurred_at": AT,
                    "received_at": AT,
                    "content_hash": text,
                }
                for number, text in enumerate(EVERY_HOSTILE)
            ],
        )
        for number, text in enumerate(EVERY_HOSTILE):
            query = select(delivery_events.c.detail).where(delivery_events.c.event_id == f"{number}{text}")
            assert con.execute(query).scalars().all() == [text]
    with capsys.disabled():
        print(f"\nqueries: {COUNT} texts as names and values")  # noqa: T201


def test_artifacts_are_text(monkeypatch):
    kept = []
    monkeypatch.setattr(steps.FlowRunContext, "get", classmethod(lambda cls: object()))
    monkeypatch.setattr(steps, "create_table_artifact", lambda table, key, description: kept.append(table))
    steps.show_table("x", pl.DataFrame({"a": list(EVERY_HOSTILE), "n": 1}), "x")
    assert json.loads(json.dumps(kept[0])) == [{"a": text, "n": "1"} for text in EVERY_HOSTILE]


@pytest.mark.parametrize("half", HALVES)
def test_half_a_character_reaches_no_frame(half):
    with pytest.raises((UnicodeEncodeError, pl.exceptions.ComputeError)):
        pl.DataFrame({"name": [half]})
