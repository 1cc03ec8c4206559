"""The context menu of a node, a wire, a note, a group or the empty canvas."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QKeySequence, QPainter, QPixmap
from PySide6.QtWidgets import QMenu

from etl_studio.engine.events import BreakerState
from etl_studio.pipeline.interfaces import file_of
from etl_studio.pipeline.model import COLORS
from etl_studio.ui.actions import plain
from etl_studio.ui.canvas.alignment import ALIGN, DISTRIBUTE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QPointF

    from etl_studio.ui.canvas.editing import Editing
    from etl_studio.ui.canvas.scene import Hit, PipelineScene
    from etl_studio.ui.canvas.tools import Tools
    from etl_studio.ui.theme.theme import Theme

BREAKER_ORDERS = (
    (BreakerState.FORCED_OPEN, N_("Keep open: call nothing"), "pause"),
    (BreakerState.DISABLED, N_("Disable: call always, judge nothing"), "zap"),
    (BreakerState.CLOSED, N_("Close: judge the calls from now on"), "refresh"),
)
TAB, ENTER = (
    QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in (Qt.Key.Key_Tab, Qt.Key.Key_Return)
)
"""Keys that nobody can change."""
COLOUR_NAMES = {
    "yellow": N_("Yellow"),
    "blue": N_("Blue"),
    "green": N_("Green"),
    "red": N_("Red"),
    "purple": N_("Purple"),
    "gray": N_("Gray"),
}


def context_menu(  # noqa: PLR0913 - what a menu can ask for
    tools: Tools,
    theme: Theme,
    hit: Hit,
    at: QPointF,
    *,
    activate: Callable[[str], object],
    show_settings: Callable[[str], object],
    extract: Callable[[], object],
    inline: Callable[[str], object],
    order_breaker: Callable[[str, str], object],
    run_to: Callable[[str], object],
    run_from: Callable[[str], object],
    breakpoint: Callable[[str], object],  # noqa: A002 - the word of the trade
    condition: Callable[[str], object],
) -> QMenu:
    """The menu for what is under a point; a node or wire there becomes selected, as people expect.

    Args:
        tools: the parts of the canvas.
        theme: icons.
        hit: what is under the point.
        at: the point, in scene coordinates.
        activate: opens a node's settings, or the file of a sub-pipeline.
        show_settings: opens the settings of a sub-pipeline.
        extract: makes a sub-pipeline of what is selected.
        inline: puts the nodes of its file in the place of a sub-pipeline.
        run_to: runs a node and what feeds it.
        run_from: runs a node and what follows it.
        breakpoint: sets or removes the breakpoint at a node or wire, by id or text.
        condition: asks for its condition.
        order_breaker: forces the breakers of a node of the run into a state.
    """
    menu = QMenu(tools.viewport)
    menu.aboutToHide.connect(menu.deleteLater)
    scene, editing = tools.scene, tools.editing
    items = scene.items_of(hit)
    if items and not set(items) <= set(scene.chosen_items()):
        scene.choose(items)
    elif hit.wire and hit.wire not in scene.chosen_wires():
        scene.choose(wires=[hit.wire])

    def add(text: str, icon: str, act: Callable[[], object] | None, name: str = "", *, key: str = "") -> None:
        if act is None:
            menu.addSeparator()
            return
        shown = with_key(text, key or tools.key(name))
        action = menu.addAction(theme.icon(icon) if icon else QIcon(), shown)
        action.triggered.connect(partial(_run, act))

    if hit.node:
        _add_opening(scene, hit.node, add, activate, show_settings)
        add(tr("Run to here"), "play", partial(run_to, hit.node), "run_to")
        add(tr("Run from here…"), "step-batch", partial(run_from, hit.node), "run_from")
        add(tr("Breakpoint"), "circle-dot", partial(breakpoint, hit.node), "breakpoint")
        add(tr("Breakpoint with a condition…"), "filter", partial(condition, hit.node), "breakpoint_condition")
        _add_breaker(menu, theme, scene, hit.node, order_breaker)
        menu.addSeparator()
        add(tr("Replace by…"), "repeat", partial(tools.quick_add.open_instead_of, hit.node), "replace_node")
        if len(scene.chosen_nodes()) > 1:
            _add_order(menu, theme, tools, len(scene.chosen_nodes()))
        menu.addSeparator()
        _add_switches(tools, menu, add)
        _add_restructuring(scene, hit.node, add, extract, inline)
        _add_clipboard(editing, add)
        add(tr("Delete and reconnect"), "link", editing.delete_and_join, "delete_join")
    elif hit.wire:
        add(tr("Insert a node…"), "plus", partial(tools.quick_add.open_at, at, into=hit.wire))
        _add_bends(tools, hit, at, add)
        add(tr("Breakpoint"), "circle-dot", partial(breakpoint, str(hit.wire)), "breakpoint")
        add(tr("Breakpoint with a condition…"), "filter", partial(condition, str(hit.wire)), "breakpoint_condition")
        menu.addSeparator()
        add(tr("Delete"), "trash", editing.delete, "delete")
    elif hit.note or hit.group:
        _add_around(tools, theme, menu, hit, add)
        _add_clipboard(editing, add)
    else:
        add(tr("Add a node…"), "plus", partial(tools.quick_add.open_at, at), key=TAB)
        add(tr("Add a note"), "note", partial(tools.annotating.add_note, at), "add_note")
        add(tr("Paste"), "clipboard", partial(editing.paste, at), "paste")
        menu.addSeparator()
        add(tr("Select all"), "check-circle", editing.select_all, "select_all")
        add(tr("Arrange"), "align", editing.arrange, "arrange")
        add(tr("Zoom to fit"), "maximize", tools.navigation.fit, "fit")
    return menu


def _is_inner(scene: PipelineScene, node: str) -> bool:
    return file_of(scene.document.pipeline.nodes[node]) is not None


def _add_opening(
    scene: PipelineScene,
    node: str,
    add: Callable[..., None],
    activate: Callable[[str], object],
    show_settings: Callable[[str], object],
) -> None:
    """What Enter does, and the settings where that is another thing."""
    if _is_inner(scene, node):
        add(tr("Open"), "workflow", partial(activate, node), key=ENTER)
        add(tr("Settings"), "settings", partial(show_settings, node))
    else:
        add(tr("Settings"), "settings", partial(activate, node), key=ENTER)


def _add_restructuring(
    scene: PipelineScene,
    node: str,
    add: Callable[..., None],
    extract: Callable[[], object],
    inline: Callable[[str], object],
) -> None:
    """Into a file of their own, and out of it."""
    add(tr("Extract into a sub-pipeline…"), "workflow", extract, "extract")
    if _is_inner(scene, node):
        add(tr("Inline the sub-pipeline"), "", partial(inline, node))
    add("", "", None)


def _add_breaker(
    menu: QMenu, theme: Theme, scene: PipelineScene, node: str, order_breaker: Callable[[str, str], object]
) -> None:
    """What a person may order the breakers of a running node."""
    live = scene.live.nodes.get(node)
    if live is not None and live.breaker is not None:
        breaker = menu.addMenu(theme.icon("shield"), tr("Circuit breaker"))
        for state, text, icon in BREAKER_ORDERS:
            action = breaker.addAction(theme.icon(icon), tr(text))
            action.setEnabled(state is not live.breaker)
            action.triggered.connect(partial(_run, partial(order_breaker, node, state.value)))


def _add_switches(tools: Tools, menu: QMenu, add: Callable[..., None]) -> None:
    """Disable, group."""
    annotating = tools.annotating
    enables = annotating.would_enable
    add(tr("Enable") if enables else tr("Disable"), "power", annotating.disable, "disable")
    branch = tr("Enable the branch") if enables else tr("Disable the branch")
    add(branch, "", annotating.disable_branch, "disable_branch")
    add(plain(tr("&Group")), "group", annotating.group, "group")
    if annotating.is_grouped:
        add(tr("Ungroup"), "ungroup", annotating.ungroup, "ungroup")
        add(tr("Take out of the group"), "", partial(annotating.put_into_group, None))
    if groups := annotating.other_groups():
        into = menu.addMenu(tr("Put into"))
        for name, title in groups.items():
            into.addAction(title).triggered.connect(partial(_run, partial(annotating.put_into_group, name)))
    add("", "", None)


def _add_clipboard(editing: Editing, add: Callable[..., None]) -> None:
    add(tr("Cut"), "scissors", editing.cut, "cut")
    add(tr("Copy"), "copy", editing.copy, "copy")
    add(tr("Duplicate"), "copy-minus", editing.duplicate, "duplicate")
    add("", "", None)
    add(tr("Delete"), "trash", editing.delete, "delete")


def _add_bends(tools: Tools, hit: Hit, at: QPointF, add: Callable[..., None]) -> None:
    annotating = tools.annotating
    if hit.bend is None:
        add(tr("Add a bend"), "spline", partial(annotating.add_bend, hit.wire, at))
    else:
        add(tr("Remove this bend"), "minus", partial(annotating.remove_bend, hit.wire, hit.bend))
    if tools.scene.document.pipeline.bends.get(hit.wire):
        add(tr("Remove all bends"), "", partial(annotating.straighten, hit.wire))


def _add_around(tools: Tools, theme: Theme, menu: QMenu, hit: Hit, add: Callable[..., None]) -> None:
    """What can be done to a note or a group."""
    annotating = tools.annotating
    if hit.note:
        add(tr("Edit"), "edit", partial(annotating.write_note, hit.note), key=ENTER)
        shown = tools.scene.document.pipeline.notes[hit.note].color or COLORS[0]
    else:
        group = tools.scene.document.pipeline.groups[hit.group]
        shown = group.color or "gray"
        text, icon = (tr("Expand"), "chevron-down") if group.collapsed else (tr("Collapse"), "chevron-right")
        add(text, icon, partial(annotating.fold, hit.group), key=ENTER)
        add(tr("Change the title"), "edit", partial(annotating.write_title, hit.group))
    colours = menu.addMenu(tr("Colour"))
    for color in COLORS:
        action = colours.addAction(_swatch(theme.tokens.tint(color)), tr(COLOUR_NAMES[color]))
        action.setCheckable(True)
        action.setChecked(color == shown)
        action.triggered.connect(partial(_run, partial(annotating.colour, color)))
    if hit.group:
        add(tr("Ungroup"), "ungroup", annotating.ungroup, "ungroup")
        text = tr("Enable the nodes") if annotating.would_enable else tr("Disable the nodes")
        add(text, "power", annotating.disable, "disable")
    add("", "", None)


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(16, 16)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(2, 2, 12, 12)
    painter.end()
    return QIcon(picture)


def _add_order(menu: QMenu, theme: Theme, tools: Tools, number: int) -> None:
    """What brings several nodes in order."""
    editing = tools.editing
    order = menu.addMenu(theme.icon("align"), tr("Arrange"))
    order.addAction(with_key(tr("In columns"), tools.key("arrange"))).triggered.connect(partial(_run, editing.arrange))
    order.addSeparator()
    for edge, text in ALIGN:
        action = order.addAction(with_key(tr(text), tools.key(f"align_{edge}")))
        action.triggered.connect(partial(_run, partial(editing.align, edge)))
    order.addSeparator()
    for axis, text in DISTRIBUTE:
        action = order.addAction(with_key(tr(text), tools.key(f"distribute_{axis}")))
        action.setEnabled(number > 2)  # noqa: PLR2004 - two nodes have one gap
        action.triggered.connect(partial(_run, partial(editing.distribute, axis)))


def with_key(text: str, key: str) -> str:
    """The text of an entry with its key at the right."""
    return f"{text}\t{key}" if key else text


def _run(act: Callable[[], object], checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's signature
    del checked
    act()
