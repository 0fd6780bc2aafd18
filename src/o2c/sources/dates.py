"""Dates by declared format: which formats there are, and text read by them."""

import re

import polars as pl

from o2c.sources.distinct import by_distinct

# What a directive may stand for in the text; digits are ASCII, a leading zero may be missing.
_DIRECTIVES = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "[0-9]{1,2}",
    "d": "[0-9]{1,2}",
    "b": "[A-Za-z]{3}",
    "B": "[A-Za-z]{3,9}",
    "H": "[0-9]{1,2}",
    "M": "[0-9]{2}",
    "S": "[0-9]{2}",
    "f": "[0-9]{1,9}",
    "z": "[+-][0-9]{2}:?[0-9]{2}",
}
_ISO = "%Y-%m-%d"
_ISO_SHAPE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

# How the contract's own files write instants; a bare date is midnight UTC.
CONTRACT_INSTANTS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S%z",
    _ISO,
)


def date_format_faults(text: str) -> list[str]:
    """What keeps a text from being a date format; empty when it is one."""
    used = re.findall(r"%(.?)", text)
    faults = [
        f"date format {text!r}: %{name} is not one of %{', %'.join(_DIRECTIVES)}"
        for name in used
        if name not in _DIRECTIVES
    ]
    for needed in ("Yy", "mbB", "d"):
        count = sum(name in needed for name in used)
        if count != 1:
            faults.append(f"date format {text!r} needs exactly one of %{', %'.join(needed)}")
    return faults


def parse_dates(texts: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Dates by the first format that fits; null where none does. A time of day is dropped.

    Two-digit years from 69 are 19xx, others 20xx.
    """
    return by_distinct(texts, lambda some: _dates_of(some, formats))


def _dates_of(texts: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    parsed = None
    for form in formats:
        fits = texts.str.contains(_shape(form))
        if form == _ISO:
            found = texts.set(~fits.fill_null(False), None).str.to_date(_ISO, strict=False)
        else:
            found = _to_instants(texts.set(~fits.fill_null(False), None), form).dt.date()
        parsed = found if parsed is None else parsed.zip_with(parsed.is_not_null(), found)
        if parsed.null_count() == texts.null_count():
            break
    assert parsed is not None  # noqa: S101  # a dialect has at least one format
    return parsed


def parse_instants(texts: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Instants in UTC by the first format that fits; a text without an offset is UTC already."""
    parsed = pl.Series([None], dtype=pl.Datetime("us", "UTC")).new_from_index(0, len(texts))
    for form in dict.fromkeys((*formats, *CONTRACT_INSTANTS)):
        fits = texts.str.contains(_shape(form)).fill_null(False)
        if not fits.any():
            continue
        found = _to_instants(texts.set(~fits, None), form)
        found = found if "%z" in form else found.dt.replace_time_zone("UTC")
        parsed = parsed.zip_with(parsed.is_not_null(), found.cast(parsed.dtype))
        if parsed.null_count() == texts.null_count():
            break
    return parsed


def _to_instants(texts: pl.Series, form: str) -> pl.Series:
    """Datetimes; a fraction is written ``.%f`` by people and ``%.f`` by the parser."""
    form = form.replace(".%f", "%.f")
    if "%H" not in form:
        return texts.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    if "%S" not in form:
        # the parser wants a whole time of day
        form = form.replace("%M", "%M:%S") if "%M" in form else form.replace("%H", "%H:%M:%S")
        texts = texts.str.replace("([0-9]{1,2}:[0-9]{2})", "${1}:00") if "%M" in form else texts
    return texts.str.to_datetime(
        form, strict=False, time_unit="us", time_zone="UTC" if "%z" in form else None
    )


def _shape(form: str) -> str:
    if form == _ISO:
        return _ISO_SHAPE
    parts = re.split(r"%(.)", form)
    return (
        "^" + "".join(_DIRECTIVES[part] if i % 2 else re.escape(part) for i, part in enumerate(parts)) + "$"
    )
