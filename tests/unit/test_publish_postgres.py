"""PostgreSQL shows one whole release or the next, exactly; it says what stands in the way, and never a password."""

import json
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from releases import TEXTS, release, tables_of
from sqlalchemy import create_engine, text

import o2c.postgres_target
from o2c.cli import main
from o2c.home import Home, open_home
from o2c.mart_texts import MartText
from o2c.postgres_target import CannotPublish
from o2c.publish_postgres import Copied, DoesNotTie, NothingToPublish, publish_to_postgres

NOW, LATER = datetime(2026, 3, 11, 6, tzinfo=UTC), datetime(2026, 3, 12, 6, tzinfo=UTC)
SECRET = "test@only/ä"  # noqa: S105

# What one transaction sees of each table: the run that it is of, and totals that must tie.
SEEN = [
    "select run_id from quality.published_run",
    "select run_id from quality.fct_run_checks",
    "select customer_name from core.dim_customers",
    "select 'run ' || trunc(sum(open_amount) / 3) from receivables.fct_invoices",
    "select 'run ' || trunc(closing_open_amount / 3) from receivables.fct_ar_kpis",
    "select 'run ' || trunc(avg(open_amount)) from receivables.fct_invoices having count(*) = 3",
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "it's home")


def publish(home: Home, url: str, now: datetime = NOW, prefix: str = "") -> Copied:
    return publish_to_postgres(home, url, TEXTS, now=now, schema_prefix=prefix)


