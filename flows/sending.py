"""Letters out of a run: what is written down, what leaves, and what a killed run left half done."""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from flows._steps import step
from o2c.contract import MONEY
from o2c.delivery.folder import write_batch
from o2c.dunning import DunningBook
from o2c.home import Home
from o2c.ledger import Ledger, SentLetter
from o2c.letters import Message
from o2c.run import Run

LETTER_COLUMNS = [
    "letter_id", "batch_id", "kind", "entity_id", "customer_id", "currency_code", "level", "stage", "occasion",
    "channel", "language_code", "state", "message_hash", "total_amount", "episode", "try_number",
    "decided_as_of_date", "sent_at",
]  # fmt: skip


@dataclass(frozen=True)
class Letters:
    """The letters of one run: what the mart shows, and what may leave."""

    book: DunningBook
    decisions: pl.DataFrame
    messages: list[Message]
    rows: pl.DataFrame
    lines: pl.DataFrame


def letter_rows(run: Run, decisions: pl.DataFrame, messages: list[Message]) -> pl.DataFrame:
    """One row per letter of this run with the state it will have when the run ends well."""
    rendered = pl.DataFrame(
        [(message.letter_id, message.batch_id, message.message_hash) for message in messages],
        schema={"letter_id": pl.String, "batch_id": pl.String, "message_hash": pl.String},
        orient="row",
    )
    leaves = run.is_sending and not run.closed_gates
    needs_person = (pl.col("required_approval_count") > 0) & (not run.home.marker.auto_approve)
    state = (
        pl.when(needs_person)
        .then(pl.lit("approval_pending"))
        .otherwise(pl.lit("sent" if leaves else "rendered"))
    )
    return (
        decisions.filter(pl.col("decision") == "letter")
        .join(rendered, on="letter_id", validate="1:1")
        .with_columns(
            state=state,
            total_amount=pl.when(pl.col("kind") == "courtesy")
            .then("due_soon_amount")
            .otherwise("past_due_amount")
            .cast(MONEY),
            decided_as_of_date=pl.lit(run.as_of),
        )
        .with_columns(
            sent_at=pl.when(pl.col("state") == "sent")
            .then(pl.lit(run.now).cast(pl.Datetime("us", "UTC")))
            .otherwise(None)
        )
        .sort("letter_id")
    )


def with_ledger(run: Run, rows: pl.DataFrame, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """This run's letters beside all that the ledger has; a letter that left stays as it left."""
    today = rows["letter_id"].implode()
    kept = run.ledger.letter_rows(run.as_of, run.known_at).filter(
        (pl.col("state") != "approval_pending") | ~pl.col("letter_id").is_in(today)
    )
    kept_ids = kept["letter_id"].implode()
    shown = pl.concat(
        [
            kept.select(*LETTER_COLUMNS, is_of_last_run=pl.col("batch_id") == run.batch_id),
            rows.filter(~pl.col("letter_id").is_in(kept_ids)).select(*LETTER_COLUMNS, is_of_last_run=True),
        ]
    )
    kept_lines = run.ledger.line_rows(run.as_of).filter(pl.col("letter_id").is_in(kept_ids))
    fresh_lines = lines.filter(~pl.col("letter_id").is_in(kept_ids))
    return (
        shown.sort("letter_id"),
        pl.concat([kept_lines, fresh_lines.select(kept_lines.columns)]).sort("letter_id", "line_number"),
    )


@step(name="send letters")
def send_letters(run: Run, letters: Letters) -> None:
    """Write down what will leave, put it into the outbox, write down that it left.

    Only letters that the ledger has under this batch leave with it: one that left in the morning does not leave again
    in the afternoon. The outbox is a folder: whether a letter left can be seen, so the next run finishes one that died.
    """
    there = run.ledger.letter_rows(run.as_of).filter(pl.col("state") != "approval_pending")["letter_id"]
    fresh = letters.rows.filter(~pl.col("letter_id").is_in(there.implode()))
    planned = fresh.with_columns(state=pl.col("state").replace("sent", "sending"), sent_at=None)
    addresses = {message.letter_id: message.to_address for message in letters.messages}
    lines_of: dict[str, list[dict]] = {}
    for line in letters.lines.iter_rows(named=True):
        money = {name: str(line[name]) for name in ("invoice_amount", "disputed_amount", "amount")}
        lines_of.setdefault(line["letter_id"], []).append(line | money)
    run.ledger.record_letters(
        SentLetter(
            {name: row[name] for name in LETTER_COLUMNS}
            | {
                "total_amount": str(row["total_amount"]),
                "occasion": row["occasion"] or "",
                "address": addresses[row["letter_id"]],
            },
            tuple(lines_of[row["letter_id"]]),
        )
        for row in planned.iter_rows(named=True)
    )
    batch = run.ledger.letter_rows(run.as_of).filter(
        pl.col("batch_id") == run.batch_id, pl.col("state").is_in(["sending", "sent"])
    )
    states = dict.fromkeys(batch["letter_id"], "sent")
    leaving = [message for message in letters.messages if message.letter_id in states]
    write_batch(run.home.outbox, run.batch_id, leaving, run.as_of, states)
    run.ledger.settle_letters(
        dict.fromkeys(fresh.filter(pl.col("state") == "sent")["letter_id"], "sent"), run.now
    )
    run.outputs["outbox"] = str(run.home.outbox / run.batch_id / "index.html")


def finish_interrupted(home: Home, ledger: Ledger, as_of: date, now: datetime) -> None:
    """Settle letters that a killed run left half sent: what lies in the outbox left, the rest did not.

    What did not leave today is forgotten, so that today's run decides it again; of earlier days it is cancelled; of
    later days it waits for a run of its own day, for this one only looks back.
    """
    outcomes: dict[str, str] = {}
    never_left = []
    for letter in ledger.unsettled_letters():
        if (home.outbox / letter.batch_id / f"{letter.letter_id}.eml").exists():
            outcomes[letter.letter_id] = "sent"
        elif letter.decided_as_of_date == as_of:
            never_left.append(letter.letter_id)
        elif letter.decided_as_of_date < as_of:
            outcomes[letter.letter_id] = "cancelled"
    ledger.settle_letters(outcomes, now)
    ledger.forget_letters(never_left)
