"""What people are handed in the morning: worklists of collectors, the agency list, the credit flags. XLSX and CSV.

Nothing is decided here: the rows and their order come from the decisions; names, contacts and items are looked up.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from o2c.frames import (
    UNOWNED,
    AgencyReferrals,
    Collectors,
    Contacts,
    CreditFlags,
    Customers,
    OpenItems,
    Worklist,
    WorklistTerms,
)
from o2c.workbooks import Column, Sheet, file_name, write_csv, write_workbook

_WORKLIST = (
    Column("Rank", "work_rank", "count", 6),
    Column("Customer no.", "customer_id", width=14),
    Column("Customer", "customer_name", width=28),
    Column("Priority", "priority_class", width=9),
    Column("Score", "priority_score", "ratio", 8),
    Column("Past due", "past_due_amount", "money", 17),
    Column("Oldest, days", "oldest_days_past_due", "count", 9),
    Column("Next action", "next_action_words", width=18),
    Column("Reason", "reason", width=36),
    Column("Contact", "contact_name", width=18),
    Column("Phone", "phone", width=17),
    Column("E-mail", "email", width=26),
    Column("Today", "is_today", width=8),
)
_NOTES = (
    Column("Date promised", "", "entry", 13),
    Column("Amount promised", "", "entry", 13),
    Column("Note", "", "entry", 36),
)
_ITEMS = (
    Column("Customer no.", "customer_id", width=14),
    Column("Customer", "customer_name", width=28),
    Column("Document", "invoice_number", width=18),
    Column("Type", "document_type_words", width=12),
    Column("PO", "po_number", width=14),
    Column("Dated", "invoice_date", "date", 11),
    Column("Due", "due_date", "date", 11),
    Column("Days past due", "days_past_due", "count", 9),
    Column("Bucket", "aging_bucket", width=9),
    Column("Amount", "invoice_amount", "money", 17),
    Column("Open", "open_amount", "money", 17),
    Column("Disputed", "disputed_amount", "money", 17),
)
_TERMS = (
    Column("Rank", "work_rank", "count", 6),
    Column("Customer no.", "customer_id", width=14),
    Column("Customer", "customer_name", width=28),
    Column("Score", "priority_score", "ratio", 8),
)
_REFERRALS = (
    Column("Customer no.", "customer_id", width=14),
    Column("Customer", "customer_name", width=28),
    Column("Entity", "entity_id", width=10),
    Column("Invoice", "invoice_number", width=18),
    Column("Dated", "invoice_date", "date", 11),
    Column("Due", "due_date", "date", 11),
    Column("Days past due", "days_past_due", "count", 9),
    Column("Amount", "referred_amount", "money", 17),
    Column("Agency", "agency_id", width=14),
    Column("Status", "status_words", width=13),
)
_RULE = Column("Rule", "rule_words", width=22)
_FAILS = Column("Not yet met", "fails", width=60)
_CURRENCY = Column("Currency", "currency_code", width=9)
_FLAGS = (
    Column("Customer no.", "customer_id", width=14),
    Column("Customer", "customer_name", width=28),
    Column("Flag", "flag_words", width=24),
    Column("Severity", "severity", width=9),
    Column("Proposed action", "action_words", width=15),
    Column("Exposure", "exposure_amount", "money", 18),
    Column("Limit", "credit_limit_amount", "money", 18),
    Column("Limit used", "utilisation_ratio", "percent", 10),
    Column("Recommended limit", "recommended_limit_amount", "money", 18),
    Column("Reason", "reason", width=48),
)
# Failed conditions of placement.py in words; a code that is not here is shown with spaces for underscores.
NOT_YET_MET = {
    "not_old_enough": "not old enough",
    "disputed": "disputed, at least in part",
    "blocked": "blocked",
    "customer_status": "customer is not active (insolvent, legal, closed, or unknown)",
    "on_plan": "on a payment plan",
    "promise_pending": "a promise to pay is pending",
    "levels_unconfirmed": "not every letter level is confirmed as sent",
    "final_notice_missing": "no final notice since it fell due",
    "final_notice_too_recent": "final notice is too recent",
    "recent_payment": "customer paid recently",
    "possible_payer": "unidentified money may be theirs",
    "nothing_net_due": "nothing is due after credits and unapplied cash",
    "below_minimum": "below the minimum amount",
    "time_barred": "time-barred",
    "jurisdiction": "no agency or no limitation rule for the country",
    "customer_type": "type of customer is not referred",
    "already_placed": "already with an agency",
}
# Nobody has capacity for accounts that nobody owns; so many are shown in full to whoever assigns them.
_UNOWNED_DETAILED = 100
_ROLES = {"dunning": 0, "billing": 1, "": 2, "escalation": 3}


def write_worklists(
    folder: Path,
    worklist: pl.DataFrame,
    terms: pl.DataFrame,
    open_items: pl.DataFrame,
    customers: pl.DataFrame,
    contacts: pl.DataFrame,
    collectors: pl.DataFrame,
    outcome_codes: Sequence[str],
    as_of: date,
) -> list[Path]:
    """One workbook and one CSV per collector, best customer first.

    The workbook also has the open items and the parts of the score of the customers that the collector has capacity
    for today (of those that nobody owns, the first hundred): a list of thousands is looked up in the tables.

    Args:
        folder: where the files go; made when it is not there.
        worklist, terms, open_items, customers, contacts, collectors: frames of these names, of one as-of date.
        outcome_codes: what a collector may type back (the keys of ``next_actions`` in worklist.yml).
        as_of: the date the lists are for; part of the names.

    Returns:
        The files, sorted by collector: workbook, then CSV.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ranked = (
        Worklist.validate(worklist)
        .join(_names(customers), on="customer_id", how="left", validate="m:1")
        .join(_people(contacts, as_of), on="customer_id", how="left", validate="m:1")
        .with_columns(
            next_action_words=_words("next_action"),
            is_today=pl.when("is_in_capacity").then(pl.lit("yes")).otherwise(pl.lit("later")),
        )
        .sort("collector_id", "work_rank", "customer_id", "currency_code")
    )
    detailed = ranked.filter(
        pl.col("is_in_capacity")
        | ((pl.col("collector_id") == UNOWNED) & (pl.col("work_rank") <= _UNOWNED_DETAILED))
    )
    keys = detailed.group_by("customer_id", maintain_order=True).agg(
        pl.col("collector_id", "work_rank", "customer_name").first()
    )
    items = (
        OpenItems.validate(open_items)
        .join(keys, on="customer_id", how="inner", validate="m:1")
        .with_columns(document_type_words=_words("document_type"))
        .sort("collector_id", "work_rank", "customer_id", "due_date", "invoice_id", "installment_number")
    )
    term_names = WorklistTerms.validate(terms)["term"].unique(maintain_order=True).to_list()
    row = ["customer_id", "currency_code"]
    scores = detailed.join(
        terms.select(*row, "term", "contribution").pivot("term", index=row, values="contribution"),
        on=row,
        how="left",
        validate="1:1",
    )
    term_columns = tuple(
        Column(name.replace("_", " ").capitalize(), name, "ratio", 12) for name in term_names
    )
    items_of, terms_of = (frame.partition_by("collector_id", as_dict=True) for frame in (items, scores))
    names = dict(Collectors.validate(collectors).select("collector_id", "name").iter_rows())
    columns = (*_WORKLIST, Column("Outcome", "", "entry", 17, choices=tuple(outcome_codes)), *_NOTES)
    _check_names(ranked["collector_id"].unique().sort().to_list())
    paths = []
    for (collector_id,), rows in ranked.partition_by(
        "collector_id", as_dict=True, maintain_order=True
    ).items():
        key = (collector_id,)
        sheets = (
            Sheet("Worklist", rows, columns, frozen_columns=3),
            Sheet("Items", items_of.get(key, items.clear()), _ITEMS, frozen_columns=3),
            Sheet("Score", terms_of.get(key, scores.clear()), (*_TERMS, *term_columns), frozen_columns=3),
        )
        who = "unowned" if collector_id == UNOWNED else str(collector_id)
        title = f"Worklist of {names.get(collector_id, who)}"
        stem = ("worklist", who, as_of.isoformat())
        paths.append(write_workbook(folder / file_name(*stem, suffix=".xlsx"), sheets, as_of, title=title))
        with_currency = (*columns[:6], _CURRENCY, *columns[6:])
        paths.append(write_csv(folder / file_name(*stem, suffix=".csv"), rows, with_currency))
    return paths


