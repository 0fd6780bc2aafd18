"""Files that cannot be trusted as a whole are refused, with what, where and what to do."""

import os

import pytest

HEADER = "customer_id,customer_name\n"
DEFINITION = """
source: books
files: {customers: {path: 'customers.csv', dialect: {%s}}}
tables:
  customers: {from: customers, columns: {customer_id: customer_id, customer_name: customer_name}}
"""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "zero bytes"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\n", "header line is empty"),
        (b"customer_id,customer_name\nC1,Acme\nC2,Be", "line 3 has no line end"),
        (b'customer_id,customer_name\nC1,"Acme\nC2,Beta\n', "opens on line 2 is never closed"),
        (b'customer_id,customer_name\nC1,Acme 5" pipe\n', "line 2 has a quote inside a value"),
        (b"customer_id,customer_name\nC1,Acme\nC2,B\xfcro\n", "line 3 is not utf-8"),
        (b"customer_id,customer_name\nC1,A\0cme\n", "line 2 has a NUL byte"),
        ("customer_id,customer_name\nC1,Acme\n".encode("utf-16"), "declared encoding is utf-8"),
        ("customer_id,customer_name\nC1,Acme\n".encode("utf-16-le"), "line 1 has a NUL byte"),
        (b"customer_id;customer_name\nC1;Acme\n", "delimited by ';'"),
        (b"customer_id,customername\nC1,Acme\n", "'customer_name' (renamed to 'customername'?)"),
        (b"customer_id\nC1\n", "are missing: 'customer_name'"),
        (b"customer_id,customer_name,customer_id\nC1,Acme,C2\n", "names a column twice: customer_id"),
        (
            b"customer_id,customer_name\nC1,Acme\nC2," + b"x" * 10_000_000 + b"\n",
            "line 3 is longer than 1 MiB",
        ),
    ],
    ids=[
        "zero bytes",
        "byte order mark alone",
        "blank header",
        "truncated last line",
        "unbalanced quote",
        "stray quote",
        "wrong encoding",
        "NUL byte",
        "UTF-16 with its mark",
        "UTF-16 without a mark",
        "wrong delimiter",
        "renamed column",
        "missing column",
        "column twice",
        "line of 10 MB",
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(books, content, says):
    books.write("customers.csv", content)

    report = books.land()

    assert says in books.refusal(report)
    assert report.landed == []
    assert list(books.landing.rglob("*.parquet")) == []
    assert list(books.landing.rglob("*.tmp")) == []


def test_a_header_without_rows_is_valid_and_empty(books):
    books.write("customers.csv", HEADER)

    report = books.land()

    assert report.refusals == []
    assert books.rows(report, "customers", "customer_id") == []


def test_a_byte_order_mark_is_not_part_of_the_first_name(books):
    books.write("customers.csv", b"\xef\xbb\xbf" + HEADER.encode() + "C1,Büro\n".encode())

    assert books.rows(books.land(), "customers", "customer_id", "customer_name", "_line") == [
        ("C1", "Büro", 2)
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8"])
def test_a_file_is_read_in_the_encoding_it_declares(books, encoding):
    books.write("customers.csv", (HEADER + "C1,Büro\n").encode(encoding))
    definition = books.define(DEFINITION % f"encoding: {encoding}")

    assert books.rows(books.land(definition), "customers", "customer_name") == [("Büro",)]


def test_a_producer_that_never_ends_its_last_line_can_say_so(books):
    books.write("customers.csv", HEADER + "C1,Acme\nC2,Beta")
    definition = books.define(DEFINITION % "final_newline: optional")

    assert books.rows(books.land(definition), "customers", "customer_id") == [("C1",), ("C2",)]


def test_even_then_a_last_line_with_fewer_fields_is_cut_off(books):
    books.write("customers.csv", HEADER + "C1,Acme\nC2")

    report = books.land(books.define(DEFINITION % "final_newline: optional"))

    assert "line 3, the last one, has 1 of 2 fields and no line end" in books.refusal(report)


def test_every_cut_of_a_file_is_refused_or_at_a_line_end(books):
    whole = (HEADER + 'C1,"Acme, Inc"\nC2,Beta\n').encode()
    for length in range(len(whole)):
        books.write("customers.csv", whole[:length])
        report = books.land()
        is_whole_lines = length > 0 and whole[length - 1] == ord("\n")
        assert bool(report.refusals) == (not is_whole_lines), length


def test_a_line_with_another_number_of_fields_is_rejected_and_the_others_are_loaded(books):
    books.write("customers.csv", HEADER + "C1,Acme\nC2\nC3,Gamma,x\n\nC4,Delta\n")

    report = books.land()

    assert books.rows(report, "customers", "customer_id", "_line") == [("C1", 2), ("C4", 6)]
    assert books.problems(report, "rejected") == [
        ("customers", 3, "field_count"),
        ("customers", 4, "field_count"),
    ]


def test_lines_are_counted_over_line_breaks_inside_quotes(books):
    books.write("customers.csv", HEADER + 'C1,"Acme\nInc"\nC2,Beta\nC3\n')

    report = books.land()

    assert books.rows(report, "customers", "customer_name", "_line") == [("Acme\nInc", 2), ("Beta", 4)]
    assert books.problems(report, "rejected") == [("customers", 5, "field_count")]


def test_carriage_returns_end_lines_and_are_no_part_of_values(books):
    books.write("customers.csv", 'customer_id,customer_name\r\nC1,Acme\r\n\r\nC2,"Be""ta"\r\n')

    assert books.rows(books.land(), "customers", "customer_id", "customer_name", "_line") == [
        ("C1", "Acme", 2),
        ("C2", 'Be"ta', 4),
    ]


def test_an_undeclared_column_is_a_warning(books):
    books.write("customers.csv", "customer_id,customer_name,shoe_size\nC1,Acme,44\n")

    report = books.land()

    assert books.rows(report, "customers", "customer_id") == [("C1",)]
    assert books.problems(report, "warning") == [("customers", 1, "undeclared_column")]


def test_a_missing_file_is_told_with_what_is_there_instead(books):
    books.write("clients.csv", HEADER)
    definition = books.define(DEFINITION % "")

    says = books.refusal(books.land(definition))

    assert "no file 'customers.csv'" in says
    assert "clients.csv" in says


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_read_permission_is_told(books):
    books.write("customers.csv", HEADER).chmod(0)

    assert "no permission to read" in books.refusal(books.land())


def test_a_reader_that_is_not_allowed_in_is_told(books, monkeypatch):
    from pathlib import Path

    path = books.write("customers.csv", HEADER)
    opened = Path.open

    def refuse(self, *args, **kwargs):
        if self == path:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)

    assert "no permission to read" in books.refusal(books.land())


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "link.csv", "**/customers.csv"])
def test_no_file_outside_the_data_root_is_opened(books, path):
    books.write("../secret.csv", HEADER)
    (books.folder / "link.csv").symlink_to(books.folder.parent / "secret.csv")
    definition = books.define(DEFINITION.replace("customers.csv", path) % "")

    says = books.refusal(books.land(definition))

    assert "data root" in says


