"""What the actions of the window mean on a canvas, by their names in ``ui.actions``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from etl_studio.ui.canvas.alignment import ALIGN, DISTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.ui.canvas.tools import Tools
    from etl_studio.ui.canvas.walking import Walking
    from etl_studio.ui.canvas.wiring import Wiring


def canvas_acts(tools: Tools, walking: Walking, wiring: Wiring) -> dict[str, Callable[[], object]]:
    """What to do, by the name of the action.

    Args:
        tools: the parts of the canvas.
        walking: where the keys are.
        wiring: draws wires.
    """
    editing, navigation, annotating = tools.editing, tools.navigation, tools.annotating
    undo = editing.document.undo_stack
    return {
        "undo": undo.undo,
        "redo": undo.redo,
        "cut": editing.cut,
        "copy": editing.copy,
        "paste": editing.paste,
        "duplicate": editing.duplicate,
        "delete": editing.delete,
        "delete_join": editing.delete_and_join,
        "select_all": editing.select_all,
        "add_note": annotating.add_note,
        "group": annotating.group,
        "ungroup": annotating.ungroup,
        "disable": annotating.disable,
        "disable_branch": annotating.disable_branch,
        "connect": wiring.begin,
        "connect_back": partial(wiring.begin, backwards=True),
        "next_wire": walking.next_wire,
        "previous_wire": partial(walking.next_wire, back=True),
        "zoom_in": navigation.zoom_in,
        "zoom_out": navigation.zoom_out,
        "zoom_reset": navigation.zoom_reset,
        "fit": navigation.fit,
        "fit_selection": navigation.fit_selection,
        "arrange": editing.arrange,
        **{f"align_{edge}": partial(editing.align, edge) for edge, _ in ALIGN},
        **{f"distribute_{axis}": partial(editing.distribute, axis) for axis, _ in DISTRIBUTE},
    }
