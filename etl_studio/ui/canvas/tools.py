"""What gestures, drops and menus work with: the parts of one canvas, handed round together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.canvas.adding import Adding
    from etl_studio.ui.canvas.annotating import Annotating
    from etl_studio.ui.canvas.editing import Editing
    from etl_studio.ui.canvas.guides import Guides
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.canvas.overlays import Tip
    from etl_studio.ui.canvas.request_reading import RequestReading
    from etl_studio.ui.canvas.scene import PipelineScene


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts of one canvas.

    Attributes:
        scene: what is drawn.
        viewport: the widget that it is drawn on.
        navigation: zoom, scroll, where things are on the screen.
        editing: delete, copy, paste, add.
        quick_add: searches for a node by name and adds it.
        tip: tells why something is refused.
        guides: lines that dragged nodes are drawn to.
        annotating: notes, groups, bends, disabled nodes.
        requests: recordings and descriptions of APIs.
        key: the key of an action, as menus show it; empty where it has none.
    """

    scene: PipelineScene
    viewport: QWidget
    navigation: Navigation
    editing: Editing
    quick_add: Adding
    tip: Tip
    guides: Guides
    annotating: Annotating
    requests: RequestReading
    key: Callable[[str], str]
