"""What payers write and banks pass on: SEPA texts in capitals, wire OBI, ACH addenda, stubs, with all their noise.

Texts are written from what people do, not from what a matcher likes: numbers stand bare, in sentences, glued to words,
without their prefix or zeros, with one character wrong; beside them stand dates, phone numbers, the payer's own
document numbers, purchase orders, amounts and now and then somebody else's invoice number.
"""

import random
import re
from dataclasses import dataclass
from datetime import date

SEPA_LENGTH = 140
_DIGITS = re.compile(r"\d+")
_PLAIN = re.compile(r"[^0-9A-Za-z]")


@dataclass(frozen=True)
class Facts:
    """What the payer has in front of it."""

    numbers: list[str]
    credits: list[str]
    customer: str
    po: str | None
    foreign_number: str
    invoice_date: date
    value_date: date
    amount: str
    deduction: str
    entity: str


_ONE = (
    *("{n}",) * 9,
    "INVOICE {n}",
    "Invoice {n}",
    "INV {n}",
    "INV# {n}",
    "INV NO. {n} DTD {d}",
    "INVOICE NUMBER: {n}",
    "PAYMENT FOR INVOICE {n}",
    "PYMT INV {n} PO {po}",
    "{n} {d}",
    "{n} / {c}",
    "{c} {n}",
    "RE {n}",
    "RE.NR. {n} VOM {d}",
    "RECHNUNG {n}",
    "RECHNUNG NR. {n} KD-NR {c}",
    "RG {n} VOM {d} EUR {a}",
    "RNR {n}, KUNDE {c}, DANKE",
    "Rechnungsnr {n} v. {d}, Bestellung {po}",
    "EREF+{doc} SVWZ+{n}",
    "EREF+NOTPROVIDED SVWZ+RECHNUNG {n} DATUM {d}",
    "SVWZ+RG-NR {n} BELEG {doc}",
    "FACTURE {n} DU {d}",
    "FATTURA {n} DEL {d}",
    "/INV/{n}",
    "/ROC/{doc}///URI/{n}",
    "OBI:INV {n} REF {doc}",
    "ORIG:{c} OBI:PAYMENT INVOICE {n} TEL {p}",
    "RMR*IV*{n}**{a}",
    "REF*IV*{n} TRN*1*{doc}",
    "CHK {doc} INV {n}",
    "LOCKBOX 4512 CK {doc} STUB {n} {a}",
    "BNF INFO {n} {d} CALL {p}",
    "ACCT {c} INVOICE {n} AMT {a}",
    "AUFTRAG {po} RECHNUNG {n}",
    "{doc} {n}",
    "{po} {n}",
)
_MANY = (
    "{n}",
    "INV {n}",
    "INVOICES {n}",
    "PAYMENT FOR INVOICES {n}",
    "RECHNUNGEN {n}",
    "RE {n} VOM {d}",
    "SVWZ+{n}",
    "KD {c} RG-NR {n}",
    "OBI:INVS {n} REF {doc}",
    "{n} TOTAL {a}",
    "FACTURES {n}",
    "{doc} {n}",
    "/INV/{n}",
)
_SILENT = (
    "",
    "",
    "PAYMENT",
    "ACCOUNT PAYMENT {c}",
    "MONTHLY PAYMENT {m}",
    "ZAHLUNG {m}",
    "A CONTO",
    "AKONTO {c}",
    "PAYMENT RUN {d} DOC {doc}",
    "LT. AUFSTELLUNG VOM {d}",
    "AS PER STATEMENT {d}",
    "OFFENE POSTEN PER {d}",
    "EREF+{doc}",
    "VIELEN DANK",
    "THANK YOU",
    "TRANSFER {doc}",
    "CUST {c} STATEMENT {m}",
    "CALL {p} FOR DETAILS",
    "VENDOR PAYMENT {doc} {d}",
    "EFT {doc}",
    "SUPPLIER {doc} {a}",
)
_STRANGE = (
    "INVOICE {x}",
    "RECHNUNG {x}",
    "REFUND {doc}",
    "MIETE {m}",
    "RENT {m}",
    "DONATION",
    "ORDER {x} {d}",
    "SPENDE",
    "{x}",
    "TEL {p}",
    "SALARY {m}",
    "POLICY {doc} CLAIM {x}",
    "KASSENZEICHEN {doc}",
)
_AVIS = (
    "AVIS {doc}",
    "REMITTANCE {doc} BY MAIL",
    "ZAHLUNGSAVIS {doc}",
    "ADVICE NO {doc}",
    "SEE EDI 820 {doc}",
)
_BETWEEN = (", ", " ", " / ", "; ", "+", " AND ", " UND ", ",", "  ")
_LESS = (
    "LESS CREDIT {k}",
    "ABZGL. GUTSCHRIFT {k}",
    "- {k}",
    "MINUS CM {k}",
    "CN {k}",
    "LESS CREDIT",
    "ABZGL GUTSCHRIFT",
)
_DATES = (
    "%d.%m.%Y",
    "%d.%m.%y",
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%Y%m%d",
    "%d%m%y",
    "%d-%b-%Y",
    "%d/%m/%Y",
)
_SHORT_OF = (
    "LESS {z}",
    "ABZUG {z} MAENGEL",
    "SHORT DELIVERY -{z}",
    "DEDUCTION {z} PRICE",
    "",
    "",
    "KUERZUNG {z}",
    "PARTIAL",
)
_DISCOUNT = ("", "", "2PCT DISC", "ABZGL SKONTO", "LESS DISCOUNT {z}", "SKONTO {z}", "NET OF DISCOUNT")


