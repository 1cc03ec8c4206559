"""The document: a pipeline as plain data. No rule, no file, no engine here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FORMAT = 1
"""Version of the file format that this program writes."""


@dataclass(frozen=True, slots=True, order=True)
class Wire:
    """A directed link from an output port to an input port."""

    source: str
    source_port: str
    target: str
    target_port: str

    def __str__(self) -> str:
        return f"{self.source}.{self.source_port} -> {self.target}.{self.target_port}"


@dataclass(slots=True)
class NodeSpec:
    """One node of the document.

    Attributes:
        id: identifier, unique in the pipeline, used in wires and messages.
        type: name of the node type; may be unknown here (it is kept as it is).
        config: settings as written, parameters not yet put in.
        policy: policy as written; only what differs from the defaults.
        title: label on the canvas; empty: the title of the type.
        extra: keys that this version does not know; kept.
    """

    id: str
    type: str
    config: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Parameter:
    """A value given at the start of a run: ``${name}`` in any setting."""

    name: str
    type: str = "text"
    default: Any = None
    description: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Pipeline:
    """The whole document.

    Attributes:
        name: shown in titles and runs.
        description: free text.
        parameters, nodes: by name and id, in the order of the file.
        wires: in the order of the file.
        checkpoint: how often sinks commit before the end: ``seconds`` and ``rows``, as written.
        layout: position of each node's top left corner on the canvas, in pixels at zoom 1.
        extra: top-level keys that this version does not know; kept.
        source: what ``file_format`` needs to keep comments at the next save; opaque to all others.
        format: version of the file that it was read from; a newer one than ``FORMAT`` is only looked at.
    """

    name: str = "untitled"
    description: str = ""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    checkpoint: dict[str, Any] = field(default_factory=dict)
    layout: dict[str, tuple[float, float]] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    source: Any = field(default=None, compare=False, repr=False)
    format: int = FORMAT

    @property
    def is_newer(self) -> bool:
        """Whether a newer program made it: what is known of it may not be all of it."""
        return self.format > FORMAT

    def new_id(self, wanted: str) -> str:
        """``wanted``, or ``wanted_2``, ``wanted_3`` ... if it is taken."""
        if wanted not in self.nodes:
            return wanted
        number = 2
        while f"{wanted}_{number}" in self.nodes:
            number += 1
        return f"{wanted}_{number}"

    def wires_of(self, node: str) -> list[Wire]:
        """Wires that begin or end at a node."""
        return [wire for wire in self.wires if node in (wire.source, wire.target)]
