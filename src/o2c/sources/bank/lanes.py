"""Statements of one account in one format: which follow one another, which came twice, which contradict.

Entries of statements that follow one another add up. Statements that overlap share entries, which count once. Of two
versions of one statement one counts; it is chosen by what the versions say, never by which came first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

# The finality of what a bank says comes before its format: the lowest of these counts where several say the same.
KINDS = {"statement": 0, "intraday": 10, "notification": 20}
FORMATS = ("camt.05", "mt94", "bai2", "ofx")


def rank_of(kind: str, form: str) -> int:
    """How much a file of this kind and format is believed about a day; 0 is most, below 10 is final."""
    place = next((i for i, start in enumerate(FORMATS) if form.startswith(start)), len(FORMATS))
    return KINDS[kind] + place


@dataclass(frozen=True)
class Head:
    """What is to be known of a statement to set it beside others of its account, currency and rank."""

    file_id: str
    statement_ordinal: int
    name: tuple[str | None, str | None, int | None]
    first_date: date | None
    last_date: date | None
    opening: Decimal | None
    closing: Decimal | None
    entry_count: int
    digest: str
    has_exception: bool

    @property
    def key(self) -> tuple[str, int]:
        return self.file_id, self.statement_ordinal


@dataclass
class Lanes:
    """``lane`` by (file_id, statement_ordinal) of statements that count; ``dropped`` says why others do not."""

    lane: dict[tuple[str, int], int] = field(default_factory=dict)
    dropped: dict[tuple[str, int], str] = field(default_factory=dict)


def into_lanes(heads: Iterable[Head]) -> Lanes:
    """Chains of statements in which each opens with what the one before it closed with.

    Statements of different lanes may overlap. Within a lane they do not, so equal entries there are two.
    """
    found = Lanes()
    chains: list[list[Head]] = []
    contents: set[tuple] = set()
    versions: dict[tuple, Head] = {}
    for one in sorted(heads, key=_best_first):
        if _content(one) in contents:
            found.dropped[one.key] = "statement_repeated"
            continue
        contents.add(_content(one))
        chain = next((chain for chain in chains if _follows(chain[-1], one)), None)
        before = next((chain for chain in chains if _follows(one, chain[0])), None)
        name = (*one.name, one.last_date)
        if chain is None and before is None:
            if any(one.name[:2]) and name in versions:
                found.dropped[one.key] = "statement_changed"
                continue
            chains.append([one])
        elif chain is not None:
            chain.append(one)
        elif before is not None:
            before.insert(0, one)
        versions.setdefault(name, one)
    for lane, chain in enumerate(chains):
        found.lane.update({one.key: lane for one in chain})
    return found


def _best_first(one: Head) -> tuple:
    """By day; of two versions of one day the one that ties and says more comes first, then any fixed order."""
    return (
        one.last_date or date.min,
        one.name[1] or "",
        one.name[2] or 0,
        one.has_exception,
        -one.entry_count,
        one.digest,
        one.key,
    )


def _content(one: Head) -> tuple:
    """What makes two deliveries the same statement; a day without entries needs its number too."""
    what = (one.last_date, one.opening, one.closing, one.entry_count, one.digest)
    return what if one.entry_count else (*what, one.name)


def _follows(before: Head, after: Head) -> bool:
    """The later one opens with what the earlier one closed with, and begins where that ended."""
    if before.closing is None or before.closing != after.opening:
        return False
    return before.last_date is None or after.first_date is None or before.last_date <= after.first_date
