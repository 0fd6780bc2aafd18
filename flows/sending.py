"""Letters of a run: written down, approved where the policy may, and put into the folder that takes them."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from flows._steps import step
from flows.printing import print_letters
from o2c.calendars import BusinessCalendar
from o2c.contact_hours import time_zone_of
from o2c.contract import MONEY
from o2c.delivery.outbox import FolderCarrier
from o2c.delivery.post import Edge, deliver
from o2c.delivery.stop import stop_file
from o2c.dunning import DunningBook
from o2c.home import Home, sending_window
from o2c.ledger import Ledger
from o2c.ledger.outgoing import (
    PlannedLetter,
    batches_of,
    cancel_letters,
    cancel_stale,
    expire_leases,
    plan_letters,
)
from o2c.ledger.planning import WITHDRAWABLE
from o2c.ledger.unsent import unsent_letters
from o2c.letters import Message
from o2c.money import rounded
from o2c.policy import Policies
from o2c.recheck import letters_to_withdraw
from o2c.run import Run
from o2c.warehouse import load_frame

LETTER_COLUMNS = [
    "letter_id", "batch_id", "kind", "entity_id", "customer_id", "currency_code", "level", "stage", "occasion",
    "channel", "language_code", "state", "message_hash", "total_amount", "episode", "try_number",
    "decided_as_of_date", "sent_at",
]  # fmt: skip
# What the ledger has of a letter besides: where it goes, and what its claim needs to know.
ADDRESS_COLUMNS = ["contact_id", "address", "time_zone", "quiet_days"]
# Who withdraws what newer data speaks against.
SECOND_LOOK = "second look"


@dataclass(frozen=True)
class Letters:
    """The letters of one run. ``rows`` is one per letter, with the state it will have when the run ends well.

    ``shown``: what the marts show of all letters, of this run and before it: letter_id, state and more.
    """

    book: DunningBook
    decisions: pl.DataFrame
    messages: list[Message]
    rows: pl.DataFrame
    lines: pl.DataFrame
    shown: pl.DataFrame = field(default_factory=pl.DataFrame)


def letter_rows(
    run: Run, book: DunningBook, decisions: pl.DataFrame, messages: list[Message]
) -> pl.DataFrame:
    """One row per letter of this run, without a state: how many people it needs is not settled yet."""
    rendered = pl.DataFrame(
        [(one.letter_id, one.batch_id, one.message_hash, one.to_address) for one in messages],
        schema=dict.fromkeys(("letter_id", "batch_id", "message_hash", "address"), pl.String),
        orient="row",
    )
    policy = run.policies.dunning
    is_courtesy = pl.col("kind") == "courtesy"
    return (
        decisions.filter(pl.col("decision") == "letter")
        .join(rendered, on="letter_id", validate="1:1")
        .join(_time_zones(book), on=["customer_id", "entity_id"], how="left", validate="m:1")
        .with_columns(
            total_amount=pl.when(is_courtesy)
            .then("due_soon_amount")
            .otherwise("past_due_amount")
            .cast(MONEY),
            decided_as_of_date=pl.lit(run.as_of),
            quiet_days=pl.when(is_courtesy)
            .then(policy.courtesy.min_days_between)
            .otherwise(policy.quiet_days),
            is_second_try=(pl.col("try_number") > 1)
            & (pl.col("required_approval_count") >= policy.retry_approval_count),
        )
        .sort("letter_id")
    )


def _time_zones(book: DunningBook) -> pl.DataFrame:
    """Where it is day for a customer: its country's default time zone, else the entity's. customer_id, entity_id."""
    pairs = (
        book.items.select("customer_id", "entity_id")
        .unique()
        .join(
            book.customers.select("customer_id", "country_code"), on="customer_id", how="left", validate="m:1"
        )
        .join(
            book.entities.select("entity_id", entity_zone="time_zone"),
            on="entity_id",
            how="left",
            validate="m:1",
        )
        .drop_nulls("entity_zone")
    )
    zones = [
        (country, zone, time_zone_of(country, zone))
        for country, zone in pairs.select("country_code", "entity_zone").unique().iter_rows()
    ]
    known = pl.DataFrame(
        zones, schema=dict.fromkeys(("country_code", "entity_zone", "time_zone"), pl.String), orient="row"
    )
    return pairs.join(
        known, on=["country_code", "entity_zone"], how="left", validate="m:1", nulls_equal=True
    ).select("customer_id", "entity_id", "time_zone")


def show_letters(run: Run, letters: Letters, people: int) -> Letters:
    """Give each letter the state it will have, and load all letters for the marts.

    Args:
        people: who must approve every letter of the run at least, whatever its own level asks for.
    """
    leaves = run.is_sending and not run.closed_gates
    count = pl.max_horizontal("required_approval_count", pl.lit(people))
    waits = (count > 0) & (not run.home.marker.auto_approve)
    state = "rendered" if not leaves else "sent" if by_folder(run) else "approved"
    rows = letters.rows.with_columns(
        state=pl.when(waits).then(pl.lit("approval_pending")).otherwise(pl.lit(state))
    ).with_columns(
        sent_at=pl.when(pl.col("state") == "sent")
        .then(pl.lit(run.now).cast(pl.Datetime("us", "UTC")))
        .otherwise(None)
    )
    letters = replace(letters, rows=rows)
    letters = load_letters(run, letters, will_withdraw=leaves)
    run.decided["letters"] = [
        {**row, "total_amount": str(rounded(row["total_amount"], row["currency_code"]))}
        for row in rows.group_by("stage", "state", "currency_code")
        .agg(letters=pl.len(), total_amount=pl.col("total_amount").sum())
        .sort("stage", "state", "currency_code")
        .iter_rows(named=True)
    ]
    return letters


def load_letters(run: Run, letters: Letters, *, will_withdraw: bool) -> Letters:
    """Put this run's letters beside all that the ledger has before the marts."""
    shown, lines = with_ledger(run, letters, will_withdraw=will_withdraw)
    with run.open_build() as con:
        load_frame(con, "decided.letters", shown)
        load_frame(con, "decided.letter_lines", lines)
    return replace(letters, shown=shown)


