"""From records (dicts, as JSON and web pages give them) to Arrow batches with one schema for the whole run."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.errors import PermanentError
from etl_studio.sdk.emissions import Problem, Rejected
from etl_studio.sdk.types import cast_texts, column_type, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

SETTLE_ROWS = 1_000
SETTLE_SECONDS = 2.0
BATCH_ROWS = 10_000
BATCH_SECONDS = 0.25
MISFITS = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""What Arrow raises for a value that does not fit a type."""
MOST_COLUMNS = 4_000
"""No table takes more than half of it (SQLite: 2,000); more cost minutes."""
TOO_DEEP = "(nested too deeply to be shown)"


class RecordBuilder:
    """Collects records and gives batches.

    The first 1,000 records (or those of the first two seconds) decide the columns and their types, unless they are
    declared. A later record with a new field or with a value that does not fit is rejected, never cut.
    Nested values become JSON text.

    Args:
        columns: declared types by column name; they win over what is found.
        fixed: True when ``columns`` are all there are, so that nothing has to settle.
        wanted: records that are enough, as ``Source.wanted`` tells: these are given as soon as they are there.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        *,
        fixed: bool = False,
        wanted: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._declared = {name: column_type(text)[0] for name, text in (columns or {}).items()}
        self._json = {name for name, text in (columns or {}).items() if text.strip().lower() == "json"}
        self.schema: pa.Schema | None = pa.schema(list(self._declared.items())) if fixed else None
        self._pending: list[tuple[dict[str, Any], int | None]] = []
        self._settle_rows, self._batch_rows = (min(rows, wanted or rows) for rows in (SETTLE_ROWS, BATCH_ROWS))
        self._clock = clock
        self._since = clock()
        self._given = False

    def add(
        self,
        records: Iterable[dict[str, Any]],
        *,
        first_line: int | None = None,
        lines: Sequence[int] | None = None,
    ) -> Iterator[pa.RecordBatch | Rejected]:
        """Take records; give what is full or has waited for 250 ms.

        Args:
            records: what came.
            first_line: line of the first one in the source, when each takes one line.
            lines: line of each, when they do not follow each other.
        """
        for offset, record in enumerate(records):
            if not self._pending:
                self._since = self._clock()
            line = lines[offset] if lines is not None else None if first_line is None else first_line + offset
            self._pending.append((record, line))
            if len(self._pending) >= (self._settle_rows if self.schema is None else self._batch_rows):
                yield from self._flush()
        if self._pending:
            limit = SETTLE_SECONDS if self.schema is None else BATCH_SECONDS
            if self._clock() - self._since >= limit:
                yield from self._flush()

    def declared(self, schema: pa.Schema) -> pa.Schema:
        """A schema with the declared types in place of its own, and the declared columns that it lacks."""
        known = {field.name: field.type for field in schema}
        return pa.schema(list({**known, **self._declared}.items()))

    def check(self, record: dict[str, Any], line: int | None = None) -> Problem | None:
        """Why a record would be rejected; None as long as the columns have not settled."""
        if self.schema is None:
            return None
        return self._problem(record, line, set(self.schema.names), list(self.schema))

    def is_boolean(self, name: str) -> bool:
        """Whether a column is known to hold true and false."""
        known = self._declared.get(name) if self.schema is None else self.schema.field(name).type
        return known is not None and pa.types.is_boolean(known)

    @property
    def columns(self) -> dict[str, str] | None:
        """Names and types, once they are settled and while nothing waits; otherwise None: no place for a cursor."""
        if self.schema is None or self._pending:
            return None
        return {field.name: type_name(field.type) for field in self.schema}

    def finish(self) -> Iterator[pa.RecordBatch | Rejected]:
        """Give the rest; at least one batch, so that the columns are known even without rows."""
        if self._pending or not self._given:
            yield from self._flush()

    def _flush(self) -> Iterator[pa.RecordBatch | Rejected]:
        pending, self._pending = self._pending, []
        if self.schema is None:
            self.schema = self._infer([record for record, _ in pending])
        first, self._given = not self._given, True
        for emission in self._build(pending):
            if first and isinstance(emission, Rejected):
                yield self._batch([])  # no row was good, but the columns are known
            first = False
            yield emission

    def _infer(self, records: list[dict[str, Any]]) -> pa.Schema:
        kinds: dict[str, set[type]] = {name: set() for name in self._declared}
        for record in records:
            for name, value in record.items():
                kinds.setdefault(name, set()).add(type(value))
        kinds = {name: found for name, found in kinds.items() if _printable(name) == name}
        if len(kinds) > MOST_COLUMNS:
            raise PermanentError(
                f"The first {len(records):,} records have {len(kinds):,} different fields; "
                f"at most {MOST_COLUMNS:,} are read.",
                hint="Are these names values? Declare the columns that you need; the others are rejected.",
                column=next(reversed(kinds)),
            )
        return pa.schema([(name, self._declared.get(name) or _arrow_type(found)) for name, found in kinds.items()])

    def _build(self, pending: list[tuple[dict[str, Any], int | None]]) -> Iterator[pa.RecordBatch | Rejected]:
        schema = self.schema
        assert schema is not None  # noqa: S101 - set by _flush
        known = set(schema.names)
        if (known or not pending) and all(record.keys() <= known for record, _ in pending):
            try:
                yield self._batch([record for record, _ in pending])
            except MISFITS:
                pass
            else:
                return
        suspects = [
            field for field in schema if not self._fits(field, [record.get(field.name) for record, _ in pending])
        ]
        good: list[dict[str, Any]] = []
        bad: list[tuple[dict[str, Any], Problem]] = []
        for record, line in pending:
            problem = self._problem(record, line, known, suspects)
            if problem is None:
                good.append(record)
            else:
                bad.append((record, problem))
        if good:
            yield self._batch(good)
        yield _rejected(bad)

    def _batch(self, records: list[dict[str, Any]]) -> pa.RecordBatch:
        assert self.schema is not None  # noqa: S101 - set by _flush
        arrays = [self._array(field, [record.get(field.name) for record in records]) for field in self.schema]
        if not arrays:
            return pa.record_batch([], schema=self.schema)
        return pa.record_batch(arrays, schema=self.schema)

    def _array(self, field: pa.Field, values: list[Any]) -> pa.Array:
        """Values as a column. Whether one fits does not depend on those around it; none is rounded or cut.

        Raises:
            ArrowException, OverflowError, TypeError, ValueError: a value does not fit.
        """
        kinds = set(map(type, values)) - {type(None)}
        if pa.types.is_string(field.type):
            as_json = field.name in self._json
            if as_json or not kinds <= {str}:
                values = [_text(value, as_json=as_json) for value in values]
        elif not kinds <= _plain_kinds(field.type):
            values = self._plain(field, values)
        array = pa.array(values, field.type)
        if float in kinds and pa.types.is_floating(field.type) and _is_too_large(array):
            raise OverflowError(field.name)  # JSON has no infinity: it was a number that is too large
        return array

    def _plain(self, field: pa.Field, values: list[Any]) -> list[Any]:
        """Values that Arrow takes as they are: texts are read as the declared type, 2.0 is the integer 2."""
        plain = _plain_kinds(field.type)
        texts: dict[int, str | None] = {}
        found = list(values)
        for index, value in enumerate(values):
            if value is None or type(value) in plain:
                continue
            if isinstance(value, str) and field.name in self._declared:
                texts[index] = value.strip() or None
            elif isinstance(value, float | int) and not isinstance(value, bool) and pa.types.is_decimal(field.type):
                texts[index] = repr(value)
            elif isinstance(value, float) and value.is_integer() and pa.types.is_integer(field.type):
                found[index] = int(value)
            else:
                raise TypeError(field.name)
        typed = cast_texts(pa.array(list(texts.values()), pa.string()), field.type).to_pylist()
        for index, value in zip(texts, typed, strict=True):
            found[index] = value
        return found

    def _fits(self, field: pa.Field, values: list[Any]) -> bool:
        try:
            self._array(field, values)
        except MISFITS:
            return False
        return True

    def _problem(
        self, record: dict[str, Any], line: int | None, known: set[str], suspects: list[pa.Field]
    ) -> Problem | None:
        if not known and not record:
            return Problem("empty", "The record has no fields at all. Leave it out, or declare columns.", None, line)
        for name, value in record.items():
            if name not in known:
                shown = _printable(name)
                message = (
                    f'The field "{shown}" is not among the columns that the first records have. '
                    f"Declare it: columns: {{{shown}: text}}."
                )
                return Problem("new_column", message, shown, line, _shown(value))
        for field in suspects:
            value = record.get(field.name)
            if not self._fits(field, [value]):
                message = (
                    f'"{_shown(value)}" in the column "{field.name}" is no {type_name(field.type)}. '
                    f"Mend the value or declare another type: columns: {{{field.name}: text}}."
                )
                return Problem("cast", message, field.name, line, _shown(value))
        return None


def _rejected(bad: list[tuple[dict[str, Any], Problem]]) -> Rejected:
    texts = [_record_text(record) for record, _ in bad]
    columns = {"record": pa.array(texts, pa.string())}
    lines = [problem.line for _, problem in bad]
    if any(line is not None for line in lines):
        columns = {"line": pa.array(lines, pa.int64()), **columns}
    return Rejected(pa.record_batch(columns), [problem for _, problem in bad])


def _printable(text: str) -> str:
    """Halves of surrogate pairs, which JSON can hold but no file can, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _is_too_large(array: pa.Array) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.is_inf(array)).as_py())


def _shown(value: Any) -> Any:
    """A value as a message can hold it."""
    if not isinstance(value, str | dict | list):
        return value
    try:
        return _printable(str(value))
    except RecursionError:
        return TOO_DEEP


def _record_text(record: dict[str, Any]) -> str:
    try:
        return _printable(json.dumps(record, ensure_ascii=False, default=str))
    except RecursionError:
        return TOO_DEEP


def _plain_kinds(data_type: pa.DataType) -> set[type]:
    """The Python types whose values Arrow takes for a type without changing them."""
    if pa.types.is_boolean(data_type):
        return {bool}
    if pa.types.is_integer(data_type):
        return {int}
    if pa.types.is_floating(data_type):
        return {int, float}
    if pa.types.is_date(data_type):
        return {dt.date}
    if pa.types.is_timestamp(data_type):
        return {dt.datetime}
    return {decimal.Decimal} if pa.types.is_decimal(data_type) else {dt.time}


def _arrow_type(kinds: set[type]) -> pa.DataType:
    kinds = kinds - {type(None)}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    if kinds and kinds <= {int, float}:
        return pa.float64()
    return pa.string()


def _text(value: Any, *, as_json: bool) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and not as_json:
        return value
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
