"""What is particular about a bank: counts it gets wrong, codes it uses, whose accounts are whose. Data, not code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from o2c.policy.plain_yaml import PlainLoader
from o2c.sources.bank.table_form import TableForm

Method = Literal["check", "ach", "wire", "card", "direct_debit", "cash", "other"]

CheckField = Literal[
    "amount", "payer_bank", "payer_account", "check_number", "check_date", "payer_name", "payee_name", "blank"
]
DocumentField = Literal[
    "invoice_reference",
    "paid_amount",
    "discount_amount",
    "deduction_amount",
    "gross_amount",
    "reason_code",
    "blank",
]


class BankProfile(BaseModel):
    """One bank's way of writing a format. Every key has a value that fits a bank that follows the standard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "standard"
    # Texts of which one stands in the first 64 kB of this bank's files: its BIC, our account, its sender id.
    recognised_by: tuple[Annotated[str, Field(min_length=4)], ...] = ()
    # Codes of issues (controls.py) that are only a warning for this bank, because it is known to get them wrong.
    warnings_only: tuple[str, ...] = ()
    # Tried in this order for formats that do not say their encoding.
    encodings: tuple[str, ...] = ("utf-8", "cp1252", "latin-1")
    # The bank's type code to the payment method of our contract.
    methods: dict[str, Method] = Field(default_factory=dict)
    # BAI2: codes of the bank's own (900 to 999) that are credits or debits against the standard's ranges.
    credit_codes: tuple[Annotated[str, Field(pattern=r"^[0-9]{3}$")], ...] = ()
    debit_codes: tuple[Annotated[str, Field(pattern=r"^[0-9]{3}$")], ...] = ()
    # Lockbox: fields and widths of a check record behind its item number, and of one document in an overflow
    # record behind its indicator, repeated to the record's end. Empty: the layouts that lockbox.py describes.
    lockbox_check: tuple[tuple[CheckField, Annotated[int, Field(gt=0)]], ...] = ()
    lockbox_document: tuple[tuple[DocumentField, Annotated[int, Field(gt=0)]], ...] = ()
    # Our account, as the statement has it without blanks, to the entity that owns it.
    entities: dict[str, str] = Field(default_factory=dict)
    # Currency of accounts whose statements do not say it.
    currency_code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    # The columns of its tables, for banks, processors and payers that deliver CSV or workbooks.
    table: TableForm | None = None


class BadProfile(ValueError):
    """A profile file that cannot be used; says all that is wrong with all of them."""


STANDARD = BankProfile()
PROFILES = Path(__file__).with_name("bank_profiles")


def load_profiles(*folders: Path) -> dict[str, BankProfile]:
    """Profiles by name, ours and then those of ``folders``; a later one replaces an earlier one of that name.

    Raises:
        BadProfile: a file is no YAML, has an unknown key or a value that does not fit, or names an unknown issue code.
    """
    found: dict[str, BankProfile] = {}
    faults: list[str] = []
    for folder in (PROFILES, *folders):
        for path in sorted(folder.glob("*.yml")):
            try:
                profile = load_profile(path)
            except BadProfile as error:
                faults.append(str(error))
                continue
            found[profile.name] = profile
    if faults:
        raise BadProfile("\n".join(faults))
    return found


def load_profile(path: Path) -> BankProfile:
    """The profile of one file, named like the file unless it has a name of its own.

    Raises:
        BadProfile: as ``load_profiles``, about this one.
    """
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=PlainLoader)  # noqa: S506 - a SafeLoader
        profile = BankProfile.model_validate({"name": path.stem} | (content or {}))
    except (yaml.YAMLError, ValidationError, TypeError, UnicodeDecodeError, OSError) as error:
        raise BadProfile(f"{path.name}: {error}") from error
    if faults := _unknown_codes(profile):
        raise BadProfile("\n".join(f"{path.name}: warnings_only: {fault}" for fault in faults))
    return profile


def choose(profiles: Mapping[str, BankProfile], head: bytes) -> BankProfile:
    """The profile one of whose texts stands in ``head``, the first 64 kB of a file; else the standard one.

    Of several the one with the longest such text: an account says more than the bank.
    """
    fitting = [
        (len(text), name)
        for name, profile in profiles.items()
        for text in profile.recognised_by
        if text.encode() in head
    ]
    return profiles[max(fitting)[1]] if fitting else STANDARD


def _unknown_codes(profile: BankProfile) -> list[str]:
    from o2c.sources.bank.controls import CODES

    return [f"{code!r} is no code of an issue" for code in profile.warnings_only if code not in CODES]
