"""Bank files as of an instant: what landed later is not there, and what was read anew later reads as before."""

from datetime import UTC, datetime
from pathlib import Path

from camt_files import Camt

from o2c.home import open_home
from o2c.ledger import Ledger
from o2c.sources.bank.landing import land_bank_files, landed_before
from o2c.sources.bank.profiles import BankProfile

MONDAY, TUESDAY, WEDNESDAY = (datetime(2026, 3, day, 6, tzinfo=UTC) for day in (9, 10, 11))
COUNT_OFF = Camt(summary="<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>").xml()
NEXT = Camt(statement_head="<ElctrncSeqNb>8</ElctrncSeqNb>").xml()


def test_each_instant_has_the_files_and_the_reading_of_its_time(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    ledger = Ledger(home.ledger_url)
    (first, second) = (tmp_path / name for name in ("first.xml", "second.xml"))
    first.write_bytes(COUNT_OFF)
    second.write_bytes(NEXT)
    lenient = {"b": BankProfile(recognised_by=("DE89370400440532013000",), warnings_only=("count_differs",))}
    land_bank_files([first], home.landing, ledger, {}, MONDAY)
    land_bank_files([second], home.landing, ledger, {}, TUESDAY)
    land_bank_files([first], home.landing, ledger, lenient, WEDNESDAY)

    def known(at: datetime | None) -> list[tuple[str, int]]:
        files = landed_before(home.landing, ledger, at)
        return sorted((one.name, int(one.receipt["warnings"])) for one in files)

    assert known(MONDAY.replace(hour=5)) == []
    assert known(MONDAY) == [("first.xml", 0)]
    assert known(TUESDAY) == [("first.xml", 0), ("second.xml", 0)]
    assert known(WEDNESDAY) == known(None) == [("first.xml", 1), ("second.xml", 0)]
