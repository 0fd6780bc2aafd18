"""Which payment settles which invoice: the way through the evidence."""

from dataclasses import replace
from datetime import date

import polars as pl

from o2c.frames import Applications
from o2c.matching.book import CashBook, CashResult
from o2c.matching.decided import Decided, carry_out, taken_back_by_persons
from o2c.matching.deductions import deductions_of
from o2c.matching.desk import FAMILY, Desk, book_after, lay_out, money
from o2c.matching.evidence import Payers, weigh, who_paid
from o2c.matching.names import families
from o2c.matching.possible_payers import find_possible_payers
from o2c.matching.records import application_rows, numbered
from o2c.matching.references import find_references, lines_of_payments
from o2c.matching.returns import list_chargebacks, list_returns, negate, taken_back
from o2c.matching.rounds import Evidence, Outcome, Rounds, count_write_offs
from o2c.matching.unsettled import assign_payers, list_candidates, list_exceptions
from o2c.policy import MatchingPolicy, ReasonCodesPolicy


def apply_cash(book: CashBook, policy: MatchingPolicy, reasons: ReasonCodesPolicy, as_of: date) -> CashResult:
    """Settle what is sure, and say of the rest why it waits, what it may be for and whose it may be.

    First what the bank took back is negated, exactly. Then what persons decided is done. Then, round after round, each
    payment is explained by its remittance lines, by what its text names, or by the sum of its payer's open items; an
    explanation is believed that is sure enough and alone, and settled unless an earlier payment took its items.
    Nothing is applied across entity or currency, beyond what is open, or beyond what is left.

    An application counts from the latest of value date and invoice date, on an item that a return reopened from the
    return at the earliest, so that no item is overpaid on any date. Running again with what was recorded adds
    nothing, and the order of rows changes nothing.

    Args:
        book: what is known, after all that was recorded before.
        policy: evidence, strengths, tolerances and limits.
        reasons: what reason codes mean.
        as_of: documents, payments and decisions of later dates are not there yet.

    Returns:
        New applications sorted by application_id; the rest by payment_id.
    """
    book.validate()
    book = replace(book, payments=book.payments.filter(pl.col("value_date") <= as_of))
    standing = book.standing()
    by_value = book.payments.sort("value_date", "payment_id").with_row_index("payment_key")
    placed = standing.join(
        book.items.select("invoice_id", "entity_id"), on="invoice_id", how="left", validate="m:1"
    )
    returns = list_returns(by_value, placed.filter(pl.col("application_type") == "payment"))
    chargebacks = list_chargebacks(by_value, placed, returns)
    negations = numbered(negate(taken_back(standing, returns, chargebacks)), book.recorded)
    book = book_after(book, negations)
    decided = carry_out(
        book.decisions,
        book.items,
        book.payments,
        book.recorded,
        book.assignments,
        book.deductions,
        reasons,
        as_of,
    )
    book = _decided_book(book, decided)
    gone = returns["returned_payment_id"]
    desk = lay_out(book, taken_back_by_persons(book.recorded), gone, as_of)
    evidence, outcome = _settle(book, desk, policy)
    new = numbered(application_rows(outcome.accepted, outcome.desk), book.recorded)
    applications = pl.concat([negations, decided.applications, new]).sort("application_id")
    deductions = deductions_of(_withheld(outcome, desk), book.deductions, reasons)
    assignments = assign_payers(outcome.desk, evidence, as_of, policy)
    carried_out = pl.concat([returns["reversal_id"], chargebacks["reversal_id"], gone])
    exceptions = list_exceptions(
        outcome.desk, evidence, assignments, _reasons(outcome, decided, deductions, outcome.desk), carried_out
    )
    candidates = list_candidates(exceptions, outcome.desk, outcome.alternatives, evidence, policy)
    return CashResult(
        applications=applications.pipe(Applications.validate),
        assignments=pl.concat([decided.assignments, assignments]).sort("payment_id", "assigned_date", "rule"),
        deductions=pl.concat([decided.deductions, deductions]).sort("deduction_id"),
        exceptions=exceptions,
        candidates=candidates,
        possible_payers=_possible_payers(
            book, outcome.desk, evidence, (applications, assignments), gone, policy, as_of
        ),
        refused=decided.refused,
    )


def _decided_book(book: CashBook, decided: Decided) -> CashBook:
    """The book after persons' decisions; whose a payment is stands in the payment."""
    word = (
        decided.assignments.sort("assigned_date")
        .unique("payment_id", keep="last", maintain_order=True)
        .select("payment_id", by_person="customer_id", is_decided=pl.lit(True))
    )
    after = book_after(book, decided.applications)
    payments = (
        after.payments.join(word, on="payment_id", how="left", validate="1:1", maintain_order="left")
        .with_columns(customer_id=pl.when("is_decided").then("by_person").otherwise("customer_id"))
        .select(after.payments.columns)
    )
    return replace(
        after,
        payments=payments,
        assignments=pl.concat([book.assignments, decided.assignments]),
        deductions=pl.concat([book.deductions, decided.deductions]),
    )


