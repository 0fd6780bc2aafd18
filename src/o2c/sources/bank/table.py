"""Tables, CSV or workbook, by a declared profile: given, or the one that declares exactly the header of the file."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from o2c.sources.bank.bank_csv import statements
from o2c.sources.bank.controls import Issues
from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import BankFile, Content, Issue, content_id
from o2c.sources.bank.profiles import STANDARD, BankProfile, load_profiles
from o2c.sources.bank.remittance_table import remittances
from o2c.sources.bank.table_form import TableForm
from o2c.sources.bank.table_rows import header_of, is_workbook, rows_of
from o2c.sources.bank.table_values import Columns

HEAD = 1 << 16


def read(content: Content, name: str, profile: BankProfile = STANDARD) -> BankFile:
    """The statements or remittances of one table.

    ``version`` of the result is the name of the profile that it was read by.

    Raises:
        RejectedFile: no profile for it, another header, a row that cannot be read, cut off, or damaged.
    """
    if profile.table is None:
        profile = profile_for(_shipped(), content, name)
    form = profile.table
    assert form is not None  # noqa: S101 - profile_for gives none without
    file_format = "xlsx" if is_workbook(content) else "csv"
    file_id = content_id(content)
    rows = rows_of(content, name, form)
    issues = Issues(profile)
    for column in rows.columns:
        if column not in form.header:
            message = f"column {column!r} is not declared, and not read"
            issues.add(Issue("header", "undeclared_column", message, "warning"))
    if form.is_sample:
        message = f"read by the sample {profile.name!r}: copy it, and declare your account and its currency"
        issues.add(Issue("file", "sample_profile", message))
    found = BankFile(name, file_id, file_format, profile.name)
    if form.kind == "statement":
        read_statements, said = statements(Columns(rows, form, name), profile, form, file_format)
        found = replace(found, statements=tuple(replace(one, file_id=file_id) for one in read_statements))
    else:
        read_remittances, said = remittances(rows, name, profile, form, file_format)
        found = replace(found, remittances=tuple(replace(one, file_id=file_id) for one in read_remittances))
    return replace(found, exceptions=(*issues.found, *said))


def profile_for(profiles: Mapping[str, BankProfile], content: Content, name: str) -> BankProfile:
    """The profile whose declared header is exactly the header of the file, in whatever order.

    One of your own goes before those that come with o2c, which do not know your account.

    Raises:
        RejectedFile: there is none, or more than one.
    """
    head = content if is_workbook(content) else _head(content)
    tried: dict[tuple, frozenset[str]] = {}
    fitting = []
    for profile in profiles.values():
        form = profile.table
        if form is None or not form.dialect.header:
            continue
        dialect = form.dialect
        key = (form.sheet, dialect.skip_lines, dialect.delimiter, dialect.quote, dialect.encoding)
        if key not in tried:
            tried[key] = _columns(head, name, form)
        if tried[key] == frozenset(form.header):
            fitting.append(profile)
    if own := [one for one in fitting if one != _shipped().get(one.name)]:
        fitting = own
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        reason = f"its header fits the profiles {', '.join(sorted(one.name for one in fitting))}"
        raise RejectedFile(name, "header", reason, "say which one (--profile)")
    raise RejectedFile(
        name,
        "header",
        "a table that no profile declares",
        "declare one and name it (--profile); see docs/bank-files.md",
    )


def _columns(head: Content, name: str, form: TableForm) -> frozenset[str]:
    """Columns of the file if it were of this form; none where it cannot be."""
    relaxed = form.dialect.model_copy(
        update={"trailer_lines": 0, "trailer_count": None, "final_newline": "optional"}
    )
    try:
        return frozenset(header_of(head, name, form.model_copy(update={"dialect": relaxed})))
    except RejectedFile:
        return frozenset()


def _head(content: Content) -> bytes:
    """The first lines, whole ones where there are more."""
    if isinstance(content, bytes):
        head = content[:HEAD]
    else:
        content.seek(0)
        head = content.read(HEAD)
        content.seek(0)
    if len(head) < HEAD:
        return head
    cut = head.rfind(b"\n") + 1 or HEAD
    return head[: cut - cut % 2]


@cache
def _shipped() -> dict[str, BankProfile]:
    return load_profiles()
