"""Whom to write to: one contact per customer with one plain address, or nobody."""

from datetime import date

import polars as pl

from o2c.addresses import is_mailbox
from o2c.dunning.book import DEAD_ADDRESS, DunningBook, is_in
from o2c.dunning.history import letters_before

# Escalation contacts are for people to call; a contact without a role is better than none.
ROLES = {"dunning": 0, "billing": 1, "": 2}

# The grammar of o2c.addresses as patterns, for the many plain addresses; the rest is asked one by one.
_LOCAL = r"[A-Za-z0-9_+&'=~/#-]+(?:\.[A-Za-z0-9_+&'=~/#-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PLAIN_ADDRESS = rf"\A{_LOCAL}@(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\z"


def choose_contacts(book: DunningBook, as_of: date) -> pl.DataFrame:
    """The contact of each customer: by role (dunning, then billing, then none given), then the most recent.

    Only contacts that hold on the as-of date and have exactly one plain address count. An address that a letter
    bounced from is not written to again, unless the contact was entered or confirmed (valid_from) later.

    Returns:
        One row per customer with any contact: contact_id and address (lower case, for comparison), both null
        when none will do; contact_language_code; is_dead says that a bounce was the cause.
    """
    known = (
        book.contacts.with_columns(role_rank=pl.col("role").fill_null("").replace_strict(ROLES, default=None))
        .filter(
            pl.col("role_rank").is_not_null(),
            pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of),
        )
        .with_columns(address=pl.col("email").str.to_lowercase())
        .pipe(_with_validity)
    )
    bounces = (
        letters_before(book, as_of)
        .filter(is_in("state", DEAD_ADDRESS), pl.col("address").is_not_null())
        .group_by(address=pl.col("address").str.to_lowercase())
        .agg(bounce_date=pl.col("contact_date").max())
    )
    judged = known.join(bounces, on="address", how="left", validate="m:1").with_columns(
        is_dead=pl.col("bounce_date").is_not_null()
        & (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("bounce_date")))
    )
    usable = pl.col("is_valid") & ~pl.col("is_dead")
    return (
        judged.with_columns(is_usable=usable)
        .sort(
            "customer_id",
            "is_usable",
            "role_rank",
            "valid_from",
            "contact_id",
            descending=[False, True, False, True, False],
            nulls_last=True,
        )
        .group_by("customer_id", maintain_order=True)
        .agg(
            pl.col("contact_id", "address", "language_code", "is_usable").first(),
            is_dead=(pl.col("is_valid") & pl.col("is_dead")).any(),
        )
        .select(
            "customer_id",
            contact_id=pl.when("is_usable").then("contact_id"),
            address=pl.when("is_usable").then("address"),
            contact_language_code=pl.when("is_usable").then("language_code"),
            is_dead=pl.col("is_dead") & ~pl.col("is_usable"),
        )
    )


def _with_validity(contacts: pl.DataFrame) -> pl.DataFrame:
    """Adds ``is_valid``: whether the e-mail is exactly one plain address."""
    local, domain = pl.col("email").str.split("@").list.first(), pl.col("email").str.split("@").list.last()
    is_plain = (
        pl.col("email").str.contains(PLAIN_ADDRESS)
        & (local.str.len_bytes() <= 64)
        & (domain.str.len_bytes() <= 253)
    ).fill_null(False)
    contacts = contacts.with_columns(is_valid=is_plain)
    # International domains are rare, and only the library knows which are valid.
    foreign = contacts.filter(
        ~pl.col("is_valid"), pl.col("email").str.len_bytes() > pl.col("email").str.len_chars()
    )
    valid = [email for email in foreign["email"].unique() if is_mailbox(email)]
    return contacts.with_columns(pl.col("is_valid") | pl.col("email").is_in(valid).fill_null(False))