def test_a_trailer_must_state_the_number_of_records(books):
    form = "trailer_lines: 1, trailer_count: '^T,([0-9]+)'"
    books.write("customers.csv", HEADER + "C1,Acme\nC2,Beta\nT,2\n")
    assert books.rows(books.land(books.define(DEFINITION % form)), "customers", "customer_id") == [
        ("C1",),
        ("C2",),
    ]

    books.write("customers.csv", HEADER + "C1,Acme\nT,2\n")
    assert "states 2 records, but there are 1" in books.refusal(books.land(books.define(DEFINITION % form)))


def test_json_lines_keep_numbers_as_they_are_spelled(books):
    books.write(
        "c.jsonl",
        '{"id": 7, "name": {"full": "Acme"}, "limit": 216.10}\n{"id": "008", "name": {"full": "B"}}\nnope\n',
    )
    definition = books.define("""
source: books
files: {c: {path: c.jsonl, ignore: "*"}}
tables:
  customers: {from: c, columns: {customer_id: id, customer_name: name_full, external_credit_score: limit}}
""")

    report = books.land(definition)

    assert books.rows(
        report, "customers", "customer_id", "customer_name", "external_credit_score", "_line"
    ) == [
        ("7", "Acme", "216.10", 1),
        ("008", "B", None, 2),
    ]
    assert books.problems(report, "rejected") == [("customers", 3, "bad_json")]
