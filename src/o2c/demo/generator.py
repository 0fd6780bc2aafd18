"""Make a ledger and write it as the source contract's files: in chunks of customers, so that memory stays bounded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from o2c.demo import cash, conduct, documents, parties, planted
from o2c.demo.books import DEFAULT_END, DEFAULT_MORNINGS, DEFAULT_START, Books, in_contract
from o2c.demo.customers import make_customers
from o2c.demo.dirt import WITHIN_CONTRACT, Dirt, soil
from o2c.demo.extract import Flows, as_known_on
from o2c.demo.habits import decide_payments, make_intents
from o2c.demo.writing import FolderWriter

# A chunk of this size takes about half a gigabyte while its rows are made.
CHUNK_INVOICES = 150_000


@dataclass(frozen=True)
class Generated:
    """A written extract: where it is, the morning it shows, and rows per table."""

    folder: Path
    as_of: date
    rows: dict[str, int]


def generate(
    folder: Path,
    *,
    invoices: int,
    seed: int,
    start: date = DEFAULT_START,
    end: date = DEFAULT_END,
    as_of: date | None = None,
    customers: int | None = None,
    file_format: str = "csv",
    dirt: Dirt = WITHIN_CONTRACT,
    control_difference_cents: int = 0,
) -> Generated:
    """Write one ledger to ``folder`` as ``<table>.csv`` or ``<table>.parquet``; the same arguments give the same bytes.

    Args:
        folder: made if it is not there; files of the contract's names in it are replaced.
        invoices: number of invoices (and debit memos) from ``start`` to ``end``; credit memos come on top.
        seed: any whole number.
        start: first posting day.
        end: last day of the books.
        as_of: the morning to show, ``end`` by default; up to 35 days later there is more to know.
        customers: number of customers; by default about 8 invoices each in a small ledger, 20 in a large one.
        file_format: ``csv`` or ``parquet``.
        dirt: faults to put in; by default those that a file within the contract may have.
        control_difference_cents: added to every balance of the control account; other than 0, nothing ties.

    Raises:
        ValueError: the arguments make no books; all faults are named.
    """
    books = Books(invoices=invoices, seed=seed, start=start, end=end, customers=customers)
    mornings = [as_of or end]
    return _write(books, [folder], mornings, file_format, dirt, control_difference_cents)[0]


def generate_mornings(
    folder: Path,
    *,
    invoices: int,
    seed: int,
    mornings: Sequence[date] = DEFAULT_MORNINGS,
    start: date = DEFAULT_START,
    end: date = DEFAULT_END,
    customers: int | None = None,
    file_format: str = "csv",
    dirt: Dirt = WITHIN_CONTRACT,
) -> list[Generated]:
    """Write one extract per morning to ``folder/<date>/demo``: all that was known by then, and nothing else.

    The innermost folder has one name on all mornings, because a source is known by the name of its folder. An
    extract is the same as a later one restricted to what was known; the one at ``end`` is that of ``generate``.
    """
    books = Books(invoices=invoices, seed=seed, start=start, end=end, customers=customers)
    folders = [folder / morning.isoformat() / "demo" for morning in mornings]
    return _write(books, folders, list(mornings), file_format, dirt, 0)


def _write(
    books: Books, folders: list[Path], mornings: list[date], file_format: str, dirt: Dirt, difference: int
) -> list[Generated]:
    late = [str(morning) for morning in mornings if not books.start <= morning <= books.horizon]
    if late:
        raise ValueError(
            f"extract not made: {', '.join(late)} lies outside {books.start} to {books.horizon}, "
            "the days that these books tell of"
        )
    writers = [FolderWriter(folder, file_format) for folder in folders]

    def write(tables: dict[str, pl.DataFrame]) -> None:
        for table, rows in tables.items():
            for writer, morning in zip(writers, mornings, strict=True):
                known = in_contract(table, as_known_on(table, rows, morning))
                writer.write(table, soil(table, known, dirt, books.draws))

    flows = Flows()
    for tables in chunks(books):
        flows.add(tables)
        write(tables)
    balances = flows.balances(books.start, books.horizon)
    write({"ledger_balances": balances.with_columns(pl.col("control_account_amount") + difference)})
    for writer in writers:
        writer.close()
    return [
        Generated(folder, morning, writer.rows)
        for folder, morning, writer in zip(folders, mornings, writers, strict=True)
    ]


def chunks(books: Books) -> Iterator[dict[str, pl.DataFrame]]:
    """All rows that will ever be known, a block of customers at a time: parties first, then their documents."""
    customers = make_customers(books)
    counts = documents.invoices_per_customer(books, books.invoices - planted.INVOICE_COUNT)
    blocks = list(_blocks(counts))
    first_numbers = _first_numbers(books, counts, blocks)
    yield planted.planted_tables(books)
    yield {
        "entities": parties.ENTITIES,
        "collectors": parties.make_collectors(books),
        "fx_rates": parties.make_fx_rates(books),
    }
    for start, length in blocks:
        dated = documents.draw_days(books, counts.slice(start, length))
        dated, first_numbers = _numbered(dated, first_numbers)
        yield _one_chunk(books, customers.slice(start, length), dated)


def _blocks(counts: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """Runs of customers with about CHUNK_INVOICES documents; rows never depend on where a block ends."""
    sizes = (counts["before"] + counts["after"]).to_list()
    start, documents_in_block = 0, 0
    for place, size in enumerate(sizes):
        if place > start and documents_in_block + size > CHUNK_INVOICES:
            yield start, place - start
            start, documents_in_block = place, 0
        documents_in_block += size
    yield start, len(sizes) - start


def _first_numbers(books: Books, counts: pl.DataFrame, blocks: list[tuple[int, int]]) -> pl.DataFrame:
    """The first document number of each day, so that numbers rise with the date although chunks hold customers."""
    per_day = [
        documents.draw_days(books, counts.slice(start, length)).group_by("invoice_day").len()
        for start, length in blocks
    ]
    days = (
        pl.concat(per_day).group_by("invoice_day").agg(pl.col("len").sum().cast(pl.Int64)).sort("invoice_day")
    )
    return days.select("invoice_day", next_number=pl.col("len").cum_sum() - pl.col("len") + 1)


def _numbered(dated: pl.DataFrame, next_numbers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The documents with their number, and the numbers that the next chunk begins with."""
    numbered = (
        dated.join(next_numbers, on="invoice_day", how="left", validate="m:1", maintain_order="left")
        .with_columns(
            sequence_number=pl.col("next_number")
            + pl.int_range(0, pl.len(), dtype=pl.Int64).over("invoice_day")
        )
        .drop("next_number")
    )
    used = numbered.group_by("invoice_day").agg(used=pl.len().cast(pl.Int64))
    following = next_numbers.join(used, on="invoice_day", how="left", validate="1:1").select(
        "invoice_day", next_number=pl.col("next_number") + pl.col("used").fill_null(0)
    )
    return numbered, following


