"""Mornings played one after the other, with a ledger in memory that keeps what was decided and sent."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import polars as pl
from dunning_books import KEY, decide, frame

from o2c import frames


def send_all(row):
    return "sent"


@dataclass
class Mornings:
    """A home: every morning the book is aged, decided on, and its letters take the state that ``fate`` gives them."""

    book: object
    fate: object = send_all
    letters: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    previous: dict = field(default_factory=dict)

    def morning(self, as_of: date, *, paid=()):
        """The decisions of a day, written down for the days after it."""
        items = self.book.items.filter(~pl.col("invoice_id").is_in(list(paid))).with_columns(
            days_past_due=(pl.lit(as_of) - pl.col("due_date")).dt.total_days()
        )
        today = replace(
            self.book,
            items=items,
            letters=frame(frames.LetterHistory, self.letters),
            lines=frame(frames.LineHistory, self.lines),
            previous=frame(frames.DecisionHistory, list(self.previous.values())),
        )
        decisions, lines = decide(today, as_of=as_of)
        for row in decisions.iter_rows(named=True):
            self.previous[tuple(row[name] for name in KEY)] = {
                n: row[n] for n in frames.DecisionHistory.columns()
            }
        letters = decisions.filter(pl.col("decision") == "letter")
        for row in letters.iter_rows(named=True):
            self._write_down(row, lines.filter(pl.col("letter_id") == row["letter_id"]), as_of)
        return decisions

    def _write_down(self, row, lines, as_of):
        state = self.fate(row)
        address = dict(self.book.contacts.select("contact_id", "email").iter_rows())[row["contact_id"]]
        left = as_of if state in {"sent", "bounced", "not_delivered"} else None
        kept = {name: row[name] for name in frames.LetterHistory.columns() if name in row}
        fresh = {**kept, "state": state, "address": address, "decided_as_of_date": as_of, "sent_date": left}
        assert not [
            old for old in self.letters if old["letter_id"] == row["letter_id"] and old["state"] == "sent"
        ]
        self.letters = [old for old in self.letters if old["letter_id"] != row["letter_id"]] + [fresh]
        self.lines = [old for old in self.lines if old["letter_id"] != row["letter_id"]] + [
            {
                "letter_id": row["letter_id"],
                "invoice_id": line["invoice_id"],
                "occasion": line["occasion"],
                "state": state,
                "sent_date": left,
            }
            for line in lines.iter_rows(named=True)
            if line["occasion"]
        ]

    def contacts(self):
        """(day, kind, level, try) of everything that was written, in order."""
        rows = sorted(self.letters, key=lambda row: (row["decided_as_of_date"], row["letter_id"]))
        return [(row["decided_as_of_date"], row["kind"], row["level"], row["try_number"]) for row in rows]


def weekdays(first: date, count: int):
    """So many calendar days from the first, without Saturdays and Sundays."""
    return [day for day in (first + timedelta(days=n) for n in range(count)) if day.weekday() < 5]
