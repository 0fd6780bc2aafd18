"""Reason codes in order of weight, and the sentence that a person reads."""

import polars as pl

from o2c import money
from o2c.dunning.eligibility import ITEM_HOLDS
from o2c.dunning.protection import PROTECTIONS
from o2c.policy import DunningPolicy
from o2c.policy.controls import Addresses

# Why the ladder does not move, the first that holds; the last three are what the ladder decides.
LADDER = (
    "nothing_past_due",
    *ITEM_HOLDS,
    "nothing_net_due",
    "below_minimum",
    "natural_person",
    "ladder_ended",
    "next_level_not_due",
    "too_soon_after_level",
    "letter_unconfirmed",
    "legal_review_due",
    "no_valid_address",
    "shared_address",
    "address_changed",
    "quiet_days",
    "non_business_day",
    "level_due",
)
# Why no reminder goes out where nothing is past due.
COURTESY = (
    *ITEM_HOLDS,
    "nothing_to_remind",
    "below_minimum",
    "reminder_too_soon",
    "no_valid_address",
    "shared_address",
    "non_business_day",
    "courtesy_due",
)
# The ladder standing still for one of these is no reason against a friendly word about items due soon.
CALM = (
    "nothing_past_due",
    *ITEM_HOLDS,
    "nothing_net_due",
    "below_minimum",
    "natural_person",
    "ladder_ended",
    "next_level_not_due",
    "too_soon_after_level",
    "letter_unconfirmed",
    "quiet_days",
)
REASON_CODES = tuple(dict.fromkeys((*PROTECTIONS, *LADDER[1:], *COURTESY, "waiting_for_approval")))


def first_reason(conditions: dict[str, pl.Expr]) -> pl.Expr:
    """The code of the first condition that holds."""
    return pl.coalesce(
        pl.when(condition.fill_null(False)).then(pl.lit(code)) for code, condition in conditions.items()
    )


def amount_text(amount: str, currency_code: str = "currency_code") -> pl.Expr:
    """An amount with its currency, in plain digits on its minor unit: ``1234.50 EUR``."""
    digits = pl.col(currency_code).replace_strict(money.MINOR_UNITS, default=4, return_dtype=pl.Int64)
    text = pl.coalesce(
        pl.when(digits == places).then(pl.col(amount).cast(pl.Decimal(38, places)).cast(pl.String))
        for places in sorted({*money.MINOR_UNITS.values(), 4})
    )
    return pl.format("{} {}", text, currency_code)


