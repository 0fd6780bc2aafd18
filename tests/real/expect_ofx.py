"""OFX against what a person reads in the same files (there is no expectation file for them)."""

from typing import Any

from bank_outcomes import DATA, Outcome, exceptions_of

from o2c.sources.bank import ofx
from o2c.sources.bank.errors import RejectedFile

FORMAT = "ofx"

# Per statement: account, currency, ledger balance, entries as day, amount, FITID, name.
READ: dict[str, list[tuple[str, str, str | None, list[tuple[str, str, str | None, str | None]]]]] = {
    "ofx/bankfile_corpus/banks/chase/blank-line-before-header-none-after.qfx": [
        ("0000123456", "USD", "90.00", [("2026-01-15", "-10.00", "T0001", "ANON MERCHANT")])
    ],
    "ofx/bankfile_corpus/banks/chase/non-ascii-byte-declared-usascii.qfx": [
        ("0000123456", "USD", "90.00", [("2026-01-15", "-10.00", "T0001", "ANON ¦ MERCHANT")])
    ],
    "ofx/bankfile_corpus/banks/wells-fargo/header-on-one-line.qfx": [
        ("0000123456", "USD", "90.00", [("2026-01-15", "-10.00", "T0001", "ANON MERCHANT")])
    ],
    "ofx/ofxparse/anzcc.ofx": [
        ("1234123412341234", "AUD", "-123.45", [("2017-05-08", "-5.50", "201705080001", None)])
    ],
    "ofx/ofxparse/bank_medium.ofx": [
        (
            "12300 000012345678",
            "CAD",
            "382.34",
            [
                ("2009-04-01", "-6.60", "0000123456782009040100001", "MCDONALD'S #112"),
                ("2009-04-02", "-316.67", "0000123456782009040200004", "Joe's Bald Hairstyles"),
                ("2009-04-03", "-22.00", "0000123456782009040300005", "CONNIE'S HAIR D"),
            ],
        )
    ],
    "ofx/ofxparse/checking.ofx": [
        (
            "1452687~7",
            "USD",
            "100.99",
            [
                ("2011-03-31", "0.01", "0000486", "DIVIDEND EARNED FOR PERIOD OF 03"),
                ("2011-04-05", "-34.51", "0000487", "AUTOMATIC WITHDRAWAL, ELECTRIC BILL"),
                ("2011-04-07", "-25.00", "0000488", "RETURNED CHECK FEE, CHECK # 319"),
            ],
        )
    ],
    "ofx/ofxparse/multiple_accounts.ofx": [("9100", "USD", "111", []), ("9200", "USD", "222", [])],
    "ofx/ofxparse/ofx-v102-empty-tags.ofx": [
        ("12345678", "AUD", None, [("2018-05-07", "12.34", None, None)])
    ],
    "ofx/ofxparse/suncorp.ofx": [
        ("123456789", "AUD", "1234.12", [("2013-12-15", "-16.85", "1", "EFTPOS WDL HANDYWAY ALDI STORE")])
    ],
    "ofx/tryton/OFX.txt": [
        ("01234567890", "EUR", "500.00", [("2018-02-21", "100.00", "0001", "MICHAEL SCOTT PAPER COMPANY")])
    ],
    "bank_csv/csv2ofx/converted/stripe-default.ofx": [
        (
            "ce7566d1d08cc094b74cf283cf9c56a5",
            "CAD",
            None,
            [
                ("2021-02-03", "25.00", "ch_1IGl9SBI9JK85yVZtjcU9OLJ", None),
                ("2021-02-03", "27.50", "ch_1IGfFFBI9JK85yVZn6NXQs03", None),
                ("2021-02-02", "25.00", "ch_1IGYhLBI9JK85yVZPHrxqN27", None),
                ("2021-02-02", "25.00", "ch_1IGYBPBI9JK85yVZ0OID8QTG", None),
                ("2021-03-16", "10.00", "ch_1IVbR2BI9JK85yVZUofVdX4R", "Big Customer"),
            ],
        )
    ],
}
# Broken on purpose, and what is wrong with them.
REFUSED = {
    "ofx/ofxparse/fail_nice/decimal_error.ofx": "'$120' is not an amount",
    "ofx/ofxparse/bank_small.ofx": "no bank or card statement in it",
}
FILES = sorted([*READ, *REFUSED])


def check(file: str) -> Outcome:
    """Read the file and compare it, or its refusal."""
    outcome = Outcome()
    try:
        found = ofx.read((DATA / file).read_bytes(), file)
    except RejectedFile as error:
        outcome.is_refused = True
        outcome.compare("refusal", error.reason, REFUSED.get(file))
        return outcome
    outcome.exceptions = exceptions_of(found)
    read: list[Any] = []
    for one in found.statements:
        entries = []
        for entry in one.entries:
            (detail,) = entry.details
            name = detail.payer_name or detail.payee_name
            entries.append((str(entry.booking_date), str(entry.amount), entry.bank_reference, name))
        read.append(
            (one.account, one.currency_code, str(one.closing.amount) if one.closing else None, entries)
        )
    outcome.compare("statements", read, READ.get(file, "a refusal"))
    outcome.compare("exceptions", outcome.exceptions, [])
    return outcome
