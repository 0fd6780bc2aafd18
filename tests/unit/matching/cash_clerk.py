"""What a patient clerk would do with a small book: one payment after the other, plain Python, Decimal, no frames.

A second opinion on ``o2c.matching``, written from POLICIES §5 and the design, importing nothing of it; it reads the
policy's values and tries everything. Rules as this clerk takes them (R, what it reads:
``cash_clerk_reading``; S, sums: ``cash_clerk_sums``):

1. Payments valued and documents dated after the as-of date are not there. A payment that is held, that is negative,
   or of which any part went back is not touched, and nobody's until a person looks.
2. A payer is known from a strength of ``known_payer_strength`` on. An item that a known payer's family does not own
   is foreign to what he says. Where nobody is known, a reference may stand alone, with a payer's strength of zero.
3. What a payment says comes before what its amount suggests. Remittance lines come before the text. A payment that
   names any document as its own number (open or settled, foreign or not), or has lines, is never explained by sums.
4. Lines must add up to the payment. Each means one item (R4); lines of an item that the payment has settled are
   used up; a negative line that names nothing is a deduction from the only item paid; if it still means nothing,
   nothing is done. A line of an item settles cash up to what is open, then the discount that it takes or, silently,
   exactly the one granted, as far as it is granted; what it takes beyond is unearned and contested, as is what it
   deducts; a small rest is written off where nothing else was said, a larger one contested up to
   ``short_payment_ratio``.
5. Texts: for each family, all open items named, or those named as a number alone, are judged against what is left
   of the payment (``_fit``); a), where all of them are exact or net of a discount, nothing less exact is an
   explanation. b) More paid than named: other runs of digits that end a number of the family's open items are read
   too; if that is exact it is the explanation, if not, a person looks. An item of exactly the rest is another
   explanation. c) One item named that does not fit: another of exactly the amount with a number one slip away is
   one as well. If nothing of a family is exact or net of a discount: d) the same less a credit memo that makes it
   exact, each that does, or all memos together; failing that e) the only proper subset of all that is exact or net
   of the discounts granted. One text that fits several items says which only where the amount is exact.
6. A discount is what the terms offer on the whole document, rounded; granted until ``discount_grace_days`` after
   its date, and only while nothing was settled of the item; a payer may round it a cent an item otherwise.
7. Doubt is the product of (1 - strength) of reference, payer and amount, each the weakest over the items; of sums
   that of sum and payer alone. Explanations that come to the same amounts are one. Believed is the least doubtful
   one at ``automatic_score`` or better, if the next is ``doubt_ratio`` times as doubtful.
8. A round looks at all payments as things stand, then settles in order of value date and payment_id what no earlier
   believed explanation of the round has taken. A write-off beyond the limits of customer and day is refused for
   good. Sums are tried in a round in which nothing that is said can be settled. Rounds go on until nothing is
   settled; then accounts from which settled payments came are known, and if that is news, everything is looked at
   again.
9. Sums: items dated up to the payment. First the payer's own items as they are, then net of granted discounts, then
   those of the family in the same way; the next only where the one before gives no sum at all. A sum is believed if
   it is the only one of all subsets, and it is a habit (everything, one item, all due up to a day, the oldest by
   due and invoice date, one month, one order; of all items or of the invoices alone) or is unlikely to be an
   accident (S).
10. What is left is the customer's who is known best and alone, else the one whose items are named surely.
"""

from decimal import Decimal
from typing import Any

from cash_clerk_reading import NUMBERS, documents_of_line, documents_of_text, family_of
from cash_clerk_state import ZERO, Explanation, Part, Row
from cash_clerk_sums import only_sum
from cash_clerk_words import Words

NEARLY = Decimal("0.000000001")


