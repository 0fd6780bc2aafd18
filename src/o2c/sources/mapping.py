"""One batch of a file as rows of one contract table: mapped, checked, with what was rejected and why."""

from dataclasses import dataclass, field

import polars as pl

from o2c.contract import Kind, Table
from o2c.sources.contract_check import contract_faults
from o2c.sources.expression import Evaluator, Expression, key_expression, parse
from o2c.sources.model import ColumnSpec, TableSpec, TextForm, ValueForm, template_fields
from o2c.sources.needed import column_specs, mentioned
from o2c.sources.plausibility import row_warnings
from o2c.sources.problems import not_twice, problem_rows, rows_of, unreadable_rows
from o2c.sources.reading import Batch
from o2c.sources.values import SCALES, Fault, Values, clean
from o2c.sources.values import parse as parse_values

CANONICAL = TextForm()


@dataclass(frozen=True)
class Lookup:
    """Columns of a joined file as ``name__column``, at most one row per key; ``on`` is SQL here to column there."""

    frame: pl.DataFrame
    on: dict[str, str]
    rejects_unmatched: bool


@dataclass(frozen=True)
class Mapped:
    """Rows of the contract with their line, problems with theirs, and what was counted."""

    rows: pl.DataFrame
    problems: pl.DataFrame
    rejected_count: int
    filtered_count: int
    uses: dict[str, int]
    implausible_count: int = 0
    dated_count: int = 0


@dataclass
class _Work:
    """A batch under way: text as it came, typed inputs beside it, faults that reject, notes that warn."""

    text: pl.DataFrame
    typed: pl.DataFrame
    lines: pl.Series
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)

    def keep(self, mask: pl.Series) -> None:
        self.text, self.typed, self.lines = (
            self.text.filter(mask),
            self.typed.filter(mask),
            self.lines.filter(mask),
        )

    def count(self, column: str, uses: dict[str, int]) -> None:
        for name, number in uses.items():
            key = f"{name}.{column}"
            self.uses[key] = self.uses.get(key, 0) + number


