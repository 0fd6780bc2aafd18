"""What came: which content was delivered under which name, and when anything was last known."""

from datetime import datetime

from sqlalchemy import Engine, func, insert, select

from o2c.landing import Delivery
from o2c.ledger.moving import utc
from o2c.ledger.runs import run_known_at
from o2c.ledger.tables import deliveries, known_files


class DeliveryRows:
    """Reads and writes deliveries of files."""

    _engine: Engine

    def history(self, source: str) -> list[Delivery]:
        """Deliveries of a source, oldest first."""
        query = select(deliveries).where(deliveries.c.source == source).order_by(deliveries.c.delivery_id)
        with self._engine.connect() as con:
            return [
                Delivery(row.source, row.name, row.file_id, row.mapping_id, utc(row.seen_at))
                for row in con.execute(query)
            ]

    def record(self, delivery: Delivery) -> None:
        """Note that a file's content was landed under its name."""
        with self._engine.begin() as con:
            con.execute(
                insert(deliveries).values(
                    source=delivery.source,
                    name=delivery.name,
                    file_id=delivery.file_id,
                    mapping_id=delivery.mapping_id,
                    seen_at=delivery.seen_at,
                )
            )

    def latest_knowledge(self) -> datetime | None:
        """The last instant at which anything came to be known here: a file, a landing, a run. None in a new home."""
        instants = [known_files.c.known_from, known_files.c.known_until, deliveries.c.seen_at, run_known_at()]
        with self._engine.connect() as con:
            latest = [con.execute(select(func.max(instant))).scalar() for instant in instants]
        return max((utc(instant) for instant in latest if instant), default=None)
