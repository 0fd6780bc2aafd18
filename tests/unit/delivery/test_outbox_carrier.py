"""The folder as a carrier: it can be asked, takes a letter twice without harm, and a killed run changes no byte."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from letter_builders import AS_OF, SENDER, TEMPLATES, frames_of, letter
from post_office import Clock, approve, planned, relaxed, states
from sqlalchemy import Engine

from o2c.delivery.folder import OutboxError
from o2c.delivery.outbox import FolderCarrier
from o2c.delivery.post import DeliveryReport, deliver
from o2c.ledger import Ledger
from o2c.letter_message import Message
from o2c.letters import render_letters

CLOCK = Clock()


class Killed(BaseException):
    """As a kill: nothing of ours catches it."""


@pytest.fixture
def messages() -> dict[str, Message]:
    frames = frames_of(*(letter(customer) for customer in ("C-1", "C-2", "C-3")))
    rendered = render_letters(*frames, SENDER, TEMPLATES, AS_OF, "2026-03-12-b")
    return {message.letter_id: message for message in rendered}


@pytest.fixture
def engine(tmp_path: Path, messages: dict[str, Message]) -> Iterator[Engine]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    approve(
        ledger.engine,
        [
            planned(
                one.letter_id,
                customer_id=one.customer_id,
                address=one.to_address,
                content=one.eml,
                total_amount=str(one.total_amount),
                stage=one.stage,
            )
            for one in messages.values()
        ],
    )
    yield ledger.engine
    ledger.engine.dispose()


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def put_out(engine: Engine, carrier: FolderCarrier) -> DeliveryReport:
    return deliver(engine, carrier, relaxed(), CLOCK.edge(), owner="w1")


def test_a_batch_lies_in_its_folder_with_an_index_of_all_its_letters(
    engine: Engine, messages: dict[str, Message], tmp_path: Path
) -> None:
    carrier = FolderCarrier(tmp_path / "outbox", engine, messages)
    assert put_out(engine, carrier) == DeliveryReport({"accepted": 3}, {}, {})
    place = tmp_path / "outbox" / "2026-03-12-b"
    assert {path.stem: path.read_bytes() for path in place.glob("*.eml")} == {
        letter_id: message.eml for letter_id, message in messages.items()
    }
    index = (place / "index.html").read_text()
    assert all(letter_id in index for letter_id in messages)
    before = bytes_of(tmp_path / "outbox")
    assert put_out(engine, carrier) == DeliveryReport({}, {}, {})
    assert bytes_of(tmp_path / "outbox") == before


@pytest.mark.parametrize("when", ["before anything is written", "after all is written"])
def test_a_killed_run_is_finished_by_the_next_with_the_same_bytes(
    engine: Engine, messages: dict[str, Message], tmp_path: Path, when: str
) -> None:
    class Doomed(FolderCarrier):
        def send_many(self, letters):
            if when.startswith("after"):
                super().send_many(letters)
            raise Killed

    undisturbed = tmp_path / "undisturbed"
    with pytest.raises(Killed):
        put_out(engine, Doomed(tmp_path / "outbox", engine, messages))
    assert set(states(engine).values()) == {"sending"}
    carrier = FolderCarrier(tmp_path / "outbox", engine, messages)
    report = put_out(engine, carrier)
    settled = {"sent": 3} if when.startswith("after") else {"approved": 3}
    assert (report.settled, report.waiting, set(states(engine).values())) == (settled, {}, {"sent"})
    FolderCarrier(undisturbed, engine, messages).finish(["2026-03-12-b"])
    assert bytes_of(tmp_path / "outbox") == bytes_of(undisturbed)


def test_the_folder_is_asked_for_exactly_the_letters_bytes(
    engine: Engine, messages: dict[str, Message], tmp_path: Path
) -> None:
    carrier = FolderCarrier(tmp_path / "outbox", engine, messages)
    asked: list[bool] = []

    class Asking(FolderCarrier):
        def send_many(self, letters):
            asked.append(carrier.has(letters[0]))
            outcomes = super().send_many(letters)
            asked.append(carrier.has(letters[0]))
            asked.append(carrier.has(replace(letters[0], content=b"another")))
            return outcomes

    put_out(engine, Asking(tmp_path / "outbox", engine, messages))
    assert asked == [False, True, False]


def test_another_message_under_a_letters_id_is_an_error_and_nothing_is_called_sent(
    engine: Engine, messages: dict[str, Message], tmp_path: Path
) -> None:
    place = tmp_path / "outbox" / "2026-03-12-b"
    place.mkdir(parents=True)
    (place / f"{min(messages)}.eml").write_bytes(b"another")
    with pytest.raises(OutboxError, match="another message with this id"):
        put_out(engine, FolderCarrier(tmp_path / "outbox", engine, messages))
    assert set(states(engine).values()) == {"sending"}
    assert len(list(place.glob("*.eml"))) == 1


def test_without_the_rendered_messages_the_pages_name_customers_by_id(
    engine: Engine, messages: dict[str, Message], tmp_path: Path
) -> None:
    put_out(engine, FolderCarrier(tmp_path / "outbox", engine))
    index = (tmp_path / "outbox" / "2026-03-12-b" / "index.html").read_text()
    for message in messages.values():
        assert message.customer_id in index
        assert message.letter_id in index
