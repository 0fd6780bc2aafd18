"""Right before letters leave, the newest data is looked at once more: cash first, also on the way out."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from flows.apply_cash import POSSIBLE_PAYERS, apply_payments, load_recorded
from flows.bank_files import add_bank_files
from flows.build import build_cash_inputs, build_marts, load_sources
from flows.dunning import read_book
from flows.ingest import Inputs, land_sources
from flows.publication import check_gates
from o2c.checks import Check
from o2c.dunning import DunningBook
from o2c.frames import PossiblePayers
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.ledger.asking import write_off_answers
from o2c.ledger.cash import list_decision_files
from o2c.ledger.unsent import Unsent, newest_knowledge, published_knowledge
from o2c.matching import CashResult
from o2c.policy import Policies
from o2c.recheck import letters_to_withdraw
from o2c.run import Run, Step, run_id_of
from o2c.settings import Settings
from o2c.warehouse import WarehouseError, read_frame

_PREFIX = "recheck-"
_WHOLE = "whole"  # a build of ours that has this file beside it was made to its end


@dataclass(frozen=True)
class SecondLook:
    """What the newest data says: which letters to withdraw and why, and which gates are closed.

    ``known_at``: the newest that the ledger knew; what came later was not looked at.
    """

    reasons: dict[str, str]
    closed_gates: list[Check]
    book: DunningBook
    known_at: datetime | None


def look_once_more(
    home: Home,
    ledger: Ledger,
    policies: Policies,
    settings: Settings,
    unsent: Unsent,
    as_of: date,
    now: datetime,
    say: Callable[[str], None],
) -> SecondLook:
    """Land what is new, build the books of today unless they are there already, and judge the letters by them.

    Nothing is recorded or published: what cash application finds here, the next run finds again. To be called under
    the publish lock.
    """
    steps: list[Step] = []
    landed = land_sources(home, ledger, (), as_of, now, settings, steps, say)
    landed = add_bank_files(home, ledger, landed, as_of, policies.controls, steps, say)
    run = Run(
        settings=settings,
        home=home,
        policies=policies,
        ledger=ledger,
        as_of=as_of,
        now=now,
        run_id=run_id_of(as_of, landed.effective.input_ids, policies.version),
        is_sending=False,
        inputs=landed.described,
        known_at=landed.known_at,
        say=say,
        steps=steps,
        checks=list(landed.checks),
    )
    run, book = read_newest(run, landed)
    check_gates(run, landed)
    placed = ledger.placed_before(as_of + timedelta(days=1))
    book = replace(book, placed=placed)
    found = letters_to_withdraw(book, unsent.letters, unsent.lines, policies.dunning, as_of)
    return SecondLook(dict(found.iter_rows()), run.closed_gates, book, newest_knowledge(ledger))


def read_newest(run: Run, landed: Inputs) -> tuple[Run, DunningBook]:
    """The book of the newest data: out of the published run that had it all, else out of a build of its own."""
    knew = published_knowledge(run.ledger.engine, run.run_id)
    said = said_by_persons(run, run.known_at)
    if knew is not None and said == said_by_persons(run, knew) and (book := _read(run)):
        return run, book
    of = [*landed.effective.input_ids, *said]
    own = replace(run, run_id=_PREFIX + run_id_of(run.as_of, of, run.policies.version))
    if (own.folder / _WHOLE).exists() and (book := _read(own)):
        return own, book
    for earlier in run.home.runs.glob(f"{_PREFIX}*"):
        shutil.rmtree(earlier, ignore_errors=True)
    load_sources(own, landed)
    load_recorded(own)
    build_cash_inputs(own)
    cash = apply_payments(own)
    build_marts(own)
    (own.folder / _WHOLE).touch()
    with own.open_build() as con:
        return own, read_book(own, con, cash)


def said_by_persons(run: Run, known_at: datetime | None) -> list[str]:
    """What persons decided on cash by an instant, and which write-offs others approved by then, as ids."""
    files = list_decision_files(run.ledger.engine, known_at)
    approved = write_off_answers(run.ledger.engine, known_at).approved
    return sorted([*(file.file_id for file in files), *approved])


def _read(run: Run) -> DunningBook | None:
    """The book of a build that is there already."""
    if not run.build.exists():
        return None
    with run.open_build() as con:
        try:
            payers = PossiblePayers.validate(read_frame(con, POSSIBLE_PAYERS, PossiblePayers.columns()))
        except WarehouseError:  # a build of an earlier version
            return None
        return read_book(run, con, CashResult(possible_payers=payers))
