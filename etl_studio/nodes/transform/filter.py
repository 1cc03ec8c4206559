"""Keep the rows for which a condition is true."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


class Filter(sdk.SqlTransform):
    """Keeps the rows for which a condition is true.

    The condition is an SQL expression over the columns, such as `price > 10 AND category = 'books'`.
    Rows for which it is false or NULL are filtered out and counted. A row on which it cannot be computed
    (text where a number is needed, a division by zero with `//`) leaves by the **rejects** port.
    """

    type = "filter"
    title = "Filter"
    icon = "filter"
    group = "transform"
    keywords = ("where", "condition", "keep", "drop", "rows")
    rows = "fewer"
    example: ClassVar = {"where": "price > 10"}
    keeps_columns = True

    class Config(sdk.Config):
        """The condition."""

        where: str = sdk.setting(
            title="Keep rows where",
            description="An SQL expression that is true for the rows to keep.",
            example="price > 10 AND category = 'books'",
            editor="sql",
            min_length=1,
        )

    config: Config

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """The rows for which the condition is true."""
        del inputs
        return f"SELECT * FROM input WHERE (\n{self.config.where}\n)"

    def failures(self, inputs: Mapping[str, pa.Schema]) -> Mapping[str, str]:
        """Where the condition fails; not for AND and OR, which a WHERE may leave half evaluated."""
        del inputs
        if re.search(r"\b(and|or)\b", self.config.where, re.IGNORECASE):
            return {}
        return {"where": f"SELECT {sdk.fails(self.config.where)} FROM input"}
