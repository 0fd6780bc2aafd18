"""The levers of sending: stop, go on, use a paused carrier or a suppressed address again. Each pull is audited."""

import os
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from o2c.durable import put_in_place, sync
from o2c.home import Home, open_home
from o2c.ledger import Ledger, LedgerError
from o2c.ledger.auditing import Change, append
from o2c.ledger.outgoing import lift_pause, open_pauses
from o2c.ledger.suppressing import lift_suppression
from o2c.ledger.writing import writing
from o2c.settings import Settings

STOP = "STOP"


class NotPulled(ValueError):
    """The lever cannot be pulled as asked. The message says why and what to do."""


def stop(reason: str) -> str:
    """Let nothing leave any more, from the next letter on. Says what was done.

    The file comes first: it stops also where the ledger cannot be written.

    Raises:
        NotPulled: no reason is given.
    """
    if not reason.strip():
        raise NotPulled("--stop: say why, for the people who find it. Nothing was done.")
    settings = Settings()
    home = open_home(settings.home)
    path = home.root / STOP
    beside = home.root / f".{STOP}.{os.getpid()}"
    beside.write_text(f"{' '.join(reason.split())} (by {settings.operator})\n", encoding="utf-8")
    put_in_place(beside, path)
    with suppress(LedgerError, SQLAlchemyError):
        _note(settings, home, "stop", " ".join(reason.split()))
    return f"stopped: nothing leaves from {home.root} until `o2c deliver --go`"


def go_on() -> str:
    """Letters may leave again. Says what was done.

    Raises:
        NotPulled: what stops is no file, so that somebody else must take it away.
    """
    settings = Settings()
    home = open_home(settings.home)
    path = home.root / STOP
    try:
        path.lstat()
    except FileNotFoundError:
        return f"nothing was stopped in {home.root}"
    if path.is_dir() and not path.is_symlink():
        raise NotPulled(
            f"{path}: is a folder. Nothing was done. Look at what is in it and take it away by hand."
        )
    _note(settings, home, "go_on", None)
    path.unlink()
    sync(home.root)
    return f"letters may leave from {home.root} again"


def resume(carrier: str, by: str) -> str:
    """Use a paused carrier again. Says what was done.

    Raises:
        NotPulled: the carrier is not paused, or nobody is named.
    """
    if not by.strip():
        raise NotPulled("--by: say who. Nothing was done.")
    settings = Settings()
    home = open_home(settings.home)
    ledger = Ledger(settings.ledger_url or home.ledger_url)
    now = datetime.now(UTC)
    reasons = [one.reason for one in open_pauses(ledger.engine, now) if one.carrier == carrier]
    if not reasons:
        paused = sorted({one.carrier for one in open_pauses(ledger.engine, now)})
        raise NotPulled(
            f"--resume {carrier}: is not paused. Nothing was done. Paused: {', '.join(paused) or 'none'}."
        )
    lift_pause(ledger.engine, carrier, by.strip().lower(), now)
    return f"{carrier} is used again; it was paused for {', '.join(sorted(set(reasons)))}"


def trust(address: str, by: str) -> str:
    """Let a suppressed address be written to again. Says what was done, without the address.

    Raises:
        NotPulled: the address is not suppressed, or nobody is named.
    """
    if not by.strip():
        raise NotPulled("--by: say who. Nothing was done.")
    settings = Settings()
    home = open_home(settings.home)
    ledger = Ledger(settings.ledger_url or home.ledger_url)
    if not lift_suppression(ledger.engine, address.strip(), by.strip().lower(), datetime.now(UTC)):
        raise NotPulled("--trust: the address is not suppressed. Nothing was done.")
    return "the address may be written to again; a customer who complained also needs a later contact"


def _note(settings: Settings, home: Home, action: str, reason: str | None) -> None:
    engine = Ledger(settings.ledger_url or home.ledger_url).engine
    now = datetime.now(UTC)
    with writing(engine) as con:
        append(con, [Change(settings.operator, action, "home:sending", reason=reason)], now)
