"""Number the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections import abc

    import pyarrow as pa

_LARGEST = 2**63 - 1


class Sequence(sdk.Transform):
    """Numbers the rows in the order in which they arrive.

    The numbers begin anew in each run. A run that broke off and is resumed goes on where it was.
    To number the rows of each group, use the node SQL with `row_number() OVER (PARTITION BY …)`.
    Dead letters cannot be replayed through this node, since their numbers would be those of other rows.
    """

    type = "sequence"
    title = "Sequence"
    icon = "list"
    group = "transform"
    keywords = ("number", "row number", "counter", "serial", "surrogate key", "index", "autoincrement")
    outputs = (sdk.OUT,)
    example: ClassVar = {"column": "number", "start": 1, "step": 1}

    class Config(sdk.Config):
        """The numbers."""

        column: str = sdk.setting(
            "number", title="Column", description="The new column, behind the others.", names="makes", min_length=1
        )
        start: int = sdk.setting(1, title="Start", description="Number of the first row.", ge=-_LARGEST, le=_LARGEST)
        step: int = sdk.setting(
            1, title="Step", description="From one row to the next; may be negative.", ge=-_LARGEST, le=_LARGEST
        )

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._next = config.start

    @property
    def holds_rows(self) -> bool:
        """A row's number is that of the rows before it."""
        return True

    def takes_part(self, port: str) -> bool:
        """The numbers of a part are not those of the whole."""
        del port
        return False

    def snapshot(self) -> bytes:
        """The next number."""
        return str(self._next).encode()

    def restore(self, snapshots: abc.Sequence[bytes]) -> None:
        """Go on with the next number."""
        if snapshots:
            self._next = int(snapshots[-1])

    def process(self, batch: pa.RecordBatch, context: sdk.RunContext) -> abc.Iterator[pa.RecordBatch]:
        """Add the column."""
        del context
        if not batch.num_columns:
            yield batch
            return
        import numpy as np
        import pyarrow as pa

        name = self.config.column
        if name.lower() in (column.lower() for column in batch.schema.names):
            raise PermanentError(
                f'There is already a column "{name}" (setting column).', column=name, hint="Choose another name."
            )
        last = self._next + self.config.step * max(batch.num_rows - 1, 0)
        if abs(last) > _LARGEST:
            raise PermanentError(
                f"The number {last} is too large for an integer.", column=name, hint="Choose a smaller start or step."
            )
        numbers = self._next + self.config.step * np.arange(batch.num_rows, dtype=np.int64)
        yield batch.append_column(name, pa.array(numbers, pa.int64()))
        self._next += self.config.step * batch.num_rows
