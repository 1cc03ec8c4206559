"""Whatever is done, undone and redone: undo to the start is the start, and the scene shows the document."""

from __future__ import annotations

from random import Random

import pytest

from etl_studio.pipeline.model import NodeSpec, Wire
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.canvas.scene import PipelineScene

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
            ]
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
        self.document.remove(self.some()[: self.draw.randint(0, 2)], self.draw.sample(wires, min(1, len(wires))))

    def move(self):
        places = {name: (self.draw.randrange(900), self.draw.randrange(900)) for name in self.some()}
        self.document.move(places, nudge=self.draw.random() < 0.3)

    def set(self):
        value = self.draw.choice([None, "a > 1", 5, ["x"]])
        self.document.set_setting(self.some()[0], self.draw.choice(["where", "path"]), value)

    def title(self):
        self.document.set_title(self.some()[0], self.draw.choice(["", "A", "B"]))

    def rename(self):
        self.document.rename_node(self.some()[0], self.document.pipeline.new_id("renamed"))

    def copy(self):
        self.clipboard = self.document.copy(self.some())

    def cut(self):
        self.clipboard = self.document.cut(self.some())

    def paste(self):
        if len(self.document.pipeline.nodes) < 30:
            self.document.paste(self.clipboard, 10, 10)

    def become(self):
        """Another version, as a reload or a restore brings it: some nodes and wires fewer, one with other settings."""
        other = snapshot(self.document.pipeline)
        for name in self.some():
            del other.nodes[name]
            other.layout.pop(name)
        other.wires = [wire for wire in other.wires if {wire.source, wire.target} <= other.nodes.keys()]
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
        assert set(scene.wires) == set(document.pipeline.wires)
    end, stack = hand.snapshot(document), document.undo_stack
    stack_index = stack.index()

    stack.setIndex(0)
    assert hand.snapshot(document) == start
    assert (scene.nodes, scene.wires, scene.items()) == ({}, {}, [])
    stack.setIndex(stack_index)

    assert hand.snapshot(document) == end
    assert {name: (item.pos().x(), item.pos().y()) for name, item in scene.nodes.items()} == end.layout
    assert set(scene.nodes) == set(end.nodes)
    assert set(scene.wires) == set(end.wires)
    assert len(scene.items()) == len(end.nodes) + len(end.wires)