def ask(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as con:
        return con.execute(query.encode()).fetchall()


def do(url: str, *statements: str) -> None:
    with psycopg.connect(url) as con:
        for statement in statements:
            con.execute(statement.encode())


def test_rows_types_keys_and_descriptions_arrive(home: Home, postgres_url: str) -> None:
    release(home, 1)
    copied = publish(home, postgres_url)
    address = postgres_url.replace("test%40only%2F%C3%A4", "***")
    assert copied == Copied("run 1", date(2026, 3, 11), address, 4, 6, 6)
    assert ask(postgres_url, "select * from receivables.fct_ar_kpis") == [
        (date(2026, 3, 11), "E1", "EUR", Decimal("3.0000"))
    ]
    assert ask(
        postgres_url,
        "select table_schema || '.' || table_name, column_name, data_type, numeric_precision, numeric_scale,"
        " is_nullable from information_schema.columns where table_name in ('fct_ar_kpis', 'fct_run_checks')"
        " order by table_name, ordinal_position",
    ) == [
        ("receivables.fct_ar_kpis", "as_of_date", "date", None, None, "NO"),
        ("receivables.fct_ar_kpis", "entity_id", "text", None, None, "NO"),
        ("receivables.fct_ar_kpis", "currency_code", "text", None, None, "NO"),
        ("receivables.fct_ar_kpis", "closing_open_amount", "numeric", 18, 4, "YES"),
        ("quality.fct_run_checks", "run_id", "text", None, None, "NO"),
        ("quality.fct_run_checks", "check_name", "text", None, None, "NO"),
        ("quality.fct_run_checks", "passed", "boolean", None, None, "YES"),
    ]
    assert ask(
        postgres_url,
        "select obj_description('core.dim_customers'::regclass), col_description('core.dim_customers'::regclass, 2)",
    ) == [("Who owes, it's said. One row per customer_id.", "Its name; 100 % as given.")]
    assert ask(postgres_url, "select * from quality.published_run") == [
        ("run 1", date(2026, 3, 11), "release-1", 4, 6, NOW)
    ]
    assert ask(postgres_url, "select * from quality.published_tables order by 1, 2") == [
        ("core", "dim_customers", 1),
        ("quality", "fct_run_checks", 1),
        ("receivables", "fct_ar_kpis", 1),
        ("receivables", "fct_invoices", 3),
    ]


def test_values_arrive_as_they_are(home: Home, postgres_url: str) -> None:
    names = [
        "",
        None,
        " ",
        "NULL",
        "\\N",
        "\\.",
        "a\n\\.\nb",
        'say "x", ok',
        "\r\n",
        "\t",
        "=1+1",
        "ä漢🙂",
        "\\",
    ]
    amounts = [Decimal("99999999999999.9999"), Decimal("-99999999999999.9999"), Decimal("0.0001"), None]
    moments = ["timestamptz '2026-03-11 06:00:00.123456+02'", "timestamptz '1969-12-31 23:59:59+00'"]
    rows = [
        (f"C-{i:02}", name, amounts[i % 4], date(1900 + i * 9, 2, 28), i % 3 == 0 or None, i * 10**17)
        for i, name in enumerate(names)
    ]

    def literal(value: object) -> str:
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        if isinstance(value, Decimal):
            return f"cast('{value}' as decimal(18, 4))"
        return f"date '{value}'" if isinstance(value, date) else "null" if value is None else str(value)

    values = ", ".join(
        f"({', '.join(map(literal, row))}, {moments[i % 2]}, cast(1.5 as decimal(18, 6)))"
        for i, row in enumerate(rows)
    )
    query = f"select * from (values {values}) as t (customer_id, customer_name, amount, day, flag, big, moment, ratio)"
    release(home, 1, tables_of(1) | {"core.dim_customers": query})
    publish(home, postgres_url)
    instants = [
        datetime(2026, 3, 11, 4, 0, 0, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
    assert ask(postgres_url, "select * from core.dim_customers order by customer_id") == [
        (*row, instants[i % 2], Decimal("1.500000")) for i, row in enumerate(rows)
    ]


def test_the_character_that_postgresql_does_not_have_becomes_a_sign(home: Home, postgres_url: str) -> None:
    release(
        home,
        1,
        tables_of(1) | {"core.dim_customers": "select 'C' as customer_id, 'a' || chr(0) as customer_name"},
    )
    publish(home, postgres_url)
    assert ask(postgres_url, "select customer_name from core.dim_customers") == [("a␀",)]


def test_publishing_again_changes_nothing(home: Home, postgres_url: str) -> None:
    release(home, 1)
    publish(home, postgres_url)
    versions = "select xmin::text, ctid::text, * from receivables.fct_invoices order by invoice_id"
    before = ask(postgres_url, versions)
    assert publish(home, postgres_url, LATER).changed_rows == 0
    assert ask(postgres_url, versions) == before
    assert ask(postgres_url, "select published_at from quality.published_run") == [(NOW,)]


def test_the_next_release_writes_only_what_differs(home: Home, postgres_url: str) -> None:
    release(home, 1)
    publish(home, postgres_url)
    invoices = (
        "select * from (values ('I-0', cast(1 as decimal(18, 4))), ('I-1', cast(5 as decimal(18, 4))),"
        " ('I-9', null)) as t (invoice_id, open_amount)"
    )
    release(home, 2, tables_of(1) | {"receivables.fct_invoices": invoices})
    # I-1 is other, I-2 is gone, I-9 is new
    assert publish(home, postgres_url, LATER).changed_rows == 4
    assert ask(postgres_url, "select * from receivables.fct_invoices order by invoice_id") == [
        ("I-0", Decimal(1)),
        ("I-1", Decimal(5)),
        ("I-9", None),
    ]
    assert ask(postgres_url, "select release_name, published_at from quality.published_run") == [
        ("release-2", LATER)
    ]


def test_rights_and_views_of_finance_outlive_a_release(
    home: Home, postgres_url: str, postgres_server
) -> None:
    release(home, 1)
    publish(home, postgres_url)
    do(
        postgres_url,
        "drop role if exists bi_reader",
        "create role bi_reader login password 'test@only/ä'",
        "grant usage on schema receivables to bi_reader",
        "grant select on all tables in schema receivables to bi_reader",
        "create view public.mine as select sum(open_amount) as open_amount from receivables.fct_invoices",
        "grant select on public.mine to bi_reader",
    )
    release(home, 2)
    publish(home, postgres_url)
    reader = postgres_server.url("bi_reader", postgres_url.rpartition("/")[2])
    assert ask(reader, "select * from public.mine") == [(Decimal("6.0000"),)]
    assert ask(reader, "select closing_open_amount from receivables.fct_ar_kpis") == [(Decimal("6.0000"),)]
    with psycopg.connect(postgres_url) as con:
        con.execute("drop owned by bi_reader")
        con.execute("drop role bi_reader")


def test_a_transaction_that_began_before_sees_the_old_run_in_every_table(
    home: Home, postgres_url: str
) -> None:
    """Neither side waits: the reader has read one table when the release changes, and reads the others after."""
    release(home, 1)
    publish(home, postgres_url)
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as con:
        assert con.execute(text(SEEN[0])).scalar_one() == "run 1"
        release(home, 2)
        publish(home, postgres_url)
        assert [con.execute(text(query)).scalar_one() for query in SEEN] == ["run 1"] * len(SEEN)
    with engine.connect() as con:
        assert [con.execute(text(query)).scalar_one() for query in SEEN] == ["run 2"] * len(SEEN)
    engine.dispose()


def test_a_sqlalchemy_client_never_sees_half_a_run_while_runs_are_published(
    home: Home, postgres_url: str
) -> None:
    release(home, 1)
    publish(home, postgres_url)
    seen: list[tuple[str, ...]] = []
    halves: list[BaseException] = []
    done = threading.Event()
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))

    def read() -> None:
        try:
            while not done.is_set():
                with engine.connect().execution_options(isolation_level="REPEATABLE READ") as con:
                    seen.append(tuple(con.execute(text(query)).scalar_one() for query in SEEN))
        except BaseException as error:
            halves.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(2, 7):
        release(home, number)
        publish(home, postgres_url)
    done.set()
    for reader in readers:
        reader.join()
    engine.dispose()
    assert halves == []
    assert [row for row in seen if len(set(row)) != 1] == []
    assert len({row[0] for row in seen}) >= 3, "the readers saw several runs come"


def test_one_query_joins_tables_of_one_run(home: Home, postgres_url: str) -> None:
    """Without any isolation level: a single query has one snapshot of all its tables."""
    release(home, 1)
    publish(home, postgres_url)
    query = (
        "select distinct a.run_id, b.run_id, c.customer_name from quality.published_run as a,"
        " quality.fct_run_checks as b, core.dim_customers as c, receivables.fct_invoices"
    )
    seen = []
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as con:
            while not done.is_set():
                seen.append(con.execute(query).fetchall())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(2, 7):
        release(home, number)
        publish(home, postgres_url)
    done.set()
    reader.join()
    assert seen
    assert [rows for rows in seen if len(rows) != 1 or len(set(rows[0])) != 1] == []


def test_a_new_column_is_added_and_a_table_that_is_gone_is_emptied(home: Home, postgres_url: str) -> None:
    release(home, 1)
    publish(home, postgres_url)
    tables = tables_of(2)
    tables["core.dim_customers"] += ", 7::bigint as days"
    del tables["receivables.fct_invoices"]
    release(home, 2, tables)
    publish(home, postgres_url)
    assert ask(postgres_url, "select * from core.dim_customers") == [("C-1", "run 2", 7)]
    assert ask(postgres_url, "select * from receivables.fct_invoices") == []
    assert ask(
        postgres_url, "select row_count from quality.published_tables where table_name = 'fct_invoices'"
    ) == [(0,)]
    assert publish(home, postgres_url).changed_rows == 0


def test_schemas_can_have_a_prefix_and_stand_beside_each_other(home: Home, postgres_url: str) -> None:
    release(home, 1)
    publish(home, postgres_url, prefix="old_")
    release(home, 2)
    publish(home, postgres_url)
    assert ask(postgres_url, "select customer_name from old_core.dim_customers") == [("run 1",)]
    assert ask(postgres_url, "select customer_name from core.dim_customers") == [("run 2",)]


def test_rows_that_do_not_arrive_stop_the_publication(home: Home, postgres_url: str) -> None:
    release(home, 1)
    publish(home, postgres_url)
    do(
        postgres_url,
        "create function public.swallow() returns trigger language plpgsql as 'begin return null; end'",
        "create trigger swallow before insert on receivables.fct_invoices"
        " for each row when (new.invoice_id = 'I-3') execute function public.swallow()",
    )
    release(home, 2, tables_of(2, invoices=4))
    with pytest.raises(DoesNotTie) as caught:
        publish(home, postgres_url)
    assert (
        "receivables.fct_invoices: count(*) is 3 there and 4 in the release,"
        ' sum("open_amount") is 6.0000 there and 8.0000 in the release. Nothing was changed.'
    ) in str(caught.value)
    assert [ask(postgres_url, query)[0][0] for query in SEEN] == ["run 1"] * len(SEEN)


def test_without_a_release_nothing_is_copied(home: Home, postgres_url: str) -> None:
    with pytest.raises(NothingToPublish, match="nothing is published here"):
        publish(home, postgres_url)
    assert ask(postgres_url, "select count(*) from pg_namespace where nspname = 'receivables'") == [(0,)]


def test_every_table_that_cannot_be_copied_is_named(home: Home, postgres_url: str) -> None:
    tables = tables_of(1)
    tables["core.dim_customers"] += ", 0.5::double as score, [1] as list"
    release(home, 1, tables)
    keyless = {name: one for name, one in TEXTS.items() if name != "receivables.fct_invoices"}
    with pytest.raises(NothingToPublish) as caught:
        publish_to_postgres(home, postgres_url, keyless, now=NOW)
    assert str(caught.value) == (
        "the release cannot be copied, nothing was.\n"
        "  core.dim_customers.score: DOUBLE has no type there\n"
        "  core.dim_customers.list: INTEGER[] has no type there\n"
        "  receivables.fct_invoices: no key is known"
    )


def test_tables_of_somebody_else_are_left_alone(home: Home, postgres_url: str) -> None:
    do(
        postgres_url,
        "create schema core",
        "create table core.dim_customers (customer_id text, customer_name text)",
        "insert into core.dim_customers values ('theirs', 'theirs')",
    )
    release(home, 1)
    with pytest.raises(CannotPublish, match=r"core\.dim_customers is there already and was not made by"):
        publish(home, postgres_url)
    assert ask(postgres_url, "select * from core.dim_customers") == [("theirs", "theirs")]


def test_a_column_of_another_type_is_refused_by_name(home: Home, postgres_url: str) -> None:
    release(home, 1)
    publish(home, postgres_url)
    do(postgres_url, "alter table core.dim_customers add column newer text")
    release(home, 2)
    with pytest.raises(
        CannotPublish, match="columns that the release has not, or has otherwise: newer is text"
    ):
        publish(home, postgres_url)
    assert [ask(postgres_url, query)[0][0] for query in SEEN] == ["run 1"] * len(SEEN)


def test_two_publishers_take_turns(home: Home, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(o2c.postgres_target, "LOCK_WAIT", "50ms")
    release(home, 1)
    with psycopg.connect(postgres_url) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('o2c publish '))")
        with pytest.raises(CannotPublish, match="another publication runs"):
            publish(home, postgres_url)
        publish(home, postgres_url, prefix="other_")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace("test%40only", "wrong%40one"), "password authentication failed"),
        (lambda url: url.replace("127.0.0.1", "127.0.0.1:1/x?port=1#"), "no connection"),
        (lambda url: url.rpartition("/")[0] + "/not_there", 'database "not_there" does not exist'),
        (lambda url: url.replace("%40", "@").replace("%2F", "/"), "this is no PostgreSQL address"),
        (lambda url: url.replace("postgresql://", "mysql://"), "this is no PostgreSQL address"),
        (lambda url: "postgresql://o2c:wrong@one@host:ab/x", "this is no PostgreSQL address"),
        (lambda url: url.replace("127.0.0.1", "wrong@one"), "this is no PostgreSQL address"),
    ],
    ids=["password", "port", "database", "at sign", "other system", "port that is none", "two hosts"],
)
def test_an_address_that_leads_nowhere_is_said_without_the_password(
    home: Home, postgres_url: str, change, says: str
) -> None:
    release(home, 1)
    with pytest.raises(CannotPublish, match=says) as caught:
        publish(home, change(postgres_url))
    assert caught.value.__cause__ is None
    told = str(caught.value) + (
        "" if caught.value.__suppress_context__ else str(caught.value.__context__ or "")
    )
    for part in (SECRET, "test%40only", "only", "wrong@one", "wrong%40one", "@one"):
        assert part not in told


