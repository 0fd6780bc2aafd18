"""Who pays what on this morning: payments in the reference mix with the documents they truly settle.

Every open document is paid by at most one payment, so that the truth of one never hangs on another. Sums over all
that is due, and oldest first, are drawn before anything else: what the other payments of that account settle is not
among them, so they hold whichever payment is looked at first.
"""

from dataclasses import dataclass, field

import numpy as np
from cash_book import TODAY, UNIT, Ledger

# Shares of PERFORMANCE.md; variants in parts of their shape.
SHAPES: dict[str, tuple[float, dict[str, float]]] = {
    "one_reference": (0.50, {"plain": 0.99, "creditor_reference": 0.01}),
    "bent_reference": (0.14, {"embedded": 0.3, "prefix_dropped": 0.25, "zeros_lost": 0.2, "typo": 0.25}),
    "several_references": (0.10, {"list": 0.87, "range": 0.03, "remittance": 0.10}),
    "lump_sum": (0.08, {"some": 1 / 3, "all_due": 1 / 3, "oldest_first": 1 / 3}),
    "discount_or_short": (
        0.06,
        {"discount": 0.45, "grace": 0.07, "late_discount": 0.08, "cents": 0.1, "bank_fee": 0.1}
        | {"deduction": 0.15, "part": 0.05},
    ),
    "over": (0.03, {"rounded_up": 0.4, "too_much": 0.4, "twice_at_once": 0.2}),
    "unknown_payer": (0.03, {"": 1.0}),
    "already_paid": (0.02, {"": 1.0}),
    "other_customer": (0.01, {"parent": 0.5, "mistake": 0.5}),
    "duplicate": (0.01, {"": 1.0}),
    "credit_netted": (0.02, {"list": 0.9, "remittance": 0.1}),
}


@dataclass
class Drawn:
    """Payments with what they settle, as arrays. ``owner`` is whose money it is, -1 where nobody can know."""

    shape: list[str] = field(default_factory=list)
    variant: list[str] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    entity: list[int] = field(default_factory=list)
    currency: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    value_date: list[np.datetime64] = field(default_factory=list)
    named: list[list[int]] = field(default_factory=list)
    lines: list[list[tuple[int, int, int, int]]] = field(default_factory=list)

    def add(self, shape, variant, owner, place, units, day, named, lines) -> None:
        """One payment. ``place`` is entity and currency, ``lines`` are item, settled, least and most given up."""
        self.shape.append(shape)
        self.variant.append(variant)
        self.owner.append(int(owner))
        self.entity.append(int(place[0]))
        self.currency.append(int(place[1]))
        self.units.append(int(units))
        self.value_date.append(day)
        self.named.append([int(one) for one in named])
        self.lines.append([tuple(int(part) for part in line) for line in lines])


