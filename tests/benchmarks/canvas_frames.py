"""Frames of a large canvas: ``python tests/benchmarks/canvas_frames.py``.

1,000 nodes and 1,500 wires, 1600 by 1000 pixels, drawn offscreen by the processor. CPU milliseconds of the
window's thread for each frame: what it costs, whatever else the machine does.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import thread_time
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.app.catalogue import full_registry
from etl_studio.engine.events import NodeCounts, NodeSample, NodeState, Sampled, WireSample
from etl_studio.pipeline.file_format import save
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.ui.canvas.scene import RESTS_AFTER
from etl_studio.ui.canvas.view import CanvasView
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.theme.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.sdk import Registry

NODES, WIRES, COLUMNS, FRAMES, COUNTED = 1000, 1500, 40, 60, 200


def large_pipeline(registry: Registry, nodes: int = NODES) -> Pipeline:
    """Rows of nodes, and half as many wires again; each wire leads to a node further on, near by."""
    draw, pipeline = Random(1), Pipeline("large")
    for number in range(nodes):
        name = f"node_{number}"
        spec = NodeSpec(name, draw.choice(["derive", "filter", "validate"]), title=f"Step {number}")
        spec.config = dict(registry.get(spec.type).example)
        pipeline.nodes[name] = spec
        pipeline.layout[name] = (number % COLUMNS * 304.0, number // COLUMNS * 112.0)
    while len(pipeline.wires) < nodes * WIRES // NODES:
        start = draw.randrange(nodes - 1)
        end = min(nodes - 1, start + draw.choice([1, 1, 1, 2, COLUMNS + 1]))
        pipeline.wires.append(Wire(f"node_{start}", "out", f"node_{end}", "input"))
    return pipeline


def sample(number: int, nodes_count: int, wires_count: int, pipeline: Pipeline) -> Sampled:
    """The counts of the first nodes and wires at one moment of a run."""
    counts = NodeCounts(rows_in=1000 * number, rows_out=900 * number)
    nodes = {name: NodeSample(NodeState.RUNNING, counts) for name in list(pipeline.nodes)[:nodes_count]}
    wires = {str(wire): WireSample(900 * number, 10, number % 10 / 10) for wire in pipeline.wires[:wires_count]}
    return Sampled("r", number / 10, nodes, wires)


def measure(title: str, app: QApplication, act: Callable[[int], object]) -> None:
    """Print the median and the 95th percentile of an act and the painting that follows."""
    times = []
    for number in range(FRAMES):
        start = thread_time()
        act(number)
        app.processEvents()
        times.append((thread_time() - start) * 1000)
    cuts = quantiles(times[3:], n=20)
    print(f"{title:<44}{cuts[9]:>8.1f}{cuts[18]:>8.1f}")


def open_file(app: QApplication, document: PipelineDocument, pipeline: Pipeline) -> None:
    """Print what it costs to open a file with a pipeline until it is painted and checked."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "large.etl.yaml"
        save(pipeline, path)
        start = thread_time()
        document.load(path)
        loaded = thread_time()
        app.processEvents()
        painted = thread_time()
        document.check_now()
        seconds = f"{painted - start:.2f} CPU s, of which {loaded - start:.2f} to read and build"
        print(f"{len(pipeline.nodes):,} nodes open in {seconds}; checked in {thread_time() - painted:.2f}")


def rest(app: QApplication) -> None:
    """Let a zoom come to its rest, so that everything in sight is sharp."""
    QTest.qWait(2 * RESTS_AFTER)
    app.processEvents()


def main() -> None:
    """Print the table."""
    app = QApplication([])
    theme = Theme("light")
    theme.apply(app)
    registry = full_registry()
    document = PipelineDocument(registry)
    view = CanvasView(document, theme)
    view.resize(1600, 1000)
    view.show()
    for nodes in (NODES, 10 * NODES, NODES):
        open_file(app, document, large_pipeline(registry, nodes))
    print(f"\n{'CPU ms a frame':<44}{'p50':>8}{'p95':>8}")
    scene, navigation, pipeline = view.pipeline_scene, view.navigation, document.pipeline
    view.centerOn(3000, 1200)
    measure("pan at 1:1", app, lambda n: navigation.scroll(QPoint(12 if n % 40 < 20 else -12, 7)))
    navigation.zoom_to(0.5)
    rest(app)
    measure("pan at 0.5", app, lambda n: navigation.scroll(QPoint(12 if n % 40 < 20 else -12, 7)))
    measure(f"{COUNTED} counters at 0.5", app, lambda n: scene.show_sample(sample(n, COUNTED, 0, pipeline)))
    measure(
        f"{COUNTED} counters and wires at 0.5", app, lambda n: scene.show_sample(sample(n, COUNTED, COUNTED, pipeline))
    )
    scene.clear_run()
    measure("zoom 0.4 to 1.7", app, lambda n: navigation.zoom_to(0.4 + 1.3 * (n % 20) / 20))
    measure("zoom 0.12 to 0.5", app, lambda n: navigation.zoom_to(0.12 + 0.38 * (n % 20) / 20))
    navigation.fit()
    measure("everything in sight, full repaint", app, lambda _: view.viewport().update())
    measure(
        f"everything in sight, {COUNTED} counters", app, lambda n: scene.show_sample(sample(n, COUNTED, 0, pipeline))
    )
    navigation.zoom_to(1.0)
    scene.choose(["node_500"])
    measure("drag one node", app, lambda n: scene.preview_positions({"node_500": (3000.0 + 8 * n, 1300.0)}))
    some = {f"node_{number}": pipeline.layout[f"node_{number}"] for number in range(400, 460)}
    measure(
        f"drag {len(some)} nodes, straight wires",
        app,
        lambda n: scene.preview_positions({name: (x + 8 * n, y) for name, (x, y) in some.items()}, straight=True),
    )


if __name__ == "__main__":
    main()
