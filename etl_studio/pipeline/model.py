"""The document: a pipeline as plain data. No rule, no file, no engine here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

FORMAT = 1
"""Version of the file format that this program writes."""

COLORS = ("yellow", "blue", "green", "red", "purple", "gray")
"""Of notes and groups. Another word is kept, and shown as if there was none."""

Place = tuple[float, ...]
Bends = tuple[tuple[float, float], ...]


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
        disabled: it does not run; see ``pipeline.active``.
    """

    id: str
    type: str
    config: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    disabled: bool = False


@dataclass(slots=True)
class Note:
    """A text on the canvas, for people. Its place is in the layout: left, top, width, height.

    Attributes:
        id: identifier, unique among notes and nodes.
        text: Markdown.
        color: one of ``COLORS``; empty: yellow.
        extra: keys that this version does not know; kept.
    """

    id: str
    text: str = ""
    color: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Nodes that belong together, for people; a frame around them on the canvas.

    Attributes:
        id: identifier, unique among groups.
        title: label of the frame.
        nodes: ids of its members; a node is in one group at most.
        color: one of ``COLORS``; empty: gray.
        collapsed: one card stands for the members.
        extra: keys that this version does not know; kept.
    """

    id: str
    title: str = ""
    nodes: list[str] = field(default_factory=list)
    color: str = ""
    collapsed: bool = False
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
        layout: place of each node on the canvas, (left, top), and of each note, (left, top, width, height), in pixels
            at zoom 1.
        groups, notes: by id, in the order of the file.
        bends: points that wires go through on the canvas, from their beginning to their end.
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
    layout: dict[str, Place] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    bends: dict[Wire, Bends] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    source: Any = field(default=None, compare=False, repr=False)
    format: int = FORMAT

    @property
    def is_newer(self) -> bool:
        """Whether a newer program made it: what is known of it may not be all of it."""
        return self.format > FORMAT

    def new_id(self, wanted: str) -> str:
        """An id for a node or note: ``wanted``, or ``wanted_2``, ``wanted_3`` ... if it is taken."""
        return free_name(wanted, {**self.nodes, **self.notes})

    def wires_of(self, node: str) -> list[Wire]:
        """Wires that begin or end at a node."""
        return [wire for wire in self.wires if node in (wire.source, wire.target)]

    def group_of(self, node: str) -> Group | None:
        """The group that a node is in."""
        return next((group for group in self.groups.values() if node in group.nodes), None)


def free_name(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, or ``wanted_2``, ``wanted_3`` ... if it is taken."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name
