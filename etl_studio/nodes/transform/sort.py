"""Put rows in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


class SortKey(sdk.Config):
    """One column to sort by."""

    column: str = sdk.setting(title="Column", description="The column to sort by.", example="price", editor="column")
    descending: bool = sdk.setting(False, title="Descending", description="Largest first.")


class Sort(sdk.SqlTransform):
    """Puts rows in order.

    The first column decides; the next ones decide between rows that are equal so far. Rows that are equal in all of
    them keep the order in which they arrived. Empty values (NULL) come last, also in descending order.
    Text is compared by its characters' code points: capitals come before small letters.
    The node waits for all rows and sorts on disk when they do not fit into memory.
    """

    type = "sort"
    title = "Sort"
    icon = "sort"
    group = "transform"
    keywords = ("order by", "arrange", "ascending", "descending", "rank")
    outputs = (sdk.OUT,)
    blocking = True
    single_pass = True
    example: ClassVar = {"by": [{"column": "price", "descending": True}]}
    keeps_columns = True

    class Config(sdk.Config):
        """The order."""

        by: list[SortKey] = sdk.setting(
            title="Sort by",
            description="Columns in order of weight.",
            example=[{"column": "price", "descending": True}],
            min_length=1,
        )

    config: Config

    def takes_part(self, port: str) -> bool:
        """The order of a part is that of the whole."""
        del port
        return True

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """All rows in order; the number of arrival decides between equal ones."""
        columns = inputs["input"].names
        sdk.require_columns((key.column for key in self.config.by), columns, setting="by")
        number = sdk.identifier(sdk.unused("row_number", columns))
        keys = (
            f"{sdk.identifier(key.column)} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key in self.config.by
        )
        return (
            f"SELECT * EXCLUDE ({number}) FROM (SELECT *, row_number() OVER () AS {number} FROM input) "
            f"ORDER BY {', '.join(keys)}, {number}"
        )
