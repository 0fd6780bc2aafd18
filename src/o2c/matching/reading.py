"""The numbers that stand in texts: runs of digits, what is written around them, and neighbours read as one.

Dates, amounts and account numbers are taken out first: they look like invoice numbers and are none.
"""

from dataclasses import dataclass

import polars as pl
from stdnum import iban

from o2c.matching.labels import LONG_NUMBER
from o2c.matching.wording import bare, digit_value

# Stands where something was taken out; nothing is read across it.
_OUT = "|"
# How many neighbouring runs of digits may be one number: year, series, number, and a line break inside.
_MOST_RUNS = 4
# What may stand between two runs of digits of one number.
_WIDEST_GAP = 3
_MAY_BE_IBAN = r"\b[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,4})?\b"
_START, _END = r"(^|[^A-Z0-9./,'-])", r"($|[^A-Z0-9/'-])"
_DATE = "|".join(
    (
        r"[0-3]?[0-9][./-][0-3]?[0-9][./-](?:(?:19|20)[0-9]{2}|[0-9]{2})",
        r"(?:19|20)[0-9]{2}[./-][01]?[0-9][./-][0-3]?[0-9]",
        # 3.4. and 04/2024
        r"[0-3]?[0-9]\.[01]?[0-9]\.",
        r"(?:0?[1-9]|1[0-2])[./-](?:19|20)[0-9]{2}",
        r"(?:19|20)[0-9]{2}[./-](?:0[1-9]|1[0-2])",
    )
)
_AMOUNT = "|".join(
    (
        r"[0-9]{1,3}(?:[ '][0-9]{3})+[.,][0-9]{2,3}",
        r"[0-9]{1,3}(?:[.,'][0-9]{3})+(?:[.,][0-9]{2,3})?",
        r"[0-9]+[.,][0-9]{2}",
    )
)
_TAKEN_OUT = (
    rf"{_START}(?:{_DATE})(?:{_END})",
    rf"{_START}(?:{_AMOUNT})(?:{_END})",
    r"(EUR|USD|GBP|CHF|JPY|€|\$|£)(?: ?[0-9][0-9.,']*)($|[^A-Z0-9/-])",
)
_WITH_SEPARATOR = r"[0-9][./,' -][0-9]|[$€£]|(?:EUR|USD|GBP|CHF|JPY) ?[0-9]|[0-9]\. "


@dataclass(frozen=True)
class Reading:
    """What was read in texts.

    ``runs``: one row per run of digits of a text (text_key, book), in order (run), with gap (what stands before it),
    digits, after. ``spans``: one row per run or neighbouring runs (first, last) that may be one number; parts are its
    runs without leading zeros, stem its letters and digits with the letters before it. ``run_count``: of all texts.
    """

    runs: pl.DataFrame
    spans: pl.DataFrame
    run_count: int

    def without(self, texts: pl.DataFrame) -> "Reading":
        """The other texts (text_key)."""
        frames = (frame.join(texts, on="text_key", how="anti") for frame in (self.runs, self.spans))
        return Reading(*frames, self.run_count)

    def beside(self, runs: pl.DataFrame) -> "Reading":
        """The texts without the runs of digits (text_key, run) that are known."""
        known = pl.repeat(value=False, n=self.run_count, eager=True).scatter(runs["run"].unique(), True)
        is_free = ~(known.gather(self.spans["first"]) | known.gather(self.spans["last"]))
        return Reading(self.runs, self.spans.filter(is_free), self.run_count)


def read_texts(texts: pl.DataFrame) -> Reading:
    """All numbers in texts (text_key, book, plain), which must be in the order of text_key."""
    runs = _runs(texts.with_columns(without_others(texts["plain"])))
    return Reading(runs, _spans(runs), runs.height)


