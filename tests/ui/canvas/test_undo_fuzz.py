"""Whatever is done, undone and redone: undo to the start is the start, and the scene shows the document."""

from __future__ import annotations

from random import Random

import pytest

from etl_studio.pipeline.file_format import dumps, loads
from etl_studio.pipeline.model import NodeSpec, Wire
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.canvas.scene import PipelineScene
from etl_studio.ui.commands import without_nodes

pytestmark = pytest.mark.window

STEPS = 2000
TYPES = ["csv_source", "filter", "join", "sql", "validate", "sqlite_sink"]


class Monkey:
    """Does one thing after another, drawn by a seed."""

    def __init__(self, document, seed):
        self.document = document
        self.draw = Random(seed)
        self.clipboard = ""

    def step(self):
        stack, names = self.document.undo_stack, list(self.document.pipeline.nodes)
        acts = [self.add, self.add, stack.undo, stack.undo, stack.redo, self.paste]
        if names:
            acts += [self.connect] * 4 + [
                self.remove,
                self.move,
                self.set,
                self.title,
                self.rename,
                self.copy,
                self.cut,
                self.become,
                self.disable,
                self.group,
                self.group,
                self.ungroup,
                self.regroup,
                self.change_group,
                self.fold,
                self.fold,
            ]
        acts += [self.add_note, self.change_note, self.bend, self.bend]
        self.draw.choice(acts)()

    def some(self):
        names = list(self.document.pipeline.nodes)
        return self.draw.sample(names, min(len(names), self.draw.randint(1, 3)))

    def add(self):
        if len(self.document.pipeline.nodes) < 30:
            self.document.add_node(self.draw.choice(TYPES), self.draw.randrange(900), self.draw.randrange(900))

    def connect(self):
        names = list(self.document.pipeline.nodes)
        source, target = self.draw.choice(names), self.draw.choice(names)
        ports = self.draw.choice(["out", "rejects"]), self.draw.choice(["input", "left", "right", "rows"])
        self.document.connect_ports(Wire(source, ports[0], target, ports[1]))

    def remove(self):
        wires = self.document.pipeline.wires
        nodes = self.some()[: self.draw.randint(0, 2)]
        self.document.remove(nodes, self.draw.sample(wires, min(1, len(wires))), self.a_note())

    def a_note(self):
        notes = list(self.document.pipeline.notes)
        return self.draw.sample(notes, min(1, len(notes)))

    def move(self):
        names = [*self.some(), *self.a_note()]
        places = {name: (self.draw.randrange(900), self.draw.randrange(900)) for name in names}
        self.document.move(places, nudge=self.draw.random() < 0.3, straighten=self.draw.random() < 0.1)

    def set(self):
        value = self.draw.choice([None, "a > 1", 5, ["x"]])
        self.document.set_setting(self.some()[0], self.draw.choice(["where", "path"]), value)

    def title(self):
        self.document.set_title(self.some()[0], self.draw.choice(["", "A", "B"]))

    def rename(self):
        self.document.rename_node(self.some()[0], self.document.pipeline.new_id("renamed"))

    def copy(self):
        self.clipboard = self.document.copy([*self.some(), *self.a_note()])

    def cut(self):
        self.clipboard = self.document.cut([*self.some(), *self.a_note()])

    def disable(self):
        behind = self.draw.random() < 0.3
        self.document.set_disabled(self.some(), disabled=self.draw.random() < 0.6, behind=behind)

    def group(self):
        self.document.group(self.some(), self.draw.choice(["", "A", "B"]))

    def ungroup(self):
        self.document.ungroup(list(self.document.pipeline.groups)[:1])

    def regroup(self):
        groups = [None, *self.document.pipeline.groups]
        self.document.put_into_group(self.some(), self.draw.choice(groups))

    def change_group(self):
        if groups := list(self.document.pipeline.groups):
            title, color = self.draw.choice(["", "C"]), self.draw.choice([None, "red"])
            self.document.set_group(self.draw.choice(groups), title=title, color=color)

    def fold(self):
        if groups := list(self.document.pipeline.groups):
            self.document.set_group(self.draw.choice(groups), collapsed=self.draw.random() < 0.5)

    def add_note(self):
        if len(self.document.pipeline.notes) < 5:
            self.document.add_note((self.draw.randrange(900), self.draw.randrange(900), 200, 100))

    def change_note(self):
        for name in self.a_note():
            text, color = self.draw.choice([None, "*a*", "# b\n- c"]), self.draw.choice([None, "blue"])
            self.document.set_note(name, text=text, color=color)

    def bend(self):
        if wires := self.document.pipeline.wires:
            points = [(self.draw.randrange(900) * 1.0, 8.0) for _ in range(self.draw.randint(0, 3))]
            self.document.bend(self.draw.choice(wires), tuple(points))

    def paste(self):
        if len(self.document.pipeline.nodes) < 30:
            self.document.paste(self.clipboard, 10, 10)

    def become(self):
        """Another version, as a reload or a restore brings it: some nodes and wires fewer, one with other settings."""
        other = snapshot(self.document.pipeline)
        gone = self.some()
        for name in gone:
            del other.nodes[name]
            other.layout.pop(name)
        other.groups = without_nodes(other.groups, gone)
        other.wires = [wire for wire in other.wires if {wire.source, wire.target} <= other.nodes.keys()]
        other.bends = dict.fromkeys(other.wires[:2], ((1.0, 2.0),))
        for name in self.a_note():
            del other.notes[name]
            other.layout.pop(name)
        name = other.new_id("other")
        other.nodes[name], other.layout[name] = NodeSpec(name, self.draw.choice(TYPES), {"path": "new"}), (5.0, 5.0)
        other.description = self.draw.choice(["", "Other"])
        self.document.become(other, "Reload")


