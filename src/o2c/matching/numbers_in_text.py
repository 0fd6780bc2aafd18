"""Rules that find our numbers inside texts: as they are, with something lost, and orders' numbers.

A claim is a span of a reading and an invoice; several may claim the same digits of a text. ``best_claims`` keeps the
best on every run of digits.
"""

import polars as pl

from o2c.matching.catalogue import Catalogue
from o2c.matching.labels import INVOICE_WORDS, OF_ANOTHER_THING
from o2c.matching.reading import Reading

_CLAIMS = (
    *("text_key", "book", "first", "last", "item_key", "rule", "trust", "read"),
    *("gap", "value", "digits", "is_broken", "prefix", "suffix", "number_digits", "counter", "tail"),
)
# Letters from which on something attached to a number is a word and not the code of another series.
_WORD = 4
_LONG = 7
_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")
# How claims on the same digits rank: numbers with letters of their own, those without, and mere digits; each worse by
# one where a blank stands between the digits.
LETTERED, UNLETTERED, WEAK = 0, 2, 10
YEAR = r"^(?:19|20)[0-9]{2}$"
_MONTH_AND_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_DAY_AND_MONTH = "(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])"
_SHORT_DAY = rf"^(?:[0-9]{{2}}{_MONTH_AND_DAY}|{_DAY_AND_MONTH}[0-9]{{2}}|{_MONTH_AND_DAY}[0-9]{{2}})$"
_DAY = rf"^(?:(?:19|20)[0-9]{{2}}{_MONTH_AND_DAY}|{_DAY_AND_MONTH}(?:19|20)[0-9]{{2}})$"


def claims(reading: Reading, invoices: Catalogue, at_least: int, at_most: int) -> pl.DataFrame:
    """Spans and the invoices whose digits they have, with what each says of the other."""
    spans = reading.spans
    numbers = invoices.with_values(spans.select("book", "value").unique())
    return _judged(pairs_of(spans, numbers, at_most), invoices.series, at_least)


def pairs_of(spans: pl.DataFrame, numbers: pl.DataFrame, at_most: int) -> pl.DataFrame:
    """Spans joined to numbers of the same digits.

    Digits that too many numbers have, a year in all of them, are joined only where the letters before agree, too.
    """
    count = numbers.group_by("book", "value").len("sharing")
    numbers = numbers.join(count, on=["book", "value"], validate="m:1")
    renamed = numbers.select(
        "item_key",
        "book",
        "value",
        "prefix",
        "suffix",
        "sharing",
        "run_count",
        "counter",
        "tail",
        number_stem="stem",
        number_digits="digits",
    )
    rare = renamed.filter(pl.col("sharing") <= at_most).drop("sharing")
    pairs = spans.join(rare, on=["book", "value"])
    common = renamed.filter(pl.col("sharing") > at_most).drop("sharing")
    if common.is_empty():
        return pairs
    word = pl.col("gap").str.extract(r"([A-Z]+)[^A-Z0-9]*$").fill_null("")
    keyed = [
        spans.with_columns(number_stem=key)
        for key in (pl.col("stem"), word + pl.col("digits"), pl.col("digits"))
    ]
    exact = pl.concat(keyed).unique().join(common, on=["book", "value", "number_stem"])
    return pl.concat([pairs, exact.select(pairs.columns)])


def with_surroundings(pairs: pl.DataFrame, series: list[str]) -> pl.DataFrame:
    """What stands around each span, as far as it matters for the number it is held against.

    Adds word (the last before it), glued (letters without anything between), is_of_strange_code (a short code that is
    not the number's own), is_time (a year or a day), is_elsewhere (letters of another series or words say that it is
    another thing, or it is a time that is not called an invoice), has_suffix (its letters behind it) and
    has_other_suffix (others).
    """
    letters_after = pl.col("after").str.extract(r"^([A-Z]+)").fill_null("")
    attached = pl.col("gap").str.extract(r"([A-Z]+)[-/_.#:]?$").fill_null("")
    foreign = (attached != "") & (attached != pl.col("prefix"))
    suffix = pl.col("suffix")
    is_word_after = (letters_after.str.len_chars() >= 3) & ~letters_after.is_in(_CURRENCIES)
    has_suffix = (
        pl.when(suffix == "")
        # A word may be glued to a number (1001VOM), a letter makes it another one (1001B).
        .then((letters_after == "") | is_word_after)
        .otherwise(pl.col("after").str.replace_all("[^A-Z]", "").str.starts_with(suffix))
    )
    is_time = pl.col("digits").str.contains(YEAR) | pl.col("digits").str.contains(_DAY)
    return pairs.with_columns(
        word=pl.col("gap").str.extract(r"([A-Z]+)[^A-Z0-9]*$").fill_null(""),
        glued=pl.col("gap").str.extract(r"([A-Z]+)$").fill_null(""),
        is_of_other_series=foreign & attached.is_in(series) & ~attached.is_in(INVOICE_WORDS),
        is_of_strange_code=foreign & ~attached.is_in(INVOICE_WORDS) & (attached.str.len_chars() < _WORD),
        is_of_another_thing=pl.col("gap").str.contains(OF_ANOTHER_THING),
        is_time=is_time,
        has_suffix=has_suffix,
        has_other_suffix=(letters_after != "") & (letters_after != suffix) & ~is_word_after,
    ).with_columns(
        is_elsewhere=pl.col("is_of_other_series")
        | pl.col("is_of_another_thing")
        | (pl.col("is_time") & ~pl.col("word").is_in(INVOICE_WORDS))
    )


