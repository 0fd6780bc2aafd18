"""One letter that cannot be written stops its whole batch before anything is written, and is named."""

import random
import re
import shutil
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from letter_builders import AS_OF, BATCH, SENDER, TEMPLATES, frames_of, letter, letter_id, line

from o2c.delivery.folder import write_batch
from o2c.letter_templates import Templates
from o2c.letters import LetterError, iter_letters, render_letters

COUNT, POSITIONS = 40, 100
ROOT = Path(__file__).parents[2]
STAGES = ("first_contact", "follow_up", "final_notice")
CLEAN = frames_of(
    *(
        letter(
            f"C-{number:04}",
            [line(f"INV-{number}", "10.00"), line(f"INV-{number}-2", "5.00")],
            stage=STAGES[number % 3],
            level=number % 3 + 1,
        )
        for number in range(COUNT)
    )
)


def with_value(frame, key, value, **columns):
    """The frame with other values in the rows of one key."""
    return frame.with_columns(
        pl.when(pl.col(key) == value)
        .then(pl.lit(new, dtype=frame.schema[name]))
        .otherwise(pl.col(name))
        .alias(name)
        for name, new in columns.items()
    )


def of_lines(customer_id, **columns):
    return lambda d, i, c, k, e: (d, with_value(i, "letter_id", letter_id(customer_id), **columns), c, k, e)


def of_contact(customer_id, **columns):
    return lambda d, i, c, k, e: (d, i, c, with_value(k, "customer_id", customer_id, **columns), e)


def of_decision(customer_id, **columns):
    return lambda d, i, c, k, e: (with_value(d, "customer_id", customer_id, **columns), i, c, k, e)


def without_customer(customer_id):
    return lambda d, i, c, k, e: (d, i, c.filter(pl.col("customer_id") != customer_id), k, e)


POISONS = {
    "two addresses": lambda name: of_contact(name, email="ap@x.example, evil@evil.example"),
    "no address": lambda name: of_contact(name, email=None),
    "another customer's contact": lambda name: of_decision(
        name, contact_id="contact-C-0007" if name != "C-0007" else "contact-C-0008"
    ),
    "a contact that is not there": lambda name: of_decision(name, contact_id="contact-C-9999"),
    "not in the master": without_customer,
    "lines that do not add up": lambda name: of_lines(name, amount=Decimal("9.99")),
    "nothing to pay": lambda name: of_lines(name, amount=Decimal(0)),
    "an amount finer than a cent": lambda name: of_lines(name, amount=Decimal("7.505")),
    "another currency in the lines": lambda name: of_lines(name, currency_code="USD"),
    "a stage without a template": lambda name: of_decision(name, stage="no_such_stage"),
    "an entity that is not there": lambda name: of_decision(name, entity_id="E9"),
    "a channel that nobody has": lambda name: of_decision(name, channel="pigeon"),
}


def refused(tmp_path, frames, templates=TEMPLATES):
    """What the error says, after it was seen that nothing was written."""
    batch = iter_letters(*frames, SENDER, templates, AS_OF, BATCH, pdf_stages=["final_notice"])
    states = dict.fromkeys(frames[0]["letter_id"], "sent")
    with pytest.raises(LetterError) as error:
        write_batch(tmp_path / "outbox", BATCH, batch, AS_OF, states)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    return str(error.value)


def test_a_clean_batch_is_written(tmp_path):
    messages = render_letters(*CLEAN, SENDER, TEMPLATES, AS_OF, BATCH, pdf_stages=["final_notice"])
    assert len(messages) == COUNT
    write_batch(tmp_path, BATCH, messages, AS_OF, {one.letter_id: "sent" for one in messages})
    assert len(list((tmp_path / BATCH).glob("*.eml"))) == COUNT


def test_at_a_hundred_random_places_a_poisoned_customer_stops_everything_and_is_named(tmp_path, capsys):
    draw = random.Random(23)  # noqa: S311
    kinds = list(POISONS)
    for place in range(POSITIONS):
        customer_id = f"C-{draw.randrange(COUNT):04}"
        kind = kinds[place % len(kinds)]
        said = refused(tmp_path, POISONS[kind](customer_id)(*CLEAN))
        assert re.findall(r"letter \w+, customer (\S+):", said) == [customer_id], kind
        assert "no letter was written" in said
    with capsys.disabled():
        print(f"\n{POSITIONS} poisoned letters of {COUNT}: 0 written, {POSITIONS} named")  # noqa: T201


@pytest.mark.parametrize("part", ["txt", "html", "subject"])
def test_a_template_that_fails_for_one_customer_stops_everything_and_names_it(tmp_path, part):
    shutil.copytree(ROOT / "templates" / "letters", tmp_path / "words" / "letters")
    words = tmp_path / "words" / "letters" / f"final_notice.{part}.j2"
    poison = "{% if customer_id == 'C-0017' %}{{ nobody_knows }}{% endif %}"
    text = words.read_text()
    words.write_text(
        text.replace("{% block request %}", f"{{% block request %}}{poison}")
        if part != "subject"
        else poison + text
    )
    (tmp_path / "out").mkdir()
    said = refused(tmp_path / "out", CLEAN, Templates(tmp_path / "words"))
    assert "letter " in said
    assert "customer C-0017: 'nobody_knows' is undefined" in said
    assert said.count("customer C-") == 1


def test_all_that_are_poisoned_are_named_at_once(tmp_path):
    frames = CLEAN
    for number in (3, 17, 30):
        frames = POISONS["no address"](f"C-{number:04}")(*frames)
    said = refused(tmp_path, frames)
    assert [number for number in range(COUNT) if f"customer C-{number:04}: " in said] == [3, 17, 30]
    assert said.startswith("3 fault(s) in letters; no letter was written.")