@pytest.mark.parametrize("seed", [1, 2])
def test_undo_to_the_start_is_the_start_and_redo_to_the_end_the_end(document, theme, hand, seed):
    scene = PipelineScene(document, theme)
    start, monkey = hand.snapshot(document), Monkey(document, seed)
    for _ in range(STEPS):
        monkey.step()
        pipeline = document.pipeline
        assert set(scene.wires) == set(pipeline.wires)
        assert (set(scene.groups.items), set(scene.notes.items)) == (set(pipeline.groups), set(pipeline.notes))
        collapsed = {name for group in pipeline.groups.values() if group.collapsed for name in group.nodes}
        assert {name for name, item in scene.nodes.items() if not item.isVisible()} == collapsed
        assert set(pipeline.layout) == {*pipeline.nodes, *pipeline.notes}
        assert set(pipeline.bends) <= set(pipeline.wires)
    text = dumps(document.pipeline, document.registry)
    assert loads(text, registry=document.registry) == document.pipeline
    end, stack = hand.snapshot(document), document.undo_stack
    stack_index = stack.index()

    stack.setIndex(0)
    assert hand.snapshot(document) == start
    assert (scene.nodes, scene.wires, scene.items()) == ({}, {}, [])
    stack.setIndex(stack_index)

    assert hand.snapshot(document) == end
    items = scene.nodes | scene.notes.items
    assert {name: (item.pos().x(), item.pos().y()) for name, item in items.items()} == {
        name: place[:2] for name, place in end.layout.items()
    }
    assert set(scene.nodes) == set(end.nodes)
    assert set(scene.wires) == set(end.wires)
    for name, group in end.groups.items():
        assert scene.groups.members(name) == group.nodes
        assert scene.groups.items[name].collapsed == group.collapsed
    shown = [item for item in scene.items() if item.parentItem() is None]
    assert len(shown) == len(end.nodes) + len(end.wires) + len(end.groups) + len(end.notes)
    assert dumps(document.pipeline, document.registry) == text
