"""Open items → who is written to, and the letters themselves, rendered before anything leaves."""

import duckdb
import polars as pl

from flows._steps import show_table, step
from flows.sending import Letters, letter_rows
from o2c import frames
from o2c.calendars import BusinessCalendar
from o2c.dunning import DunningBook, decide_dunning
from o2c.ledger.suppressing import suppressed_addresses
from o2c.ledger.tasks import activity_rows
from o2c.letters import Sender, Templates, render_letters
from o2c.matching import CashResult
from o2c.publish import previous_decisions
from o2c.run import Run
from o2c.warehouse import load_frame, read_frame


@step(name="decide dunning")
def decide_letters(run: Run, cash: CashResult) -> Letters:
    """Decide for every customer with anything past due or due soon, and render what is to be written."""
    with run.step("dunning") as counts, run.open_build() as con:
        book = read_book(run, con, cash)
        decisions, lines = decide_dunning(
            book, run.policies.dunning, run.policies.controls.addresses, BusinessCalendar(), run.as_of
        )
        load_frame(con, "decided.dunning_decisions", decisions)
        counts["decisions"] = decisions.height
        for decision, count in decisions.group_by("decision").len().sort("decision").iter_rows():
            counts[decision] = count
    with run.step("letters") as counts:
        messages = render_letters(
            decisions,
            lines,
            book.customers,
            book.contacts,
            book.entities,
            Sender(run.settings.sender_name, run.settings.sender_address, run.settings.reply_to),
            Templates(run.settings.templates),
            run.as_of,
            run.batch_id,
            pdf_stages=run.policies.dunning.stages_with_pdf,
            sms_characters=run.policies.dunning.sms.max_characters,
        )
        counts["rendered"] = len(messages)
    run.decided["dunning"] = {
        f"{decision}: {reason}": count
        for decision, reason, count in decisions.group_by("decision", "reason_code")
        .len()
        .sort(pl.all())
        .iter_rows()
    }
    reasons = decisions.group_by("decision", "reason_code").len().sort("decision", "reason_code")
    show_table("dunning-decisions", reasons, f"Dunning decisions of {run.as_of} by reason")
    return Letters(book, decisions, messages, letter_rows(run, book, decisions, messages), lines)


def read_book(run: Run, con: duckdb.DuckDBPyConnection, cash: CashResult) -> DunningBook:
    """Everything that dunning decides on, as of the run's date."""
    letters, reminders = run.ledger.letters_before(run.as_of, run.known_at)
    read = lambda name, frame: frame.validate(read_frame(con, name, frame.columns(), as_of=run.as_of))  # noqa: E731
    return DunningBook(
        items=read("receivables.fct_open_items", frames.OpenItems),
        customers=read("intermediate.int_customers_profiled", frames.Customers),
        contacts=frames.Contacts.validate(read_frame(con, "staging.stg_contacts", frames.Contacts.columns())),
        entities=frames.Entities.validate(
            read_frame(con, "intermediate.int_entities_completed", frames.Entities.columns())
        ),
        unapplied=read("intermediate.int_unapplied_cash_summed", frames.UnappliedCash),
        blocks=read("intermediate.int_blocks_effective", frames.Blocks),
        promises=read("intermediate.int_promises_judged", frames.Promises),
        plans=read("intermediate.int_plans_judged", frames.Plans),
        possible_payers=cash.possible_payers,
        placed=run.ledger.placed_before(run.as_of),
        activities=read_activities(run, con),
        letters=letters,
        lines=reminders,
        previous=previous_decisions(run.home, run.as_of),
        suppressed=read_suppressed(run),
    )


def read_suppressed(run: Run) -> pl.DataFrame:
    """Addresses that nothing is sent to until a person lifts it."""
    rows = sorted(suppressed_addresses(run.ledger.engine).items())
    schema = frames.SuppressedAddresses.empty().schema
    return frames.SuppressedAddresses.validate(pl.DataFrame(rows, schema=schema, orient="row"))


def read_activities(run: Run, con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Activities up to the end of the as-of date: collectors', and what became of our own letters."""
    activities = read_frame(con, "staging.stg_activities", frames.Activities.columns())
    given = activities.filter(pl.col("activity_at").dt.date() <= run.as_of)
    return frames.Activities.validate(pl.concat([given, activity_rows(run.ledger.engine, run.as_of)]))
