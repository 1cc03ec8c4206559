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
    outside of their TRY, so that an error would escape.
    """

    def __init__(self, rules: list[Rule], schema: pa.Schema) -> None:
        self._connection = sdk.sandbox(threads=1)
        self._view = sdk.BatchView(schema)
        self._connection.register("input", self._view)
        # DuckDB converts a rule's constants when the first row comes: one without values finds those that are wrong.
        self._view.batches = (pa.record_batch([pa.nulls(1, field.type) for field in schema], schema=schema),)
        parts = {number: _violation(rule, schema) for number, rule in enumerate(rules) if rule.rule != "unique"}
        for number, part in parts.items():
            self._try_out(rules[number], part)
        together = [number for number in parts if rules[number].rule != "expression"]
        groups = [together] if together else []
        groups += [[number] for number in parts if number not in together]
        self._violations = [(group, self._select(parts[number] for number in group)) for group in groups]
        values = {
            number: sdk.fingerprint([schema.field(rule.column)])
            for number, rule in enumerate(rules)
            if rule.rule == "unique"
        }
        self._fingerprints = [(list(values), self._select(values.values()))] if values else []

    def violations(self, batch: pa.RecordBatch) -> dict[int, pa.Array]:
        """By number of the rule: a mask that is true where a row breaks it. Rules for ``unique`` are not there."""
        return self._run(self._violations, batch)

    def fingerprints(self, batch: pa.RecordBatch) -> dict[int, pa.Array]:
        """By number of the rule: what ``unique`` compares."""
        return self._run(self._fingerprints, batch)

    def _select(self, columns: Iterable[str]) -> Any:
        return self._connection.sql(f"SELECT {', '.join(columns)} FROM input")

    def _run(self, queries: list[tuple[list[int], Any]], batch: pa.RecordBatch) -> dict[int, pa.Array]:
        self._view.batches = (batch,)
        found: dict[int, pa.Array] = {}
        for group, relation in queries:
            table = relation.to_arrow_table().combine_chunks()
            found.update({number: column.chunk(0) for number, column in zip(group, table.columns, strict=True)})
        self._view.batches = ()
        return found

    def close(self) -> None:
        """Close the DuckDB."""
        self._connection.close()

    def _try_out(self, rule: Rule, part: str) -> None:
        """Run a rule on a row without values, so that a wrong one is named."""
        import duckdb

        try:
            self._connection.sql(f"SELECT {part} FROM input").to_arrow_table()
        except duckdb.Error as error:
            self.close()
            reason = str(error).split("\n", 1)[0].split("Error: ", 1)[-1].rstrip("!.")
            raise PermanentError(
                f"The rule {rule.label} does not work here: {reason}.", column=rule.column, hint="Mend the rule."
            ) from error


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