def write_agency_list(
    folder: Path,
    referrals: pl.DataFrame,
    open_items: pl.DataFrame,
    customers: pl.DataFrame,
    as_of: date,
) -> list[Path]:
    """Items proposed to an agency, those at one, and those not eligible with every condition they fail in words.

    Returns:
        The workbook and the CSV, which has all rows with their status.
    """
    folder.mkdir(parents=True, exist_ok=True)
    documents = OpenItems.validate(open_items).select(
        "invoice_id", "installment_number", "invoice_number", "invoice_date", "due_date"
    )
    listed = (
        AgencyReferrals.validate(referrals)
        .join(_names(customers), on="customer_id", how="left", validate="m:1")
        .join(documents, on=["invoice_id", "installment_number"], how="left", validate="m:1")
        .with_columns(
            pl.col("invoice_number").fill_null(pl.col("invoice_id")),
            status_words=_words("status"),
            rule_words=_words("rule"),
            fails=pl.col("failed_conditions")
            .str.split(",")
            .list.eval(
                pl.element().replace_strict(
                    NOT_YET_MET,
                    default=pl.element().str.replace_all("_", " ", literal=True),
                    return_dtype=pl.String,
                )
            )
            .list.join("; "),
        )
        .sort(
            "customer_id",
            pl.col("days_past_due"),
            "invoice_id",
            "installment_number",
            descending=[False, True, False, False],
        )
    )
    is_proposed, is_out = pl.col("status").is_in(["proposed", "approved"]), pl.col("status") == "not_eligible"
    sheets = (
        Sheet("Proposed", listed.filter(is_proposed), (*_REFERRALS, _RULE), frozen_columns=2),
        Sheet("Not eligible", listed.filter(is_out), (*_REFERRALS[:-2], _FAILS), frozen_columns=2),
        Sheet("At an agency", listed.filter(~is_proposed & ~is_out), (*_REFERRALS, _RULE), frozen_columns=2),
    )
    stem = ("agency-list", as_of.isoformat())
    all_columns = (*_REFERRALS[:8], _CURRENCY, *_REFERRALS[8:], _RULE, _FAILS)
    return [
        write_workbook(folder / file_name(*stem, suffix=".xlsx"), sheets, as_of, title="Agency referrals"),
        write_csv(folder / file_name(*stem, suffix=".csv"), listed, all_columns),
    ]