def with_ledger(
    run: Run, letters: Letters, *, will_withdraw: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """This run's letters beside all that the ledger has; a letter that went further stays as it is there.

    Args:
        will_withdraw: what earlier runs of the day left behind, and this one does not decide, will be cancelled.
    """
    rows = letters.rows
    today = rows["letter_id"].implode()
    can_change = pl.col("state").is_in(list(WITHDRAWABLE))
    kept = run.ledger.letter_rows(run.as_of, run.known_at).filter(
        ~(can_change & pl.col("letter_id").is_in(today))
    )
    if will_withdraw:
        is_left_over = can_change & (pl.col("decided_as_of_date") == run.as_of)
        kept = kept.with_columns(
            state=pl.when(is_left_over).then(pl.lit("cancelled")).otherwise("state"),
        )
    kept_ids = kept["letter_id"].implode()
    shown = pl.concat(
        [
            kept.select(*LETTER_COLUMNS, is_of_last_run=pl.col("batch_id") == run.batch_id),
            rows.filter(~pl.col("letter_id").is_in(kept_ids)).select(*LETTER_COLUMNS, is_of_last_run=True),
        ]
    )
    kept_lines = run.ledger.line_rows(run.as_of).filter(pl.col("letter_id").is_in(kept_ids))
    fresh_lines = letters.lines.filter(~pl.col("letter_id").is_in(kept_ids))
    return (
        shown.sort("letter_id"),
        pl.concat([kept_lines, fresh_lines.select(kept_lines.columns)]).sort("letter_id", "line_number"),
    )


def by_folder(run: Run) -> bool:
    """Whether letters leave as files, in the run itself; a carrier that reaches people is served after it."""
    return run.home.marker.simulated or run.settings.carrier == "folder"


@step(name="write letters down")
def plan(run: Run, letters: Letters) -> None:
    """Put the run's letters into the ledger with their exact messages, and withdraw what it no longer decides.

    A letter of this day that an earlier run left behind leaves only if this run would write the very same one.
    """
    contents = {message.letter_id: message.eml for message in letters.messages}
    hashes = dict(letters.rows.select("letter_id", "message_hash").iter_rows())
    left_over = run.ledger.letter_rows(run.as_of).filter(
        pl.col("state").is_in(list(WITHDRAWABLE)), pl.col("decided_as_of_date") == run.as_of
    )
    gone = {
        letter_id: "decided_otherwise"
        for letter_id, state, message_hash in left_over.select(
            "letter_id", "state", "message_hash"
        ).iter_rows()
        if letter_id not in hashes or (state == "approved" and hashes[letter_id] != message_hash)
    }
    cancel_letters(run.ledger.engine, gone, run.settings.operator, run.now)
    lines_of: dict[str, list[dict]] = {}
    for line in letters.lines.iter_rows(named=True):
        money = {name: str(line[name]) for name in ("invoice_amount", "disputed_amount", "amount")}
        lines_of.setdefault(line["letter_id"], []).append(line | money)
    plan_letters(
        run.ledger.engine,
        [
            PlannedLetter(
                {name: row[name] for name in (*LETTER_COLUMNS, *ADDRESS_COLUMNS)}
                | {
                    "state": "rendered",
                    "sent_at": None,
                    "total_amount": str(row["total_amount"]),
                    "occasion": row["occasion"] or "",
                },
                tuple(lines_of[row["letter_id"]]),
                contents[row["letter_id"]],
            )
            for row in letters.rows.iter_rows(named=True)
        ],
        run.settings.operator,
        run.now,
    )


def withdraw_outdated(run: Run, book: DunningBook) -> None:
    """Withdraw what this run knows to be wrong: letters of the day before, or of items that an agency has since."""
    unsent = unsent_letters(run.ledger.engine)
    placed = run.ledger.placed_before(run.as_of + timedelta(days=1))
    lists_placed = unsent.lines.join(placed, on=["invoice_id", "installment_number"], how="semi")
    about = unsent.letters.filter(
        (pl.col("decided_as_of_date") < run.as_of)
        | pl.col("letter_id").is_in(lists_placed["letter_id"].implode())
    )
    if about.is_empty():  # this run decided the others
        return
    book = replace(book, placed=placed)
    found = letters_to_withdraw(book, about, unsent.lines, run.policies.dunning, run.as_of)
    cancel_letters(run.ledger.engine, dict(found.iter_rows()), SECOND_LOOK, run.now)


@step(name="put letters out")
def put_out(run: Run, letters: Letters, unfinished: Collection[str]) -> bool:
    """Hand approved letters to the folder, those of earlier runs only if they are still right.

    Returns whether each is now in the state that the marts show.

    Args:
        unfinished: batches whose pages a killed run did not write, or that ``recover`` wrote without names.
    """
    withdraw_outdated(run, letters.book)
    by_id = {message.letter_id: message for message in letters.messages}
    carrier = FolderCarrier(run.home.outbox, run.ledger.engine, by_id)
    is_rerun = (
        run.ledger.letter_rows(run.as_of)
        .filter(pl.col("batch_id") == run.batch_id, pl.col("state") == "approved")
        .is_empty()
    )
    report = deliver(
        run.ledger.engine,
        carrier,
        run.policies.controls.delivery,
        edge_of(run.home, run.policies, run.now),
        owner=f"run-{run.run_number}",
    )
    # pages of letters that left in a run that was killed since have no names, and only rendered letters have them
    carrier.finish({*unfinished, run.batch_id} if is_rerun else unfinished)
    run.decided["delivery"] = {
        **report.outcomes,
        **{f"waiting: {reason}": count for reason, count in report.waiting.items()},
        **({"stopped": report.stopped} if report.stopped else {}),
    }
    found = run.ledger.letter_rows(run.as_of)
    days = found["decided_as_of_date"].unique()
    may_leave = [day for day in days if last_day_of(run.policies, day) >= run.as_of]
    batches = found.filter(pl.col("decided_as_of_date").is_in(may_leave))["batch_id"]
    print_letters(run.home, run.ledger, carrier.name, batches, run.policies.dunning.stages_with_pdf)
    batch = run.home.outbox / run.batch_id / "index.html"
    if batch.exists():
        run.outputs["outbox"] = str(batch)
    now_there = found.select("letter_id", "state").sort("letter_id")
    return now_there.equals(letters.shown.select("letter_id", "state").sort("letter_id"))


def edge_of(home: Home, policies: Policies, now: datetime) -> Edge:
    """The edge of a run: its clock stands still, and nobody is disturbed by a file."""
    zone = ZoneInfo(policies.controls.time_zone)
    return Edge(
        clock=lambda: now,
        day_of=lambda instant: instant.astimezone(zone).date(),
        last_day_of=lambda day: last_day_of(policies, day),
        stop=stop_file(home.root),
    )


def last_day_of(policies: Policies, as_of: date) -> date:
    """The last day on which letters of an as-of date may leave."""
    next_day = BusinessCalendar().next_business_day(policies.controls.country_code, as_of)
    return sending_window(as_of, next_day)[1]


def recover(home: Home, ledger: Ledger, policies: Policies, now: datetime) -> set[str]:
    """Settle what a killed run left half done, and withdraw letters whose days are over.

    What lies in the outbox left; what does not goes back to approved, and leaves if this run decides the same.
    Returns the batches of which letters were settled: their pages may be missing customers' names.
    """
    today = now.astimezone(ZoneInfo(policies.controls.time_zone)).date()
    carrier = FolderCarrier(home.outbox, ledger.engine)
    settled = expire_leases(ledger.engine, now, carrier.has, carrier=carrier.name)
    batches = batches_of(ledger.engine, settled)
    carrier.finish(batches)
    cancel_stale(ledger.engine, now, lambda day: last_day_of(policies, day), today=today)
    return batches
