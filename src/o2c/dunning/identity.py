"""A letter's identity: what it is about, never when or how it was made. The same letter decided again has its id."""

import base64
import hashlib

import polars as pl


def letter_id(identity: str) -> str:
    """26 letters and digits: lower-case base32 of the sha256 of the identity."""
    # 20 of the 32 bytes fill 32 characters, of which 26 are kept: the same as encoding all, in half the time.
    return base64.b32encode(hashlib.sha256(identity.encode()).digest()[:20]).decode().lower()[:26]


def with_letter_ids(decisions: pl.DataFrame) -> pl.DataFrame:
    """Adds ``letter_id`` to the rows with decision letter: kind|entity|customer|currency|episode|level or occasion|try.

    Ids of a ledger may hold the separator; there it is escaped, so that no two identities read the same.
    """
    what = pl.when(pl.col("kind") == "courtesy").then("occasion").otherwise(pl.col("level").cast(pl.String))
    parts = [
        "kind",
        "entity_id",
        "customer_id",
        "currency_code",
        pl.col("episode").cast(pl.String),
        what,
        pl.col("try_number").cast(pl.String),
    ]
    escaped = [
        (pl.col(part) if isinstance(part, str) else part)
        .str.replace_all("\\", "\\\\", literal=True)
        .str.replace_all("|", "\\|", literal=True)
        for part in parts
    ]
    identities = decisions.select(
        identity=pl.when(pl.col("decision") == "letter").then(pl.concat_str(escaped, separator="|"))
    )["identity"]
    # polars has no sha256. Only letters are hashed, at a few microseconds each.
    ids = [None if identity is None else letter_id(identity) for identity in identities]
    return decisions.with_columns(letter_id=pl.Series(ids, dtype=pl.String))
