"""What is particular about a bank: counts it gets wrong, codes it uses, whose accounts are whose. Data, not code."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Method = Literal["check", "ach", "wire", "card", "direct_debit", "cash", "other"]


class BankProfile(BaseModel):
    """One bank's way of writing a format. Every key has a value that fits a bank that follows the standard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "standard"
    # Codes of issues (controls.py) that are only a warning for this bank, because it is known to get them wrong.
    warnings_only: tuple[str, ...] = ()
    # Tried in this order for formats that do not say their encoding.
    encodings: tuple[str, ...] = ("utf-8", "cp1252", "latin-1")
    # The bank's type code to the payment method of our contract.
    methods: dict[str, Method] = Field(default_factory=dict)
    # Our account (verbatim or IBAN) to the entity that owns it.
    entities: dict[str, str] = Field(default_factory=dict)
    # Currency of accounts whose statements do not say it.
    currency_code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


STANDARD = BankProfile()
PROFILES = Path(__file__).with_name("bank_profiles")
