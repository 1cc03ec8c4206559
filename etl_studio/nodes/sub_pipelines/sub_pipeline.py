"""Run another pipeline file as one node."""

from __future__ import annotations

from typing import Any, ClassVar

from etl_studio import sdk


class SubPipeline(sdk.Node):
    """Runs another pipeline file as one node, so that a part can be tested, versioned and shared by itself.

    The file says what it takes and gives: each *Pipeline input* in it is an input of this node, each *Pipeline output*
    an output. A file may hold sources and sinks, too. Paths in it start at its own folder, and its parameters have
    their defaults unless *Parameters* gives other values, such as `${minimum}` of this pipeline.

    When the pipeline runs, the nodes of the file run in its place, called `node/inner` in reports and dead letters.
    What one refuses goes where its own policy says: to a wire inside the file, or to the dead letters. Checkpoints are
    those of this pipeline. A file may hold further sub-pipelines, 16 deep, but never itself.
    """

    type: ClassVar[str] = "sub_pipeline"
    title: ClassVar[str] = "Sub-pipeline"
    icon: ClassVar[str] = "workflow"
    group: ClassVar[sdk.node.Group] = "transform"
    keywords: ClassVar[tuple[str, ...]] = ("component", "mapping", "subflow", "nested", "reuse", "module", "call")
    inputs: ClassVar[tuple[sdk.Port, ...]] = ()
    outputs: ClassVar[tuple[sdk.Port, ...]] = ()
    open_inputs: ClassVar[bool] = True
    open_outputs: ClassVar[bool] = True
    rows: ClassVar[sdk.node.Rows] = "any"
    example: ClassVar[dict[str, Any]] = {"file": "clean.etl.yaml", "parameters": {"minimum": 5}}

    class Config(sdk.Config):
        """Which file, and values for its parameters."""

        file: str = sdk.setting(
            title="File",
            description="The pipeline file; relative to this pipeline's file.",
            example="clean.etl.yaml",
            editor="file",
            min_length=1,
        )
        parameters: dict[str, str | int | float | bool] = sdk.setting(
            {},
            title="Parameters",
            description="Values for parameters of the file; the others have their defaults.",
            example={"minimum": 5},
        )
