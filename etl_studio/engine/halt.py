"""A batch that a debugger holds: which rows have passed, and what a person did to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.engine.json_values import json_value
from etl_studio.engine.letter_rows import batch_of, read_value, type_words
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


SHOWN = 100
"""Rows that were taken out at once and are told one by one."""


class HeldBatch:
    """The rows of one batch, in order. Those before ``row`` have passed and stay as they are.

    Args:
        batch: as it came.

    Attributes:
        batch: as it is now.
        row: the next row to pass, by its index in ``batch``.
        dropped: how many rows a person took out since they were counted last.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self.row = 0
        self.dropped = 0
        self._edited: set[int] = set()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.batch.num_rows)

    @property
    def edited(self) -> frozenset[int]:
        """Rows that a person changed."""
        return frozenset(self._edited)

    def pass_to(self, row: int) -> tuple[pa.RecordBatch, int]:
        """Let the rows before ``row`` pass.

        Returns:
            Them, and how many of them a person changed.
        """
        first, self.row = self.row, row
        return self.batch.slice(first, row - first), sum(first <= number < row for number in self._edited)

    def edit(self, changes: Mapping[int, Mapping[str, Any]]) -> list[tuple[int, str, Any, Any]]:
        """Give rows other values; all of them or none.

        Args:
            changes: JSON-ready values by row and column.

        Returns:
            What changed: row, column, value before and after, JSON-ready.

        Raises:
            UsageError: a value does not fit its column, or the row has passed.
        """
        types = type_words(self.batch.schema)
        done = []
        for row, values in changes.items():
            self._check(row)
            for column, value in values.items():
                if column not in types:
                    raise UsageError(f'There is no column "{column}".', hint=f"Columns: {', '.join(types)}.")
                field = self.batch.schema.field(column)
                if value is None and not field.nullable:
                    raise UsageError(f'The column "{column}" must have a value.')
                before = json_value(self.batch.column(column)[row].as_py())
                done.append((row, column, before, read_value(column, value, types[column])))
        batch = self.batch
        for row, column, _, value in done:
            batch = _with(batch, row, column, value)
        self.batch = batch
        self._edited |= {row for row, _, before, after in done if before != after}
        return [change for change in done if change[2] != change[3]]

    def drop(self, rows: frozenset[int]) -> list[dict[str, Any]]:
        """Take rows out.

        Returns:
            The first of them, JSON-ready.

        Raises:
            UsageError: one of them has passed.
        """
        for row in rows:
            self._check(row)
        gone = [self.batch.slice(row, 1).to_pylist()[0] for row in sorted(rows)[:SHOWN]]
        kept = [row for row in range(self.rows) if row not in rows]
        self._edited = {place for place, row in enumerate(kept) if row in self._edited}
        self.batch = self.batch.take(pa.array(kept, pa.int64()))
        self.dropped += len(rows)
        return [{name: json_value(value) for name, value in row.items()} for row in gone]

    def _check(self, row: int) -> None:
        if not 0 <= row < self.rows:
            raise UsageError(f"There is no row {row + 1} in this batch.", hint=f"It has {self.rows:,} rows.")
        if row < self.row:
            raise UsageError(f"The row {row + 1} has passed already.", hint="Edit the current row or one behind it.")


def _with(batch: pa.RecordBatch, row: int, column: str, value: Any) -> pa.RecordBatch:
    place = batch.schema.get_field_index(column)
    field, old = batch.schema.field(place), batch.column(place)
    new = batch_of([{column: value}], pa.schema([field])).column(0)
    whole = pa.concat_arrays([old.slice(0, row), new, old.slice(row + 1)])
    return batch.set_column(place, field, whole)
