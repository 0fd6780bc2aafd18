"""The reference mix as a ``CashBook`` with its truth beside it."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from cash_book import AS_OF, CURRENCIES, ENTITIES, NAMED_IN, Ledger, Size, customer_id, make_ledger, money
from cash_draw import Draw, Drawn
from cash_texts import Facts, Writer

from o2c.demo.names import company_name
from o2c.frames import ApplicablePayments, RemittanceLines
from o2c.matching.book import CashBook


@dataclass(frozen=True)
class Mix:
    """A book and what is true of it.

    ``payments``: payment_id, shape, variant, truth (applied, on_account, suspense), customer_id (null: nobody knows).
    ``lines``: payment_id, invoice_id, settled_amount (by cash and credit memos; negative of a credit memo that is
    used) and the least and most that may be given up beside, as discount or write-off.
    """

    book: CashBook
    payments: pl.DataFrame
    lines: pl.DataFrame
    as_of: date = AS_OF


def make_mix(size: Size, seed: int) -> Mix:
    """The mix of a seed: the same for the same size and seed."""
    ledger = make_ledger(size, seed)
    drawn = Draw(ledger, size.payments, seed).all()
    rng = np.random.default_rng([seed, 3])
    ids = [f"P{number:07}" for number in rng.permutation(len(drawn.shape)).tolist()]
    payments, remittances = _payments(ledger, drawn, ids, seed)
    book = CashBook(
        items=ledger.items,
        payments=payments.sample(fraction=1, shuffle=True, seed=seed),
        remittance_lines=remittances,
        customers=ledger.customers,
        accounts=ledger.accounts,
    )
    return Mix(book, _truth(drawn, ids), _lines(ledger, drawn, ids))


def _payments(ledger: Ledger, drawn: Drawn, ids: list[str], seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """ApplicablePayments and RemittanceLines; a duplicate says, word for word, what the first one said."""
    writer, said = Writer(seed), _Said(ledger, seed)
    rows: list[tuple] = []
    lines: list[tuple] = []
    for place, (shape, variant) in enumerate(zip(drawn.shape, drawn.variant, strict=True)):
        entity, currency = ENTITIES[drawn.entity[place]], CURRENCIES[drawn.currency[place]]
        if shape == "duplicate":
            # name, account, method and text of the first, everything else its own
            who = rows[drawn.named[place][0]][4:]
        else:
            facts = said.facts(drawn, place)
            name, account = said.payer(writer, drawn, place)
            method = said.method(drawn.entity[place], variant)
            who = (name, account, method, writer.text(shape, variant, facts))
            if variant == "remittance":
                lines += said.remittance(writer, drawn, place, ids[place], who[3])
        rows.append((ids[place], entity, None, currency, *who))
    schema = ApplicablePayments.empty().schema
    words = ["payment_id", "entity_id", "customer_id", "currency_code", "payer_name", "payer_account"]
    words += ["payment_method", "reference_text"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(words, pl.String), orient="row").with_columns(
        units=pl.Series(drawn.units),
        value_date=pl.Series(np.array(drawn.value_date)).cast(pl.Date),
        reverses_payment_id=pl.lit(None, dtype=pl.String),
        is_held=pl.lit(False),
    )
    frame = frame.with_columns(payment_amount=money("units"), unapplied_amount=money("units"))
    schema_of_lines = RemittanceLines.empty().schema
    return frame.select(*schema), pl.DataFrame(lines, schema=schema_of_lines, orient="row")


class _Said:
    """What payers know of the ledger and what they add to it."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.ledger = ledger
        self.numbers = ledger.items["invoice_number"].to_list()
        self.orders = ledger.items["po_number"].to_list()
        self.rng = np.random.default_rng([seed, 4])
        count = len(ledger.names)
        strangers = pl.DataFrame(
            {"number": np.arange(count, count + 5_000), "country": [NAMED_IN[0], NAMED_IN[1]] * 2_500}
        )
        self.strangers = (
            strangers.select(company_name(pl.col("number"), pl.col("country"))).to_series().to_list()
        )

    def facts(self, drawn: Drawn, place: int) -> Facts:
        ledger, named = self.ledger, drawn.named[place]
        debits = [item for item in named if not ledger.is_credit[item]]
        owner = drawn.owner[place]
        like = named[0] if named else int(self.rng.integers(len(self.numbers)))
        whole = sum(int(ledger.open_units[item]) for item in named)
        return Facts(
            numbers=[self.numbers[item] for item in debits],
            credits=[self.numbers[item] for item in named if ledger.is_credit[item]],
            customer=customer_id(owner) if owner >= 0 else f"{self.rng.integers(10**5, 10**7)}",
            po=self.orders[like] if named else None,
            foreign_number=self.numbers[int(self.rng.integers(len(self.numbers)))],
            invoice_date=ledger.invoice_date[like].astype(object),
            value_date=drawn.value_date[place].astype(object),
            amount=self.amount(drawn.units[place]),
            deduction=self.amount(max(whole - drawn.units[place], 0)),
            entity=ENTITIES[drawn.entity[place]],
        )

    def amount(self, units: int) -> str:
        """As somebody types it: 1234.50, 1.234,50, 1,234.50."""
        plain = f"{units / 10_000:,.2f}"
        return (plain, plain.replace(",", ""), plain.translate(str.maketrans(",.", ".,")))[
            int(self.rng.integers(3))
        ]

    def payer(self, writer: Writer, drawn: Drawn, place: int) -> tuple[str | None, str | None]:
        """Name and account as the bank gives them: 15 % without account, a stranger's unknown."""
        owner = drawn.owner[place]
        if owner < 0:
            name = self.strangers[int(self.rng.integers(len(self.strangers)))]
            account = f"XX{self.rng.integers(10**12, 10**13)}"
        else:
            name, account = self.ledger.names[owner], self.ledger.bank_accounts[owner]
        return writer.payer_name(name), None if self.rng.random() < 0.15 else account

    def method(self, entity: int, variant: str) -> str:
        if variant == "bank_fee":
            return "wire"
        shares = {"ach": 0.5, "check": 0.3, "wire": 0.2} if entity == 1 else {"ach": 0.9, "wire": 0.1}
        return str(self.rng.choice(list(shares), p=list(shares.values())))

    def remittance(
        self, writer: Writer, drawn: Drawn, place: int, payment_id: str, text: str | None
    ) -> list[tuple]:
        """Lines of an advice: half name the payment by id, half by the reference that the bank text carries."""
        by_id = text is None or self.rng.random() < 0.5
        rows = []
        for number, (item, settled, _, _) in enumerate(drawn.lines[place], start=1):
            written = self.numbers[item]
            bent = self.rng.random()
            if bent < 0.15:
                written = writer.dropped(written)
            elif bent < 0.25:
                written = written.replace("-", "").replace("/", "").lower()
            amount = pl.Series([settled]).cast(pl.Decimal(18, 4)).item() / 10_000
            whose = (payment_id, None) if by_id else (None, text)
            rows.append((f"R{payment_id}", number, *whose, written, None, amount, None, None))
        return rows


def _truth(drawn: Drawn, ids: list[str]) -> pl.DataFrame:
    """Whose money each payment is and where it belongs."""
    ends = {"unknown_payer": "suspense", "already_paid": "on_account", "duplicate": "on_account"}
    return pl.DataFrame(
        {
            "payment_id": ids,
            "shape": drawn.shape,
            "variant": drawn.variant,
            "truth": [ends.get(shape, "applied") for shape in drawn.shape],
            "customer_id": [customer_id(owner) if owner >= 0 else None for owner in drawn.owner],
        }
    )


def _lines(ledger: Ledger, drawn: Drawn, ids: list[str]) -> pl.DataFrame:
    """What each payment truly settles."""
    flat = [(ids[place], *line) for place, lines in enumerate(drawn.lines) for line in lines]
    names = ["payment_id", "item", "settled", "least", "most"]
    frame = pl.DataFrame(flat, schema=names, orient="row")
    return frame.select(
        "payment_id",
        invoice_id=ledger.items["invoice_id"].gather(frame["item"]),
        settled_amount=money("settled"),
        least_given_amount=money("least"),
        most_given_amount=money("most"),
    )
