"""Compute columns from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


class Derive(sdk.SqlTransform):
    """Adds columns, or changes existing ones, by SQL expressions.

    A new name adds a column at the end; the name of an existing column replaces its values in place.
    The expressions are computed from top to bottom, so a later one may use the result of an earlier one:

    | column | expression |
    |---|---|
    | `net` | `price * quantity` |
    | `gross` | `round(net * 1.19, 2)` |

    A row on which an expression fails leaves by the **rejects** port with the columns it came with.
    `/` by zero gives infinity; `//` and `%` by zero reject the row.
    """

    type = "derive"
    title = "Derive"
    icon = "function"
    group = "transform"
    keywords = ("compute", "calculate", "formula", "expression", "add column", "map")
    example: ClassVar = {"columns": {"total": "price * quantity"}}

    class Config(sdk.Config):
        """The columns."""

        columns: dict[str, str] = sdk.setting(
            title="Columns",
            description="Name of each column and the SQL expression that computes it.",
            example={"total": "price * quantity"},
            editor="sql",
            keys="sets",
            min_length=1,
        )

    config: Config

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """One SELECT inside the other for each column, so that a later one sees the earlier."""
        source = "input"
        present = list(inputs["input"].names)
        for name, expression in self.config.columns.items():
            source = f"({_with_column(source, present, name, expression)})"
        return f"FROM {source}"

    def failures(self, inputs: Mapping[str, pa.Schema]) -> Mapping[str, str]:
        """Where each expression fails; what failed before it counts as NULL."""
        queries = {}
        source = "input"
        present = list(inputs["input"].names)
        for name, expression in self.config.columns.items():
            queries[name] = f"SELECT {sdk.fails(expression)} FROM {source}"
            source = f"({_with_column(source, present, name, sdk.attempt(expression))})"
        return queries


def _with_column(source: str, present: list[str], name: str, expression: str) -> str:
    """A SELECT of everything in ``source`` with the column set; ``present`` learns its name."""
    column = f"(\n{expression}\n) AS {sdk.identifier(name)}"
    if name.lower() in (known.lower() for known in present):
        return f"SELECT * REPLACE ({column}) FROM {source}"
    present.append(name)
    return f"SELECT *, {column} FROM {source}"
