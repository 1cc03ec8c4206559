"""Put the rows of several wires together."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class Union(sdk.Transform):
    """Puts the rows of several wires together.

    Columns are matched by name; a column that one wire does not have is empty (NULL) in its rows.
    The order in which the wires' rows arrive is not fixed: sort afterwards when it matters.
    """

    type = "union"
    title = "Union"
    icon = "layers"
    group = "transform"
    keywords = ("append", "concatenate", "combine", "stack", "merge rows")
    inputs = (sdk.Port("input", "Rows", many=True),)
    outputs = (sdk.OUT,)
    example: ClassVar = {}
    keeps_columns = True

    def process(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[pa.RecordBatch]:
        """Pass the batch on: the engine has matched its columns already."""
        del context
        yield batch
