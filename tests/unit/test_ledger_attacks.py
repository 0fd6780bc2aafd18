"""Whatever program writes to the ledger, the database refuses what must not be, and everything stays as it was."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from ledger_attacks import ATTACKS, Attack, furnish
from sqlalchemy import Engine, select

from o2c.ledger import Ledger
from o2c.ledger.rules import RULES
from o2c.ledger.tables import metadata

Connect = Any  # gives a connection of the driver, without any of our code


class Attacked:
    """A furnished ledger, and a way to it without any of our code: no foreign keys, no pragmas, no session."""

    def __init__(self, dialect: str, url: str) -> None:
        self.dialect, self.url = dialect, url
        self.engine = Ledger(url).engine
        furnish(self.engine)
        self.before = everything(self.engine)

    def connect(self) -> Any:
        if self.dialect == "sqlite":
            return sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        return psycopg.connect(self.url, autocommit=True)


def everything(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as con:
        return {
            name: con.execute(select(table).order_by(*table.primary_key)).all()
            for name, table in metadata.tables.items()
        }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("attacked") / "ledger.db"
        shutil.copyfile(request.getfixturevalue("ledger_file"), path)
        made = Attacked("sqlite", f"sqlite:///{path}")
    else:
        server = request.getfixturevalue("postgres_server")
        name = "o2c_attacked"
        server.run(f"create database {name} template {request.getfixturevalue('ledger_template')}")
        made = Attacked("postgresql", server.url("o2c", name))
    yield made
    made.engine.dispose()


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_the_database_refuses(attacked: Attacked, attack: Attack) -> None:
    if attack.only not in (None, attacked.dialect):
        pytest.skip(f"{attacked.dialect} knows no such statement")
    *steps, last = attack.sql
    with closing(attacked.connect()) as con:
        con.execute("begin")
        for statement in steps:
            con.execute(statement)
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError), match=attack.refusal):
            con.execute(last)
        con.execute("rollback")
    assert everything(attacked.engine) == attacked.before


def test_at_least_fifty_attacks_are_tried_on_postgresql_and_each_rule_is_tried_by_one() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names)
    assert sum(attack.only != "sqlite" for attack in ATTACKS) >= 50
    told = "|".join(attack.refusal for attack in ATTACKS).split("|")
    assert {rule.name for rule in RULES} - set(told) == set()
    assert [attack.refusal for attack in ATTACKS if re.search(r"\s", attack.name)] == []