class Writer:
    """Texts of one seed, in the order in which they are asked for."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"{seed}|texts")  # noqa: S311 (made-up books need no secrecy)

    def text(self, shape: str, variant: str, facts: Facts) -> str | None:
        """The reference text as it arrives with the bank entry, null where nothing came with it."""
        pick = self.random.choice
        if shape == "unknown_payer":
            said = self.fill(pick(_STRANGE if self.random.random() < 0.6 else _SILENT), "", facts)
        elif not facts.numbers:
            said = self.fill(pick(_SILENT), "", facts)
        elif variant == "remittance":
            said = self.fill(pick(_AVIS), "", facts)
        elif variant == "creditor_reference":
            said = self.creditor_reference(facts)
        elif len(facts.numbers) > 1 or shape == "credit_netted":
            said = self.many(variant, facts)
        else:
            number = (
                facts.numbers[0] if shape != "bent_reference" else self.bent(variant, facts.numbers[0], facts)
            )
            said = self.fill(pick(_ONE), number, facts)
            if variant in ("deduction", "part"):
                said = f"{said} {self.fill(pick(_SHORT_OF), '', facts)}"
            elif "discount" in variant or variant == "grace":
                said = f"{said} {self.fill(pick(_DISCOUNT), '', facts)}"
        if self.random.random() < 0.02:
            said = f"{said} {facts.foreign_number}"
        return self.through_the_bank(said, facts)

    def fill(self, form: str, number: str, facts: Facts) -> str:
        """A sentence with its places filled."""
        draw = self.random
        known = {"n": number, "c": facts.customer, "a": facts.amount, "z": facts.deduction, "k": ""}
        known["d"] = (facts.invoice_date if number else facts.value_date).strftime(draw.choice(_DATES))
        known["po"] = facts.po or f"{draw.randrange(10**6)}"
        known["doc"] = draw.choice(("", "19", "20", "51", "1500")) + f"{draw.randrange(10**6, 10**8)}"
        known["m"] = draw.choice(("SEPTEMBER 2026", "09/2026", "SEP 26", "2026-09", "AUG/SEPT"))
        known["p"] = (
            f"+4930{draw.randrange(23125000, 23126000)}"
            if draw.random() < 0.5
            else f"212-555-01{draw.randrange(100):02}"
        )
        known["x"] = draw.choice(("{}", "{}-26", "INV-{}", "RE/26/{}", "A{}", "2026{}", "F-{}")).format(
            draw.randrange(100, 10**8)
        )
        return form.format(**known)

    def many(self, variant: str, facts: Facts) -> str:
        """Several numbers: in full, or after the first only what differs; a run as from-to; less a credit memo."""
        draw, numbers = self.random, facts.numbers
        if variant == "range":
            first, last = numbers[0], numbers[-1]
            tail = last if draw.random() < 0.4 else max(_DIGITS.findall(last), key=len)
            listed = f"{first}{draw.choice(('-', ' - ', ' TO ', ' BIS ', '..', ' THRU '))}{tail}"
        else:
            style = draw.random()
            if style < 0.12:
                numbers = [number.replace("-", "").replace("/", "") for number in numbers]
            elif style < 0.22:
                numbers = [numbers[0], *(self.dropped(number) for number in numbers[1:])]
            listed = draw.choice(_BETWEEN).join(numbers)
        said = self.fill(draw.choice(_MANY), listed, facts)
        for credit in facts.credits:
            less = draw.choice(_LESS)
            said = f"{said} {less.format(k=credit)}"
        return said

    def bent(self, variant: str, number: str, facts: Facts) -> str:
        """The number as people spoil it."""
        draw = self.random
        if variant == "embedded":
            bare = _PLAIN.sub("", number)
            day = facts.invoice_date.strftime("%d%m")
            forms = (
                "RNR{b}",
                "INV{n}",
                "RE{b}",
                "{b}VOM{d}",
                "KD4711RG{b}",
                "#{n}",
                "INVNO{n}DTD{d}",
                "NR.{n}",
                "{n}/0001",
                "X{b}A",
            )
            return draw.choice(forms).format(b=bare, n=number, d=day)
        if variant == "prefix_dropped":
            return self.dropped(number)
        if variant == "zeros_lost":
            stripped = _DIGITS.sub(lambda run: run.group().lstrip("0") or "0", number)
            return stripped if stripped != number else self.dropped(number).lstrip("0")
        return self.typo(number)

    def dropped(self, number: str) -> str:
        """Without the letters, the year or the leading nine that all numbers share."""
        runs = _DIGITS.findall(number)
        if len(runs) > 1 and self.random.random() < 0.5:
            return max(runs, key=len)
        if len(runs) == 1 and number == runs[0]:
            return number[1:] if number[0] == "9" else number
        return re.sub(r"^[A-Za-z/\-]+", "", number)

    def typo(self, number: str) -> str:
        """One character wrong: another digit, two swapped, one missing, one twice, O for 0."""
        draw = self.random
        places = [place for place, char in enumerate(number) if char.isdigit()]
        place = draw.choice(places)
        kind = draw.choice(("other", "other", "swapped", "missing", "twice", "letter"))
        if kind == "swapped" and place + 1 < len(number) and number[place] != number[place + 1]:
            return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        if kind == "missing":
            return number[:place] + number[place + 1 :]
        if kind == "twice":
            return number[:place] + number[place] + number[place:]
        if kind == "letter" and "0" in number:
            place = draw.choice([at for at, char in enumerate(number) if char == "0"])
            return f"{number[:place]}O{number[place + 1 :]}"
        other = draw.choice([digit for digit in "0123456789" if digit != number[place]])
        return number[:place] + other + number[place + 1 :]

    def creditor_reference(self, facts: Facts) -> str:
        """A Swiss QR reference over customer and number, elsewhere an RF reference of ISO 11649 over the number."""
        if facts.entity == "CH01":
            digits = facts.customer[1:] + "".join(_DIGITS.findall(facts.numbers[0])).zfill(20)
            carry = 0
            for digit in digits:
                carry = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)[(carry + int(digit)) % 10]
            full = f"{digits}{(10 - carry) % 10}"
            return (
                full
                if self.random.random() < 0.6
                else f"{full[:2]} " + " ".join(full[at : at + 5] for at in range(2, 27, 5))
            )
        bare = _PLAIN.sub("", facts.numbers[0]).upper()
        value = int("".join(str(int(char, 36)) for char in f"{bare}RF00"))
        full = f"RF{98 - value % 97:02}{bare}"
        return (
            full
            if self.random.random() < 0.6
            else " ".join(full[at : at + 4] for at in range(0, len(full), 4))
        )

    def through_the_bank(self, said: str, facts: Facts) -> str | None:
        """Capitals, lines of 27 or 35 characters joined by a blank, and the end of a long text cut off."""
        draw = self.random
        said = said.strip()
        if draw.random() < 0.7:
            said = said.upper()
        if draw.random() < 0.03:
            width = draw.choice((27, 35))
            said = " ".join(said[at : at + width] for at in range(0, len(said), width))
        return said[:SEPA_LENGTH] or None

    def payer_name(self, name: str) -> str | None:
        """How the bank writes the payer: mostly in capitals, one in ten mangled."""
        draw = self.random
        if draw.random() < 0.1:
            name = draw.choice(
                (
                    self._cut,
                    self._misspelt,
                    self._without_form,
                    self._turned,
                    self._with_place,
                    self._squeezed,
                )
            )(name)
        elif draw.random() < 0.15:
            name = f"{name}." if name.endswith(("Inc", "Co", "Corp", "Ltd")) else name
        return name.upper() if draw.random() < 0.6 else name

    def _cut(self, name: str) -> str:
        return name[: self.random.choice((12, 16, 20))].rstrip()

    def _misspelt(self, name: str) -> str:
        place = self.random.randrange(1, len(name) - 3)
        return name[:place] + self.random.choice(("", name[place] * 2, "e", "n")) + name[place + 1 :]

    def _without_form(self, name: str) -> str:
        return name.rsplit(" ", 1)[0]

    def _turned(self, name: str) -> str:
        words = name.split()
        return " ".join([*words[1:], words[0]])

    def _with_place(self, name: str) -> str:
        return f"{name}, {self.random.choice(('HAUPTSTR. 5, BERLIN', '12 MAIN ST', 'ZENTRALE', 'ACCOUNTS PAYABLE'))}"

    def _squeezed(self, name: str) -> str:
        return (
            name.replace(" ", "") if self.random.random() < 0.5 else re.sub(r"(?<=\w)[aeiou](?=\w)", "", name)
        )
