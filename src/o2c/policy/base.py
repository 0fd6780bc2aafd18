"""What every policy is made of: strict frozen models, amounts as quoted text, thresholds per currency."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from o2c import money

LEVELS = (1, 2, 3, 4)
MESSAGE_LEVELS = (1, 2, 3)


class PolicyError(ValueError):
    """A policy file that cannot be used. The message names every fault in every file."""


class PolicyModel(BaseModel):
    """Frozen, and closed to keys it does not know: a typing error in a policy must not pass as a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class PolicyFile(PolicyModel):
    """The whole of one policy file, with the version of the set it was loaded with."""

    _policy_version: str = PrivateAttr(default="unversioned")

    @property
    def policy_version(self) -> str:
        """Version of the whole policy set, stamped on every decision; ``unversioned`` outside of a set."""
        return self._policy_version


def _amount_from_text(value: object) -> Decimal:
    if isinstance(value, Decimal) or not isinstance(value, str):
        raise ValueError('write an amount as quoted text, like "25.00"')
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no amount; write digits with a point, like 25.00") from None
    if not amount.is_finite() or amount < 0 or int(amount.as_tuple().exponent) < -4:
        raise ValueError(f"{value!r} is no amount; it is zero or more, with at most four decimals")
    return amount


def _number(value: object) -> object:
    """Plain numbers come from YAML as int or Decimal; true and text are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("write a plain number without quotes, like 0.25")
    return Decimal(value)


Amount = Annotated[Decimal, BeforeValidator(_amount_from_text)]
Number = Annotated[Decimal, BeforeValidator(_number)]
Fraction = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=1, decimal_places=6)]
Days = Annotated[int, Field(strict=True)]
PositiveDays = Annotated[int, Field(strict=True, ge=1, le=3660)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
# A bound given in Field() beside an alias that has the same bound is lost, so each range has its own name.
PositiveCount = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
ApprovalCount = Annotated[int, Field(strict=True, ge=0, le=2)]
Level = Annotated[int, Field(strict=True, ge=0, le=4)]
Code = Annotated[str, Field(pattern=r"\A[a-z][a-z0-9_]*\z")]
CountryCode = Annotated[str, Field(pattern=r"\A[A-Z]{2}\z")]
Text = Annotated[str, Field(min_length=1)]


def _currency(value: object) -> object:
    if value not in money.KNOWN:
        raise ValueError(f"{value!r} is no currency of ISO 4217")
    return value


CurrencyCode = Annotated[str, BeforeValidator(_currency)]


class CurrencyAmounts(PolicyModel):
    """An amount per currency, with one for the currencies that are not named."""

    default: Amount = Field(description="amount in each currency that by_currency does not name")
    by_currency: dict[CurrencyCode, Amount] = Field(default={}, description="amount in that currency")

    @model_validator(mode="after")
    def _on_the_minor_unit(self) -> "CurrencyAmounts":
        wrong = [
            f"{code} {value}"
            for code, value in self.by_currency.items()
            if money.rounded(value, code) != value
        ]
        if wrong:
            raise ValueError(f"finer than the currency's smallest unit: {', '.join(wrong)}")
        return self

    def amount_for(self, currency_code: str) -> Decimal:
        """The amount that holds in a currency."""
        return self.by_currency.get(currency_code, self.default)

    def amount_expression(self, currency_code: pl.Expr) -> pl.Expr:
        """The amount that holds in the currency of each row, as money."""
        expression = pl.lit(self.default, dtype=money.MONEY)
        for code, amount in sorted(self.by_currency.items()):
            expression = (
                pl.when(currency_code == code).then(pl.lit(amount, dtype=money.MONEY)).otherwise(expression)
            )
        return expression


class LegalValue(PolicyModel):
    """Where a value that law gave comes from, and until when it may be used without another look."""

    valid_from: date = Field(description="date from which the rule is in force")
    source: Text = Field(description="statute or paper that gave the value")
    reviewed_by: str | None = Field(default=None, description="who checked it; null until counsel has")
    reviewed_on: date | None = Field(default=None, description="when; null until counsel has")
    review_by: date = Field(description="last date on which the value may be used without a review")

    @model_validator(mode="after")
    def _in_order(self) -> "LegalValue":
        if self.reviewed_on is not None and self.review_by <= self.reviewed_on:
            raise ValueError("review_by must be later than reviewed_on")
        return self