class TableMapper:
    """Maps batches of one file to one table of the contract, by a definition that was already checked."""

    def __init__(
        self,
        table: Table,
        spec: TableSpec,
        text_form: TextForm,
        lookups: dict[str, Lookup],
        *,
        prefix: str = "",
        unprefixed: tuple[str, ...] = (),
        file_columns: list[str],
    ) -> None:
        self._table, self._spec, self._form, self._lookups = table, spec, text_form, lookups
        self._prefixed = {
            name for name in table.names if prefix and name.endswith("_id") and name not in unprefixed
        }
        self._prefix = prefix
        self._evaluator = Evaluator()
        self._columns = column_specs(spec, table, file_columns)
        self.filled = set(self._columns)
        self._names_line = "_line" in mentioned(spec, table, file_columns)

    def apply(self, batch: Batch, loaded_on: object) -> Mapped:
        """Map, check and split one batch."""
        work = self._joined(batch)
        self._read_inputs(work)
        filtered = self._filter(work)
        frame = self._map(work)
        work.faults += not_twice(contract_faults(frame, self._table), work.faults)
        for spec in self._spec.warnings:
            holds, failed = self._evaluator.values(parse(spec.when), work.typed)
            rows = (holds.fill_null(False) | failed).arg_true()
            work.notes.append(Fault(rows, spec.code, spec.code, None, f"holds: {spec.when}"))
        noted, implausible, dated = row_warnings(frame, self._table, loaded_on, "due_date" in self._columns)
        rejected = rows_of(work.faults, frame.height)
        problems = [
            problem_rows(work.text, work.lines, work.faults, "rejected", None),
            problem_rows(work.text, work.lines, work.notes + noted, "warning", rejected),
            unreadable_rows(batch),
        ]
        rows = frame.with_columns(work.lines.alias("_line"))
        if rejected.any():
            rows = rows.filter(~rejected)
        return Mapped(
            rows,
            pl.concat(problems),
            int(rejected.sum()) + len(batch.bad),
            filtered,
            work.uses,
            int((implausible & ~rejected).sum()),
            int((dated & ~rejected).sum()),
        )

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────

    def _joined(self, batch: Batch) -> _Work:
        text = batch.frame
        unmatched: list[Fault] = []
        for name, lookup in self._lookups.items():
            keys = {f"key {i}": self._key(text, sql) for i, sql in enumerate(lookup.on)}
            text = text.with_columns(**keys).join(
                lookup.frame,
                left_on=list(keys),
                right_on=list(lookup.on.values()),
                how="left",
                validate="m:1",
                maintain_order="left",
                coalesce=False,
            )
            if lookup.rejects_unmatched:
                rows = text[f"{name}__"].is_null().arg_true()
                shown = text.select(pl.concat_str(list(keys), separator="|", ignore_nulls=True)).to_series()
                says = f"has no row in {name}"
                unmatched.append(Fault(rows, ", ".join(lookup.on), "unmatched_row", shown.gather(rows), says))
            text = text.drop(*keys, f"{name}__")
        if self._names_line:
            text = text.with_columns(batch.lines.cast(pl.String).alias("_line"))
        return _Work(text, text, batch.lines, [fault for fault in unmatched if len(fault.rows)])

    def _key(self, text: pl.DataFrame, sql: str) -> pl.Series:
        if sql in text.columns:
            return text[sql]
        values, _ = self._evaluator.values(key_expression(sql), text)
        return values.cast(pl.String)

    def _read_inputs(self, work: _Work) -> None:
        typed = {}
        for name, spec in self._spec.inputs.items():
            form = spec.text_form(self._form)
            texts, uses = clean(work.text[name], spec, form)
            read = parse_values(texts, spec.contract_kind, name, spec, form, None)
            work.faults += read.faults
            work.count(name, uses | read.uses)
            typed[name] = read.series.cast(pl.Int32, strict=False) if spec.kind == "integer" else read.series
        work.typed = work.text.with_columns(**typed)

    def _filter(self, work: _Work) -> int:
        """Leave out rows that the definition does not want; a row that could not be judged stays, to be rejected."""
        if self._spec.where is None:
            return 0
        wanted, failed = self._evaluator.values(parse(self._spec.where), work.typed)
        unclear = failed | rows_of(work.faults, work.text.height)
        keep = wanted.fill_null(False) | unclear
        if failed.any():
            work.faults.append(
                Fault(failed.arg_true(), "where", "expression_failed", None, "cannot be worked out")
            )
        numbers = keep.cast(pl.UInt32).cum_sum() - 1
        work.faults = [Fault(numbers.gather(f.rows), f.column, f.code, f.text, f.says) for f in work.faults]
        work.keep(keep)
        return int((~keep).sum())

    def _map(self, work: _Work) -> pl.DataFrame:
        height = work.text.height
        found: dict[str, pl.Series] = {}
        currency_last = sorted(self._columns, key=lambda name: self._table[name].kind in SCALES)
        for name in currency_last:
            spec, kind = self._columns[name], self._table[name].kind
            currency = found.get(_currency_of(name, self._table))
            texts, form = self._texts(work, name, spec)
            read = self._read(work, texts, kind, name, spec, form, currency)
            work.faults += read.faults
            work.count(name, read.uses)
            series = read.series
            if spec.plus_days is not None:
                series = self._plus_days(work, name, series, spec.plus_days)
            if name in self._prefixed:
                series = self._prefix + series
            found[name] = series
        nulls = {
            name: pl.Series([None], dtype=dtype).new_from_index(0, height)
            for name, dtype in self._table.schema.items()
            if name not in found
        }
        return pl.DataFrame({name: (found | nulls)[name].alias(name) for name in self._table.names})

    def _texts(self, work: _Work, name: str, spec: ColumnSpec) -> tuple[pl.Series, TextForm]:
        """The text of a column and the form it is written in."""
        if spec.column is not None:
            return work.text[spec.column], spec.text_form(self._form)
        if spec.constant is not None:
            return pl.Series([spec.constant], dtype=pl.String).new_from_index(0, work.text.height), CANONICAL
        if spec.template is not None:
            nulls = spec.text_form(self._form).nulls
            parts = work.text.select(
                pl.when(~pl.col(part).is_in(["", *nulls])).then(pl.col(part)).alias(part)
                for part in dict.fromkeys(template_fields(spec.template))
            )
            pieces = [pl.col(part) if is_field else pl.lit(part) for is_field, part in _pieces(spec.template)]
            return parts.select(pl.concat_str(pieces)).to_series(), CANONICAL
        expression: Expression = parse(spec.expression or "")
        values, failed = self._evaluator.values(expression, work.typed)
        if len(values) == 1 and work.text.height != 1:
            values = values.new_from_index(0, work.text.height)
        if failed.any():
            work.faults.append(
                Fault(failed.arg_true(), name, "expression_failed", None, "cannot be worked out")
            )
        if values.dtype == pl.String:
            return values, spec.text_form(self._form)
        return values.cast(pl.String), CANONICAL

    def _read(
        self,
        work: _Work,
        texts: pl.Series,
        kind: Kind,
        name: str,
        spec: ValueForm,
        form: TextForm,
        currency: pl.Series | None,
    ) -> Values:
        texts, uses = clean(texts, spec, form)
        faults: list[Fault] = []
        if spec.pattern is not None and len(rows := (~texts.str.contains(spec.pattern)).arg_true()):
            odd = Fault(
                rows, name, "unexpected_pattern", texts.gather(rows), f"does not look like {spec.pattern}"
            )
            (work.notes if spec.mismatch == "warn" else faults).append(odd)
        if spec.codes is not None:
            texts, unknown = _decoded(texts, spec, name)
            faults += unknown
        read = parse_values(texts, kind, name, spec, form, currency)
        return Values(read.series, faults + read.faults, uses | read.uses)

    def _plus_days(self, work: _Work, name: str, dates: pl.Series, days: str) -> pl.Series:
        if days.lstrip("-").isdigit():
            return dates.dt.offset_by(f"{int(days)}d")
        texts, _ = clean(work.text[days], ValueForm(), self._form)
        read = parse_values(texts, Kind.INTEGER, days, ValueForm(), self._form)
        work.faults += read.faults
        frame = pl.DataFrame({"date": dates, "days": read.series})
        return frame.select(pl.col("date") + pl.duration(days="days")).to_series().cast(pl.Date)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────


