"""Where rows enter a pipeline that is used as a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator


class PipelineInput(sdk.Source):
    """Where rows enter this pipeline when another one uses it as a *Sub-pipeline*.

    The rows come from the wire that ends at the port of this name. *Columns* says what must arrive: a run fails at once
    where one of them is missing. *Sample rows* are used when the pipeline runs or is previewed by itself; in another
    pipeline they are never used.
    """

    type: ClassVar[str] = "pipeline_input"
    title: ClassVar[str] = "Pipeline input"
    icon: ClassVar[str] = "log-in"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("sub-pipeline", "component", "mapping", "entry", "port")
    outputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.OUT,)
    example: ClassVar[dict[str, Any]] = {"port": "input", "columns": {"price": "number"}, "rows": [{"price": 9.5}]}
    local: ClassVar[bool] = True

    class Config(sdk.Config):
        """The port, what must arrive, and rows to try the pipeline with."""

        port: str = sdk.setting(
            "input",
            title="Port",
            description="Name of the input that the sub-pipeline gets.",
            example="orders",
            pattern=r"^[^\W\d]\w*$",
        )
        columns: dict[str, str] = sdk.setting(
            {},
            title="Columns",
            description="Columns that must arrive, with the types of the sample rows, such as integer or date.",
            example={"price": "number"},
            keys="mentions",
        )
        rows: list[Any] = sdk.setting(
            [],
            title="Sample rows",
            description="Rows for running this pipeline by itself: names of columns with values.",
            example=[{"price": 9.5}],
        )

        @field_validator("rows")
        @classmethod
        def _are_rows(cls, rows: list[Any]) -> list[Any]:
            if not all(isinstance(row, dict) for row in rows):
                raise ValueError("each row must hold names of columns with values.")
            return rows

    config: Config

    @property
    def replays(self) -> bool:
        """Sample rows are the same each time."""
        return True

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield the sample rows.

        Raises:
            PermanentError: there are none.
        """
        rows = self.config.rows
        if not rows and not self.config.columns:
            raise PermanentError(
                f'No rows come by the input "{self.config.port}" when this pipeline runs by itself.',
                hint="Write sample rows, or use the file as a sub-pipeline.",
            )
        skip = (context.resume or {}).get("rows", 0)
        builder = sdk.RecordBuilder(self.config.columns, wanted=self.wanted)
        yield from builder.add([{str(name): value for name, value in row.items()} for row in rows[skip:]])
        yield from builder.finish()
        yield sdk.Cursor({"rows": len(rows)})