def sentences(policy: DunningPolicy, addresses: Addresses) -> dict[str, pl.Expr]:
    """What each reason code means for the row, as a sentence."""
    stage = pl.col("target_level").replace_strict(policy.stage_names, default="", return_dtype=pl.String)
    plain = {
        "insolvent": "The customer is insolvent: nothing is sent by the machine.",
        "legal": "The customer is with the lawyers: nothing is sent by the machine.",
        "do_not_contact": "The customer is not to be contacted.",
        "complained": "The customer complained about a letter: nothing is sent until a person has dealt with it.",
        "closed": "The customer's account is closed: a person decides.",
        "unknown_status": "The customer's status is unknown, which may be a reason to keep still.",
        "intercompany": "The customer is one of our own companies.",
        "unknown_customer": "Only documents mention this customer; the customer master does not know it.",
        "unknown_customer_type": "The customer's type is unknown, so no rule says how it may be addressed.",
        "unknown_jurisdiction": "The customer's country is unknown, so no rule says how it may be addressed.",
        "payment_plan": "The customer has a payment plan in good standing.",
        "blocked": "A block on the customer holds today.",
        "possible_payer": "A payment in suspense may be this customer's.",
        "block_ended": "A block or another hold ended since the last decision; nothing is sent on that day.",
        "invoice_blocked": "Every item past due is held back, at least one by a block.",
        "plan_in_good_standing": "Every item past due is held back, at least one by a payment plan in good standing.",
        "promise_pending": "Every item past due is held back, at least one by a promise that is still pending.",
        "placed_with_agency": "Every item past due is held back, at least one because an agency has it.",
        "disputed": "Every item past due is disputed.",
        "nothing_to_remind": "Nothing is past due, and what is due soon was announced or is due today.",
        "natural_person": f"A natural person gets no message beyond level {policy.consumers.max_level}.",
        "shared_address": f"More than {addresses.max_customers_per_address} customers have the same address:"
        " a person looks at it first.",
        "letter_unconfirmed": "It is not known whether the last letter of this level arrived; it is not repeated.",
    }
    net, minimum = amount_text("net_due_amount"), amount_text("minimum_amount")
    told: dict[str, pl.Expr] = {code: pl.lit(sentence) for code, sentence in plain.items()}
    # Where nothing is past due, the items held back are those due soon.
    for hold in ITEM_HOLDS:
        told[hold] = (
            pl.when("has_past_due").then(told[hold]).otherwise(told[hold].str.replace("past due", "due soon"))
        )
    return told | {
        "nothing_net_due": pl.format(
            "{} past due are covered by {} on account and {} of credit memos.",
            amount_text("past_due_amount"),
            amount_text("unapplied_amount"),
            amount_text("credit_memo_amount"),
        ),
        "below_minimum": pl.when("has_past_due")
        .then(pl.format("{} net due are less than the {} worth a letter.", net, minimum))
        .otherwise(
            pl.format(
                "{} due soon, net, are less than the {} worth a letter.",
                amount_text("coming_amount"),
                minimum,
            )
        ),
        "ladder_ended": pl.format("The ladder of this customer ends at level {}.", "max_level"),
        "next_level_not_due": pl.format(
            "Level {} applies from day {}; the oldest item is {} days past due.",
            "target_level",
            "first_day",
            "oldest_days_past_due",
        ),
        "too_soon_after_level": pl.format(
            "Level {} was confirmed on {}; the next waits {} days.",
            "confirmed_level",
            pl.col("confirmed_date").cast(pl.String),
            pl.lit(policy.min_days_between),
        ),
        "legal_review_due": pl.format(
            "The final notice is out and the oldest item is {} days past due: a person reviews the case.",
            "oldest_days_past_due",
        ),
        "no_valid_address": pl.when("is_dead")
        .then(
            pl.lit(
                "A letter to the customer's address came back, or the address is suppressed; there is no other."
            )
        )
        .when(pl.col("contact_channel") == "sms")
        .then(pl.lit("The customer has no e-mail address, and this letter is too much for a text message."))
        .otherwise(pl.lit("The customer has no contact with exactly one valid e-mail address.")),
        "address_changed": pl.format(
            "The customer's address moved to another domain in the last {} days; level {} waits for a person.",
            pl.lit(addresses.changed_domain_days),
            "target_level",
        ),
        "quiet_days": pl.when(pl.col("quiet_since").is_null())
        .then(pl.lit("Another customer with the same address is written to today."))
        .otherwise(
            pl.format(
                "The customer or its address was last written to on {}; contacts are {} days apart.",
                pl.col("quiet_since").cast(pl.String),
                pl.lit(policy.quiet_days),
            )
        ),
        "non_business_day": pl.format("The as-of date is no business day in {}.", "country_code"),
        "reminder_too_soon": pl.format(
            "The customer was reminded on {}; reminders are {} days apart.",
            pl.col("last_reminder_date").cast(pl.String),
            pl.lit(policy.courtesy.min_days_between),
        ),
        "courtesy_due": pl.format(
            "{} items of {} are due soon.", "due_soon_count", amount_text("due_soon_amount")
        ),
        "level_due": pl.format(
            "Level {} ({}) is due: {} items of {}, the oldest {} days past due.",
            "target_level",
            stage,
            "past_due_count",
            amount_text("past_due_amount"),
            "oldest_days_past_due",
        ),
        "waiting_for_approval": pl.when(pl.col("kind") == "courtesy")
        .then(pl.format("A second reminder waits for {} approvals.", "required_approval_count"))
        .otherwise(
            pl.format(
                "Level {} ({}) is due and waits for {} approval(s): {} items of {}, the oldest {} days past due.",
                "target_level",
                stage,
                "required_approval_count",
                "past_due_count",
                amount_text("past_due_amount"),
                "oldest_days_past_due",
            )
        ),
    }


def explained(decisions: pl.DataFrame, policy: DunningPolicy, addresses: Addresses) -> pl.DataFrame:
    """Adds ``reason``, the sentence of each row's code; a guess about the calendar is named in it."""
    told = sentences(policy, addresses)
    codes = sorted(decisions["reason_code"].unique())
    sentence = pl.coalesce(
        *(pl.when(pl.col("reason_code") == code).then(told[code]) for code in codes),
        pl.lit(None, dtype=pl.String),  # a book with nothing due has no codes
    )
    doubt = (
        pl.when((pl.col("decision") == "letter") | (pl.col("reason_code") == "non_business_day"))
        .then(pl.format(" ({})", "calendar_doubt"))
        .fill_null("")
    )
    return decisions.with_columns(reason=pl.concat_str(sentence, doubt))