def _one_chunk(books: Books, customers: pl.DataFrame, dated: pl.DataFrame) -> dict[str, pl.DataFrame]:
    invoices = decide_payments(books, documents.make_invoices(books, dated, customers))
    intents = cash.with_payment_ids(books, make_intents(books, invoices))
    known = customers.filter(~pl.col("is_unknown"))
    of_known = invoices.filter(~pl.col("is_unknown"))
    calls, promises = conduct.call_rows(books, of_known)
    plans, plan_lines = conduct.plan_rows(books, of_known)
    return {
        "customers": known,
        "contacts": parties.make_contacts(books, known),
        "orders": documents.order_rows(books, invoices),
        "invoices": documents.invoice_rows(books, invoices),
        "installments": documents.installment_rows(books, invoices),
        "payments": cash.payment_rows(books, intents),
        "remittance_lines": cash.remittance_rows(intents),
        "payment_applications": cash.application_rows(books, invoices, intents),
        "disputes": documents.dispute_rows(invoices),
        "promises": promises,
        "activities": pl.concat([calls, conduct.letter_rows(books, of_known)], how="diagonal"),
        "blocks": conduct.block_rows(books, known),
        "plans": plans,
        "plan_lines": plan_lines,
        "adjustments": cash.write_off_rows(books, invoices, intents),
    }
