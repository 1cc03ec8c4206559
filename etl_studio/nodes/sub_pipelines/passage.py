"""What the ends of a sub-pipeline become in a run: rows pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class Passage(sdk.Transform):
    """Lets rows enter or leave a sub-pipeline.

    A run puts it in the place of each *Pipeline input* and *Pipeline output* of a sub-pipeline; nobody adds it.
    """

    type: ClassVar[str] = "passage"
    title: ClassVar[str] = "Passage"
    icon: ClassVar[str] = "workflow"
    group: ClassVar[sdk.node.Group] = "transform"
    inputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.Port("input", "Rows", many=True),)
    outputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.OUT,)
    offered: ClassVar[bool] = False
    keeps_columns: ClassVar[bool] = True

    class Config(sdk.Config):
        """What must arrive."""

        port: str = sdk.setting("input", title="Port", description="Name of the port.")
        columns: dict[str, str] = sdk.setting({}, title="Columns", description="Columns that must arrive.")

    config: Config

    def start(self, schema: pa.Schema, context: sdk.RunContext) -> Iterable[pa.RecordBatch]:
        """Look whether what must arrive does.

        Raises:
            PermanentError: a column is missing.
        """
        del context
        missing = [name for name in self.config.columns if name not in schema.names]
        if missing:
            raise PermanentError(
                f'The rows that arrive at the input "{self.config.port}" have no column "{missing[0]}".',
                hint=f"They have: {', '.join(schema.names) or 'none'}. Add it before the sub-pipeline.",
                column=missing[0],
            )
        return ()

    def process(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[pa.RecordBatch]:
        """Pass the batch on."""
        del context
        yield batch