class Draw:
    """One drawing of all payments."""

    def __init__(self, ledger: Ledger, payments: int, seed: int) -> None:
        self.ledger, self.rng, self.drawn = ledger, np.random.default_rng([seed, 2]), Drawn()
        self.used = ledger.open_units <= 0
        order = np.lexsort((self.rng.random(len(self.used)), ledger.account))
        self.pool = order
        self.counts = {
            (shape, variant): round(payments * share * part)
            for shape, (share, variants) in SHAPES.items()
            for variant, part in variants.items()
        }

    def all(self) -> Drawn:
        """Everything, the shapes that need whole accounts first."""
        self.all_due(self.counts["lump_sum", "all_due"])
        self.oldest_first(self.counts["lump_sum", "oldest_first"])
        self.ranges(self.counts["several_references", "range"])
        self.credits()
        self.discounts()
        self.others_pay()
        for shape, variant, low, high in (
            ("several_references", "list", 2, 8),
            ("several_references", "remittance", 2, 12),
            ("lump_sum", "some", 2, 6),
        ):
            self.groups(shape, variant, low, high)
        self.short_and_over()
        for shape in ("one_reference", "bent_reference"):
            for variant in SHAPES[shape][1]:
                for items in self.take(np.ones(self.counts[shape, variant], dtype=int), ~self.used):
                    self.pay(shape, variant, items)
        self.already_paid()
        self.unknown()
        self.duplicates()
        return self.drawn

    # ── taking documents ─────────────────────────────────────────────────────────────────────────────

    def take(self, sizes: np.ndarray, eligible: np.ndarray) -> list[np.ndarray]:
        """Documents of one account for each payment, never twice; accounts as often as they have documents."""
        account, taken, pending = self.ledger.account, [], sizes
        for _ in range(20):
            free = self.pool[eligible[self.pool] & ~self.used[self.pool]]
            if not len(pending) or not len(free):
                break
            _, starts, place, owned = np.unique(
                account[free], return_index=True, return_inverse=True, return_counts=True
            )
            chosen = place[self.rng.integers(len(free), size=len(pending))]
            order = np.argsort(chosen, kind="stable")
            chosen, wanted = chosen[order], pending[order]
            total = np.cumsum(wanted)
            first = np.searchsorted(chosen, chosen)
            until = total - (total[first] - wanted[first])
            fits = until <= owned[chosen]
            begins, wanted_now = (starts[chosen] + until - wanted)[fits].tolist(), wanted[fits].tolist()
            for begin, size in zip(begins, wanted_now, strict=True):
                taken.append(free[begin : begin + size])
                self.used[taken[-1]] = True
            pending = wanted[~fits]
        return taken

    def day(self, items: np.ndarray) -> np.datetime64:
        """Around the due date, after the invoice, not after today."""
        ledger = self.ledger
        usual = ledger.due_date[items].max() + int(self.rng.normal(3, 12))
        return min(max(usual, ledger.invoice_date[items].max() + 1), TODAY)

    def pay(
        self, shape, variant, items, *, owner=None, day=None, units=None, given=(0, 0), named=None
    ) -> None:
        """A payment of these documents in full, or of less or more where ``units`` says so."""
        ledger = self.ledger
        opened = ledger.open_units[items]
        units = int(opened.sum()) if units is None else units
        settled = [min(units, int(opened[0]))] if len(items) == 1 else opened.tolist()
        self.drawn.add(
            shape,
            variant,
            ledger.customer[items[0]] if owner is None else owner,
            (ledger.entity[items[0]], ledger.currency[items[0]]),
            units,
            self.day(items) if day is None else day,
            items if named is None else named,
            [(item, part, *given) for item, part in zip(items, settled, strict=True)],
        )

    # ── shapes ───────────────────────────────────────────────────────────────────────────────────────

    def accounts(self, eligible: np.ndarray) -> list[np.ndarray]:
        """The eligible documents of every account, in the order of due date, invoice date and number."""
        ledger, places = self.ledger, np.flatnonzero(eligible)
        order = places[
            np.lexsort((places, ledger.invoice_date[places], ledger.due_date[places], ledger.account[places]))
        ]
        groups = np.split(order, np.flatnonzero(np.diff(ledger.account[order])) + 1)
        return [groups[place] for place in self.rng.permutation(len(groups))]

    def all_due(self, count: int) -> None:
        """All that is due by some day near the payment: the day itself, a few days on, or the end of a month."""
        ledger = self.ledger
        for items in self.accounts(~self.used):
            if not count:
                return
            day = TODAY - int(self.rng.integers(0, 25))
            month_end = day.astype("datetime64[M]").astype("datetime64[D]") - 1
            cut = (day, day + 5, month_end)[int(self.rng.choice(3, p=[0.6, 0.2, 0.2]))]
            due = items[(ledger.due_date[items] <= cut) & (ledger.invoice_date[items] <= day)]
            if 2 <= len(due) <= 120:
                self.used[due] = True
                self.pay("lump_sum", "all_due", due, day=day, named=[])
                count -= 1

    def oldest_first(self, count: int) -> None:
        """The two to twelve oldest documents of an account that has more."""
        touched = np.isin(self.ledger.account, self.ledger.account[self.used & (self.ledger.open_units > 0)])
        for items in self.accounts(~self.used & ~touched):
            if not count:
                return
            if len(items) > 3:
                oldest = items[: int(self.rng.integers(2, min(13, len(items))))]
                self.used[oldest] = True
                self.pay("lump_sum", "oldest_first", oldest, named=[])
                count -= 1

    def ranges(self, count: int) -> None:
        """Documents of one account with numbers in a row."""
        ledger, order = self.ledger, self.ledger.numbering
        same = (ledger.account[order][1:] == ledger.account[order][:-1]) & (
            np.abs(np.diff(ledger.invoice_date[order]).astype(int)) < 1
        )
        edges = np.flatnonzero(np.diff(np.concatenate([[0], same.astype(int), [0]])))
        for begin, end in self.rng.permutation(edges.reshape(-1, 2)):
            items = order[begin : end + 1][:8]
            if count and len(items) >= 3 and not self.used[items].any():
                self.used[items] = True
                self.pay("several_references", "range", items)
                count -= 1

    def credits(self) -> None:
        """One to three invoices less one open credit memo of the account."""
        ledger = self.ledger
        memos: dict[int, list[int]] = {}
        for memo in self.rng.permutation(np.flatnonzero(ledger.is_credit & (ledger.open_units < 0))).tolist():
            memos.setdefault(int(ledger.account[memo]), []).append(memo)
        wanted = [v for v in ("list", "remittance") for _ in range(self.counts["credit_netted", v])]
        wanted = self.rng.permutation(wanted).tolist()
        for free in self.accounts(np.isin(ledger.account, list(memos)) & ~self.used):
            free = self.rng.permutation(free)
            for memo in memos[int(ledger.account[free[0]])]:
                items, free = np.split(free, [int(self.rng.integers(1, 4))])
                if wanted and len(items) and ledger.open_units[items].sum() + ledger.open_units[memo] > 0:
                    self.used[items] = True
                    items = np.append(items, memo)
                    self.pay("credit_netted", wanted.pop(), items)

    def discounts(self) -> None:
        """Discount taken in time, within days of grace, or much too late."""
        ledger = self.ledger
        offers = (
            (ledger.discount_ratio > 0)
            & (ledger.discount_due <= TODAY)
            & (ledger.open_units == ledger.invoice_units)
        )
        for variant, first, last in (("discount", -6, 0), ("grace", 1, 3), ("late_discount", 6, 20)):
            ones = np.ones(self.counts["discount_or_short", variant], dtype=int)
            for items in self.take(ones, offers):
                item = items[0]
                scale = UNIT if ledger.currency[item] == 4 else UNIT // 100
                off = round(float(ledger.open_units[item] * ledger.discount_ratio[item] / scale)) * scale
                day = ledger.discount_due[item] + int(self.rng.integers(first, last + 1))
                day = min(max(day, ledger.invoice_date[item]), TODAY)
                if (variant == "late_discount" and day <= ledger.discount_due[item] + 3) or off == 0:
                    self.used[items] = False
                    continue
                given = (0, 0) if variant == "late_discount" else (off, off)
                self.pay(
                    "discount_or_short",
                    variant,
                    items,
                    day=day,
                    units=int(ledger.open_units[item]) - off,
                    given=given,
                )

    def others_pay(self) -> None:
        """A parent pays for its child; or a customer names a neighbour's invoice and pays its own."""
        ledger = self.ledger
        ones = np.ones(self.counts["other_customer", "parent"], dtype=int)
        for items in self.take(ones, ledger.parent[ledger.customer] >= 0):
            self.pay("other_customer", "parent", items, owner=ledger.parent[ledger.customer[items[0]]])
        order = ledger.numbering
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        ones = np.ones(self.counts["other_customer", "mistake"], dtype=int)
        for items in self.take(ones, ~self.used):
            around = order[max(place[items[0]] - 9, 0) : place[items[0]] + 10]
            others = around[
                (ledger.customer[around] != ledger.customer[items[0]])
                & (ledger.account[around] % 25 == ledger.account[items[0]] % 25)
            ]
            if len(others):
                self.pay("other_customer", "mistake", items, named=[self.rng.choice(others)])
            else:
                self.used[items] = False

    def groups(self, shape: str, variant: str, low: int, high: int) -> None:
        """Several documents of an account, any of them; few more often than many."""
        few = np.minimum(self.rng.geometric(0.4, self.counts[shape, variant]) + low - 1, high)
        evenly = self.rng.integers(low, high + 1, len(few))
        for items in self.take(evenly if variant == "some" else few, ~self.used):
            self.pay(shape, variant, items, named=[] if variant == "some" else items)

    def short_and_over(self) -> None:
        """Too little, by cents, a bank's fee, a deduction or a part; or too much."""
        for shape, variant in self.counts:
            if variant not in (
                "cents",
                "bank_fee",
                "deduction",
                "part",
                "rounded_up",
                "too_much",
                "twice_at_once",
            ):
                continue
            ones = np.ones(self.counts[shape, variant], dtype=int)
            # What is withheld is more than anybody writes off, or nobody could tell it from a bank's fee.
            least = 600 if variant in ("deduction", "part") else 30
            large = self.ledger.open_units >= np.where(self.ledger.currency == 4, 100, 1) * least * UNIT
            for items in self.take(ones, large):
                whole = int(self.ledger.open_units[items[0]])
                cent = UNIT if self.ledger.currency[items[0]] == 4 else UNIT // 100
                units = self._units(variant, whole, cent)
                most = whole - units if variant in ("cents", "bank_fee") else 0
                self.pay(shape, variant, items, units=units, given=(0, most))

    def _units(self, variant: str, whole: int, cent: int) -> int:
        draw = self.rng.uniform
        if variant in ("cents", "bank_fee"):
            low, high = (1, 99) if variant == "cents" else (500, 2_500)
            return max(whole - int(draw(low, high)) * cent, cent)
        ratio = {
            "deduction": draw(0.81, 0.94),
            "part": draw(0.2, 0.75),
            "too_much": draw(1.01, 1.4),
            "twice_at_once": 2.0,
        }.get(variant)
        if ratio is None:
            step = 1000 * cent
            return (whole // step + 1) * step
        return round(whole * ratio / cent) * cent

    def already_paid(self) -> None:
        """A document that was settled before is paid again."""
        ledger, count = self.ledger, self.counts["already_paid", ""]
        settled = np.flatnonzero((ledger.open_units == 0) & (ledger.invoice_units > 0))
        for item in self.rng.choice(settled, count, replace=False):
            place = (ledger.entity[item], ledger.currency[item])
            day = TODAY - int(self.rng.integers(0, 20))
            self.drawn.add(
                "already_paid", "", ledger.customer[item], place, ledger.invoice_units[item], day, [item], []
            )

    def unknown(self) -> None:
        """Money of somebody who is no customer, now and then in the amount of a price."""
        ledger = self.ledger
        for _ in range(self.counts["unknown_payer", ""]):
            like = int(self.rng.integers(len(ledger.entity)))
            place = (ledger.entity[like], ledger.currency[like])
            units = int(self.rng.lognormal(6.0, 1.4) * 100 + 100) * (UNIT if place[1] == 4 else UNIT // 100)
            if self.rng.random() < 0.3:
                units = (
                    int(self.rng.choice(ledger.prices)) * (100 if place[1] == 4 else 1) // UNIT * UNIT or UNIT
                )
            self.drawn.add(
                "unknown_payer", "", -1, place, units, TODAY - int(self.rng.integers(0, 20)), [], []
            )

    def duplicates(self) -> None:
        """A payment that comes again some days later, word for word (its ``named`` is the first one's place)."""
        drawn = self.drawn
        first = [
            n
            for n, shape in enumerate(drawn.shape)
            if shape == "one_reference" and drawn.value_date[n] < TODAY
        ]
        for n in self.rng.choice(first, min(self.counts["duplicate", ""], len(first)), replace=False):
            later = min(drawn.value_date[n] + int(self.rng.integers(1, 6)), TODAY)
            place = (drawn.entity[n], drawn.currency[n])
            drawn.add("duplicate", "", drawn.owner[n], place, drawn.units[n], later, [n], [])
