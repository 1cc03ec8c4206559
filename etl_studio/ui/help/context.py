"""What F1 explains: the setting that has the focus, the selected node, the entry of the palette, or everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.ui.forms.field import Field
from etl_studio.ui.forms.policy_card import PolicyCard
from etl_studio.ui.help.library import OVERVIEW
from etl_studio.ui.node_row import TYPE_ROLE
from etl_studio.ui.palette import NodeList

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the help and, where it is known, the setting on it."""

    page: str
    section: str = ""


def place_of(focused: QWidget | None, bench: Workbench | None) -> Place:
    """Where the help for what a person is at stands.

    Args:
        focused: the widget with the keyboard.
        bench: the workbench in front; None where there is none.
    """
    above = list(_ancestors(focused))
    for widget in above:
        if isinstance(widget, NodeList) and (item := widget.currentItem()) and item.data(TYPE_ROLE):
            return Place(f"node:{item.data(TYPE_ROLE).type}")
    chosen = bench.canvas.pipeline_scene.chosen_nodes() if bench else []
    if bench is None or len(chosen) != 1:
        return Place(OVERVIEW)
    fields = [widget.setting.key for widget in above if isinstance(widget, Field)]
    if any(isinstance(widget, PolicyCard) for widget in above):
        return Place("topic:policies", f"policy.{fields[-1]}" if fields else "")
    in_inspector = bench.inspector in above
    page = f"node:{bench.document.pipeline.nodes[chosen[0]].type}"
    return Place(page, f"config.{fields[-1]}" if fields and in_inspector else "")


def _ancestors(widget: QWidget | None):  # noqa: ANN202 - widgets, from the inside out
    while widget is not None:
        yield widget
        widget = widget.parentWidget()
