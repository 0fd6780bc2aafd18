"""The language of definitions: every feature by the smallest ledger that shows it, every fault at once."""

from datetime import date
from decimal import Decimal

import pytest

from o2c.sources.definition import DefinitionError, folder_definition, load_definition, set_faults

HEAD = "source: books\nfiles: {rows: {path: rows.csv, ignore: '*'}}\ntables:\n"
INVOICE = """
  invoices:
    from: rows
    columns:
      invoice_id: no
      entity_id: {constant: E1}
      invoice_number: no
      document_type: {constant: invoice}
      customer_id: who
      invoice_date: day
      currency_code: {constant: EUR}
      invoice_amount: amount
"""


def land(books, csv: str, tables: str, dialect: str = ""):
    books.write("rows.csv", csv)
    head = HEAD.replace("ignore: '*'", f"ignore: '*', dialect: {{{dialect}}}")
    return books.land(books.define(head + tables))


def test_all_faults_are_told_at_once_with_their_place(books):
    with pytest.raises(DefinitionError) as caught:
        books.define("""
source: Books!
nope: 1
files:
  rows: {path: rows.csv, dialect: {decimal: ";", dates: "%q"}}
tables:
  invoice: {from: rows, columns: {a: b}}
  invoices:
    from: other
    where: sum(amount) > 1
    columns:
      invoice_id: a
      invoice_id: b
      colour: c
      document_type: {constant: bill}
      currency_code: {constant: EUX}
      invoice_amount: {column: x, expression: y}
""")

    said = "\n".join(caught.value.faults)
    for part in (
        "line 13: 'invoice_id' is given twice; two columns cannot be mapped onto one",
        "tables.invoice: no table of the contract (did you mean 'invoices'?)",
        "tables.invoices: file 'other' is not under `files`",
        "sum() is not allowed",
        "'colour' is no column of invoices",
        "required columns are missing: entity_id, invoice_number, customer_id, invoice_date",
        "document_type: 'bill' is not one of invoice, credit_memo, debit_memo",
        "'EUX' is not a currency",
        "give exactly one of column, constant, template, expression",
        "source: String should match pattern",
        "files.rows.dialect.decimal: Input should be '.' or ','",
        "%q is not one of",
        "nope: Extra inputs are not permitted",
    ):
        assert part in said


def test_scalars_stay_the_text_that_was_written(books):
    report = land(
        books, "no,who,day,amount\n1,C1,2026-01-02,5\n", INVOICE.replace("{constant: E1}", "{constant: 007}")
    )

    assert books.rows(report, "invoices", "entity_id") == [("007",)]


def test_code_maps_reject_what_they_do_not_know_unless_told_otherwise(books):
    csv = "id,name,state\n1,A,ok\n2,B,bad\n3,C,odd\n4,D,\n"
    table = (
        "  customers:\n    from: rows\n"
        "    columns: {customer_id: id, customer_name: name, status: {column: state, codes: %s}}\n"
    )

    strict = land(books, csv, table % "{ok: active, bad: closed}")
    assert books.problems(strict, "rejected") == [("customers", 4, "unknown_code")]
    assert books.rows(strict, "customers", "customer_id", "status") == [
        ("1", "active"),
        ("2", "closed"),
        ("4", None),
    ]

    kind = land(books, csv, table % '{ok: active, "": active}, unmapped: do_not_contact')
    assert books.rows(kind, "customers", "customer_id", "status") == [
        ("1", "active"),
        ("2", "do_not_contact"),
        ("3", "do_not_contact"),
        ("4", "active"),
    ]


def test_amounts_follow_the_declared_marks_and_signs(books):
    csv = "no;who;day;amount\n1;C1;02.01.2026;1.234,50-\n2;C1;02.01.2026;€ 5,00\n3;C1;02.01.2026;1,234.50\n"
    dialect = "delimiter: ';', decimal: ',', thousands: '.', currency_signs: €, dates: '%d.%m.%Y'"
    dialect += ", negative: [leading, trailing]"

    report = land(books, csv, INVOICE.replace("amount\n", "{column: amount, sign: absolute}\n"), dialect)

    assert books.rows(report, "invoices", "invoice_id", "invoice_date", "invoice_amount") == [
        ("1", date(2026, 1, 2), Decimal("1234.50")),
        ("2", date(2026, 1, 2), Decimal("5.00")),
    ]
    assert books.problems(report, "rejected") == [("invoices", 4, "bad_amount")]


