"""What a PostgreSQL database says of the release that it holds: which run, as of when, how many rows where."""

from collections.abc import Mapping
from typing import Any

from psycopg import sql

from o2c.mart_texts import MartText
from o2c.postgres_target import LISTED, Target

RUN, RUN_TYPES = (
    MartText(
        "quality.published_run",
        "The run whose release these schemas hold. One row.",
        {
            "run_id": "Identity of the run: as-of date, inputs, policies and code.",
            "as_of_date": "The date that the release is about.",
            "release_name": "The publication at home; another one each time, also of the same run.",
            "table_count": "Published tables.",
            "row_count": "Rows in all of them.",
            "published_at": "When this release was copied here first.",
        },
        ("release_name",),
    ),
    {
        "run_id": "text",
        "as_of_date": "date",
        "release_name": "text",
        "table_count": "bigint",
        "row_count": "bigint",
        "published_at": "timestamp with time zone",
    },
)
LIST, LIST_TYPES = (
    MartText(
        LISTED,
        "What was copied, to hold against what is there. One row per table_schema, table_name.",
        {
            "table_schema": "Schema of the table, without a prefix.",
            "table_name": "Its name in that schema.",
            "row_count": "Its rows in the release; 0 where the release does not have the table.",
        },
        ("table_schema", "table_name"),
    ),
    {"table_schema": "text", "table_name": "text", "row_count": "bigint"},
)


def note(target: Target, counts: Mapping[str, int], run: list[Any]) -> None:
    """Say what is there now. Where it is the release that was there before, its first time stays."""
    listed = [(*name.split(".", 1), count) for name, count in sorted(counts.items())]
    for text, types, rows, compared in ((LIST, LIST_TYPES, listed, 3), (RUN, RUN_TYPES, [tuple(run)], 5)):
        target.prepare(text.name, types, text, is_ours=True)
        there = target.identifier(text.name)
        columns = sql.SQL(", ").join(sql.Identifier(column) for column in types)
        stand = target.con.execute(sql.SQL("select {} from {}").format(columns, there)).fetchall()
        if sorted(row[:compared] for row in stand) == [row[:compared] for row in rows]:
            continue
        target.con.execute(sql.SQL("delete from {}").format(there))
        places = sql.SQL(", ").join(sql.Placeholder() * len(types))
        with target.con.cursor() as cursor:
            cursor.executemany(
                sql.SQL("insert into {} ({}) values ({})").format(there, columns, places), rows
            )
