"""The open document: a shell with signals and undo over the plain ``Pipeline``; the only truth for the window."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal

from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline import clipboard, file_format, rules
from etl_studio.pipeline.bridging import bridges
from etl_studio.pipeline.file_reader import text_of
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.pipeline.replacing import replacement
from etl_studio.ui import commands
from etl_studio.ui.arrange import arranged
from etl_studio.ui.become import Become
from etl_studio.ui.observable import ObservablePipeline
from etl_studio.ui.undo_stack import UndoStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from PySide6.QtCore import QObject

    from etl_studio.pipeline.model import Parameter
    from etl_studio.pipeline.replacing import Replacement
    from etl_studio.sdk import Node, Registry

CHECK_AFTER = 150
"""Milliseconds of quiet before the rules look at the document again."""


class PipelineDocument(ObservablePipeline):
    """A pipeline that a person edits. Every edit is one undo command.

    Args:
        registry: the node types that the rules know.
        pipeline: the data; an empty one by default.
        parent: the QObject that owns it.
        check_sql: tells what is wrong with an SQL text, see ``rules.check``.

    Attributes:
        pipeline: the data; change it through the methods only.
        undo_stack: what was done.
        path: its file, once it has one.
        saved_text: what the file said when it was last read or written here; None where there is no file.
        problems: what ``rules.check`` found, soon after the last change.
    """

    problems_changed = Signal()
    path_changed = Signal()
    saved = Signal()
    """The file was written."""

    def __init__(
        self,
        registry: Registry,
        pipeline: Pipeline | None = None,
        parent: QObject | None = None,
        *,
        check_sql: Callable[[str, str], str | None] | None = None,
    ) -> None:
        super().__init__(pipeline, parent)
        self.registry = registry
        self._check_sql = check_sql
        self.undo_stack = UndoStack(self)
        self.path: Path | None = None
        self.saved_text: str | None = None
        self.problems: list[rules.Problem] = []
        self._check_timer = QTimer(self, singleShot=True, interval=CHECK_AFTER)
        self._check_timer.timeout.connect(self.check_now)
        self._placed(self.pipeline)
        for signal in (self.node_added, self.node_removed, self.node_changed, self.node_renamed):
            signal.connect(self._check_soon)
        for signal in (self.wire_added, self.wire_removed, self.pipeline_changed, self.reset):
            signal.connect(self._check_soon)
        self._check_soon()

    # -- the file ---------------------------------------------------------------------------------------------

    @property
    def is_modified(self) -> bool:
        """Whether there is something that the file does not have."""
        return not self.undo_stack.isClean()

    @property
    def is_read_only(self) -> bool:
        """Whether a newer program made the file, so that it is only looked at."""
        return self.pipeline.is_newer

    def new(self) -> None:
        """Begin an empty pipeline."""
        self._replace(Pipeline(), None)

    def load(self, path: Path) -> None:
        """Open a file in place of what is here. One of a newer version is read-only.

        Raises:
            PipelineError: it is no pipeline.
            UsageError: it cannot be read.
        """
        self._replace(file_format.load(path, self.registry, newer=True), Path(path))

    def become(self, pipeline: Pipeline, what: str) -> None:
        """Become another version of itself in one undo step; what is the same stays where it is.

        Args:
            pipeline: the other version.
            what: the step in words, such as ``Restore the version of 10:42``.
        """
        self.undo_stack.push(Become(self, self._placed(pipeline), what))

    def reload(self, pipeline: Pipeline) -> None:
        """Become what another program has written into the file; undo brings back what was here."""
        self.become(pipeline, "Reload the file")
        self.undo_stack.setClean()
        self.saved_text = text_of(pipeline)

    def take_file_text(self, text: str) -> None:
        """Another program has written this into the file; what is on the screen goes on as a change of it."""
        self.saved_text = text
        self.undo_stack.resetClean()

    def save(self, path: Path | None = None) -> None:
        """Write the file; ``path`` gives it another name. A pipeline that nobody has named is called as its file.

        Raises:
            UsageError: it has no name yet, or the file cannot be written.
        """
        target = Path(path) if path else self.path
        if target is None:
            raise UsageError("This pipeline has no file yet.", hint="Choose a name for it.")
        name, unnamed = file_format.name_of(target), self.pipeline.name == file_format.UNTITLED
        written = replace(self.pipeline, name=name) if unnamed else self.pipeline
        file_format.save(written, target, self.registry)
        self.pipeline.name, self.pipeline.source = written.name, written.source
        self.saved_text = text_of(self.pipeline)
        self.undo_stack.setClean()
        if target != self.path:
            self.path = target
            self.path_changed.emit()
        if unnamed:
            self.pipeline_changed.emit()
        self.saved.emit()

    def titles(self) -> dict[str, str]:
        """What each node is called for people, by id: as on its card. The ids tell apart those of one title."""
        found = {}
        for name, spec in self.pipeline.nodes.items():
            node_type = self.registry.get(spec.type)
            found[name] = spec.title or (node_type.title if node_type else name)
        often = Counter(found.values())
        return {name: title if often[title] == 1 else f"{title} ({name})" for name, title in found.items()}

    # -- edits ------------------------------------------------------------------------------------------------

    @contextmanager
    def macro(self, text: str) -> Iterator[None]:
        """Several edits that a person undoes at once."""
        self.undo_stack.beginMacro(text)
        try:
            yield
        finally:
            self.undo_stack.endMacro()

    def add_node(self, node_type: str, x: float, y: float, config: Mapping[str, Any] | None = None) -> str:
        """Add a node with its top left corner at (x, y) and return its new id."""
        name = self.pipeline.new_id(node_type.removesuffix("_source").removesuffix("_sink"))
        spec = NodeSpec(name, node_type, deepcopy(dict(config or {})))
        self.undo_stack.push(commands.AddNode(self, spec, (float(x), float(y))))
        return name

    def remove(self, nodes: Iterable[str] = (), wires: Iterable[Wire] = ()) -> None:
        """Remove nodes with their wires, and further wires."""
        command = commands.RemoveItems(self, nodes, wires)
        if command.nodes or command.wires:
            self.undo_stack.push(command)

    def remove_and_join(self, nodes: Iterable[str]) -> int:
        """Remove nodes and join what was before them with what was behind them; gives the number of new wires."""
        names = [name for name in nodes if name in self.pipeline.nodes]
        candidates, joined = bridges(self.pipeline, names), 0
        if names:
            with self.macro(f"Delete {commands.counted(len(names), 'node')} and reconnect"):
                self.remove(names)
                joined = sum(self.connect_ports(wire) is None for wire in candidates)
        return joined

    def preview_replacement(self, node: str, node_type: type[Node]) -> Replacement:
        """What would become of a node with another type."""
        return replacement(self.pipeline, node, node_type, self.registry)

    def replace_node(self, node: str, node_type: type[Node]) -> Replacement:
        """Give a node another type; what it cannot keep is in the answer."""
        made = self.preview_replacement(node, node_type)
        self.undo_stack.push(commands.ReplaceNode(self, made, f"Replace {node} by {node_type.title}"))
        return made

    def move(self, positions: Mapping[str, tuple[float, float]], *, nudge: bool = False) -> None:
        """Move nodes to these top left corners; ``nudge``: quick repetitions are one edit."""
        moved = {name: at for name, at in positions.items() if self.pipeline.layout.get(name) != at}
        if moved:
            self.undo_stack.push(commands.MoveNodes(self, moved, nudge=nudge))

    def connect_ports(self, wire: Wire) -> rules.Problem | None:
        """Add a wire, or return why it is refused."""
        problem = self.check_wire(wire)
        if problem is None:
            self.undo_stack.push(commands.ConnectPorts(self, wire))
        return problem

    def set_setting(self, node: str, name: str, value: Any) -> None:
        """Change one setting; None removes it, so that its default holds."""
        config = self.pipeline.nodes[node].config
        # by their texts: a map in another order, and 1 instead of true, are changes too
        if repr(config.get(name)) != repr(value) or (value is None and name in config):
            self.undo_stack.push(commands.SetSetting(self, node, name, deepcopy(value)))

    def set_policy(self, node: str, policy: Mapping[str, Any]) -> None:
        """Write a node's policy: only what differs from the defaults."""
        if self.pipeline.nodes[node].policy != policy:
            self.undo_stack.push(commands.SetPolicy(self, node, deepcopy(dict(policy))))

    def set_title(self, node: str, title: str) -> None:
        """Change a node's label; empty: the title of its type."""
        if self.pipeline.nodes[node].title != title:
            self.undo_stack.push(commands.SetTitle(self, node, title))

    def rename_node(self, old: str, new: str) -> None:
        """Change a node's id.

        Raises:
            UsageError: the new one is taken or is no identifier.
        """
        if new == old:
            return
        if not (new.isascii() and new.isidentifier()):
            raise UsageError(
                f'"{new}" cannot be the name of a node.',
                hint="Use letters, digits and underscores, and begin with a letter.",
            )
        if new in self.pipeline.nodes:
            raise UsageError(f'There is a node called "{new}" already.', hint="Choose another name.")
        self.undo_stack.push(commands.RenameNode(self, old, new))

    def set_name(self, name: str) -> None:
        """Change the pipeline's name."""
        self._set_attribute("name", name)

    def set_description(self, text: str) -> None:
        """Change the pipeline's description."""
        self._set_attribute("description", text)

    def set_parameters(self, parameters: Mapping[str, Parameter]) -> None:
        """Replace the pipeline's parameters."""
        self._set_attribute("parameters", deepcopy(dict(parameters)))

    def set_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Change how often the sinks of a run commit."""
        self._set_attribute("checkpoint", dict(checkpoint))

    def copy(self, nodes: Iterable[str]) -> str:
        """Nodes and the wires between them as text for the clipboard."""
        return clipboard.copy_text(self.pipeline, list(nodes), self.registry)

    def cut(self, nodes: Iterable[str]) -> str:
        """Copy, then remove."""
        names = list(nodes)
        text = self.copy(names)
        self.remove(names)
        return text

    def paste(self, text: str, x: float, y: float) -> list[str]:
        """Add what was copied, its top left corner at (x, y), and return the new ids; [] for other text."""
        return self._insert_text(text, x, y, "Paste")

    def duplicate(self, nodes: Iterable[str], offset: float = 32.0) -> list[str]:
        """Add copies of nodes, a little lower and to the right, and return their ids."""
        names = list(nodes)
        corner = [self.pipeline.layout[name] for name in names]
        if not corner:
            return []
        x, y = min(x for x, _ in corner), min(y for _, y in corner)
        return self._insert_text(self.copy(names), x + offset, y + offset, "Duplicate")

    # -- rules ------------------------------------------------------------------------------------------------

    def check_wire(self, wire: Wire) -> rules.Problem | None:
        """Why a wire would be refused, or None."""
        return rules.check_wire(self.pipeline, wire, self.registry)

    def check_now(self) -> None:
        """Look for problems at once instead of soon."""
        self._check_timer.stop()
        problems = list(rules.check(self.pipeline, self.registry, check_sql=self._check_sql))
        if problems != self.problems:
            self.problems = problems
            self.problems_changed.emit()

    # -- inside -----------------------------------------------------------------------------------------------

    def _check_soon(self) -> None:
        self._check_timer.start()

    def _replace(self, pipeline: Pipeline, path: Path | None) -> None:
        self.pipeline = self._placed(pipeline)
        self.undo_stack.clear()
        self.undo_stack.read_only = self.is_read_only
        self.saved_text = text_of(pipeline) if path else None
        moved, self.path = path != self.path, path
        self.reset.emit()
        if moved:
            self.path_changed.emit()

    @staticmethod
    def _placed(pipeline: Pipeline) -> Pipeline:
        """Give a place to nodes without one; a person who wrote the file by hand need not think of it."""
        if any(name not in pipeline.layout for name in pipeline.nodes):
            pipeline.layout = {**arranged(pipeline), **pipeline.layout}
        return pipeline

    def _set_attribute(self, attribute: str, value: Any) -> None:
        if getattr(self.pipeline, attribute) != value:
            self.undo_stack.push(commands.SetPipelineAttribute(self, attribute, value))

    def _insert_text(self, text: str, x: float, y: float, verb: str) -> list[str]:
        try:
            nodes, wires, places = clipboard.paste(self.pipeline, text, self.registry)
        except PipelineError:
            return []
        if not nodes:
            return []
        if len(places) < len(nodes):
            places = {**arranged(Pipeline(nodes={spec.id: spec for spec in nodes}, wires=wires)), **places}
        left, top = (min(place[axis] for place in places.values()) for axis in (0, 1))
        positions = {name: (place[0] - left + x, place[1] - top + y) for name, place in places.items()}
        text = f"{verb} {commands.counted(len(nodes), 'node')}"
        self.undo_stack.push(commands.Paste(self, text, nodes, positions, wires))
        return [spec.id for spec in nodes]
