"""Keep one row of those that have the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


class Deduplicate(sdk.SqlTransform):
    """Keeps one row of those that have the same values in the key columns.

    Without keys, rows count as the same when all their columns are. Empty values (NULL) count as equal.
    The rows that stay keep their order; the others are counted as filtered.
    The node waits for all rows, spills to disk when they do not fit into memory, and then gives its result.
    Dead letters that are replayed through it are compared with each other only.
    """

    type = "deduplicate"
    title = "Deduplicate"
    icon = "copy-minus"
    group = "transform"
    keywords = ("distinct", "unique", "duplicates", "first", "last")
    outputs = (sdk.OUT,)
    rows = "fewer"
    blocking = True
    single_pass = True
    example: ClassVar = {"keys": ["id"], "keep": "last"}
    keeps_columns = True

    class Config(sdk.Config):
        """The key."""

        keys: list[str] = sdk.setting(
            [],
            title="Key columns",
            description="Rows with the same values here are the same. Empty: all columns.",
            example=["id"],
            editor="columns",
        )
        keep: Literal["first", "last"] = sdk.setting(
            "first", title="Keep", description="Which of them stays, in the order in which they arrive."
        )

    config: Config

    def takes_part(self, port: str) -> bool:
        """In a replay it looks at the replayed rows only; a sink that merges by key finds the others."""
        del port
        return True

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """The first or last row of each key, in the order of arrival."""
        columns = inputs["input"].names
        sdk.require_columns(self.config.keys, columns, setting="keys")
        number = sdk.identifier(sdk.unused("row_number", columns))
        direction = "ASC" if self.config.keep == "first" else "DESC"
        return (
            f"SELECT * EXCLUDE ({number}) FROM (SELECT *, row_number() OVER () AS {number} FROM input) "
            f"QUALIFY row_number() OVER (PARTITION BY {sdk.identifiers(self.config.keys or columns)} "
            f"ORDER BY {number} {direction}) = 1 ORDER BY {number}"
        )