def without_others(plain: pl.Series) -> pl.Series:
    """Texts with dates, amounts and account numbers taken out."""
    at = plain.str.contains(LONG_NUMBER).fill_null(value=False).arg_true()
    if len(at) > 0:
        plain = plain.scatter(at, plain.gather(at).str.replace_all(LONG_NUMBER, f" {_OUT} "))
    at = plain.str.contains(_WITH_SEPARATOR).fill_null(value=False).arg_true()
    if len(at) == 0:
        return plain
    text = _without_accounts(plain.gather(at))
    for pattern in _TAKEN_OUT:
        # Twice, for neighbours share the blank between them.
        for _ in range(2):
            text = text.str.replace_all(pattern, f"${{1}} {_OUT} ${{2}}")
    return plain.scatter(at, text)


def _without_accounts(text: pl.Series) -> pl.Series:
    at = text.str.contains(_MAY_BE_IBAN).arg_true()
    if len(at) == 0:
        return text
    found = text.gather(at).str.extract_all(_MAY_BE_IBAN).to_list()
    cleared = []
    for whole, candidates in zip(text.gather(at).to_list(), found, strict=True):
        for candidate in candidates:
            # What follows an account may look like its last group.
            for length in range(len(candidate), 14, -1):
                if iban.is_valid(candidate[:length]):
                    whole = whole.replace(candidate[:length], f" {_OUT} ")
                    break
        cleared.append(whole)
    return text.scatter(at, pl.Series(cleared, dtype=pl.String))


def _runs(texts: pl.DataFrame) -> pl.DataFrame:
    return (
        texts.select(
            "text_key",
            "book",
            piece=pl.col("plain").str.extract_all(r"[^0-9]*[0-9]+"),
            tail=pl.col("plain").str.extract(r"([^0-9]*)$"),
        )
        .explode("piece", empty_as_null=False)
        .filter(pl.col("piece").is_not_null())
        .with_columns(gap=pl.col("piece").str.strip_chars_end("0123456789"))
        .with_columns(
            run=pl.int_range(pl.len(), dtype=pl.Int32),
            digits=pl.col("piece").str.slice(pl.col("gap").str.len_chars()),
            letters=bare(pl.col("gap")),
            after=pl.when(pl.col("text_key") == pl.col("text_key").shift(-1))
            .then(pl.col("gap").shift(-1))
            .otherwise("tail")
            .fill_null(""),
        )
        .drop("tail")
    )


def _spans(runs: pl.DataFrame) -> pl.DataFrame:
    """Runs alone, and each with up to three that follow closely."""
    single = runs.select(
        "text_key",
        "book",
        "gap",
        "after",
        "digits",
        first="run",
        last="run",
        stem=pl.col("letters") + pl.col("digits"),
        read=pl.col("piece"),
        parts=pl.col("digits").str.strip_chars_start("0"),
        is_broken=pl.lit(value=False),
    )
    spans = [single]
    for _ in range(_MOST_RUNS - 1):
        longer = _longer(spans[-1], runs)
        if longer.is_empty():
            break
        spans.append(longer)
    joined = pl.concat(spans)
    return joined.with_columns(digit_value(joined["digits"]).alias("value"))


def _longer(spans: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Each span with the run that follows it closely."""
    near = (pl.col("after").str.len_chars() <= _WIDEST_GAP) & ~pl.col("after").str.contains(
        _OUT, literal=True
    )
    begun = spans.filter(near & (pl.col("last") + 1 < runs.height)).with_columns(last=pl.col("last") + 1)
    # Runs are numbered as they stand.
    following = runs.select(
        next_text="text_key",
        next_gap="gap",
        next_letters="letters",
        next_digits="digits",
        next_piece="piece",
        next_after="after",
    )[begun["last"]]
    return (
        begun.hstack(following)
        .filter(pl.col("text_key") == pl.col("next_text"))
        .select(
            "text_key",
            "book",
            "gap",
            "first",
            "last",
            after="next_after",
            digits=pl.col("digits") + pl.col("next_digits"),
            stem=pl.col("stem") + pl.col("next_letters") + pl.col("next_digits"),
            read=pl.col("read") + pl.col("next_piece"),
            parts=pl.col("parts") + "-" + pl.col("next_digits").str.strip_chars_start("0"),
            is_broken=pl.col("is_broken") | pl.col("next_gap").str.strip_chars(" ").eq(""),
        )
        .select(spans.columns)
    )
