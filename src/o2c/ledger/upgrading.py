"""Taking a ledger of any earlier version to today's tables and triggers, once, whoever opens it first.

Tables come by Alembic's revisions in ``migrations``. Triggers have no history: those of this version replace what is
there whenever their text has changed.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from o2c.ledger.auditing import lock
from o2c.ledger.triggers import drop_triggers, install_triggers, triggers_hash

HEAD = "0003"
_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = "select (select version_num from alembic_version), (select content_hash from installed_triggers)"


class UpgradeRefused(RuntimeError):
    """The database is none that this version may work with."""


def upgrade(engine: Engine) -> None:
    """Bring a database to this version; nothing is done, and little read, when it is there already.

    All of it is one transaction: killed halfway, nothing has happened. Those that open it at once wait for the first.

    Raises:
        UpgradeRefused: it is of a later version, or the tables there are not ours.
    """
    if _is_current(engine):
        return
    with engine.connect() as con:
        is_sqlite = con.dialect.name == "sqlite"
        if is_sqlite:
            # a table is rebuilt by dropping it, which must not touch the rows that refer to it
            con.connection.cursor().execute("pragma foreign_keys = off")
        try:
            con.execution_options(is_writing=True)
            with con.begin():
                lock(con)
                _upgrade_in(con)
        finally:
            if is_sqlite:
                con.invalidate()  # whoever uses it next would be without foreign keys


def _is_current(engine: Engine) -> bool:
    try:
        with engine.connect() as con:
            return con.execute(text(_VERSION)).one() == (HEAD, triggers_hash(con.dialect.name))
    except DBAPIError:
        return False  # no tables yet, or it cannot be opened: what follows says why


def _upgrade_in(con: Connection) -> None:
    from alembic import command  # a tenth of a second that only an upgrade is worth
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = con
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    version = None
    if inspect(con).has_table("alembic_version"):
        version = con.execute(text("select version_num from alembic_version")).scalar()
    if version is not None and version not in known:
        raise UpgradeRefused(f"its tables are of version {version}, which only a later o2c knows")
    if version != HEAD:
        drop_triggers(con)
        command.upgrade(config, "head")
        _refuse_broken_references(con)
    install_triggers(con)


def _refuse_broken_references(con: Connection) -> None:
    """What SQLite would have checked had foreign keys been on."""
    if con.dialect.name == "sqlite":
        broken = con.exec_driver_sql("pragma foreign_key_check").all()
        if broken:
            tables = sorted({f"{row[0]} → {row[2]}" for row in broken})
            raise UpgradeRefused(f"{len(broken)} rows refer to rows that are not there: {', '.join(tables)}")
