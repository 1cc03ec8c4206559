"""From records (dicts, as JSON and web pages give them) to Arrow batches with one schema for the whole run."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.sdk.emissions import Problem, Rejected
from etl_studio.sdk.types import column_type, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SETTLE_ROWS = 1_000
SETTLE_SECONDS = 2.0
BATCH_ROWS = 10_000
BATCH_SECONDS = 0.25


class RecordBuilder:
    """Collects records and gives batches.

    The first 1,000 records (or those of the first two seconds) decide the columns and their types, unless they are
    declared. A later record with a new field or with a value that does not fit is rejected, never cut.
    Nested values become JSON text.

    Args:
        columns: declared types by column name; they win over what is found.
        fixed: True when ``columns`` are all there are, so that nothing has to settle.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        *,
        fixed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._declared = {name: column_type(text)[0] for name, text in (columns or {}).items()}
        self._json = {name for name, text in (columns or {}).items() if text.strip().lower() == "json"}
        self.schema: pa.Schema | None = pa.schema(list(self._declared.items())) if fixed else None
        self._pending: list[tuple[dict[str, Any], int | None]] = []
        self._clock = clock
        self._since = clock()
        self._given = False

    def add(
        self, records: Iterable[dict[str, Any]], *, first_line: int | None = None
    ) -> Iterator[pa.RecordBatch | Rejected]:
        """Take records; give what is full or has waited for 250 ms. ``first_line`` numbers them in the source."""
        for offset, record in enumerate(records):
            if not self._pending:
                self._since = self._clock()
            self._pending.append((record, None if first_line is None else first_line + offset))
            if len(self._pending) >= (SETTLE_ROWS if self.schema is None else BATCH_ROWS):
                yield from self._flush()
        if self._pending:
            limit = SETTLE_SECONDS if self.schema is None else BATCH_SECONDS
            if self._clock() - self._since >= limit:
                yield from self._flush()

    def finish(self) -> Iterator[pa.RecordBatch | Rejected]:
        """Give the rest; at least one batch, so that the columns are known even without rows."""
        if self._pending or not self._given:
            yield from self._flush()

    def _flush(self) -> Iterator[pa.RecordBatch | Rejected]:
        pending, self._pending = self._pending, []
        if self.schema is None:
            self.schema = self._infer([record for record, _ in pending])
        self._given = True
        yield from self._build(pending)

    def _infer(self, records: list[dict[str, Any]]) -> pa.Schema:
        kinds: dict[str, set[type]] = {name: set() for name in self._declared}
        for record in records:
            for name, value in record.items():
                kinds.setdefault(name, set()).add(type(value))
        return pa.schema([(name, self._declared.get(name) or _arrow_type(found)) for name, found in kinds.items()])

    def _build(self, pending: list[tuple[dict[str, Any], int | None]]) -> Iterator[pa.RecordBatch | Rejected]:
        schema = self.schema
        assert schema is not None  # noqa: S101 - set by _flush
        known = set(schema.names)
        if all(record.keys() <= known for record, _ in pending):
            try:
                yield self._batch([record for record, _ in pending])
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                pass
            else:
                return
        good, bad, problems = [], [], []
        for record, line in pending:
            problem = self._problem(record, line, known)
            if problem is None:
                good.append(record)
            else:
                bad.append(json.dumps(record, ensure_ascii=False, default=str))
                problems.append(problem)
        if good:
            yield self._batch(good)
        yield Rejected(pa.record_batch({"record": pa.array(bad, pa.string())}), problems)

    def _batch(self, records: list[dict[str, Any]]) -> pa.RecordBatch:
        assert self.schema is not None  # noqa: S101 - set by _flush
        arrays = [self._array(field, [record.get(field.name) for record in records]) for field in self.schema]
        if not arrays:
            return pa.record_batch([], schema=self.schema)
        return pa.record_batch(arrays, schema=self.schema)

    def _array(self, field: pa.Field, values: list[Any]) -> pa.Array:
        if pa.types.is_string(field.type):
            as_json = field.name in self._json
            return pa.array([_text(value, as_json=as_json) for value in values], pa.string())
        if field.name in self._declared and any(isinstance(value, str) for value in values):
            texts = [None if value is None or value == "" else str(value).strip() for value in values]
            return pa.array(texts, pa.string()).cast(field.type)
        if any(isinstance(value, bool) for value in values) and not pa.types.is_boolean(field.type):
            raise TypeError(field.name)
        return pa.array(values, field.type)

    def _problem(self, record: dict[str, Any], line: int | None, known: set[str]) -> Problem | None:
        assert self.schema is not None  # noqa: S101 - set by _flush
        for name in record:
            if name not in known:
                return Problem(
                    "new_column",
                    f'The field "{name}" is not among the columns that the first records have. '
                    f"Declare it: columns: {{{name}: text}}.",
                    name, line, record[name],
                )  # fmt: skip
        for field in self.schema:
            value = record.get(field.name)
            try:
                self._array(field, [value])
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                wanted = type_name(field.type)
                return Problem(
                    "cast",
                    f'"{value}" in the column "{field.name}" is no {wanted}. '
                    f"Mend the value or declare another type: columns: {{{field.name}: text}}.",
                    field.name, line, value,
                )  # fmt: skip
        return None


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
    return json.dumps(value, ensure_ascii=False)