def test_date_formats_are_tried_in_the_declared_order(books):
    csv = "no,who,day,amount\n1,C1,02/01/2026,1\n2,C1,01/13/2026,1\n3,C1,3-Feb-2026,1\n4,C1,2026-02-04,1\n"

    report = land(books, csv, INVOICE, "dates: ['%d/%m/%Y', '%d-%b-%Y', '%m/%d/%Y']")

    assert books.rows(report, "invoices", "invoice_date") == [
        (date(2026, 1, 2),),
        (date(2026, 1, 13),),
        (date(2026, 2, 3),),
    ]
    assert books.problems(report, "rejected") == [("invoices", 5, "bad_date")]


def test_repairs_are_made_only_where_declared_and_counted(books):
    csv = "no,who,day,amount\n123.0,C1,2026-01-02,2309.7899999999995\n4,C1,2026-01-02,0.005\n5,C1,2026-01-02,1.50\n"
    table = INVOICE.replace("invoice_id: no", 'invoice_id: {column: no, strip_suffix: ".0"}')
    table = table.replace("invoice_number: no", 'invoice_number: {column: no, strip_suffix: ".0"}')
    table = table.replace("amount: amount", "amount: {column: amount, decimals: round}")

    report = land(books, csv, table)

    assert books.rows(report, "invoices", "invoice_id", "invoice_amount") == [
        ("123", Decimal("2309.79")),
        ("4", Decimal("0.01")),
        ("5", Decimal("1.50")),
    ]
    assert report.totals()["invoices"].uses == {
        "strip_suffix.invoice_id": 1,
        "strip_suffix.invoice_number": 1,
        "round.invoice_amount": 2,
    }
    checks = {check.check_name: check.actual for check in books.effective(report).checks}
    assert checks["landing.round.books.invoices.invoice_amount"] == "2"


def test_nulls_trim_and_case_are_declared(books):
    table = """  customers:
    from: rows
    columns:
      customer_id: id
      customer_name: {column: name, trim: true}
      country_code: {column: country, case: upper}
"""
    report = land(books, "id,name,country\n1, A ,de\n2,n/a,\n3,C,-\n", table, "nulls: ['n/a', '-']")

    assert books.rows(report, "customers", "customer_id", "customer_name", "country_code") == [
        ("1", "A", "DE"),
        ("3", "C", None),
    ]
    assert books.problems(report, "rejected") == [("customers", 3, "missing_required")]


def test_where_leaves_rows_out_and_counts_them_even_unreadable_ones(books):
    csv = "no,who,day,amount,kind\n1,C1,2026-01-02,5,AR\n2,C1,x,5,AP\n3,C1,2026-01-02,-5,AR\n"
    table = INVOICE.replace(
        "from: rows", "from: rows\n    inputs: {amount: amount}\n    where: kind = 'AR' and amount > 0"
    )

    report = land(books, csv, table)

    assert books.rows(report, "invoices", "invoice_id") == [("1",)]
    assert report.totals()["invoices"].skipped == {"filtered": 2}


