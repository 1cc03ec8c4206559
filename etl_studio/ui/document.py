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
from etl_studio.pipeline.active import active
from etl_studio.pipeline.bridging import bridges
from etl_studio.pipeline.file_reader import text_of
from etl_studio.pipeline.interfaces import file_of, type_of
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.pipeline.replacing import replacement
from etl_studio.ui import commands
from etl_studio.ui.annotated import AnnotatedPipeline
from etl_studio.ui.arrange import arranged, notes_placed, placed
from etl_studio.ui.become import Become
from etl_studio.ui.node_ids import refuse_id
from etl_studio.ui.translation import tr, trn
from etl_studio.ui.undo_stack import UndoStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from PySide6.QtCore import QObject

    from etl_studio.pipeline.flat import Interface
    from etl_studio.pipeline.model import Bends, Parameter, Place
    from etl_studio.pipeline.replacing import Replacement
    from etl_studio.sdk import Node, Registry

NEARLY = 1e-6
"""Pixels by which two nodes that move together may move differently: places are no exact numbers."""
CHECK_AFTER = 150
"""Milliseconds of quiet before the rules look at the document again."""


class PipelineDocument(AnnotatedPipeline):
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
        interfaces: what is known of the files of sub-pipelines, by their names as written.
        left_out: nodes that do not run since only disabled ones feed them, soon after the last change.
    """

    problems_changed = Signal()
    left_out_changed = Signal()
    path_changed = Signal()
    saved = Signal()
    """The file was written."""
    reloaded = Signal()
    """The file was read again."""

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
        self.interfaces: dict[str, Interface] = {}
        self.left_out: frozenset[str] = frozenset()
        self._check_timer = QTimer(self, singleShot=True, interval=CHECK_AFTER)
        self._check_timer.timeout.connect(self.check_now)
        placed(self.pipeline)
        for signal in (self.node_added, self.node_removed, self.node_changed, self.node_renamed):
            signal.connect(self._check_soon)
        for signal in (self.wire_added, self.wire_removed, self.pipeline_changed, self.reset):
            signal.connect(self._check_soon)
        for signal in (self.group_added, self.group_removed, self.group_changed):
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
        self.undo_stack.push(Become(self, placed(pipeline), what))

    def reload(self, pipeline: Pipeline) -> None:
        """Become what another program has written into the file; undo brings back what was here."""
        self.become(pipeline, tr("Reload the file"))
        self.undo_stack.setClean()
        self.saved_text = text_of(pipeline)
        self.reloaded.emit()

    def take_file_text(self, text: str | None) -> None:
        """The file says this, or is gone (None): what is on the screen goes on as a change of it."""
        self.saved_text = text
        self.undo_stack.resetClean()

    def save(self, path: Path | None = None) -> None:
        """Write the file; ``path`` gives it another name. A pipeline that nobody has named is called as its file.

        Raises:
            UsageError: it has no name yet, or the file cannot be written.
        """
        target = Path(path) if path else self.path
        if target is None:
            raise UsageError(tr("This pipeline has no file yet."), hint=tr("Choose a name for it."))
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
            node_type = self.type_of(name)
            found[name] = spec.title or (tr(node_type.title) if node_type else name)
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

    def remove(self, nodes: Iterable[str] = (), wires: Iterable[Wire] = (), notes: Iterable[str] = ()) -> None:
        """Remove nodes with their wires, further wires, and notes; a group that is left without members goes, too."""
        command = commands.RemoveItems(self, nodes, wires, notes)
        if not command.is_empty:
            self.undo_stack.push(command)

    def remove_and_join(self, nodes: Iterable[str]) -> int:
        """Remove nodes and join what was before them with what was behind them; gives the number of new wires."""
        names = [name for name in nodes if name in self.pipeline.nodes]
        candidates, joined = bridges(self.pipeline, names), 0
        if names:
            with self.macro(trn("Delete {count} node and reconnect", "Delete {count} nodes and reconnect", len(names))):
                self.remove(names)
                joined = sum(self.connect_ports(wire) is None for wire in candidates)
        return joined

    def preview_replacement(self, node: str, node_type: type[Node]) -> Replacement:
        """What would become of a node with another type."""
        return replacement(self.pipeline, node, node_type, self.registry)

    def replace_node(self, node: str, node_type: type[Node]) -> Replacement:
        """Give a node another type; what it cannot keep is in the answer."""
        made = self.preview_replacement(node, node_type)
        self.undo_stack.push(
            commands.ReplaceNode(self, made, tr("Replace {node} by {type}", node=node, type=tr(node_type.title)))
        )
        return made

    def move(self, positions: Mapping[str, Place], *, nudge: bool = False, straighten: bool = False) -> None:
        """Move nodes and notes to these places; the bends of wires between moved nodes come along.

        Args:
            positions: top left corners; of a note width and height, too, where these change.
            nudge: quick repetitions are one edit.
            straighten: the wires of moved nodes lose their bends.
        """
        layout = self.pipeline.layout
        wanted = {name: (*at, *layout.get(name, ())[len(at) :]) for name, at in positions.items()}
        moved = {name: at for name, at in wanted.items() if layout.get(name) != at}
        if moved:
            bends = self._bends_along(moved)
            if straighten:
                bends = {
                    wire: points for wire, points in bends.items() if not {wire.source, wire.target} & moved.keys()
                }
            self.undo_stack.push(commands.MoveItems(self, moved, bends, nudge=nudge))

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
        refuse_id(self.pipeline, new)
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

    def copy(self, names: Iterable[str]) -> str:
        """Nodes and notes, and the wires between the nodes, as text for the clipboard."""
        return clipboard.copy_text(self.pipeline, list(names), self.registry)

    def cut(self, names: Iterable[str]) -> str:
        """Copy, then remove."""
        names = list(names)
        text = self.copy(names)
        self.remove(names, notes=names)
        return text

    def paste(self, text: str, x: float, y: float) -> list[str]:
        """Add what was copied, its top left corner at (x, y), and return the new ids; [] for other text."""
        return self._insert_text(text, x, y)

    def duplicate(self, names: Iterable[str], offset: float = 32.0) -> list[str]:
        """Add copies of nodes and notes, a little lower and to the right, and return their ids."""
        names = list(names)
        corner = [self.pipeline.layout[name] for name in names]
        if not corner:
            return []
        x, y = min(place[0] for place in corner), min(place[1] for place in corner)
        return self._insert_text(self.copy(names), x + offset, y + offset, duplicates=True)

    # -- rules ------------------------------------------------------------------------------------------------

    def type_of(self, node: str) -> type[Node] | None:
        """The type of a node, with the ports of its file where it is a sub-pipeline; None where it is unknown."""
        return type_of(self.pipeline.nodes[node], self.registry, self.interfaces)

    def interface_of(self, node: str) -> Interface | None:
        """What is known of the file of a sub-pipeline; None for other nodes, and while it is unknown."""
        return self.interfaces.get(file_of(self.pipeline.nodes[node]) or "") if self.interfaces else None

    def learn(self, interfaces: Mapping[str, Interface]) -> None:
        """Take what is known of the files of sub-pipelines now."""
        before, self.interfaces = self.interfaces, dict(interfaces)
        changed = {name for name in before.keys() | interfaces.keys() if before.get(name) != interfaces.get(name)}
        for node, spec in list(self.pipeline.nodes.items()):
            if file_of(spec) in changed:
                self.interface_changed.emit(node)
        if changed:
            self._check_soon()

    def check_wire(self, wire: Wire) -> rules.Problem | None:
        """Why a wire would be refused, or None."""
        return rules.check_wire(self.pipeline, wire, self.registry, self.interfaces)

    def check_now(self) -> None:
        """Look for problems at once instead of soon."""
        self._check_timer.stop()
        found = rules.check(self.pipeline, self.registry, check_sql=self._check_sql, interfaces=self.interfaces)
        problems = list(found)
        if problems != self.problems:
            self.problems = problems
            self.problems_changed.emit()
        running = active(self.pipeline, self.registry)
        left_out = frozenset(name for name, disabled in running.left_out.items() if not disabled)
        if left_out != self.left_out:
            self.left_out = left_out
            self.left_out_changed.emit()

    # -- inside -----------------------------------------------------------------------------------------------

    def _check_soon(self) -> None:
        self._check_timer.start()

    def _replace(self, pipeline: Pipeline, path: Path | None) -> None:
        self.pipeline = placed(pipeline)
        self.undo_stack.clear()
        self.undo_stack.read_only = self.is_read_only
        self.saved_text = text_of(pipeline) if path else None
        moved, self.path = path != self.path, path
        self.reset.emit()
        if moved:
            self.path_changed.emit()

    def _bends_along(self, moved: Mapping[str, Place]) -> dict[Wire, Bends]:
        """The bends after a move: those of a wire whose both ends move equally far move with them."""
        pipeline, layout = self.pipeline, self.pipeline.layout
        ways = {
            name: (place[0] - layout[name][0], place[1] - layout[name][1])
            for name, place in moved.items()
            if name in layout and name in pipeline.nodes
        }
        bends = dict(pipeline.bends)
        for wire, points in pipeline.bends.items():
            way = ways.get(wire.source)
            other = ways.get(wire.target)
            if way and other and max(abs(way[0] - other[0]), abs(way[1] - other[1])) < NEARLY:
                bends[wire] = tuple((x + way[0], y + way[1]) for x, y in points)
        return bends

    def _set_attribute(self, attribute: str, value: Any) -> None:
        if getattr(self.pipeline, attribute) != value:
            self.undo_stack.push(commands.SetPipelineAttribute(self, attribute, value))

    def _insert_text(self, text: str, x: float, y: float, *, duplicates: bool = False) -> list[str]:
        try:
            pasted = clipboard.paste(self.pipeline, text, self.registry)
        except PipelineError:
            return []
        names = [item.id for item in (*pasted.nodes, *pasted.notes)]
        if not names:
            return []
        fragment = Pipeline(nodes={spec.id: spec for spec in pasted.nodes}, wires=pasted.wires)
        fragment.notes, places = {note.id: note for note in pasted.notes}, pasted.layout
        if any(spec.id not in places for spec in pasted.nodes):
            places = {**arranged(fragment), **places}
        if any(note.id not in places for note in pasted.notes):
            fragment.layout = places
            places = {**notes_placed(fragment), **places}
        dx, dy = x - min(place[0] for place in places.values()), y - min(place[1] for place in places.values())
        placed = replace(
            pasted,
            layout={name: (left + dx, top + dy, *size) for name, (left, top, *size) in places.items()},
            bends={wire: tuple((a + dx, b + dy) for a, b in points) for wire, points in pasted.bends.items()},
        )
        words = _duplicating(placed) if duplicates else _pasting(placed)
        self.undo_stack.push(commands.Paste(self, words, placed))
        return names


def _pasting(pasted: clipboard.Pasted) -> str:
    if pasted.nodes:
        return trn("Paste {count} node", "Paste {count} nodes", len(pasted.nodes))
    return trn("Paste {count} note", "Paste {count} notes", len(pasted.notes))


def _duplicating(pasted: clipboard.Pasted) -> str:
    if pasted.nodes:
        return trn("Duplicate {count} node", "Duplicate {count} nodes", len(pasted.nodes))
    return trn("Duplicate {count} note", "Duplicate {count} notes", len(pasted.notes))
