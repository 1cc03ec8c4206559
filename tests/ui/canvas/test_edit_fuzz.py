"""A monkey at a whole canvas: edits, undo, redo, save, load; undo leads to the start, a file keeps the document.

The short form always runs; ``-m long`` takes 10,000 steps for each seed.
"""

from __future__ import annotations

import pytest

from etl_studio.pipeline.snapshot import snapshot
from tests.ui.canvas.edits_of_a_monkey import EditsOfTheCanvas
from tests.ui.canvas.test_undo_fuzz import Monkey

pytestmark = pytest.mark.window

STEPS, LONG = 1_500, 10_000


class MonkeyAtTheCanvas(EditsOfTheCanvas, Monkey):
    """Half of what it does are edits of the canvas."""

    def __init__(self, view, folder, seed):
        super().__init__(view.document, seed)
        self.editing, self.folder = view.editing, folder
        self.scene = view.pipeline_scene
        self.save()
        self.start = self.seen()

    def step(self):
        if self.draw.random() < 0.5:
            self.draw.choice(self.edits())()
        else:
            super().step()

    def seen(self):
        return snapshot(self.document.pipeline), list(self.document.pipeline.nodes)

    def check(self):
        """The scene shows the document, and nothing refers to what is gone."""
        pipeline, scene = self.document.pipeline, self.scene
        assert set(scene.nodes) == set(pipeline.nodes)
        assert set(scene.wires) == set(pipeline.wires)
        assert set(pipeline.layout) == {*pipeline.nodes, *pipeline.notes}
        assert set(pipeline.bends) <= set(pipeline.wires)
        assert {end for wire in pipeline.wires for end in (wire.source, wire.target)} <= set(pipeline.nodes)


@pytest.mark.parametrize(
    ("seed", "steps"),
    [
        pytest.param(1, STEPS, id="short"),
        *(pytest.param(seed, LONG, id=f"long-{seed}", marks=pytest.mark.long) for seed in range(2, 6)),
    ],
)
def test_whatever_a_monkey_does_at_the_canvas_undo_leads_back_and_a_file_keeps_it(
    document, make_view, tmp_path, seed, steps
):
    monkey = MonkeyAtTheCanvas(make_view(document), tmp_path, seed)
    for _ in range(steps):
        monkey.step()
        monkey.check()
    end, stack = monkey.seen(), document.undo_stack
    index = stack.index()

    stack.setIndex(0)
    monkey.check()
    assert monkey.seen() == monkey.start
    stack.setIndex(index)
    monkey.check()
    assert monkey.seen() == end
    monkey.save_and_load()