def test_expressions_see_declared_inputs_as_values_and_failures_are_rejected_rows(books):
    csv = "no,who,day,amount,tax,days\n1,C1,2026-01-02,100,19.00,30\n2,C1,2026-01-02,100,x,30\n3,C1,2026-01-02,1,1,z\n"
    table = INVOICE.replace("from: rows", "from: rows\n    inputs: {amount: amount, tax: amount, day: date}")
    table = table.replace("invoice_amount: amount", "invoice_amount: {expression: amount + tax}")
    table += "      due_date: {expression: day + cast(days as integer)}\n"

    report = land(books, csv, table)

    assert books.rows(report, "invoices", "invoice_id", "due_date", "invoice_amount") == [
        ("1", date(2026, 2, 1), Decimal("119.00"))
    ]
    assert books.problems(report, "rejected") == [
        ("invoices", 3, "bad_amount"),
        ("invoices", 4, "expression_failed"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "(select 1)",
        "read_text('/etc/passwd')",
        "current_date",
        "random()",
        "row_number() over ()",
        "1) from t; drop table t --",
        "sum(amount)",
    ],
)
def test_an_expression_sees_its_row_only_and_gives_the_same_answer_tomorrow(books, sql):
    with pytest.raises(DefinitionError):
        books.define(HEAD + INVOICE + f'      po_number: {{expression: "{sql}"}}\n')


def test_an_expression_that_would_lose_cents_is_refused(books):
    table = INVOICE.replace("from: rows", "from: rows\n    inputs: {amount: amount}")

    with pytest.raises(DefinitionError, match="gives a DOUBLE, which loses cents"):
        books.define(
            HEAD + table.replace("invoice_amount: amount", "invoice_amount: {expression: amount / 3}")
        )


def test_a_template_builds_ids_and_the_line_can_be_part_of_them(books):
    table = INVOICE.replace("invoice_id: no", 'invoice_id: {template: "{who}|{no}|{_line}"}')

    report = land(books, "no,who,day,amount\n1,C1,2026-01-02,5\n,C1,2026-01-02,5\n", table)

    assert books.rows(report, "invoices", "invoice_id") == [("C1|1|2",)]
    assert books.problems(report, "rejected") == [("invoices", 3, "missing_required")]


@pytest.mark.parametrize(("days", "due"), [("30", date(2026, 2, 1)), ("terms", date(2026, 1, 16))])
def test_days_can_be_added_to_a_date(books, days, due):
    table = INVOICE + f"      due_date: {{column: day, plus_days: {days}}}\n"

    report = land(books, "no,who,day,amount,terms\n1,C1,2026-01-02,5,14\n", table)

    assert books.rows(report, "invoices", "due_date") == [(due,)]


@pytest.mark.parametrize("lines", [["1,Acme", "1,ACME", "1,Acme"], ["1,ACME", "1,Acme", "1,Acme"]])
def test_the_most_frequent_row_of_a_key_stays_in_any_order(books, lines):
    table = "  customers: {from: rows, one_per: {key: customer_id}, columns: {customer_id: id, customer_name: name}}\n"

    report = land(books, "id,name\n" + "\n".join(lines) + "\n", table)

    assert books.rows(report, "customers", "customer_name") == [("Acme",)]
    assert report.totals()["customers"].skipped == {"one_per": 2}


@pytest.mark.parametrize(("keep", "name"), [("smallest", "ACME"), ("largest", "Acme")])
def test_the_row_with_the_smallest_or_largest_value_stays(books, keep, name):
    one_per = f"{{key: customer_id, keep: {keep}, by: customer_name}}"
    table = f"  customers: {{from: rows, one_per: {one_per}, columns: {{customer_id: id, customer_name: name}}}}\n"

    report = land(books, "id,name\n1,ACME\n1,Acme\n", table)

    assert books.rows(report, "customers", "customer_name") == [(name,)]


def test_rows_of_a_key_are_summed_but_never_across_currencies(books):
    table = """  payments:
    from: rows
    one_per: {key: payment_id, keep: smallest, by: value_date, sum: payment_amount}
    columns:
      payment_id: id
      entity_id: {constant: E1}
      value_date: day
      currency_code: currency
      payment_amount: amount
"""
    lines = ["P1,2026-01-02,EUR,1.50", "P1,2026-01-02,EUR,2.25", "P2,2026-01-02,EUR,1", "P2,2026-01-02,USD,1"]
    csv = "\n".join(["id,day,currency,amount", *lines, ""])

    report = land(books, csv, table)

    assert books.rows(report, "payments", "payment_id", "payment_amount") == [("P1", Decimal("3.75"))]
    assert [code for _, _, code in books.problems(report, "rejected")] == ["key_collision", "key_collision"]


