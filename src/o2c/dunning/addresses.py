"""Whom to write to: one contact per customer with one plain address, or nobody; and which addresses are not trusted."""

from datetime import date

import polars as pl

from o2c.addresses import PHONE_NUMBER, is_mailbox, mailbox
from o2c.dunning.book import DEAD_ADDRESS, DunningBook, is_in
from o2c.dunning.history import letters_before
from o2c.policy.controls import Addresses
from o2c.policy.dunning import Sms

# Escalation contacts are for people to call; a contact without a role is better than none.
ROLES = {"dunning": 0, "billing": 1, "": 2}

# The grammar of o2c.addresses as patterns, for the many plain addresses; the rest is asked one by one.
_LOCAL = r"[A-Za-z0-9_+&'=~/#-]+(?:\.[A-Za-z0-9_+&'=~/#-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PLAIN_ADDRESS = rf"\A{_LOCAL}@(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\z"


def choose_contacts(book: DunningBook, sms: Sms, addresses: Addresses, as_of: date) -> pl.DataFrame:
    """The contact of each customer: by role (dunning, then billing, then none given), then the most recent.

    Only contacts that hold on the as-of date and have exactly one plain address count. An address that a letter
    came back from, or whose reader complained, is not written to again, unless the contact was entered or confirmed
    (valid_from) later; a suppressed one is not until a person lifts it. A customer none of whose contacts has an
    e-mail address may get text messages at a number of a contact that agreed to them, where the policy wants it.

    Returns:
        One row per customer with any contact: contact_id, address (lower case, for comparison) and contact_channel
        (email, sms), null when none will do; contact_language_code; is_dead says that a bounce or the like was the
        cause; is_shared that too many customers use the address; is_address_changed that it moved to another domain
        lately.
    """
    known = _current(book, as_of).pipe(_reachable, sms).pipe(_with_dead, book, as_of)
    chosen = (
        known.with_columns(is_usable=pl.col("is_valid") & ~pl.col("is_dead"))
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
            pl.col("contact_id", "address", "channel", "language_code", "valid_from", "is_usable").first(),
            is_dead=(pl.col("is_valid") & pl.col("is_dead")).any(),
        )
    )
    shared = _shared(known, addresses)
    changed = _changed(chosen.filter("is_usable"), book, addresses, as_of)
    return (
        chosen.join(shared, on="address", how="left", validate="m:1")
        .join(changed, on="customer_id", how="left", validate="1:1")
        .select(
            "customer_id",
            contact_id=pl.when("is_usable").then("contact_id"),
            address=pl.when("is_usable").then("address"),
            contact_channel=pl.when("is_usable").then("channel"),
            contact_language_code=pl.when("is_usable").then("language_code"),
            is_dead=pl.col("is_dead") & ~pl.col("is_usable"),
            is_shared=pl.col("is_usable") & pl.col("is_shared").fill_null(False),
            is_address_changed=pl.col("is_usable") & pl.col("is_address_changed").fill_null(False),
        )
    )


def _current(book: DunningBook, as_of: date) -> pl.DataFrame:
    """Contacts that may be written to and hold today, with ``address`` and ``is_valid``."""
    return (
        book.contacts.with_columns(role_rank=pl.col("role").fill_null("").replace_strict(ROLES, default=None))
        .filter(
            pl.col("role_rank").is_not_null(),
            pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of),
        )
        .pipe(with_addresses)
    )


def _reachable(contacts: pl.DataFrame, sms: Sms) -> pl.DataFrame:
    """Adds ``channel``; where a customer has no e-mail address at all, a number that may be texted is the address."""
    may_text = (
        pl.lit(sms.enabled)
        & ~pl.col("is_valid").any().over("customer_id")
        & pl.col("sms_consent").fill_null(False)
        & pl.col("phone").str.contains(rf"\A{PHONE_NUMBER}\z").fill_null(False)
    )
    return contacts.with_columns(
        address=pl.when(may_text).then("phone").otherwise("address"),
        channel=pl.when(may_text).then(pl.lit("sms")).otherwise(pl.lit("email")),
        is_valid=pl.col("is_valid") | may_text,
    )


