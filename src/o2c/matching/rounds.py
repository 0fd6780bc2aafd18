"""Round after round: explain, believe what is sure, settle what does not collide, and look again at the rest."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from o2c.matching.desk import Desk, units
from o2c.matching.evidence import Payers
from o2c.matching.named import STRONG, propose_named
from o2c.matching.proposals import HEADS, Proposals, none, together, unique_best, without_payments
from o2c.matching.remitted import propose_remitted
from o2c.matching.shapes import PARTS
from o2c.matching.summed import propose_sums
from o2c.policy import MatchingPolicy

# What was accepted: one row per payment and item, with the head of its explanation.
ACCEPTED = {
    **{name: kind for name, kind in HEADS.items() if name not in ("proposal", "signature")},
    **{name: kind for name, kind in PARTS.items() if name != "proposal"},
    "cash": pl.Int64(),
    "round": pl.Int64(),
}
REASONS = {"payment_key": pl.UInt32(), "reason_code": pl.String()}


@dataclass(frozen=True)
class Evidence:
    """What speaks for what. ``lines`` have line_key and payment_key; ``named`` is NAMED of texts and lines."""

    lines: pl.DataFrame
    named: pl.DataFrame
    payers: Payers

    def of(self, payments: pl.DataFrame) -> "Evidence":
        """What speaks for the given payments alone."""
        return Evidence(
            self.lines.join(payments, on="payment_key", how="semi"),
            self.named.join(payments, on="payment_key", how="semi"),
            self.payers,
        )


@dataclass
class WriteOffs:
    """What was written off so far, in units, per customer and per currency on one day."""

    of_customer: dict[tuple[str, str, date], int] = field(default_factory=lambda: defaultdict(int))
    of_day: dict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, customer_id: str, currency_code: str, day: date, amount: int) -> None:
        """Count what was written off for a customer."""
        self.of_customer[customer_id, currency_code, day] += amount
        self.of_day[currency_code, day] += amount

    def admits(
        self, customer_id: str, currency_code: str, day: date, amount: int, policy: MatchingPolicy
    ) -> bool:
        """Whether both limits leave room for the amount."""
        limits = policy.small_differences
        of_customer = int(limits.per_customer.amount_for(currency_code) * 10_000)
        of_day = int(limits.per_day.amount_for(currency_code) * 10_000)
        return (
            self.of_customer[customer_id, currency_code, day] + amount <= of_customer
            and self.of_day[currency_code, day] + amount <= of_day
        )


@dataclass(frozen=True)
class Outcome:
    """What the rounds came to.

    accepted: ACCEPTED. desk: what is open and left now. doubted: ``payment_key, reason_code`` of payments whose
    explanations are not believed. alternatives: those explanations.
    """

    accepted: pl.DataFrame
    desk: Desk
    doubted: pl.DataFrame
    alternatives: Proposals


@dataclass(frozen=True)
class Explained:
    """Explanations so far: those that may be believed, those that are for persons alone, and what is wrong."""

    sure: Proposals = field(default_factory=none)
    unsure: Proposals = field(default_factory=none)
    wrong: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REASONS))

    def renewed(
        self, payments: pl.DataFrame, sure: Proposals, unsure: Proposals, wrong: pl.DataFrame
    ) -> "Explained":
        """With new explanations in place of those of the given payments."""
        return Explained(
            sure=together([without_payments(self.sure, payments), sure]),
            unsure=together([without_payments(self.unsure, payments), unsure]),
            wrong=pl.concat([self.wrong.join(payments, on="payment_key", how="anti"), wrong]),
        )


class Rounds:
    """The rounds of a morning, and what they have come to so far.

    What payments say comes before what their amounts suggest. In a round the payments come in order of value date and
    payment_id; one that finds its items taken waits for the next round and is explained anew. Only families of which
    something was settled, and payments of which something new is known, are looked at again.
    """

    def __init__(
        self,
        evidence: Evidence,
        desk: Desk,
        done: pl.DataFrame,
        write_offs: WriteOffs,
        larger: pl.Series,
        policy: MatchingPolicy,
    ) -> None:
        """Explain every payment for the first time.

        Args:
            evidence: references and payers.
            desk: what is open and left at the start.
            done: ``payment_key, item_key`` applied in earlier runs.
            write_offs: of earlier runs; added to.
            larger: ``family_id`` of families of several customers.
            policy: how sure is sure enough.
        """
        self.evidence, self.desk, self.done = evidence, desk, done
        self.write_offs, self.policy = write_offs, policy
        self.accepted: list[pl.DataFrame] = []
        self.over_limit = pl.DataFrame(schema={"payment_key": pl.UInt32})
        self.said, self.sums = Explained(), Explained()
        self.larger = larger
        self.stale = evidence.payers.found.select("payment_key").unique()
        self._explain(_speaking(evidence))

    def learn(self, evidence: Evidence, payments: pl.DataFrame) -> None:
        """Take up new evidence about the given payments (``payment_key``)."""
        self.evidence = evidence
        keys = payments.select("payment_key")
        self.stale = pl.concat([self.stale, keys]).unique()
        self._explain(keys)

    def settle(self) -> Outcome:
        """Go round until a round settles nothing."""
        while True:
            best, doubted = unique_best(self.said.sure, self.policy)
            best = best.join(self.over_limit, on="payment_key", how="anti")
            rows, refused = self._accept(self.said.sure.only(best["proposal"]))
            if rows.is_empty() and refused.is_empty():
                self._sum_up()
                best, weak = unique_best(self.sums.sure, self.policy)
                rows, _ = self._accept(self.sums.sure.only(best["proposal"]))
                if rows.is_empty():
                    return self._outcome(doubted, weak)
            if rows.height:
                self._book(rows)

    def _outcome(self, *doubted: pl.DataFrame) -> Outcome:
        limited = self.over_limit.with_columns(reason_code=pl.lit("limit_reached"))
        return Outcome(
            accepted=pl.concat([pl.DataFrame(schema=ACCEPTED), *self.accepted]),
            desk=self.desk,
            doubted=pl.concat([*doubted, self.said.wrong, self.sums.wrong, limited]),
            alternatives=together([self.said.sure, self.sums.sure, self.sums.unsure]),
        )

    def _explain(self, payments: pl.DataFrame) -> None:
        """Explain payments anew by what they say."""
        evidence = self.evidence.of(payments)
        own = evidence.named.filter(~pl.col("is_foreign"))
        remitted, wrong = propose_remitted(
            evidence.lines, own.filter(pl.col("line_key").is_not_null()), self.done, self.desk, self.policy
        )
        texts = own.filter(pl.col("line_key").is_null()).join(evidence.lines, on="payment_key", how="anti")
        found = together([remitted, propose_named(texts, self.desk, self.policy)])
        self.said = self.said.renewed(payments, found, none(), wrong.select(*REASONS))

    def _sum_up(self) -> None:
        """Explain silent payments anew of whose payers something was settled."""
        silent = _silent(self.evidence, self.desk).join(self.stale, on="payment_key", how="semi")
        found = propose_sums(silent, self.evidence.payers, self.desk, self.larger, self.policy)
        self.sums = self.sums.renewed(self.stale, *found)
        self.stale = self.stale.clear()

    def _book(self, rows: pl.DataFrame) -> None:
        """Take what was accepted off the desk, and mark what it touches."""
        number = pl.lit(len(self.accepted), dtype=pl.Int64)
        self.accepted.append(rows.with_columns(round=number).select(*ACCEPTED))
        self.desk = self.desk.less(rows)
        self.done = pl.concat([self.done, rows.select("payment_key", "item_key")])
        settled = rows.select("payment_key").unique()
        touched = self.desk.items_of(rows.select("item_key"), ["family_id"]).select("family_id").unique()
        payers = self.evidence.payers.found.join(touched, on="family_id", how="semi").select("payment_key")
        self.stale = pl.concat([self.stale, payers]).unique()
        self.sums = self.sums.renewed(settled, none(), none(), pl.DataFrame(schema=REASONS))
        named = self.evidence.named.join(touched, on="family_id", how="semi").select("payment_key")
        self._explain(pl.concat([settled, named]).unique())

    def _accept(self, believed: Proposals) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows of explanations whose items are not taken by an earlier payment; and payments refused by a limit."""
        rows, refused = _accept(believed, self.desk, self.write_offs, self.policy)
        self.over_limit = pl.concat([self.over_limit, refused])
        return rows, refused