def test_missing_rights_are_named_with_their_cure(home: Home, postgres_url: str, postgres_server) -> None:
    release(home, 1)
    postgres_server.run("drop role if exists weak")
    postgres_server.run("create role weak login password 'test@only/ä'")
    name = postgres_url.rpartition("/")[2]
    with pytest.raises(CannotPublish) as caught:
        publish(home, postgres_server.url("weak", name))
    assert f"permission denied for database {name}" in str(caught.value)
    assert f"`grant create, temporary on database {name} to weak`" in str(caught.value)
    postgres_server.run(f"grant create, temporary on database {name} to weak")
    assert publish(home, postgres_server.url("weak", name)).row_count == 6
    do(postgres_url, "drop owned by weak", "drop role weak")


@pytest.mark.parametrize("prefix", ["A", "1a", "a-b", 'a"b', "a b", "a" * 41])
def test_a_prefix_is_small_letters_digits_and_underscores(home: Home, prefix: str) -> None:
    release(home, 1)
    with pytest.raises(CannotPublish, match="use small letters"):
        publish(home, "postgresql://nobody@127.0.0.1:1/x", prefix=prefix)


def test_a_key_that_may_be_null_still_finds_its_row(home: Home, postgres_url: str) -> None:
    texts = TEXTS | {
        "receivables.fct_invoices": MartText(
            "receivables.fct_invoices", "Documents.", {}, ("invoice_id", "part"), frozenset({"part"})
        )
    }
    rows = "select * from (values ('I-1', null, 1), ('I-1', 'a', 2), ('I-2', null, {})) as t (invoice_id, part, n)"
    release(home, 1, tables_of(1) | {"receivables.fct_invoices": rows.format(3)})
    publish_to_postgres(home, postgres_url, texts, now=NOW)
    release(home, 2, tables_of(1) | {"receivables.fct_invoices": rows.format(4)})
    assert publish_to_postgres(home, postgres_url, texts, now=NOW).changed_rows == 2
    assert ask(postgres_url, "select * from receivables.fct_invoices order by 3") == [
        ("I-1", None, 1),
        ("I-1", "a", 2),
        ("I-2", None, 4),
    ]


def test_the_command_copies_and_says_what_it_did(home: Home, postgres_url: str, capsys) -> None:
    assert main(["--home", str(home.root), "publish", "--to", postgres_url]) == 2
    assert "nothing is published here" in capsys.readouterr().err
    release(home, 1)
    assert main(["--home", str(home.root), "publish", "--to", postgres_url]) == 0
    address = postgres_url.replace("test%40only%2F%C3%A4", "***")
    assert capsys.readouterr().out == (
        f"{address}: as of 2026-03-11, run run 1: 4 tables, 6 rows, 6 changed\n"
    )
    assert main(["--home", str(home.root), "publish", "--to", postgres_url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "run_id": "run 1",
        "as_of_date": "2026-03-11",
        "target": address,
        "table_count": 4,
        "row_count": 6,
        "changed_rows": 0,
    }


@pytest.mark.parametrize(
    "arguments", [["--to", "postgresql:///x", "--as-of", "2026-03-11"], ["--schema-prefix", "a_"]]
)
def test_copying_is_no_run(home: Home, arguments: list[str], capsys) -> None:
    assert main(["--home", str(home.root), "publish", *arguments]) == 2
    assert "copies what is published and runs nothing" in capsys.readouterr().err