def test_a_join_brings_columns_of_the_one_row_with_the_key(books):
    books.write("heads.csv", "number,customer\n0001,C1\n0002,C2\n")
    books.write("rows.csv", "no,day,amount\n1,2026-01-02,5\n3,2026-01-02,5\n")
    text = HEAD.replace("files: {", "files: {heads: {path: heads.csv}, ")
    table = INVOICE.replace(
        "from: rows",
        "from: rows\n    join: {head: {file: heads, on: {\"lpad(no, 4, '0')\": number}, unmatched: reject}}",
    )
    table = table.replace("customer_id: who", "customer_id: head__customer")

    report = books.land(books.define(text + table))

    assert books.rows(report, "invoices", "invoice_id", "customer_id") == [("1", "C1")]
    assert books.problems(report, "rejected") == [("invoices", 3, "unmatched_row")]


def test_a_join_on_a_key_that_repeats_refuses_the_file(books):
    books.write("heads.csv", "number,customer\n1,C1\n1,C2\n")
    books.write("rows.csv", "no,day,amount\n1,2026-01-02,5\n")
    text = HEAD.replace("files: {", "files: {heads: {path: heads.csv}, ")
    table = INVOICE.replace("from: rows", "from: rows\n    join: {head: {file: heads, on: {no: number}}}")

    report = books.land(books.define(text + table.replace("who", "head__customer")))

    assert "heads.csv has 1 more than once as number" in books.refusal(report)


def test_a_changed_joined_file_maps_anew(books):
    text = HEAD.replace("files: {", "files: {heads: {path: heads.csv}, ")
    table = INVOICE.replace("from: rows", "from: rows\n    join: {head: {file: heads, on: {no: number}}}")
    books.write("rows.csv", "no,day,amount\n1,2026-01-02,5\n")
    for customer in ("C1", "C2"):
        books.write("heads.csv", f"number,customer\n1,{customer}\n")
        report = books.land(books.define(text + table.replace("who", "head__customer")))
        assert books.rows(report, "invoices", "customer_id") == [(customer,)]


def test_two_mappings_can_fill_one_table(books):
    first = INVOICE.strip().removeprefix("invoices:\n").replace("    from", "from", 1)
    second = first.replace("{constant: invoice}", "{constant: credit_memo}")
    second = second.replace("invoice_id: no", 'invoice_id: {template: "CM-{no}"}')
    tables = "  invoices:\n" + "".join(
        f"    -\n      {part.replace(chr(10), chr(10) + '  ')}\n" for part in (first, second)
    )

    report = land(books, "no,who,day,amount\n1,C1,2026-01-02,5\n", tables)

    assert sorted(books.rows(report, "invoices", "invoice_id", "document_type")) == [
        ("1", "invoice"),
        ("CM-1", "credit_memo"),
    ]


def test_a_pattern_rejects_or_warns(books):
    column = "{column: id, pattern: '^[0-9]{3}$', mismatch: %s}"
    table = f"  customers: {{from: rows, columns: {{customer_id: {column}, customer_name: name}}}}\n"

    warned = land(books, "id,name\n001,A\n7,B\n", table % "warn")
    assert books.rows(warned, "customers", "customer_id") == [("001",), ("7",)]
    assert books.problems(warned, "warning") == [("customers", 3, "unexpected_pattern")]

    strict = land(books, "id,name\n001,A\n7,B\n", table % "reject")
    assert books.problems(strict, "rejected") == [("customers", 3, "unexpected_pattern")]


def test_a_condition_can_be_worth_a_warning(books):
    table = INVOICE + "    warnings: [{code: paid_in_cash, when: who = 'C2'}]\n"

    report = land(books, "no,who,day,amount\n1,C1,2026-01-02,5\n2,C2,2026-01-02,5\n", table)

    assert ("invoices", 3, "paid_in_cash") in books.problems(report, "warning")


