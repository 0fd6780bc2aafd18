"""The audit chain read from end to end: is it whole, and what does it say became of each letter?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from o2c.ledger.auditing import FIRST_HASH, row_hash
from o2c.ledger.states import ALL_STATES, FIRST_STATES, TRANSITIONS
from o2c.ledger.tables import audit, audit_head

ROWS_AT_ONCE = 5000
_LETTER = "letter:"


@dataclass(frozen=True)
class Finding:
    """Something that cannot have happened by the ledger's own rules. ``kind`` is a code, ``subject`` an id."""

    kind: str
    subject: str
    says: str


@dataclass
class Story:
    """What the chain says of one letter: its states in order, and whether it came from an earlier version."""

    states: list[str] = field(default_factory=list)
    is_taken_over: bool = False

    @property
    def state(self) -> str | None:
        return self.states[-1] if self.states else None


def read_chain(con: Connection) -> tuple[int, dict[str, Story], list[Finding]]:
    """How many entries there are, the letters' stories, and what is wrong with either."""
    stories: dict[str, Story] = {}
    findings: list[Finding] = []
    sequence, last_hash, count = 0, FIRST_HASH, 0
    query = select(audit).order_by(audit.c.sequence).execution_options(yield_per=ROWS_AT_ONCE)
    for found in con.execute(query).mappings():
        entry = dict(found)
        count += 1
        findings += _link_findings(entry, sequence, last_hash)
        sequence, last_hash = entry["sequence"], entry["hash"]
        if entry["subject"].startswith(_LETTER) and entry["after"] in ALL_STATES:
            findings += _tell(stories.setdefault(entry["subject"].removeprefix(_LETTER), Story()), entry)
    return count, stories, [*findings, *_end_findings(con, sequence, last_hash)]


def chain_findings(con: Connection) -> list[Finding]:
    """What is wrong with the chain, and with the steps of letters that it tells of."""
    return read_chain(con)[2]


def _link_findings(entry: dict[str, Any], before: int, last_hash: str) -> Iterable[Finding]:
    sequence = entry["sequence"]
    subject = f"audit:{sequence}"
    if sequence != before + 1:
        yield Finding("audit_gap", subject, f"entries {before + 1} to {sequence - 1} are missing")
    if entry["previous_hash"] != last_hash:
        yield Finding("audit_link", subject, f"entry {sequence} does not follow the one before it")
    if entry["hash"] != row_hash(entry):
        yield Finding("audit_entry", subject, f"entry {sequence} is not as it was written")


def _end_findings(con: Connection, sequence: int, last_hash: str) -> Iterable[Finding]:
    heads = con.execute(select(audit_head.c.sequence, audit_head.c.hash)).all()
    if [tuple(head) for head in heads] != [(sequence, last_hash)]:
        known = ", ".join(str(head.sequence) for head in heads) or "nowhere"
        yield Finding(
            "audit_end", "audit", f"the chain ends at entry {sequence}; it was noted to end at {known}"
        )


def _tell(story: Story, entry: dict[str, Any]) -> Iterable[Finding]:
    """Add a step to a letter's story."""
    before, after = story.state, entry["after"]
    is_beginning = before is None or (entry["action"] == "plan" and before in FIRST_STATES)
    story.is_taken_over |= before is None and entry["action"] == "take over"
    if is_beginning:
        is_legal = after in FIRST_STATES or story.is_taken_over
    else:
        is_same = after == before and after in FIRST_STATES
        is_legal = entry["before"] == before and (is_same or after in TRANSITIONS[str(before)])
    story.states.append(after)
    if not is_legal:
        told = f"entry {entry['sequence']} tells of a step from {entry['before'] or before or 'nothing'} to {after}"
        yield Finding(
            "illegal_step", entry["subject"], told + f"; the letter was {before or 'not there'} before"
        )
