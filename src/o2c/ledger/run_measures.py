"""The measures of runs, kept beside them for the brakes of later runs."""

from datetime import date

from sqlalchemy import Engine, exists, func, select, update

from o2c.ledger.states import CONTACT_STATES
from o2c.ledger.tables import letters, runs
from o2c.run_measures import Measures


def record_measures(engine: Engine, run_number: int, measures: Measures) -> None:
    """Write down what a run came to."""
    with engine.begin() as con:
        con.execute(update(runs).where(runs.c.run_number == run_number).values(measures=measures.to_json()))


def earlier_measures(engine: Engine, as_of: date, run_count: int) -> list[Measures]:
    """Measures of the runs before a date that sent, latest first: of each date the last one, if any letter left.

    A run whose letters people refused is no measure for what is usual.
    """
    left = exists().where(
        letters.c.decided_as_of_date == runs.c.as_of_date, letters.c.state.in_(CONTACT_STATES)
    )
    last = (
        select(func.max(runs.c.run_number))
        .where(
            runs.c.is_sending == 1,
            runs.c.state == "published",
            runs.c.measures.is_not(None),
            runs.c.as_of_date < as_of,
            left,
        )
        .group_by(runs.c.as_of_date)
        .order_by(runs.c.as_of_date.desc())
        .limit(run_count)
    )
    query = select(runs.c.measures).where(runs.c.run_number.in_(last)).order_by(runs.c.as_of_date.desc())
    with engine.connect() as con:
        return [Measures.from_json(text) for text in con.execute(query).scalars()]