def _speaking(evidence: Evidence) -> pl.DataFrame:
    return pl.concat([evidence.lines.select("payment_key"), evidence.named.select("payment_key")]).unique()


def _silent(evidence: Evidence, desk: Desk) -> pl.DataFrame:
    """Payments of which nothing was applied yet and that name no item beyond accident, open or settled."""
    speaks = pl.concat(
        [
            evidence.lines.select("payment_key"),
            evidence.named.filter(pl.col("rule").is_in(STRONG)).select("payment_key"),
        ]
    )
    return (
        desk.payments.filter("is_active", pl.col("left") > 0, ~pl.col("has_applied"))
        .select("payment_key")
        .join(speaks, on="payment_key", how="anti")
    )


def _accept(
    believed: Proposals, desk: Desk, write_offs: WriteOffs, policy: MatchingPolicy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of explanations whose items are not taken by an earlier payment; and payments refused by a limit."""
    nobody = pl.DataFrame(schema={"payment_key": pl.UInt32})
    if believed.heads.is_empty():
        return pl.DataFrame(schema=ACCEPTED).drop("round"), nobody
    rows = believed.parts.join(believed.heads, on="proposal", validate="m:1")
    rows = desk.items_of(rows, ["open", "customer_id", "currency_code", "invoice_date", "reopened_date"])
    rows = (
        desk.payments_of(rows, ["value_date"])
        .sort("payment_key", "item_key")
        .with_columns(
            cash=pl.col("settled") - pl.col("discount") - pl.col("write_off"),
            is_free=pl.col("settled").abs().cum_sum().over("item_key") <= pl.col("open").abs(),
        )
        .filter(pl.col("is_free").all().over("payment_key"))
    )
    refused = _refused(rows, write_offs, policy)
    return rows.join(refused, on="payment_key", how="anti").drop("round", strict=False), refused


def _refused(rows: pl.DataFrame, write_offs: WriteOffs, policy: MatchingPolicy) -> pl.DataFrame:
    """Payments whose write-off finds no room, in order of payments; room that is taken is counted."""
    refused = []
    given_up = rows.filter(pl.col("write_off") > 0).select(
        "payment_key",
        "customer_id",
        "currency_code",
        pl.max_horizontal("value_date", "invoice_date", "reopened_date"),
        "write_off",
    )
    for key, customer_id, currency_code, day, amount in given_up.iter_rows():
        if write_offs.admits(customer_id, currency_code, day, amount, policy):
            write_offs.add(customer_id, currency_code, day, amount)
        else:
            refused.append(key)
    return pl.DataFrame({"payment_key": refused}, schema={"payment_key": pl.UInt32}).unique(
        maintain_order=True
    )


def count_write_offs(standing: pl.DataFrame) -> WriteOffs:
    """What standing applications of type write_off have used of the limits."""
    counted = WriteOffs()
    rows = standing.filter(pl.col("application_type") == "write_off", pl.col("rule") != "person")
    for row in rows.select(
        "customer_id", "currency_code", "application_date", units("applied_amount")
    ).iter_rows():
        counted.add(*row)
    return counted
