"""Where rows leave a pipeline that is used as a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class PipelineOutput(sdk.Sink):
    """Where rows leave this pipeline when another one uses it as a *Sub-pipeline*.

    The rows go on by the wires that begin at the port of this name. When the pipeline runs by itself they are counted
    and kept nowhere; preview the node to see them, or add a sink beside it.
    """

    type: ClassVar[str] = "pipeline_output"
    title: ClassVar[str] = "Pipeline output"
    icon: ClassVar[str] = "log-out"
    group: ClassVar[sdk.node.Group] = "load"
    keywords: ClassVar[tuple[str, ...]] = ("sub-pipeline", "component", "mapping", "exit", "port")
    inputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.Port("input", "Rows", many=True),)
    outputs: ClassVar[tuple[sdk.Port, ...]] = ()
    example: ClassVar[dict[str, Any]] = {"port": "out"}

    class Config(sdk.Config):
        """The port."""

        port: str = sdk.setting(
            "out",
            title="Port",
            description='Name of the output that the sub-pipeline gets; "rejects" is taken.',
            example="clean",
            pattern=r"^[^\W\d]\w*$",
        )

        @field_validator("port")
        @classmethod
        def _is_free(cls, port: str) -> str:
            if port == sdk.REJECTS.name:
                raise ValueError("this name is for rows that a node refuses; choose another.")
            return port

    config: Config

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._rows = 0

    @property
    def keeps_partial(self) -> bool:
        """Nothing is kept, so that nothing can be torn."""
        return True

    def open(self, schema: pa.Schema, context: sdk.RunContext) -> None:
        """Nothing to open."""

    def write(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[sdk.Rejected]:
        """Count the rows."""
        del context
        self._rows += batch.num_rows
        return ()

    def commit(self, context: sdk.RunContext, mark: sdk.Mark | None = None) -> sdk.Loaded:
        """Tell how many rows came; they are kept nowhere."""
        del context, mark
        rows, self._rows = self._rows, 0
        return sdk.Loaded(unchanged=rows)

    def abort(self, context: sdk.RunContext) -> None:
        """Nothing was written."""
