"""Where records end and how many fields they have, against the standard reader, whatever way a piece takes."""

import csv
import io
from random import Random

import polars as pl
import pytest

from o2c.sources.csv_reader import CsvReader
from o2c.sources.distinct import by_distinct
from o2c.sources.forms import Dialect
from o2c.sources.model import FileSpec
from o2c.sources.problems import problem_rows
from o2c.sources.reading import MAX_RECORD_BYTES, RefusedFile
from o2c.sources.values import Fault

COLUMNS = ["a", "b", "c"]


def read(tmp_path, content: str, batch_bytes: int = 1 << 24, **dialect: str):
    path = tmp_path / "some.csv"
    path.write_bytes(content.encode())
    spec = FileSpec(path="some.csv", dialect=Dialect.model_validate(dialect))
    return list(CsvReader(path, spec, batch_bytes).batches())


def rows_of(batches) -> list[tuple]:
    return [
        (line, *row) for batch in batches for line, row in zip(batch.lines, batch.frame.rows(), strict=True)
    ]


def bad_of(batches) -> list[tuple[int, str]]:
    return [(bad.line, bad.raw) for batch in batches for bad in batch.bad]


@pytest.mark.parametrize("quotes", [False, True], ids=["no quotes", "quotes"])
@pytest.mark.parametrize("batch_bytes", [1 << 24, 64], ids=["one piece", "many pieces"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_records_are_those_of_the_standard_reader(tmp_path, quotes, batch_bytes, line_end):
    for seed in range(40):
        chance = Random(seed)  # noqa: S311  # no secret
        values = ["x", "", "é", "10.50"] + (
            ['"p, q"', '""', '"say ""so"""', '"two\nlines"'] if quotes else []
        )
        odd = 0.1 if seed % 2 else 0
        records = [
            ",".join(chance.choices(values, k=chance.choice([0, 1, 2, 4]) if chance.random() < odd else 3))
            for _ in range(chance.randint(1, 30))
        ]
        content = line_end.join(["a,b,c", *records, ""])
        batches = read(tmp_path, content, batch_bytes)

        even, uneven, line = [], [], 2
        for record in records:
            (fields,) = list(csv.reader(io.StringIO(record, newline=""))) or [[]]
            plain = [value or None for value in fields]
            if len(fields) == len(COLUMNS):
                even.append((line, *plain))
            elif record:
                uneven.append((line, record))
            line += 1 + record.count("\n")
        found = [(line, *(value or None for value in row)) for line, *row in rows_of(batches)]
        assert (found, bad_of(batches)) == (even, uneven)


def test_a_record_too_long_and_one_too_short_do_not_make_up_for_each_other(tmp_path):
    batches = read(tmp_path, "a,b,c\n1,2,3\n1,2,3,4\n1,2\n4,5,6\n")

    assert rows_of(batches) == [(2, "1", "2", "3"), (5, "4", "5", "6")]
    assert bad_of(batches) == [(3, "1,2,3,4"), (4, "1,2")]


@pytest.mark.parametrize(("over", "refused"), [(0, False), (1, True)], ids=["a mebibyte", "a byte more"])
def test_a_record_is_at_most_a_mebibyte(tmp_path, over, refused):
    long = "1,2," + "x" * (MAX_RECORD_BYTES - 4 + over)
    content = f"a,b,c\n1,2,3\n{long}\n4,5,6\n"
    if refused:
        with pytest.raises(RefusedFile, match="line 3 is longer than 1 MiB"):
            read(tmp_path, content)
    else:
        assert [line for line, *_ in rows_of(read(tmp_path, content))] == [2, 3, 4]


def test_what_repeats_is_read_once_and_every_row_has_its_value():
    texts = pl.Series(["7", None, "8", "x", "7"] * 1_000)
    seen = []

    def read_some(some: pl.Series) -> pl.Series:
        seen.extend(some)
        return some.cast(pl.Int64, strict=False)

    assert by_distinct(texts, read_some).to_list() == [7, None, 8, None, 7] * 1_000
    assert sorted(seen) == ["7", "8", "x"]


def test_a_rejected_row_is_shown_as_json_with_all_that_must_be_escaped():
    text = pl.DataFrame({'a "b"': ["plain", None, 'say "so"', "back\\slash", "two\nlines", "é\x01"]})
    fault = Fault(pl.Series(range(6)), "a", "odd", None, "is odd")

    found = problem_rows(text, pl.Series(range(2, 8)), [fault], "rejected", None)

    assert found["raw_row"].to_list() == [
        '{"a \\"b\\"": "plain"}',
        '{"a \\"b\\"": null}',
        '{"a \\"b\\"": "say \\"so\\""}',
        '{"a \\"b\\"": "back\\\\slash"}',
        '{"a \\"b\\"": "two\\nlines"}',
        '{"a \\"b\\"": "é\\u0001"}',
    ]
    assert found["line"].to_list() == [2, 3, 4, 5, 6, 7]
