"""Which payment settles which item: evidence and what it is worth, tolerances, limits (policies/matching.yml)."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from o2c.policy.base import (
    Code,
    Count,
    CurrencyAmounts,
    Fraction,
    Number,
    PolicyFile,
    PolicyModel,
    PositiveCount,
    PositiveDays,
    Text,
)

# What a payment says it is for. The order is that of trust: where two rules find one invoice, the earlier is named.
REFERENCE_RULES = (
    "remittance_line",
    "creditor_reference",
    "invoice_id",
    "invoice_number",
    "embedded_number",
    "number_range",
    "digits",
    "order_number",
    "typo",
)
PAYER_RULES = ("source_customer", "remembered_account", "payer_account", "payer_name", "similar_name")
# How a payment without a usable reference may be the sum of its customer's open items.
SUM_RULES = ("whole_balance", "single_amount", "all_due", "oldest_first", "statement", "order", "subset_sum")
# Beyond 20 items one amount in twenty and more is a sum by accident.
FewItems = Annotated[int, Field(strict=True, ge=1, le=20)]
# Lists of reason codes that are shipped, and those in which a code is looked up that does not say its list.
CODE_LISTS = ("x12_426", "iso_20022", "edifact_4465")
DEFAULT_LISTS = ("x12_426", "iso_20022")
AMOUNT_SHAPES = (
    "exact",
    "discount",
    "late_discount",
    "told_short",
    "small_difference",
    "short",
    "over",
    "partial",
)


class Strengths(PolicyModel):
    """What each kind of evidence is worth alone, 0 to 1. A score is 1 - product of (1 - strength) over the kinds."""

    references: dict[Text, Fraction] = Field(description=f"by rule: {', '.join(REFERENCE_RULES)}")
    payers: dict[Text, Fraction] = Field(description=f"by rule: {', '.join(PAYER_RULES)}")
    amounts: dict[Text, Fraction] = Field(description=f"by shape: {', '.join(AMOUNT_SHAPES)}")
    sums: dict[Text, Fraction] = Field(description=f"by rule: {', '.join(SUM_RULES)}")

    @model_validator(mode="after")
    def _each_has_one(self) -> "Strengths":
        faults = []
        for name, known in (
            ("references", REFERENCE_RULES),
            ("payers", PAYER_RULES),
            ("amounts", AMOUNT_SHAPES),
            ("sums", SUM_RULES),
        ):
            given = set(getattr(self, name))
            faults += [f"{name}: {rule} is missing" for rule in known if rule not in given]
            faults += [f"{name}: {rule} is unknown" for rule in sorted(given - set(known))]
        if faults:
            raise ValueError("; ".join(faults))
        return self


class SmallDifferences(PolicyModel):
    """What may be written off to settle an item, up to three limits; beyond any of them a person decides."""

    per_item: CurrencyAmounts = Field(description="most for one item")
    max_ratio: Fraction = Field(description="most of what the payment was to settle, bank fees included")
    per_customer: CurrencyAmounts = Field(description="most for one customer on one day of application")
    per_day: CurrencyAmounts = Field(description="most in one currency on one day of application")


class SubsetSums(PolicyModel):
    """When a sum of open items without a reference is believed."""

    max_items: FewItems = Field(description="most open items among which any subset is tried")
    max_density: Fraction = Field(description="expected accidental solutions above which none is believed")
    max_terms: PositiveCount = Field(description="most items of a sum that the density counts")


class MatchingPolicy(PolicyFile):
    """Which payment settles which item (policies/matching.yml)."""

    rules: tuple[Text, ...] = Field(min_length=1, description="evidence in use, of references and sums")
    automatic_score: Fraction = Field(description="from this score on nobody has to look")
    doubt_ratio: Number = Field(
        ge=1, le=100, description="the next best explanation must be this many times as doubtful (1 - score)"
    )
    known_payer_strength: Fraction = Field(
        description="from this strength on a payer is known: unapplied money is on account, not in suspense"
    )
    strengths: Strengths
    min_reference_length: PositiveCount = Field(
        description="characters of an invoice number, or digits of it, that is looked for inside free text"
    )
    max_items_per_reference: PositiveCount = Field(
        description="a text that fits more items than this in one entity and currency says nothing"
    )
    max_range_length: PositiveCount = Field(description="most invoices that a range like 1001-1005 may name")
    paid_lookback_days: PositiveDays = Field(
        description="settled items are still known by their references for so long"
    )
    name_similarity: Fraction = Field(description="least likeness of a payer's name to a customer's")
    name_margin: Fraction = Field(
        description="the next customer's name must be at least this much less alike"
    )
    small_differences: SmallDifferences
    bank_fees: CurrencyAmounts = Field(
        description="most that a bank may have kept of a payment, per payment, written off"
    )
    bank_fee_methods: tuple[Literal["wire", "other"], ...] = Field(
        description="payment methods of which banks keep a fee"
    )
    discount_grace_days: Count = Field(
        description="days after the discount date on which it is still granted"
    )
    short_payment_ratio: Fraction = Field(
        description="a payment short of its item by up to this part is a deduction; by more, a part payment"
    )
    identical_items: Literal["person", "oldest_first"] = Field(
        description="of items that differ in nothing a payment says: a person decides, or the oldest is meant"
    )
    subset_sums: SubsetSums
    max_candidates: PositiveCount = Field(description="explanations that a person is shown per payment")
    possible_payer_rules: tuple[Literal["payer_account", "payer_name", "named_item", "open_amount"], ...] = (
        Field(description="what makes suspense possibly a customer's, who is then not dunned")
    )
    max_possible_payers: PositiveCount = Field(
        description="a rule that fits more customers than this for one payment says nothing"
    )

    @model_validator(mode="after")
    def _rules_known_once(self) -> "MatchingPolicy":
        known = {*REFERENCE_RULES, *SUM_RULES}
        if unknown := [rule for rule in self.rules if rule not in known]:
            raise ValueError(f"rules: {', '.join(unknown)} unknown; there are {', '.join(sorted(known))}")
        if len(set(self.rules)) != len(self.rules) or len(set(self.possible_payer_rules)) != len(
            self.possible_payer_rules
        ):
            raise ValueError("a rule stands twice")
        return self

    @model_validator(mode="after")
    def _a_reference_is_not_enough(self) -> "MatchingPolicy":
        weak = max(self.strengths.references["digits"], self.strengths.references["typo"])
        if weak >= self.automatic_score and self.automatic_score > Decimal(0):
            raise ValueError(
                "digits or a typo alone would reach automatic_score: amount and payer must agree"
            )
        return self


class ReasonCode(PolicyModel):
    """One of our reasons for a deduction."""

    code: Code
    text: Text
    opens_dispute: bool = Field(description="the customer contests the amount, so it is not dunned")


class ReasonCodesPolicy(PolicyFile):
    """What customers' reason codes mean with us (policies/reason_codes.yml)."""

    reasons: tuple[ReasonCode, ...] = Field(min_length=1, description="our own reasons")
    x12_426: dict[Text, Code] = Field(description="ANSI X12 element 426 to ours")
    iso_20022: dict[Text, Code] = Field(description="ISO 20022 adjustment and return reasons to ours")
    edifact_4465: dict[Text, Code] = Field(default={}, description="UN/EDIFACT data element 4465 to ours")
    customers: dict[Text, dict[Text, Code]] = Field(
        default={}, description="by customer_id: the customer's own codes to ours; these come first"
    )
    lists: dict[Text, tuple[Literal["x12_426", "iso_20022", "edifact_4465"], ...]] = Field(
        default={},
        description="by customer_id: where codes that do not say their list are looked up, "
        f"in this order, if not in {' and '.join(DEFAULT_LISTS)}",
    )
    unexplained: Code = Field(description="our reason for a short payment without a code")
    unearned_discount: Code = Field(description="our reason for a discount taken too late or too high")
    unmapped: Code = Field(description="our reason for a code that no list has: a person maps it")

    @model_validator(mode="after")
    def _reasons_exist(self) -> "ReasonCodesPolicy":
        known = [reason.code for reason in self.reasons]
        faults = [f"{code} stands twice" for code in sorted(set(known)) if known.count(code) > 1]
        used = [self.unexplained, self.unearned_discount, self.unmapped]
        used += [code for codes in self._all_codes().values() for code in codes.values()]
        faults += [f"{code} is none of our reasons" for code in sorted(set(used) - set(known))]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @model_validator(mode="after")
    def _codes_are_said_once(self) -> "ReasonCodesPolicy":
        faults = []
        for name, codes in self._all_codes().items():
            plain = [plain_code(code) for code in codes]
            faults += [f"{name}: {code} stands twice" for code in sorted(set(plain)) if plain.count(code) > 1]
        if faults:
            raise ValueError("; ".join(faults) + "; capitals and blanks around a code make no other code")
        return self

    def _all_codes(self) -> dict[str, dict[str, str]]:
        shipped = {name: getattr(self, name) for name in CODE_LISTS}
        return shipped | {f"customers.{customer_id}": codes for customer_id, codes in self.customers.items()}


def plain_code(code: str) -> str:
    """A reason code without what typists vary: blanks around it and capitals."""
    return code.strip().upper()
