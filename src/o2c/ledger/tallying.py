"""How much has left: of a batch, to a domain, of a currency, on a day. Counted inside the claiming transaction.

Counting a batch of ten thousand letters anew for each of them would take longer than sending them. The audit chain
tells in one order what every worker claimed and gave back, so a tally that was counted once only reads on from there.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select

from o2c.ledger.moving import CHUNK
from o2c.ledger.states import CONTACT_STATES
from o2c.ledger.tables import attempts, audit, letters

_SUBJECT = "letter:"
_COLUMNS = (
    letters.c.letter_id,
    letters.c.batch_id,
    letters.c.carrier,
    letters.c.address,
    letters.c.currency_code,
    letters.c.total_amount,
)

_ROWS_OF = select(*_COLUMNS).where(letters.c.letter_id.in_(bindparam("ids", expanding=True)))
_SAID_SINCE = (
    select(audit.c.sequence, audit.c.subject, audit.c.before, audit.c.after)
    .where(audit.c.sequence > bindparam("sequence"))
    .order_by(audit.c.sequence)
)


def domain_of(address: str) -> str:
    """The part after the at sign, in lower case; for a phone number the whole."""
    return address.rpartition("@")[2].lower()


class Tally:
    """Letters that left or may have, of some batches and of one day, as they are in the transaction that asks."""

    def __init__(self, batch_ids: Collection[str]) -> None:
        self._batch_ids = sorted(batch_ids)
        self._sequence: int | None = None
        self._day: date | None = None
        self._expected: list[tuple[Row[Any], str]] = []
        self.per_day = 0
        self.per_carrier: Counter[str] = Counter()  # since the tally began
        self.per_batch: Counter[str] = Counter()
        self.per_batch_and_carrier: Counter[tuple[str, str]] = Counter()
        self.per_domain: Counter[tuple[str, str]] = Counter()
        self.amounts: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)

    def catch_up(self, con: Connection, day: date) -> None:
        """Bring the counts to where this transaction sees the ledger."""
        for row, carrier in self._expected:
            self._count(row, carrier, -1)
        self._expected.clear()
        if self._sequence is None:
            self._count_all(con)
        else:
            self._read_on(con)
        if self._day != day:
            self._count_day(con, day)

    def expect(self, row: Row[Any], carrier: str) -> None:
        """Count a letter that is about to be claimed, until the chain says whether it was."""
        self._expected.append((row, carrier))
        self._count(row, carrier, 1)

    def _count_all(self, con: Connection) -> None:
        self._sequence = con.execute(select(func.max(audit.c.sequence))).scalar() or 0
        query = select(*_COLUMNS).where(
            letters.c.state.in_(CONTACT_STATES), letters.c.batch_id.in_(self._batch_ids)
        )
        for row in con.execute(query):
            self._add(row, row.carrier, 1)

    def _count_day(self, con: Connection, day: date) -> None:
        query = (
            select(func.count())
            .select_from(letters)
            .where(letters.c.contact_date == day, letters.c.state.in_(CONTACT_STATES))
        )
        self._day, self.per_day = day, con.execute(query).scalar_one()

    def _read_on(self, con: Connection) -> None:
        steps: list[tuple[str, int]] = []
        for row in con.execute(_SAID_SINCE, {"sequence": self._sequence}):
            self._sequence = row.sequence
            if not row.subject.startswith(_SUBJECT):
                continue
            if row.after == "sending":
                steps.append((row.subject.removeprefix(_SUBJECT), 1))
            elif row.before == "sending" and row.after not in CONTACT_STATES:
                steps.append((row.subject.removeprefix(_SUBJECT), -1))
        rows = _rows_of(con, {letter_id for letter_id, _ in steps})
        for letter_id, sign in steps:
            self._count(rows[letter_id], rows[letter_id].carrier, sign)

    def _count(self, row: Row[Any], carrier: str, sign: int) -> None:
        self.per_day += sign
        self.per_carrier[carrier] += sign
        if row.batch_id in self._batch_ids:
            self._add(row, carrier, sign)

    def _add(self, row: Row[Any], carrier: str, sign: int) -> None:
        self.per_batch[row.batch_id] += sign
        self.per_batch_and_carrier[row.batch_id, carrier] += sign
        self.per_domain[row.batch_id, domain_of(row.address)] += sign
        self.amounts[row.batch_id, row.currency_code] += sign * Decimal(row.total_amount)


def first_states(con: Connection, batch_id: str, carrier: str, count: int) -> list[str]:
    """States of the first letters of a batch that a carrier was given, in that order."""
    last = and_(
        attempts.c.letter_id == letters.c.letter_id, attempts.c.attempt_number == letters.c.attempt_count
    )
    query = (
        select(letters.c.state)
        .join(attempts, last)
        .where(
            letters.c.batch_id == batch_id, letters.c.carrier == carrier, letters.c.state.in_(CONTACT_STATES)
        )
        .order_by(attempts.c.started_at, letters.c.letter_id)
        .limit(count)
    )
    return list(con.execute(query).scalars())


def _rows_of(con: Connection, letter_ids: Iterable[str]) -> dict[str, Row[Any]]:
    ids = sorted(letter_ids)
    return {
        row.letter_id: row
        for start in range(0, len(ids), CHUNK)
        for row in con.execute(_ROWS_OF, {"ids": ids[start : start + CHUNK]})
    }