def is_number_itself() -> pl.Expr:
    """The span has the number's digits with all zeros, its letters and its ending."""
    # V1001 is not INV1001; REINV1001 is.
    own_letters = (
        (pl.col("prefix").str.len_chars() > 1)
        | (pl.col("glued") == "")
        | (pl.col("glued") == pl.col("prefix"))
    )
    return (
        (pl.col("digits") == pl.col("number_digits"))
        & pl.col("stem").str.ends_with(pl.col("number_stem"))
        & pl.col("has_suffix")
        & ((pl.col("prefix") == "") | own_letters)
    )


def _judged(pairs: pl.DataFrame, series: list[str], at_least: int) -> pl.DataFrame:
    """Each claim as the number itself, as its digits, or dropped."""
    plainly = _is_plainly_itself() & (_length() >= at_least)
    sure = pairs.filter(plainly).with_columns(
        rule=pl.lit("embedded_number"), trust=LETTERED + pl.col("is_broken").cast(pl.Int32)
    )
    return pl.concat([sure.select(*_CLAIMS), _judged_closely(pairs.filter(~plainly), series, at_least)])


def _is_plainly_itself() -> pl.Expr:
    """Our letters and all digits, with nothing glued behind: no more needs to be known."""
    return (
        (pl.col("prefix").str.len_chars() > 1)
        & (pl.col("suffix") == "")
        & (pl.col("digits") == pl.col("number_digits"))
        & pl.col("stem").str.ends_with(pl.col("number_stem"))
        & ~pl.col("after").str.contains("^[A-Z]")
    )


def _length() -> pl.Expr:
    """Letters and digits of a number."""
    return pl.col("number_stem").str.len_chars() + pl.col("suffix").str.len_chars()


def _judged_closely(pairs: pl.DataFrame, series: list[str], at_least: int) -> pl.DataFrame:
    own_word = (pl.col("prefix") != "") & (pl.col("word") == pl.col("prefix"))
    own, broken = pl.col("prefix") != "", pl.col("is_broken").cast(pl.Int32)
    long_enough = _length() >= at_least
    strange = pl.col("is_elsewhere") | pl.col("is_of_strange_code")
    # 11940-26 is not 1194026, nor 160926 1609-26, unless our letters stand before it or a line broke inside.
    runs = pl.col("last") - pl.col("first") + 1
    same_runs = own_word | (pl.col("run_count") == runs)
    may_be_day = pl.col("digits").str.contains(_SHORT_DAY)
    fewer_runs = (pl.col("run_count") > runs) & ~may_be_day
    alone = ~strange & ((pl.col("run_count") == runs) | fewer_runs | pl.col("is_broken"))
    is_itself = is_number_itself() & long_enough & (own | alone)
    return (
        with_surroundings(pairs, series)
        .with_columns(is_itself=is_itself)
        .with_columns(
            rule=pl.when("is_itself")
            .then(pl.lit("embedded_number"))
            .when(are_its_digits(at_least) & same_runs)
            .then(pl.lit("digits")),
            trust=pl.when("is_itself")
            .then(pl.when(own).then(LETTERED).otherwise(UNLETTERED) + broken)
            .otherwise(WEAK + broken),
        )
        .filter(pl.col("rule").is_not_null())
        .select(*_CLAIMS)
    )


def are_its_digits(at_least: int) -> pl.Expr:
    """The span is the number with letters or zeros lost, and nothing around it says that it is another's."""
    same_prefix = (pl.col("prefix") != "") & (pl.col("word") == pl.col("prefix"))
    length = pl.col("digits").str.len_chars()
    alone = (length >= at_least) & ~pl.col("is_of_strange_code") & ~pl.col("is_elsewhere")
    prefixed = pl.col("prefix").str.len_chars() + length >= at_least
    # Who writes some zeros writes all: 0017 is not 0000017.
    all_zeros = ~pl.col("digits").str.starts_with("0") | (length >= pl.col("number_digits").str.len_chars())
    fits = all_zeros & ~pl.col("has_other_suffix") & pl.when(same_prefix).then(prefixed).otherwise(alone)
    # Of many digits none is there by chance, whatever is glued to them.
    is_long = (length >= _LONG) & (pl.col("digits") == pl.col("number_digits")) & ~pl.col("is_elsewhere")
    return fits | is_long