def write_credit_flags(folder: Path, flags: pl.DataFrame, customers: pl.DataFrame, as_of: date) -> list[Path]:
    """Customers whose credit a person should look at, most severe first.

    Returns:
        The workbook and the CSV.
    """
    folder.mkdir(parents=True, exist_ok=True)
    severity = pl.col("severity").replace_strict({"high": 0, "medium": 1, "low": 2}, return_dtype=pl.Int64)
    listed = (
        CreditFlags.validate(flags)
        .join(_names(customers), on="customer_id", how="left", validate="m:1")
        .with_columns(flag_words=_words("flag_code"), action_words=_words("action"))
        .sort(severity, -pl.col("exposure_amount"), "customer_id", "currency_code", "flag_code")
    )
    stem = ("credit-flags", as_of.isoformat())
    sheet = Sheet("Credit flags", listed, _FLAGS, frozen_columns=2)
    with_currency = (*_FLAGS[:5], _CURRENCY, *_FLAGS[5:])
    return [
        write_workbook(folder / file_name(*stem, suffix=".xlsx"), [sheet], as_of, title="Credit flags"),
        write_csv(folder / file_name(*stem, suffix=".csv"), listed, with_currency),
    ]


def _check_names(collector_ids: list[str]) -> None:
    """Some file systems take ``Kim`` and ``kim`` for one name; the second list would replace the first.

    Raises:
        ValueError: two collectors would have one file.
    """
    seen: dict[str, str] = {}
    for collector_id in collector_ids:
        other = seen.setdefault(collector_id.casefold(), collector_id)
        if other != collector_id:
            raise ValueError(
                f"collectors {other!r} and {collector_id!r} differ in case only, and so would their files;"
                " give one of them another collector_id"
            )


def _names(customers: pl.DataFrame) -> pl.DataFrame:
    return Customers.validate(customers).select("customer_id", "customer_name")


def _people(contacts: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The person to reach at each customer: the one for dunning, else for billing; the latest of several."""
    return (
        Contacts.validate(contacts)
        .filter(pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of))
        .with_columns(
            role_order=pl.col("role").fill_null("").replace_strict(_ROLES, default=3, return_dtype=pl.Int64)
        )
        .sort(
            "customer_id",
            "role_order",
            "valid_from",
            "contact_id",
            descending=[False, False, True, False],
            nulls_last=True,
        )
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col("name", "phone", "email").first())
        .rename({"name": "contact_name"})
    )


def _words(column: str) -> pl.Expr:
    """A code as words: ``send_invoice_copy`` reads ``send invoice copy``."""
    return pl.col(column).str.replace_all("_", " ", literal=True)