def _settle(book: CashBook, desk: Desk, policy: MatchingPolicy) -> tuple[Evidence, Outcome]:
    """Go round until nothing is sure any more, also with the accounts learned on the way.

    A payment that was settled says whose its account is, which the next run will know; so this one looks again with
    that knowledge, or running it twice would add something.
    """
    lines = lines_of_payments(desk.payments, book.remittance_lines.with_row_index("line_key"))
    known = book.standing()
    settled_or_contested = pl.concat(
        [known.select("payment_id", "invoice_id"), book.deductions.select("payment_id", "invoice_id")]
    )
    done = (
        settled_or_contested.join(desk.payments.select("payment_id", "payment_key"), on="payment_id")
        .join(desk.items.select("invoice_id", "item_key"), on="invoice_id")
        .select("payment_key", "item_key")
    )
    write_offs = count_write_offs(known)
    accounts = book.accounts
    asking = desk.payments.filter("is_active", (pl.col("left") > 0) | ~pl.col("has_applied"))
    payers = who_paid(asking, book.customers, accounts, book.assignments, policy)
    references = find_references(asking, lines, desk.items, payers.found, policy)
    evidence = Evidence(lines, weigh(references, payers, desk, book.customers, policy), payers)
    related = families(book.customers).filter(pl.len().over("family_id") > 1)["family_id"].unique()
    rounds = Rounds(evidence, desk, done, write_offs, related.cast(FAMILY), policy)
    while True:
        outcome = rounds.settle()
        learned = _learned(outcome, accounts)
        if learned.is_empty():
            return evidence, outcome
        accounts = pl.concat([accounts, learned])
        again = outcome.desk.payments.filter(
            "is_active", pl.col("left") > 0, pl.col("payer_account").is_in(learned["payer_account"].implode())
        )
        payers = payers.renewed(who_paid(again, book.customers, accounts, book.assignments, policy), again)
        references = _with_typos_of(learned, references, again, lines, outcome.desk, payers, policy)
        evidence = Evidence(lines, weigh(references, payers, desk, book.customers, policy), payers)
        rounds.learn(evidence, again)


def _with_typos_of(
    learned: pl.DataFrame,
    references: pl.DataFrame,
    again: pl.DataFrame,
    lines: pl.DataFrame,
    desk: Desk,
    payers: Payers,
    policy: MatchingPolicy,
) -> pl.DataFrame:
    """References, and those that only the payer's own items could have: looked for among the new payers' alone."""
    own = desk.items.join(learned.select("customer_id").unique(), on="customer_id", how="semi")
    more = find_references(again, lines, own, payers.found, policy)
    return pl.concat([references, more]).unique(
        ["payment_key", "line_key", "item_key"], keep="first", maintain_order=True
    )


def _learned(outcome: Outcome, accounts: pl.DataFrame) -> pl.DataFrame:
    """Accounts from which a settled payment came, as far as payments that wait came from them too."""
    payments = outcome.desk.payments.filter(pl.col("payer_account").is_not_null())
    waiting = payments.filter("is_active", pl.col("left") > 0)["payer_account"]
    return (
        # the next run knows an account by the money that came from it
        outcome.accepted.filter(pl.col("cash") > 0)
        .select("payment_key", "item_key")
        .join(payments.select("payment_key", "payer_account"), on="payment_key")
        .filter(pl.col("payer_account").is_in(waiting.implode()))
        .join(outcome.desk.items.select("item_key", "customer_id"), on="item_key")
        .select("payer_account", "customer_id")
        .unique()
        .join(accounts, on=["payer_account", "customer_id"], how="anti")
        .sort("payer_account", "customer_id")
        .with_columns(is_remembered=pl.lit(False))
    )


def _withheld(outcome: Outcome, desk: Desk) -> pl.DataFrame:
    """What accepted explanations leave contested, for ``deductions_of``."""
    return (
        outcome.accepted.filter(pl.col("deduction") > 0)
        .join(
            desk.items.select("item_key", "invoice_id", "customer_id", "currency_code", "invoice_date"),
            on="item_key",
        )
        .join(desk.payments.select("payment_key", "payment_id", "value_date"), on="payment_key")
        .select(
            "payment_id",
            "invoice_id",
            "customer_id",
            "currency_code",
            "customer_reason_code",
            kind="deduction_kind",
            deduction_amount=money("deduction"),
            deducted_date=pl.max_horizontal("value_date", "invoice_date"),
        )
    )


def _reasons(outcome: Outcome, decided: Decided, deductions: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    keys = desk.payments.select("payment_id", "payment_key")
    refused = decided.refused.select("payment_id", reason_code=pl.lit("decision_not_possible"))
    unmapped = deductions.filter(pl.col("reason_code") == "unmapped").select(
        "payment_id", reason_code=pl.lit("unmapped_reason")
    )
    by_id = pl.concat([refused, unmapped]).join(keys, on="payment_id").select("payment_key", "reason_code")
    return pl.concat([outcome.doubted.select("payment_key", "reason_code"), by_id])


def _possible_payers(
    book: CashBook,
    desk: Desk,
    evidence: Evidence,
    made: tuple[pl.DataFrame, pl.DataFrame],
    gone: pl.Series,
    policy: MatchingPolicy,
    as_of: date,
) -> pl.DataFrame:
    applications, assignments = made
    suspense = (
        desk.payments.filter(
            pl.col("customer_id").is_null(), pl.col("payment_amount") > 0, pl.col("left") > 0
        )
        .filter(~pl.col("payment_id").is_in(gone.implode()))
        .join(assignments, on="payment_id", how="anti")
        .select("payment_key", "payment_id", "entity_id", "currency_code", unapplied_amount=money("left"))
    )
    named = evidence.named.join(suspense, on="payment_key", how="semi")
    guesses = pl.concat(
        [
            evidence.payers.found.select("payment_key", "customer_id", "rule"),
            desk.items_of(named, ["customer_id"]).select(
                "payment_key", "customer_id", rule=pl.lit("named_item")
            ),
        ]
    ).unique()
    paid = pl.concat([book.standing(), applications]).filter(pl.col("application_type") == "payment")
    return find_possible_payers(
        suspense,
        desk.items.filter(pl.col("open") > 0).with_columns(open_amount=money("open")),
        guesses.join(suspense.select("payment_key", "payment_id"), on="payment_key").drop("payment_key"),
        paid,
        policy,
        as_of,
    )
