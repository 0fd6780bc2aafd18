"""What waits for people: asked for when a run has decided, carried out when enough of them said yes.

The truth is the ledger's row; Prefect shows what waits and tells about it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl
from prefect.context import FlowRunContext
from prefect.events import emit_event

from flows._steps import show_table, step
from flows.credit_review import Accounts
from flows.sending import Letters
from o2c.approval_lists import Terms, hold_lists, letter_lists, referral_lists, write_off_lists
from o2c.approval_rules import able_roles
from o2c.approvals import (
    Pending,
    content_faults,
    hash_of,
    in_words,
    read_items,
)
from o2c.handover import find_recalls, hand_overs
from o2c.handover_files import (
    HandoverMissing,
    forget_hand_overs,
    keep_hand_over,
    kept_hand_over,
    total_of,
    write_order_holds,
    write_placement,
    write_recall,
)
from o2c.home import Home
from o2c.ledger import Ledger
from o2c.ledger.approving import (
    end_unused,
    expire,
    read_content,
    retire_others,
    submit,
    to_carry_out,
    waiting,
)
from o2c.ledger.asking import letters_to_ask
from o2c.ledger.placing import (
    items_at_agencies,
    record_order_holds,
    record_placements,
    record_recalls,
    record_released,
)
from o2c.policy.controls import Approvals
from o2c.run import Run
from o2c.warehouse import read_frame

RECALL = "recall.json"


@dataclass(frozen=True)
class CarriedOut:
    """What became of approved lists: those carried out now, and those that could not be, each with the reason."""

    request_ids: tuple[str, ...]
    faults: tuple[str, ...]


@step(name="ask for approval")
def request_approvals(
    run: Run, letters: Letters, accounts: Accounts, *, at_least: int = 0, because: str = ""
) -> list[Pending]:
    """Put everything that needs people before them, and let the policy approve the rest.

    The letters stand in the ledger, rendered. Lists of earlier runs that nobody decided on make way. Call it in a run
    that sends, with no gate closed, and before the run is published.

    Args:
        at_least: people that every letter needs: in first runs, or when a brake tripped.
        because: why, in a few words.

    Returns:
        What waits for people now.
    """
    engine, now, policies = run.ledger.engine, run.now, run.policies
    wait_seconds = run.settings.lock_wait_seconds
    with run.home.lock("approvals", wait_seconds), run.step("approvals") as counts:
        expire(engine, now)
        terms = terms_of(run)
        needs = letters.decisions.filter(pl.col("letter_id").is_not_null()).select(
            "letter_id", "required_approval_count"
        )
        asked = letters_to_ask(engine, run.batch_id).join(needs, on="letter_id", how="left", validate="1:1")
        # a letter that this run did not decide stands in an earlier list; people look at it again
        asked = asked.with_columns(pl.col("required_approval_count").fill_null(1))
        lists = letter_lists(asked, terms, at_least, because)
        proposed = accounts.referrals.filter(pl.col("status") == "proposed")
        handed = hand_overs(
            proposed, accounts.book, run.ledger.letter_rows(run.as_of), run.ledger.line_rows(run.as_of)
        )
        evidence = {agency: keep_hand_over(run.home.agency, one) for agency, one in handed.items()}
        lists += referral_lists(proposed, evidence, terms, policies.agency.required_approval_count)
        lists += hold_lists(accounts.holds, terms, policies.credit.required_approval_count)
        is_green = not run.closed_gates
        submitted = [submit(engine, request, now, is_green=is_green) for request in lists]
        kept = {one.request_id for one in submitted if one.request_id is not None}
        retire_others(engine, ("letters", "referrals", "holds"), kept, "a newer run", now)
        pending = waiting(engine, now)
        counts["lists"] = len(lists)
        counts["waiting"] = len(pending)
    tell_waiting(run, pending)
    return pending


def request_write_offs(run: Run, withheld: pl.DataFrame) -> None:
    """Ask for what persons gave up beyond the limit, where no list waits with it. Not in a run that looks back."""
    expire(run.ledger.engine, run.now)
    required = run.policies.controls.approvals.write_off_approval_count
    for request in write_off_lists(withheld, terms_of(run), required):
        submit(run.ledger.engine, request, run.now, is_green=True)


def terms_of(run: Run) -> Terms:
    return Terms(
        batch_id=run.batch_id,
        as_of=run.as_of,
        prepared_by=run.settings.operator,
        expiry_hours=run.policies.controls.approvals.expiry_hours,
        is_given=run.home.marker.auto_approve,
    )


def carry_out(
    home: Home, ledger: Ledger, now: datetime, time_zone: str, wait_seconds: float = 60
) -> CarriedOut:
    """Do what people approved and nobody did yet: files first, then the ledger's row. Once, however often it dies.

    Args:
        time_zone: the business time zone; the day of a placement is a day there.
        wait_seconds: for another process that is at it.
    """
    done, faults = [], []
    today = now.astimezone(ZoneInfo(time_zone)).date()
    with home.lock("approvals", wait_seconds):
        expire(ledger.engine, now)
        for request in to_carry_out(ledger.engine):
            try:
                if _carry_out_one(home, ledger, request, today, now):
                    done.append(request.request_id)
            except HandoverMissing as fault:
                faults.append(f"{request.request_id}: {fault}")
        alive = [*waiting(ledger.engine, now), *to_carry_out(ledger.engine)]
        hashes = {json.loads(read_content(ledger.engine, one.request_id))["evidence_hash"] for one in alive}
        forget_hand_overs(home.agency, hashes)
    return CarriedOut(tuple(done), tuple(faults))


def _carry_out_one(home: Home, ledger: Ledger, request: Pending, today: date, now: datetime) -> bool:
    """One list; false where its approval expired before anything of it left."""
    place = {"referrals": home.agency, "holds": home.order_holds}.get(request.kind)
    has_left = place is not None and (place / request.request_id).exists()
    if now >= request.expires_at and not has_left and request.kind != "write_offs":
        end_unused(ledger.engine, request.request_id, now)
        return False
    content = read_content(ledger.engine, request.request_id)
    if faults := content_faults(request, content):
        raise HandoverMissing(f"{'; '.join(faults)}. Nothing was handed over; see `o2c ledger verify`.")
    items = read_items(content)
    if request.kind == "referrals":
        if not has_left:
            hand_over = kept_hand_over(home.agency, json.loads(content)["evidence_hash"])
            if total_of(hand_over["items"]) != dict(request.amounts):
                raise HandoverMissing(
                    "the hand-over does not come to what was approved. Nothing was handed over."
                )
            write_placement(home.agency, hand_over, request.request_id, request.as_of_date)
        record_placements(ledger.engine, request, items, today, now)
    elif request.kind == "holds":
        write_order_holds(home.order_holds, items, request.request_id)
        record_order_holds(ledger.engine, request, items, now)
    else:
        record_released(ledger.engine, request, now)
    return True


@step(name="recall placed items")
def recall_placed(run: Run, accounts: Accounts) -> int:
    """Ask agencies for items back that are paid, disputed, blocked or withdrawn. Returns how many."""
    with run.home.lock("approvals", run.settings.lock_wait_seconds), run.step("recalls") as counts:
        finish_recalls(run.home, run.ledger, run.now)
        placed = items_at_agencies(run.ledger.engine)
        with run.open_build() as con:
            invoices = read_frame(con, "receivables.fct_invoices", ["invoice_id", "status"])
        cancelled = frozenset(invoices.filter(pl.col("status") == "cancelled")["invoice_id"])
        recalls = find_recalls(placed, accounts.book, cancelled, run.as_of)
        if not recalls.is_empty():
            about = recalls.select(
                "invoice_id", "installment_number", "placed_date", "request_id", "recall_reason"
            )
            digest = hash_of(about.write_json())[:10]
            write_recall(run.home.agency, recalls, f"{run.as_of.isoformat()}-{digest}", run.as_of)
            finish_recalls(run.home, run.ledger, run.now)
        counts["recalled"] = recalls.height
    return recalls.height


def finish_recalls(home: Home, ledger: Ledger, now: datetime) -> None:
    """Write down in the ledger what recall files say; a run that died between the two left that to the next.

    An item that was handed over again since, even on the same day, is not meant by the file.
    """
    key = ("invoice_id", "installment_number", "placed_date")
    there = {row[:-1]: row[-1] for row in items_at_agencies(ledger.engine).select(*key, "request_id").rows()}
    for path in sorted((home.agency / "recalls").glob(f"*/{RECALL}")):
        told = json.loads(path.read_text())
        items = [item | {"placed_date": date.fromisoformat(item["placed_date"])} for item in told["items"]]
        missing = []
        for item in items:
            placed_by = there.get(tuple(item[name] for name in key))
            # files of earlier versions do not name the list
            if placed_by is not None and item.get("request_id", placed_by) == placed_by:
                missing.append(item)
        if missing:
            day = date.fromisoformat(told["as_of_date"])
            record_recalls(ledger.engine, missing, day, path.parent.name, now)


def tell_waiting(run: Run, pending: Sequence[Pending]) -> None:
    """Counts for the manifest; in Prefect a table and an event to be notified of. No names of customers."""
    frame = waiting_table(pending, run.policies.controls.approvals)
    run.decided["approvals_waiting"] = frame.to_dicts()
    show_table("approvals-waiting", frame, f"Lists that wait for people on {run.as_of}: `o2c approve`")
    if pending and FlowRunContext.get():
        emit_event(
            event="o2c.approvals.waiting",
            resource={"prefect.resource.id": "o2c.approvals", "prefect.resource.name": "o2c approvals"},
            payload={"lists": frame.to_dicts()},
        )


def waiting_table(pending: Sequence[Pending], policy: Approvals) -> pl.DataFrame:
    """One row per list: what, how many, how much, why, until when, and who may approve it. Every cell is text."""
    rows = [
        {
            "request": one.request_id,
            "kind": one.kind.replace("_", " "),
            "count": str(one.item_count),
            "total": in_words(one.amounts),
            "largest": in_words(one.largest_amounts),
            "reason": one.reason,
            "approvals": f"{len(one.approvals)} of {one.required_approval_count}",
            "expires": one.expires_at.isoformat(timespec="minutes"),
            "roles": ", ".join(able_roles(one, policy)) or "nobody's limits reach that far",
        }
        for one in pending
    ]
    names = ("request", "kind", "count", "total", "largest", "reason", "approvals", "expires", "roles")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String()))
