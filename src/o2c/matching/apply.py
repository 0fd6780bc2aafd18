"""Which payment settles which invoice: the way through the rules."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from o2c.contract import MONEY, RATIO
from o2c.frames import (
    ApplicableItems,
    ApplicablePayments,
    Applications,
    CustomerNames,
    PayerAccounts,
    PossiblePayers,
    RemittanceLines,
)
from o2c.matching.payers import find_possible_payers
from o2c.matching.returns import list_returns, negate
from o2c.matching.rules import list_references
from o2c.matching.score import choose_items, claim
from o2c.matching.settle import settle_claims
from o2c.policy import MatchingPolicy


@dataclass(frozen=True)
class CashResult:
    """New applications, to be recorded behind the earlier ones, and whose suspense it may be."""

    applications: pl.DataFrame
    possible_payers: pl.DataFrame


def apply_cash(
    items: pl.DataFrame,
    payments: pl.DataFrame,
    remittance_lines: pl.DataFrame,
    recorded: pl.DataFrame,
    customers: pl.DataFrame,
    accounts: pl.DataFrame,
    policy: MatchingPolicy,
    as_of: date,
) -> CashResult:
    """Settle the invoices that payments name; leave the rest unapplied, with whose it may be.

    A payment names an invoice by its remittance lines, else by a reference text that is the invoice's id, or its
    number where that is unique in entity and currency. Nothing is applied across entity or currency, to another
    customer than the payment's, or on a reference that fits two invoices. Amounts are the least of line, left
    on the payment and open on the invoice, in order of value date, payment_id and line. An application counts
    from the later of value date and invoice date; on an invoice that a return reopened, from the return at the
    earliest, so that no invoice is overpaid on any date. A return negates all applications of its payment, and what
    they had paid can be settled again.

    Args:
        items: ApplicableItems, with what is open after ``recorded``.
        payments: ApplicablePayments, with what is left after ``recorded``, and reversals.
        remittance_lines: RemittanceLines.
        recorded: Applications of earlier runs; they stand. Running again with them adds nothing.
        customers: CustomerNames, for suspense only.
        accounts: PayerAccounts, for suspense only.
        policy: how far a guess at a payer may reach.
        as_of: documents and payments of later dates are not there yet.

    Returns:
        New Applications sorted by application_id, PossiblePayers by payment_id and customer_id.
    """
    for model, frame in (
        (ApplicableItems, items),
        (ApplicablePayments, payments),
        (RemittanceLines, remittance_lines),
        (Applications, recorded),
        (CustomerNames, customers),
        (PayerAccounts, accounts),
    ):
        model.validate(frame)
    items = items.filter(pl.col("invoice_date") <= as_of).with_row_index("item_key")
    payments = (
        payments.filter(pl.col("value_date") <= as_of)
        .sort("value_date", "payment_id")
        .with_row_index("payment_key")
    )
    recorded = recorded.join(
        items.select("invoice_id", "item_key"), on="invoice_id", how="left", validate="m:1"
    )
    negated = recorded["reverses_application_id"].drop_nulls()
    paid = recorded.filter(pl.col("applied_amount") > 0)
    standing = paid.filter(~pl.col("application_id").is_in(negated.implode()))

    returns = list_returns(payments, standing)
    has_money = payments.filter((pl.col("payment_amount") > 0) & (pl.col("unapplied_amount") > 0))
    said = remittance_lines if "remittance_line" in policy.rules else remittance_lines.clear()
    references = list_references(has_money, said)
    claims = claim(references, choose_items(references, items), payments, paid)
    claims = claims.filter(pl.col("rule").is_in(policy.rules))

    settled = settle_claims(claims, items, payments, returns, recorded, standing)
    applied = _number(_describe(settled, claims, items), recorded)
    taken_back = _number(negate(pl.concat([standing.select(applied.columns), applied]), returns), recorded)
    new = pl.concat([applied, taken_back.select(applied.columns)])
    return CashResult(
        applications=new.sort("application_id").pipe(Applications.validate),
        possible_payers=find_possible_payers(
            _less(items, new, "invoice_id", "open_amount"),
            _less(payments, new, "payment_id", "unapplied_amount"),
            pl.concat([paid.select(applied.columns), applied]),
            returns,
            customers,
            accounts,
            policy,
            as_of,
        ).pipe(PossiblePayers.validate),
    )


def _describe(settled: pl.DataFrame, claims: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Applications, without application_id, of what was settled; in the order in which it was."""
    by_line = pl.col("rule") == "remittance_line"
    said = (
        pl.when(by_line)
        .then(pl.format("Remittance {}, line {}, names this invoice.", "remittance_id", "line_number"))
        .when(pl.col("rule") == "invoice_id")
        .then(pl.lit("The reference text is this invoice's id."))
        .otherwise(
            pl.lit("The reference text is this invoice's number, and no other's in this entity and currency.")
        )
    )
    return (
        settled.join(
            claims.select("turn", "payment_id", "item_key", "rule", "remittance_id", "line_number"),
            on="turn",
            validate="m:1",
            maintain_order="left",
        )
        .join(
            items.select("item_key", "invoice_id", "customer_id", "currency_code"),
            on="item_key",
            validate="m:1",
            maintain_order="left",
        )
        .select(
            "payment_id",
            "invoice_id",
            "customer_id",
            "currency_code",
            "rule",
            "applied_amount",
            "application_date",
            application_type=pl.lit("payment"),
            explanation=said,
            reverses_application_id=pl.lit(None, dtype=pl.String),
        )
    )


def _number(applications: pl.DataFrame, recorded: pl.DataFrame) -> pl.DataFrame:
    """Give every application its id: payment, invoice, and the how-manieth between the two.

    The id is readable, and no two pairs of ids can spell the same one: the payment's length comes first.
    """
    pair = ["payment_id", "invoice_id"]
    earlier = recorded.group_by(pair).agg(earlier_count=pl.len())
    return (
        applications.join(earlier, on=pair, how="left", validate="m:1", maintain_order="left")
        .with_columns(
            ordinal=pl.col("earlier_count").fill_null(0) + pl.int_range(1, pl.len() + 1).over(pair),
            score=pl.lit(1).cast(RATIO),
            applied_amount=pl.col("applied_amount").cast(MONEY),
        )
        .with_columns(
            application_id=pl.format(
                "engine|{}|{}|{}|{}",
                pl.col("payment_id").str.len_chars(),
                "payment_id",
                "invoice_id",
                "ordinal",
            )
        )
        .select(*Applications.columns())
    )


def _less(frame: pl.DataFrame, applications: pl.DataFrame, key: str, amount: str) -> pl.DataFrame:
    """The frame with what the applications used of ``amount`` taken off."""
    used = applications.group_by(key).agg(used_amount=pl.col("applied_amount").sum())
    return (
        frame.join(used, on=key, how="left", validate="1:1")
        .with_columns((pl.col(amount) - pl.col("used_amount").fill_null(0)).cast(MONEY).alias(amount))
        .drop("used_amount")
    )
