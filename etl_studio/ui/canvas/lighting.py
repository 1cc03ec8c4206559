"""What is looked for stands out on the canvas, and all else fades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.ui.canvas.items.wire import FADED

if TYPE_CHECKING:
    from collections.abc import Collection

    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.scene import PipelineScene


def light(scene: PipelineScene, nodes: Collection[str] | None, wires: Collection[Wire] = ()) -> None:
    """Let these nodes and wires stand out and the others fade; None ends it."""
    for name, item in scene.nodes.items():
        item.setOpacity(1.0 if nodes is None or name in nodes else FADED)
    for wire, line in scene.wires.items():
        line.show_lit(lit=None if nodes is None else wire in wires)