def test_ids_get_the_prefix_of_their_source_unless_shared(books):
    text = HEAD.replace("source: books", "source: books\nid_prefix: 'A-'\nunprefixed: entity_id")

    books.write("rows.csv", "no,who,day,amount\n1,C1,2026-01-02,5\n")
    report = books.land(books.define(text + INVOICE))

    assert books.rows(report, "invoices", "invoice_id", "entity_id", "customer_id", "invoice_number") == [
        ("A-1", "E1", "A-C1", "1")
    ]


def test_rows_can_stand_in_the_definition(books):
    table = """  entities:
    rows:
      - {entity_id: E1, entity_name: Acme, country_code: NO, currency_code: NOK, time_zone: Europe/Oslo}
"""
    report = books.land(books.define("source: books\ntables:\n" + table))

    assert books.rows(report, "entities", "entity_id", "country_code", "_line") == [("E1", "NO", 1)]


def test_files_without_a_header_are_named_by_the_definition(books):
    books.write("rows.csv", "1,Acme\n")
    definition = books.define("""
source: books
files: {rows: {path: rows.csv, dialect: {header: false}, columns: [id, name]}}
tables:
  customers: {from: rows, columns: {customer_id: id, customer_name: name}}
""")

    assert books.rows(books.land(definition), "customers", "customer_id", "_line") == [("1", 1)]


def test_a_folder_refuses_tables_it_does_not_know_by_name(books):
    books.write("invoices.csv", "")
    books.write("clients.csv", "")

    with pytest.raises(
        DefinitionError,
        match=r"clients\.csv: 'clients' is no table of the contract\. Known: entities, customers",
    ):
        folder_definition(books.folder)


def test_a_missing_or_broken_definition_is_told(tmp_path):
    with pytest.raises(DefinitionError, match="there is no such file"):
        load_definition(tmp_path / "none.yml")
    (tmp_path / "bad.yml").write_text("a: [")
    with pytest.raises(DefinitionError, match="not YAML"):
        load_definition(tmp_path / "bad.yml")


def test_a_run_needs_invoices_and_something_that_pays_them(books):
    without = books.define(HEAD + INVOICE)
    assert ["payments or payment_applications" in fault for fault in set_faults([without])] == [True]
    assert (
        set_faults([books.define("open_items_only: true\nbalance_date: 2026-01-31\n" + HEAD + INVOICE)]) == []
    )
    assert "two sources are named 'books'; rename one" in set_faults([without, without])


def test_open_items_need_the_date_of_their_balances(books):
    with pytest.raises(DefinitionError, match="`open_items_only: true` and `balance_date` go together"):
        books.define("open_items_only: true\n" + HEAD + INVOICE)


def test_a_join_takes_a_plain_name_even_when_sql_would_not(books):
    books.write("heads.csv", "number,customer\n1,C1\n")
    books.write("rows.csv", "order,day,amount\n1,2026-01-02,5\n")
    text = HEAD.replace("files: {", "files: {heads: {path: heads.csv}, ")
    table = INVOICE.replace("from: rows", "from: rows\n    join: {head: {file: heads, on: {order: number}}}")
    table = table.replace("customer_id: who", "customer_id: head__customer").replace(": no\n", ": order\n")

    report = books.land(books.define(text + table))

    assert books.rows(report, "invoices", "invoice_id", "customer_id") == [("1", "C1")]


def test_a_mapping_can_be_named_once_and_merged_with_changes(books):
    text = """
source: books
files: {rows: {path: rows.csv}}
tables:
  customers:
    - from: rows
      columns: &same {customer_id: id, customer_name: name}
    - from: rows
      columns: {<<: *same, customer_id: {template: "X-{id}"}}
"""
    books.write("rows.csv", "id,name\n1,Acme\n")

    report = books.land(books.define(text))

    assert sorted(books.rows(report, "customers", "customer_id", "customer_name")) == [
        ("1", "Acme"),
        ("X-1", "Acme"),
    ]
