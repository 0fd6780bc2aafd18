"""The rules as triggers: whatever program writes to the ledger, the database asks them.

SQLite has one trigger per rule, PostgreSQL one per table and event, whose function asks the rules in their order.
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, text

from o2c.ledger.auditing import LOCK
from o2c.ledger.rules import IS_CLAIMED, RULES, Rule
from o2c.ledger.tables import metadata

PREFIX = "o2c_"
SPELLINGS = {
    "sqlite": {
        "differs": "is not",
        "day": "julianday",
        "greatest": "max",
        "is_no_name": "glob '*[^a-z0-9._@-]*'",
    },
    "postgresql": {
        "differs": "is distinct from",
        "day": "",
        "greatest": "greatest",
        "is_no_name": "~ '[^a-z0-9._@-]'",
    },
}
# Counting contacts of a customer is only true while no other writer is at it, and of what is there now.
_TAKE_TURN = f"""
    if {IS_CLAIMED} then
        if current_setting('transaction_isolation') not in ('read committed', 'serializable') then
            raise exception 'letter_claim: in repeatable read, contacts of others are not seen'
                using errcode = 'check_violation';
        end if;
        perform pg_advisory_xact_lock({LOCK});
    end if;"""
_FOLLOW = f"\n    perform pg_advisory_xact_lock({LOCK});"
_BEFORE_RULES = {("letters", "update"): _TAKE_TURN, ("audit", "insert"): _FOLLOW}


def statements(dialect: str) -> list[str]:
    """What installs the rules, in the words of one database."""
    rules = [rule for rule in RULES if rule.only in (None, dialect)]
    return _sqlite(rules) if dialect == "sqlite" else _postgresql(rules)


def triggers_hash(dialect: str) -> str:
    """Which rules a database has: the sha-256 of their text."""
    return hashlib.sha256("\n".join(statements(dialect)).encode()).hexdigest()


def rules_of(dialect: str) -> dict[str, str]:
    """What must be in force, by trigger: its text in SQLite, its function's in PostgreSQL."""
    made = statements(dialect)
    if dialect == "sqlite":
        return {statement.split()[2]: statement.lower() for statement in made}
    functions = [statement for statement in made if statement.startswith("create function")]
    return {function.split()[2].removesuffix("()"): function.split("$o2c$")[1] for function in functions}


def installed_rules(con: Connection) -> dict[str, str]:
    """What is in force on our tables, in the same words; in PostgreSQL without triggers that are switched off."""
    if con.dialect.name == "sqlite":
        query = "select name, lower(sql), tbl_name from sqlite_master where type = 'trigger'"
    else:
        query = (
            "select tgname, prosrc, relname from pg_trigger join pg_class on pg_class.oid = tgrelid"
            " join pg_proc on pg_proc.oid = tgfoid where not tgisinternal and tgenabled = 'A'"
            " and pg_class.relnamespace = current_schema()::regnamespace"
        )
    return {name: words for name, words, table in con.exec_driver_sql(query) if table in metadata.tables}


def drop_triggers(con: Connection) -> None:
    """Take all of ours away, those of earlier versions too."""
    if con.dialect.name == "sqlite":
        for name in installed_rules(con):
            if name.startswith(PREFIX):
                con.exec_driver_sql(f"drop trigger {name}")
        return
    functions = con.execute(
        text(
            "select proname from pg_proc where proname like 'o2c|_%' escape '|'"
            " and pronamespace = current_schema()::regnamespace order by proname"
        )
    )
    for name in functions.scalars().all():
        con.exec_driver_sql(f"drop function {name}() cascade")


def install_triggers(con: Connection) -> None:
    """Put the rules of this version in the place of what is there."""
    drop_triggers(con)
    for statement in statements(con.dialect.name):
        con.exec_driver_sql(statement.replace("%", "%%") if con.dialect.name != "sqlite" else statement)
    con.execute(text("delete from installed_triggers"))
    con.execute(
        text("insert into installed_triggers values (:hash)"), {"hash": triggers_hash(con.dialect.name)}
    )


def _sqlite(rules: Sequence[Rule]) -> list[str]:
    """The last one made is asked first, so that both databases give the same reason."""
    return [
        f"create trigger {PREFIX}{rule.name} before {rule.event} on {rule.table}\n"
        f"when {rule.when.format(**SPELLINGS['sqlite'])}\n"
        f"begin\n    select raise(abort, '{rule.name}: {_quoted(rule.says)}');\nend"
        for rule in reversed(rules)
    ]


def _postgresql(rules: Sequence[Rule]) -> list[str]:
    by_event: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        by_event.setdefault((rule.table, rule.event), []).append(rule)
    made = []
    for (table, event), asked in by_event.items():
        name = f"{PREFIX}{table}_{event}"
        result = "old" if event == "delete" else "new"
        body = "".join(
            f"\n    if {rule.when.format(**SPELLINGS['postgresql'])} then"
            f"\n        raise exception '{rule.name}: {_quoted(rule.says)}'"
            " using errcode = 'check_violation';\n    end if;"
            for rule in asked
        )
        made += [
            f"create function {name}() returns trigger language plpgsql as $o2c$\nbegin"
            f"{_BEFORE_RULES.get((table, event), '')}{body}\n    return {result};\nend\n$o2c$",
            f"create trigger {name} before {event} on {table} for each row execute function {name}()",
            f"alter table {table} enable always trigger {name}",
        ]
    for table in sorted({table for table, _ in by_event}):
        name = f"{PREFIX}{table}_truncate"
        made += [
            f"create function {name}() returns trigger language plpgsql as $o2c$\nbegin\n"
            f"    raise exception '{table} are never emptied' using errcode = 'check_violation';\nend\n$o2c$",
            f"create trigger {name} before truncate on {table} for each statement execute function {name}()",
            f"alter table {table} enable always trigger {name}",
        ]
    return made


def _quoted(words: str) -> str:
    return words.replace("'", "''")