class Clerk(Words):
    """Works through one book; then ``booked``, ``left``, ``open``, ``withheld`` and ``owners`` tell what came of it."""

    def work(self) -> "Clerk":
        """Go round until there is nothing more to learn (rule 8)."""
        while True:
            while self._settle(self._believed(self._by_words)) or self._settle(self._believed(self._by_sums)):
                pass
            paid = {payment_id for payment_id, *_ in self.booked}
            learned = {
                (row["payer_account"], self.items[invoice_id]["customer_id"], False)
                for row in self.payments
                if row["payer_account"] and row["payment_id"] in paid
                for payment_id, invoice_id in self.done
                if payment_id == row["payment_id"]
            }
            known = {pair[:2] for pair in self.accounts}
            news = {one for one in learned if one[:2] not in known}
            self.accounts |= news
            if not news:
                self._assign()
                return self

    def _believed(self, explain: Any) -> dict[str, Explanation]:
        """The believed explanation of each payment, in order (rule 7)."""
        believed = {}
        for payment in self.active:
            by_parts: dict[frozenset[Part], Explanation] = {}
            for one in explain(payment):
                known = by_parts.get(frozenset(one.parts))
                if known is None or one.doubt < known.doubt:
                    by_parts[frozenset(one.parts)] = one
            ranked = sorted(by_parts.values(), key=lambda one: one.doubt)
            if not ranked or ranked[0].doubt > 1 - self.policy.automatic_score + NEARLY:
                continue
            if len(ranked) > 1 and ranked[1].doubt < ranked[0].doubt * self.policy.doubt_ratio - NEARLY:
                continue
            if not ranked[0].is_for_person:
                believed[payment["payment_id"]] = ranked[0]
        return believed

    def _by_sums(self, payment: Row) -> list[Explanation]:
        """Rules 3 and 9."""
        key = payment["payment_id"]
        says = documents_of_text(payment["reference_text"], self._place(payment), self.items, self.policy)
        speaks = self._lines_of(payment) or any(rule in NUMBERS for _, rule, _ in says)
        if speaks or self.left[key] <= 0 or any(one == key for one, _ in self.done):
            return []
        known = self._known(payment)
        for of_family in (False, True):
            owners = {family_of(who, self.customers) if of_family else who for who in known}
            for net in (False, True):
                found, was_any = [], False
                for owner in sorted(owners):
                    there = [
                        (
                            row,
                            self.open[row["invoice_id"]]
                            - (self._granted(row["invoice_id"], payment) if net else ZERO),
                        )
                        for row in self._place(payment)
                        if self.open[row["invoice_id"]] != 0
                        and row["invoice_date"] <= payment["value_date"]
                        and owner == (self.families[row["customer_id"]] if of_family else row["customer_id"])
                    ]
                    some, rule = only_sum(there, self.left[key], payment["currency_code"], self.policy)
                    was_any = was_any or some is not None
                    if not some:
                        continue
                    members = [
                        who
                        for who in known
                        if owner == (family_of(who, self.customers) if of_family else who)
                    ]
                    strength = max(known[who] for who in members)
                    doubt = (1 - self.policy.strengths.sums[rule]) * (1 - strength)
                    parts = tuple(
                        Part(one, self.open[one], self._granted(one, payment) if net else ZERO)
                        for one in some
                    )
                    found.append(Explanation(parts, doubt))
                if was_any:
                    return found
        return []

    def _settle(self, believed: dict[str, Explanation]) -> bool:
        """Rule 8. Whether anything was settled or refused."""
        taken: dict[str, Decimal] = {}
        moved = False
        before = dict(self.open)
        for payment in self.active:
            key = payment["payment_id"]
            if key not in believed:
                continue
            parts = believed[key].parts
            for part in parts:
                taken[part.invoice_id] = taken.get(part.invoice_id, ZERO) + abs(part.settled)
            if any(taken[part.invoice_id] > abs(before[part.invoice_id]) for part in parts):
                continue
            moved = True
            if self._is_beyond(payment, parts):
                self.refused.add(key)
                continue
            self._book(payment, parts)
        return moved

    def _is_beyond(self, payment: Row, parts: tuple[Part, ...]) -> bool:
        """Whether the limits of customer and day leave no room; if they do, it is used."""
        limits, currency = self.policy.small_differences, payment["currency_code"]
        for part in parts:
            if part.write_off <= 0:
                continue
            item = self.items[part.invoice_id]
            day = max(payment["value_date"], item["invoice_date"])
            rooms = [
                ((item["customer_id"], currency, day), limits.per_customer.amount_for(currency)),
                ((currency, day), limits.per_day.amount_for(currency)),
            ]
            if any(self.given_up.get(room, ZERO) + part.write_off > most for room, most in rooms):
                return True
            for room, _ in rooms:
                self.given_up[room] = self.given_up.get(room, ZERO) + part.write_off
        return False

    def _book(self, payment: Row, parts: tuple[Part, ...]) -> None:
        """Write down what is settled; credit memos are set against the oldest invoices, the payment pays the rest."""
        key = payment["payment_id"]

        def age(part: Part) -> tuple:
            return self.items[part.invoice_id]["due_date"], part.invoice_id

        memos = [[part.invoice_id, -part.settled] for part in sorted(parts, key=age) if part.settled < 0]
        for part in sorted(parts, key=age):
            self.done.add((key, part.invoice_id))
            self.open[part.invoice_id] -= part.settled
            self.offered[part.invoice_id] = ZERO
            self.left[key] -= part.cash
            need = part.cash
            for memo in memos if part.settled > 0 else []:
                used = min(need, memo[1])
                if used > 0:
                    memo[1] -= used
                    need -= used
                    self.booked.append((key, part.invoice_id, memo[0], "credit_memo", used))
            for kind, amount in (
                ("payment", need),
                ("discount", part.discount),
                ("write_off", part.write_off),
            ):
                if amount > 0:
                    self.booked.append((key, part.invoice_id, None, kind, amount))
            if part.deduction > 0:
                self.withheld.append((key, part.invoice_id, part.deduction))

    def _assign(self) -> None:
        """Rule 10."""
        for payment in self.payments:
            key = payment["payment_id"]
            is_open = payment["payment_amount"] > 0 and self.left[key] > 0 and not payment["is_held"]
            if not is_open or payment["customer_id"] is not None or key in self.back:
                continue
            known = self._known(payment)
            if known:
                best = [who for who, strength in known.items() if strength == max(known.values())]
            else:
                best = sorted(set(self._named_surely(payment)))
            if len(best) == 1:
                self.owners[key] = best[0]

    def _named_surely(self, payment: Row) -> list[str]:
        strengths = self.policy.strengths.references
        named = [
            (item, strengths[rule])
            for item, rule, _ in documents_of_text(
                payment["reference_text"], self._place(payment), self.items, self.policy
            )
            if rule in NUMBERS
        ]
        for line in self._lines_of(payment):
            named += [
                (item, strengths[rule])
                for item, rule in documents_of_line(
                    line["invoice_reference"], self._place(payment), self.items, self.policy
                )
                if rule in (*NUMBERS, "remittance_line")
            ]
        sure = 1 - self.policy.automatic_score + NEARLY
        return [
            item["customer_id"]
            for item, strength in named
            if (agrees := self._payer_strength(payment, item["invoice_id"])) is not None
            and (1 - strength) * (1 - agrees) <= sure
        ]