def _decoded(texts: pl.Series, spec: ValueForm, name: str) -> tuple[pl.Series, list[Fault]]:
    """Codes of the ledger as codes of the contract; ``""`` in the map stands for a blank."""
    codes = spec.codes or {}
    found = texts.replace_strict(codes, default=None, return_dtype=pl.String)
    if "" in codes:
        found = found.zip_with(texts.is_not_null(), pl.Series([codes[""] or None], dtype=pl.String))
    unknown = texts.is_not_null() & ~texts.is_in(list(codes))
    if not unknown.any() or spec.unmapped == "null":
        return found, []
    if spec.unmapped == "keep":
        return found.zip_with(~unknown, texts), []
    if spec.unmapped != "reject":
        return found.zip_with(~unknown, pl.Series([spec.unmapped])), []
    rows = unknown.arg_true()
    return found, [
        Fault(rows, name, "unknown_code", texts.gather(rows), "is not in the definition's code map")
    ]


def _currency_of(name: str, table: Table) -> str:
    """The column that holds the currency of an amount: its own, else that of the row."""
    own = name.removesuffix("_amount") + "_currency_code"
    return own if own in table.names else "currency_code"


def _pieces(template: str) -> list[tuple[bool, str]]:
    """Literal parts and fields of a template, in order."""
    from string import Formatter

    pieces: list[tuple[bool, str]] = []
    for literal, name, _, _ in Formatter().parse(template):
        if literal:
            pieces.append((False, literal))
        if name:
            pieces.append((True, name))
    return pieces