def _with_dead(contacts: pl.DataFrame, book: DunningBook, as_of: date) -> pl.DataFrame:
    """Adds ``is_dead``: a letter to the address came back or was complained about, or the address is suppressed."""
    bounces = (
        letters_before(book, as_of)
        .filter(is_in("state", DEAD_ADDRESS), pl.col("address").is_not_null())
        .group_by(address=pl.col("address").str.to_lowercase())
        .agg(bounce_date=pl.col("contact_date").max())
    )
    suppressed = book.suppressed.select(pl.col("address").str.to_lowercase(), is_suppressed=True).unique()
    return (
        contacts.join(bounces, on="address", how="left", validate="m:1")
        .join(suppressed, on="address", how="left", validate="m:1")
        .with_columns(
            is_dead=(
                pl.col("bounce_date").is_not_null()
                & (pl.col("valid_from").is_null() | (pl.col("valid_from") <= pl.col("bounce_date")))
            )
            | pl.col("is_suppressed").fill_null(False)
        )
    )


def _shared(contacts: pl.DataFrame, addresses: Addresses) -> pl.DataFrame:
    """Addresses that more customers use than one party can be: somebody put a general address into the master."""
    return (
        contacts.filter("is_valid")
        .group_by("address")
        .agg(customer_count=pl.col("customer_id").n_unique())
        .filter(pl.col("customer_count") > addresses.max_customers_per_address)
        .select("address", is_shared=True)
    )


def _changed(chosen: pl.DataFrame, book: DunningBook, addresses: Addresses, as_of: date) -> pl.DataFrame:
    """Customers whose e-mail address moved to another domain lately: a stranger may have changed it.

    What tells the domain of before are the customer's letters and its other contacts, of the time before the chosen
    contact was entered (valid_from). Letters that went to the new domain since prove nothing. A contact without a
    date is taken as entered the day after the last letter to another domain.
    """
    domain = pl.col("address").str.split("@").list.last()
    mine = chosen.filter(pl.col("channel") == "email").select(
        "customer_id", "valid_from", chosen_id="contact_id", own_domain=domain
    )
    letters = (
        letters_before(book, as_of)
        .filter(pl.col("address").str.contains("@", literal=True))
        .select(
            "customer_id",
            contact_id=pl.lit(None, dtype=pl.String),
            domain=domain.str.to_lowercase(),
            seen_date="contact_date",
        )
    )
    others = (
        with_addresses(book.contacts)
        .filter("is_valid")
        .select("customer_id", "contact_id", domain=domain, seen_date="valid_from")
    )
    is_other = pl.col("domain") != pl.col("own_domain")
    is_letter = pl.col("contact_id").is_null()
    seen = (
        mine.join(pl.concat([letters, others]), on="customer_id")
        .filter(is_letter | (pl.col("contact_id") != pl.col("chosen_id")))
        .with_columns(
            since=pl.coalesce(
                "valid_from",
                pl.col("seen_date").filter(is_letter & is_other).max().over("customer_id")
                + pl.duration(days=1),
            )
        )
        .filter(
            pl.lit(as_of) - pl.col("since") < pl.duration(days=addresses.changed_domain_days),
            pl.col("seen_date").is_null() | (pl.col("seen_date") < pl.col("since")),
        )
    )
    return seen.group_by("customer_id").agg(is_address_changed=is_other.all()).filter("is_address_changed")


def with_addresses(contacts: pl.DataFrame) -> pl.DataFrame:
    """Adds ``is_valid``, whether the e-mail is exactly one plain address, and ``address``, that in lower case.

    International domains stand in the address as they do in letters and in the ledger: in ASCII.
    """
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
    valid = {email: mailbox(email) for email in foreign["email"].unique() if is_mailbox(email)}
    email = pl.col("email")
    return contacts.with_columns(
        address=(email.replace(valid) if valid else email).str.to_lowercase(),
        is_valid=pl.col("is_valid") | email.is_in(list(valid)).fill_null(False),
    )
