"""Explanations by what a payment says: its text (rule 5 of ``cash_clerk``) and its remittance lines (rule 4)."""

import re
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

from cash_clerk_reading import NUMBERS, documents_of_line, documents_of_text, is_one_slip
from cash_clerk_state import ZERO, Explanation, Part, Row, State


class Words(State):
    """The clerk reading."""

    def _by_words(self, payment: Row) -> list[Explanation]:
        if payment["payment_id"] in self.refused:
            return []
        if self._lines_of(payment):
            return self._by_lines(payment)
        return self._by_text(payment) if self.left[payment["payment_id"]] > 0 else []

    def _by_text(self, payment: Row) -> list[Explanation]:
        """Rule 5."""
        named: dict[str, list[tuple[str, str, str]]] = {}
        for item, rule, said in documents_of_text(
            payment["reference_text"], self._place(payment), self.items, self.policy
        ):
            agrees = self._payer_strength(payment, item["invoice_id"])
            if agrees is not None and self.open[item["invoice_id"]] != 0:
                named.setdefault(self.families[item["customer_id"]], []).append(
                    (item["invoice_id"], rule, said)
                )
        found = []
        for family, members in sorted(named.items()):
            says: dict[str, int] = {}
            for _, _, said in members:
                says[said] = says.get(said, 0) + 1
            vague = {one for one, _, said in members if says[said] > 1}
            strengths = {one: self.policy.strengths.references[rule] for one, rule, _ in members}
            every = sorted(strengths)
            strong = sorted(one for one, rule, _ in members if rule in NUMBERS)
            sets = [every] + ([strong] if strong and strong != every else [])
            found += self._of_family(payment, family, sets, strengths, vague)
        return found

    def _of_family(self, payment, family, sets, strengths, vague) -> list[Explanation]:
        fitted = [(chosen, fit) for chosen in sets if (fit := self._fit(payment, chosen, vague))]
        right = ("exact", "discount", "late_discount")
        if any(chosen == sets[0] and shape in right for chosen, (shape, _) in fitted):
            fitted = [(chosen, fit) for chosen, fit in fitted if fit[0] in right]
        found = []
        for chosen, fit in fitted:
            if fit[0] == "over":
                found += self._over(payment, family, chosen, fit, strengths)
            else:
                found.append(self._explained(payment, chosen, *fit, strengths))
            if fit[0] in ("short", "partial", "over"):
                found += self._misread(payment, family, chosen, strengths)
        if any(shape in right for _, (shape, _) in fitted):
            return found
        netted = self._netted(payment, family, sets, strengths, vague)
        return found + (netted or self._one_subset(payment, sets[0], strengths, vague))

    def _owned(self, payment: Row, family: str) -> list[str]:
        """Documents of a family in the payment's place of which something is open."""
        return [
            row["invoice_id"]
            for row in self._place(payment)
            if self.families[row["customer_id"]] == family and self.open[row["invoice_id"]] != 0
        ]

    def _over(self, payment, family, chosen, fit, strengths) -> list[Explanation]:
        """Rule 5b: more was paid than the text names, or more was named than was understood."""
        numbers = [re.sub(r"\D", "", self.items[one]["invoice_number"]) for one in chosen]
        runs = [
            run
            for run in re.findall(r"\d+", payment["reference_text"])
            if self.policy.min_reference_length <= len(run) <= max(map(len, numbers))
            and not any(run in number for number in numbers)
        ]
        others = [one for one in self._owned(payment, family) if one not in chosen and self.open[one] > 0]
        ends = {
            one: [run for run in runs if re.sub(r"\D", "", self.items[one]["invoice_number"]).endswith(run)]
            for one in others
        }
        hits = [one for one in others if ends[one]]
        if hits:
            shared = {
                one for one in hits for other in hits if one != other and set(ends[one]) & set(ends[other])
            }
            whole = strengths | dict.fromkeys(hits, self.policy.strengths.references["digits"])
            better = self._fit(payment, [*chosen, *hits], shared)
            if better and better[0] in ("exact", "discount"):
                return [self._explained(payment, [*chosen, *hits], *better, whole)]
        over = replace(self._explained(payment, chosen, *fit, strengths), is_for_person=bool(hits))
        excess = self.left[payment["payment_id"]] - sum(self.open[one] for one in chosen)
        found = [over]
        for one in others:
            if self.open[one] == excess:
                whole = strengths | {one: self.policy.strengths.sums["single_amount"]}
                exact = self._fit(payment, [*chosen, one], set())
                found.append(self._explained(payment, [*chosen, one], *exact, whole))
        return found

    def _misread(self, payment, family, chosen, strengths) -> list[Explanation]:
        """Rule 5c: another document of the amount, whose number is one slip away from the one named."""
        if len(chosen) > 1:
            return []
        named = self.items[chosen[0]]["invoice_number"]
        near = [
            one
            for one in self._owned(payment, family)
            if self.open[one] == self.left[payment["payment_id"]]
            and is_one_slip(named, self.items[one]["invoice_number"])
        ]
        whole = strengths | dict.fromkeys(near, strengths[chosen[0]])
        return [self._explained(payment, [one], *self._fit(payment, [one], set()), whole) for one in near]

    def _netted(self, payment, family, sets, strengths, vague) -> list[Explanation]:
        """Rule 5d: less one credit memo, any of those of the right amount, or all of them."""
        found = []
        for chosen in sets:
            short = sum(self.open[one] for one in chosen) - self.left[payment["payment_id"]]
            if short <= 0 or vague & set(chosen):
                continue
            memos = [one for one in self._owned(payment, family) if self.open[one] < 0 and one not in chosen]
            added = [[memo] for memo in memos if self.open[memo] == -short]
            if not added and len(memos) > 1 and sum(self.open[memo] for memo in memos) == -short:
                added = [memos]
            for some in added:
                whole = strengths | dict.fromkeys(some, min(strengths[one] for one in chosen))
                fit = self._fit(payment, [*chosen, *some], set())
                found.append(self._explained(payment, [*chosen, *some], *fit, whole))
        return found

    def _one_subset(self, payment, every, strengths, vague) -> list[Explanation]:
        """Rule 5e: the only part of what is named that makes the amount."""
        wanted = self.left[payment["payment_id"]]
        subsets = {
            some
            for size in range(1, len(every))
            for some in combinations(every, size)
            if wanted
            in (
                sum(self.open[one] for one in some),
                sum(self.open[one] - self._granted(one, payment) for one in some),
            )
        }
        if len(subsets) != 1 or len(every) > 10:
            return []
        some = list(subsets.pop())
        fit = self._fit(payment, some, vague)
        return (
            [self._explained(payment, some, *fit, strengths)]
            if fit and fit[0] in ("exact", "discount")
            else []
        )

    def _by_lines(self, payment: Row) -> list[Explanation]:
        """Rule 4."""
        lines = self._lines_of(payment)
        if sum(line["paid_amount"] for line in lines) != payment["payment_amount"]:
            return []
        meant: list[tuple[Row, str | None]] = []
        strengths: dict[str, Decimal] = {}
        for line in lines:
            off = [line[name] or ZERO for name in ("paid_amount", "discount_amount", "deduction_amount")]
            fitting = {
                item["invoice_id"]: self.policy.strengths.references[rule]
                for item, rule in documents_of_line(
                    line["invoice_reference"], self._place(payment), self.items, self.policy
                )
                if self._payer_strength(payment, item["invoice_id"]) is not None
                and (off[0] <= 0 or item["document_type"] != "credit_memo")
            }
            if len(fitting) > 1:
                fitting = {one: sure for one, sure in fitting.items() if self.open[one] == sum(off)}
            if len(fitting) == 1:
                ((one, sure),) = fitting.items()
                strengths[one] = min(sure, strengths.get(one, sure))
            meant.append((line, next(iter(fitting)) if len(fitting) == 1 else None))
        paid_items = {one for line, one in meant if one and line["paid_amount"] > 0}
        lost = [line for line, one in meant if one is None]
        if len(paid_items) == 1 and not any(line["paid_amount"] > 0 for line in lost):
            (only,) = paid_items
            meant = [(line, only if one is None and line["paid_amount"] < 0 else one) for line, one in meant]
        if any(one is None and line["paid_amount"] < 0 for line, one in meant):
            return []
        todo = sorted({one for _, one in meant if one and (payment["payment_id"], one) not in self.done})
        parts = [
            self._of_lines(payment, one, [line for line, other in meant if other == one]) for one in todo
        ]
        cash = sum((part.cash for part in parts), ZERO)
        parts = [part for part in parts if part.settled or part.deduction]
        if not parts or not 0 <= cash <= self.left[payment["payment_id"]]:
            return []
        return [self._explained(payment, [part.invoice_id for part in parts], "exact", parts, strengths)]

    def _of_lines(self, payment: Row, one: str, lines: list[Row]) -> Part:
        paid = sum(line["paid_amount"] for line in lines)
        if self.items[one]["document_type"] == "credit_memo":
            return Part(one, max(min(paid, ZERO), min(self.open[one], ZERO)))
        asked = sum((line["discount_amount"] or ZERO for line in lines), ZERO)
        told = sum((line["deduction_amount"] or ZERO for line in lines), ZERO)
        told += sum((-line["paid_amount"] for line in lines if line["paid_amount"] < 0), ZERO)
        granted, owed = self._granted(one, payment), max(self.open[one], ZERO)
        cash = min(max(paid, ZERO), owed)
        rest = owed - cash
        wants = asked if asked > 0 else rest if rest == granted and told == 0 else ZERO
        discount = min(wants, rest, granted)
        rest -= discount
        unearned = min(max(asked - discount, ZERO), rest)
        contested = min(told, rest - unearned)
        rest -= unearned + contested
        write_off = unexplained = ZERO
        if unearned == contested == 0 and cash > 0:
            if rest <= min(self._limit(payment), owed * self.policy.small_differences.max_ratio):
                write_off = rest
            elif rest <= owed * self.policy.short_payment_ratio:
                unexplained = rest
        return Part(one, cash + discount + write_off, discount, write_off, unearned + contested + unexplained)
