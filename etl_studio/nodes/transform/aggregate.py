"""Group rows and compute one row for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    import pyarrow as pa


class Aggregate(sdk.SqlTransform):
    """Groups rows and computes one row for each group.

    A measure is an SQL aggregate such as `count(*)`, `sum(price * quantity)`, `avg(price)`, `max(ordered_at)` or
    `count(DISTINCT customer)`. Without groups the whole input gives one row; without measures each group is given once.
    Empty values (NULL) form a group of their own. The result is sorted by the group columns, empty ones last.
    A value that an aggregate cannot take ends the run: convert types with *Select* first, which rejects bad rows.
    """

    type = "aggregate"
    title = "Aggregate"
    icon = "sigma"
    group = "transform"
    keywords = ("group by", "sum", "count", "average", "min", "max", "total", "summarise", "statistics")
    outputs = (sdk.OUT,)
    rows = "any"
    blocking = True
    single_pass = True
    example: ClassVar = {"by": ["category"], "measures": {"orders": "count(*)", "revenue": "sum(price)"}}

    class Config(sdk.Config):
        """Groups and measures."""

        by: list[str] = sdk.setting(
            [],
            title="Group by",
            description="One row is made for each combination of values in these columns. Empty: one row in all.",
            example=["category"],
            editor="columns",
            names="keeps",
        )
        measures: dict[str, str] = sdk.setting(
            {},
            title="Measures",
            description="Name of each new column and the SQL aggregate that computes it.",
            example={"orders": "count(*)", "revenue": "sum(price)"},
            editor="sql",
            keys="makes",
        )

        @model_validator(mode="after")
        def _something_to_do(self) -> Self:
            if not self.by and not self.measures:
                raise ValueError("Set columns to group by, measures, or both.")
            return self

    config: Config

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """One row for each group, sorted by the groups."""
        by = self.config.by
        sdk.require_columns(by, inputs["input"].names, setting="by")
        for name in self.config.measures:
            if name.lower() in (column.lower() for column in by):
                raise PermanentError(
                    f'The measure "{name}" has the name of a group column.', hint="Give it another name.", column=name
                )
        parts = [sdk.identifier(name) for name in by]
        parts += [f"(\n{text}\n) AS {sdk.identifier(name)}" for name, text in self.config.measures.items()]
        query = f"SELECT {', '.join(parts)} FROM input"
        if not by:
            return f"{query} GROUP BY ()"
        # By position: a measure may have the name of a column that arrives.
        places = range(1, len(by) + 1)
        groups = ", ".join(str(place) for place in places)
        order = ", ".join(f"{place} ASC NULLS LAST" for place in places)
        return f"{query} GROUP BY {groups} ORDER BY {order}"
