"""A pipeline whose sub-pipelines are replaced by their nodes: what a run executes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from etl_studio.errors import UsageError
from etl_studio.pipeline.model import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from etl_studio.pipeline.model import Parameter, Wire

SEPARATOR = "/"
"""Between a sub-pipeline and a node in it: ``clean/keep``. No node of a file has it in its id, and no wire's text."""
SUB_PIPELINE, INPUT_END, OUTPUT_END, PASSAGE = "sub_pipeline", "pipeline_input", "pipeline_output", "passage"
"""Node types that this package knows by name; ``nodes.sub_pipelines`` has them."""


@dataclass(frozen=True, slots=True)
class Interface:
    """How a file looks from outside.

    Attributes:
        name: of the pipeline.
        inputs, outputs: id of the node in the file by the name of its port, in the order of the file.
        parameters: those that may be given.
        message, hint: why the file cannot be read; empty where it can.
        inside: the first problem in the file, where somebody has looked for them.
    """

    name: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node of a flat pipeline was written.

    Attributes:
        pipeline: the document of its file.
        node: its id there.
        file: the file.
    """

    pipeline: Pipeline
    node: str
    file: Path


@dataclass(slots=True)
class FlatPipeline(Pipeline):
    """A pipeline without sub-pipelines.

    Attributes:
        origins: where the nodes of sub-pipelines were written; the others are the document's own.
        interfaces: of each sub-pipeline, by its id, such as ``clean`` and ``clean/prices``.
    """

    origins: dict[str, Origin] = field(default_factory=dict)
    interfaces: dict[str, Interface] = field(default_factory=dict)

    def end_of(self, node: str, port: str | None = None) -> tuple[str, str] | None:
        """The node and port where the rows of an output of a sub-pipeline leave it.

        Args:
            node: id of the sub-pipeline.
            port: its output; default: the first one.

        Returns:
            None where ``node`` is none, or has no such output.
        """
        outputs = self.interfaces[node].outputs if node in self.interfaces else {}
        end = outputs.get(port) if port else next(iter(outputs.values()), None)
        return None if end is None else (f"{node}{SEPARATOR}{end}", "out")


def nodes_of(pipeline: Pipeline, node: str) -> list[str]:
    """The node itself, or those of a sub-pipeline that was put in its place; empty where there is none of that name."""
    return [name for name in pipeline.nodes if name == node or name.startswith(node + SEPARATOR)]


def inner_wire(wire: Wire, source: Interface | None, target: Interface | None) -> Wire:
    """A wire as it is in the flat pipeline.

    Args:
        wire: a wire of the document.
        source: interface of the node that it begins at, if that is a sub-pipeline.
        target: of the one that it ends at.
    """
    if source is not None and (end := source.outputs.get(wire.source_port)):
        wire = replace(wire, source=f"{wire.source}{SEPARATOR}{end}", source_port="out")
    if target is not None and (end := target.inputs.get(wire.target_port)):
        wire = replace(wire, target=f"{wire.target}{SEPARATOR}{end}", target_port="input")
    return wire


def outer_node(node: str) -> str:
    """The node of the document that a node of its flat pipeline is in, or is."""
    return node.partition(SEPARATOR)[0]


def leaving(pipeline: Pipeline, node: str, port: str | None) -> tuple[str, str | None]:
    """Where rows leave a node of a flat pipeline, which may be a sub-pipeline: node and port.

    Args:
        pipeline: the flat pipeline.
        node: id of a node or of a sub-pipeline.
        port: its output; None: the first one.

    Raises:
        UsageError: the sub-pipeline has no such output.
    """
    if not isinstance(pipeline, FlatPipeline) or node not in pipeline.interfaces:
        return node, port
    if (end := pipeline.end_of(node, port)) is not None:
        return end
    outputs = pipeline.interfaces[node].outputs
    what = f'no output "{port}"' if port and outputs else "no output"
    hint = f"Its outputs: {', '.join(outputs)}." if outputs else "Look at a node in it, such as node/inner."
    raise UsageError(f"{node} has {what}.", hint=hint, node=node)
