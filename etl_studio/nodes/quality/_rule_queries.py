"""Runs rules as SQL on batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etl_studio.nodes.quality._rules import Rule


class RuleQueries:
    """Queries that tell for each row and rule whether the row breaks it; of ``unique`` the fingerprints of the values.

    The rules share one query, but each expression has one of its own: DuckDB computes what two of them have in common
    outside of their TRY, so that an error would escape. Several threads may ask at once.
    """

    def __init__(self, rules: list[Rule], schema: pa.Schema) -> None:
        self._connection = sdk.sandbox(threads=1)
        self._schema = schema
        parts = {number: _violation(rule, schema) for number, rule in enumerate(rules) if rule.rule != "unique"}
        for number, part in parts.items():
            self._try_out(rules[number], part)
        together = [number for number in parts if rules[number].rule != "expression"]
        groups = [together] if together else []
        groups += [[number] for number in parts if number not in together]
        self._violations = self._queries((group, [parts[number] for number in group]) for group in groups)
        values = {
            number: sdk.fingerprint([schema.field(rule.column)])
            for number, rule in enumerate(rules)
            if rule.rule == "unique"
        }
        self._fingerprints = self._queries([(list(values), list(values.values()))] if values else [])

    def violations(self, batch: pa.RecordBatch) -> dict[int, pa.Array]:
        """By number of the rule: a mask that is true where a row breaks it. Rules for ``unique`` are not there."""
        return self._violations.run(batch)

    def fingerprints(self, batch: pa.RecordBatch) -> dict[int, pa.Array]:
        """By number of the rule: what ``unique`` compares."""
        return self._fingerprints.run(batch)

    def close(self) -> None:
        """Close the DuckDB."""
        self._connection.close()

    def _queries(self, groups: Iterable[tuple[list[int], list[str]]]) -> _Queries:
        texts = [(numbers, f"SELECT {', '.join(columns)} FROM input") for numbers, columns in groups]
        return _Queries(self._connection, self._schema, texts)

    def _try_out(self, rule: Rule, part: str) -> None:
        """Run a rule on a row without values, so that a wrong one is named."""
        import duckdb

        # DuckDB converts a rule's constants when the first row comes: one without values finds those that are wrong.
        row = pa.record_batch([pa.nulls(1, field.type) for field in self._schema], schema=self._schema)
        try:
            self._queries([([0], [part])]).run(row)
        except duckdb.Error as error:
            self.close()
            reason = str(error).split("\n", 1)[0].split("Error: ", 1)[-1].rstrip("!.")
            raise PermanentError(
                f"The rule {rule.label} does not work here: {reason}.", column=rule.column, hint="Mend the rule."
            ) from error


class _Queries:
    """Queries that several threads run, each on a cursor of its own. Their columns are known by the rules' numbers."""

    def __init__(self, connection: Any, schema: pa.Schema, texts: list[tuple[list[int], str]]) -> None:
        self._connection = connection
        self._schema = schema
        self._texts = texts
        self._idle: list[tuple[sdk.BatchView, list[tuple[list[int], Any]]]] = []

    def run(self, batch: pa.RecordBatch) -> dict[int, pa.Array]:
        """What the queries give for each row of a batch."""
        try:
            view, relations = self._idle.pop()
        except IndexError:
            view, relations = self._prepare()
        view.batches = (batch,)
        found: dict[int, pa.Array] = {}
        for numbers, relation in relations:
            table = relation.to_arrow_table().combine_chunks()
            found.update({number: column.chunk(0) for number, column in zip(numbers, table.columns, strict=True)})
        view.batches = ()
        self._idle.append((view, relations))
        return found

    def _prepare(self) -> tuple[sdk.BatchView, list[tuple[list[int], Any]]]:
        view, cursor = sdk.BatchView(self._schema), self._connection.cursor()
        cursor.register("input", view)
        return view, [(numbers, cursor.sql(text)) for numbers, text in self._texts]


def _violation(rule: Rule, schema: pa.Schema) -> str:
    """SQL that is true where a row breaks the rule, and false elsewhere."""
    if rule.rule == "expression":
        outcome = f"TRY([CAST((\n{rule.expression}\n) AS BOOLEAN)])"
        return f"coalesce(list_any_value(list_transform({outcome}, lambda met: NOT coalesce(met, true))), true)"
    assert rule.column is not None  # noqa: S101 - only an expression has none
    column = sdk.identifier(rule.column)
    kind = sdk.type_name(schema.field(rule.column).type)
    if rule.rule == "not_null":
        return f"{column} IS NULL"
    if rule.rule == "regex":
        return f"coalesce(NOT regexp_full_match(CAST({column} AS VARCHAR), {sdk.literal(rule.pattern)}), false)"
    if rule.rule == "in_list":
        # Texts that DuckDB reads as values of the column's type.
        values = ", ".join(sdk.literal(str(value)) for value in rule.values or ())
        return f"coalesce({column} NOT IN ({values}), false)"
    return _outside(rule, column, kind)


def _outside(rule: Rule, column: str, kind: str) -> str:
    bounds = [(sign, bound) for sign, bound in (("<", rule.min), (">", rule.max)) if bound is not None]
    texts = any(isinstance(bound, str) for _, bound in bounds)
    value = column
    if kind == "text" and not texts:
        value = f"TRY_CAST({column} AS DOUBLE)"
    target = sdk.column_type(kind)[1] if texts else None
    parts = [
        f"{value} {sign} {sdk.literal(bound) if target is None else f'CAST({sdk.literal(bound)} AS {target})'}"
        for sign, bound in bounds
    ]
    unreadable = f"{value} IS NULL" if value != column else f"isnan({column})" if kind == "number" else "false"
    return f"coalesce({column} IS NOT NULL AND ({unreadable} OR {' OR '.join(parts)}), false)"
