"""Runs a node's SQL on each batch, and finds the rows on which it fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.engine.sql_errors import is_row_error, problem_of, settings_error
from etl_studio.engine.sql_syntax import bound
from etl_studio.engine.sql_types import canonical
from etl_studio.sdk import BatchView, Problem, Rejected

if TYPE_CHECKING:
    from etl_studio.sdk import SqlTransform

EXACT = 100
"""Rejected rows of a batch that run alone for a message of their own; each costs about a millisecond."""


class RowWise:
    """One node's query on one batch at a time. One thread calls it, any thread may interrupt it."""

    def __init__(self, cursor: Any, node: SqlTransform) -> None:
        self._cursor = cursor
        self._node = node
        self._port = node.inputs[0].name
        self._view: BatchView | None = None
        self._relation: Any = None
        self._schema: pa.Schema | None = None
        self._failures: dict[str, Any] = {}

    def process(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Rejected]]:
        """Run the query on a batch.

        Returns:
            The rows that came out, in the order they came in, and those on which the query fails.

        Raises:
            PermanentError: the settings do not fit the columns.
            Cancelled: it was interrupted.
        """
        import duckdb

        if not batch.num_columns:
            return batch, []
        if self._view is None or not self._view.schema.equals(batch.schema):
            self._bind(batch.schema)
        if not batch.num_rows:
            return self._joined([]), []
        try:
            return self._joined([self._run(batch)]), []
        except duckdb.Error as error:
            if not is_row_error(error):
                raise settings_error(error, batch.schema.names) from error
            return self._split(batch)

    def interrupt(self) -> None:
        """End the running query; ``process`` raises ``Cancelled``."""
        self._cursor.interrupt()

    def close(self) -> None:
        """Free what it holds; may be called twice."""
        self._relation = None
        self._failures = {}
        self._cursor.close()

    def _bind(self, schema: pa.Schema) -> None:
        import duckdb

        query = self._node.query({self._port: schema})
        failures = self._node.failures({self._port: schema})
        self._view = BatchView(schema)
        try:
            self._cursor.register(self._port, self._view)
            self._relation = bound(self._cursor, query)
            self._schema = canonical(self._relation.to_arrow_table().schema)
        except duckdb.Error as error:
            raise settings_error(error, schema.names) from error
        try:
            self._failures = {name: bound(self._cursor, text) for name, text in failures.items()}
        except duckdb.BinderException:  # TRY takes no random(): rows that fail are found by halving the batch
            self._failures = {}

    def _run(self, batch: pa.RecordBatch) -> pa.Table:
        return self._read(self._relation, batch)

    def _read(self, relation: Any, batch: pa.RecordBatch) -> pa.Table:
        assert self._view is not None  # noqa: S101 - set by _bind
        self._view.batches = (batch,)
        try:
            return relation.to_arrow_table()
        finally:
            self._view.batches = ()

    def _joined(self, tables: list[pa.Table]) -> pa.RecordBatch:
        assert self._schema is not None  # noqa: S101 - set by _bind
        if not tables:
            return pa.RecordBatch.from_pylist([], schema=self._schema)
        whole = pa.concat_tables(table.cast(self._schema) for table in tables).combine_chunks()
        return (
            (whole.to_batches() or self._schema.empty_table().to_batches())[0] if whole.num_rows else self._joined([])
        )

    def _split(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Rejected]]:
        """The good rows of a batch that fails, and the bad ones with their problems."""
        import duckdb

        found = _Found()
        try:
            if not self._by_masks(batch, found):
                found = _Found()
                self._bisect(batch, found)
        except duckdb.Error as error:
            raise settings_error(error, batch.schema.names) from error
        if not found.bad:
            return self._joined(found.good), []
        rows = pa.Table.from_batches(found.bad).combine_chunks().to_batches()[0]
        return self._joined(found.good), [Rejected(rows, found.problems)]

    def _bisect(self, batch: pa.RecordBatch, found: _Found) -> None:
        """Halve the batch until the rows on which the query fails stand alone."""
        import duckdb

        try:
            found.good.append(self._run(batch))
        except duckdb.Error as error:
            if not is_row_error(error):
                raise
            if batch.num_rows == 1:
                found.bad.append(batch)
                found.problems.append(problem_of(error, batch))
        else:
            return
        # Outside of the handler, so that errors do not pile up as each other's context.
        if batch.num_rows > 1:
            middle = batch.num_rows // 2
            self._bisect(batch.slice(0, middle), found)
            self._bisect(batch.slice(middle), found)

    def _by_masks(self, batch: pa.RecordBatch, found: _Found) -> bool:
        """Find the bad rows by the node's failure queries: a few queries instead of some for each bad row.

        Returns:
            False when they do not tell the truth about this batch; ``found`` is worthless then.
        """
        import pyarrow.compute as pc

        masks = {
            name: self._read(relation, batch).column(0).combine_chunks() for name, relation in self._failures.items()
        }
        if not masks:
            return False
        failing = None
        for mask in masks.values():
            failing = mask if failing is None else pc.or_(failing, mask)
        bad = batch.filter(failing)
        good = batch.filter(pc.invert(failing))
        if not bad.num_rows:
            return False
        if good.num_rows:
            self._bisect(good, found)
        if found.bad:
            return False
        found.problems = self._explained(bad, {name: mask.filter(failing) for name, mask in masks.items()})
        found.bad = [bad]
        return bool(len(found.problems) == bad.num_rows)

    def _explained(self, bad: pa.RecordBatch, masks: dict[str, Any]) -> list[Problem]:
        """A problem for each row; fewer than rows when one of them does not fail alone."""
        import duckdb

        problems: list[Problem] = []
        latest: dict[str, Problem] = {}
        for number, causes in enumerate(zip(*(mask.to_pylist() for mask in masks.values()), strict=True)):
            column = next(name for name, fails in zip(masks, causes, strict=True) if fails)
            row = bad.slice(number, 1)
            if number >= EXACT and column in latest:
                problems.append(_alike(latest[column], column, row))
                continue
            try:
                self._run(row)
            except duckdb.Error as error:
                if not is_row_error(error):
                    raise
                problems.append(problem_of(error, row))
                latest[column] = problems[-1]
            else:
                return problems
        return problems


@dataclass
class _Found:
    """Parts of a batch that fails: tables that came out, rows on which the query fails, and why."""

    good: list[pa.Table] = field(default_factory=list)
    bad: list[pa.RecordBatch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _alike(known: Problem, column: str, row: pa.RecordBatch) -> Problem:
    """The problem of a row that fails in the same expression as one whose message is known."""
    if known.column is not None and known.column in row.schema.names and known.value is not None:
        value = str(row.column(known.column)[0].as_py())
        return replace(known, message=known.message.replace(f'"{known.value}"', f'"{value}"', 1), value=value)
    return replace(known, message=f'"{column}" fails for this row as for others: {known.message}', value=None)
