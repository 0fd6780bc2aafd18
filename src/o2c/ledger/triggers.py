"""What the database itself refuses, whoever asks."""

from sqlalchemy import Connection, text

TRIGGERS_HASH = "none"


def drop_triggers(con: Connection) -> None: ...


def install_triggers(con: Connection) -> None:
    con.execute(text("delete from installed_triggers"))
    con.execute(text("insert into installed_triggers values (:hash)"), {"hash": TRIGGERS_HASH})
