"""What is under a point of the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt

from etl_studio.ui.canvas.items.group import GroupItem
from etl_studio.ui.canvas.items.node import NodeItem
from etl_studio.ui.canvas.items.note import NoteItem
from etl_studio.ui.canvas.items.wire import WireItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

    from etl_studio.pipeline.model import Wire
    from etl_studio.ui.canvas.ports import CanvasPort

PORT_REACH = 11.0
"""Distance in pixels at zoom 1 within which a port or bend is hit."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What is under a point: a port, else a node, a card of a group, a wire, a note, the title of a group, or nothing.

    Attributes:
        bend: index of the bend of the wire.
        group: id of the group.
        chevron: what collapses or expands the group.
        note: id of the note.
        corner: what resizes the note.
        link: address of a link in the note.
    """

    node: str | None = None
    port: CanvasPort | None = None
    wire: Wire | None = None
    bend: int | None = None
    group: str | None = None
    chevron: bool = False
    note: str | None = None
    corner: bool = False
    link: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.node or self.wire or self.group or self.note)


def cursor_for(hit: Hit, keys: Qt.KeyboardModifier) -> Qt.CursorShape:
    """The cursor that says what a press there would do."""
    if hit.corner:
        return Qt.CursorShape.SizeFDiagCursor
    if hit.bend is not None:
        return Qt.CursorShape.SizeAllCursor
    if hit.chevron or (hit.link and keys & Qt.KeyboardModifier.ControlModifier):
        return Qt.CursorShape.PointingHandCursor
    return Qt.CursorShape.ArrowCursor


def hit_at(scene: QGraphicsScene, point: QPointF, zoom: float) -> Hit:
    """What is under a point, in scene coordinates; ports, bends and wires are easier to hit than they look."""
    reach = PORT_REACH / min(max(zoom, 0.5), 1.0)
    found = scene.items(QRectF(point.x() - reach, point.y() - reach, 2 * reach, 2 * reach))
    nodes = [item for item in found if isinstance(item, NodeItem)]
    if ports := [port for item in nodes if (port := item.port_at(point, reach))]:
        return Hit(ports[0].node, ports[0])
    for item in nodes:
        if item.card().contains(point - item.pos()):
            return Hit(item.name)
    return (
        _hit_group(found, point, collapsed=True)
        or _hit_wire(found, point, reach)
        or _hit_note(found, point)
        or _hit_group(found, point, collapsed=False)
        or Hit()
    )


def _hit_group(found: Iterable[QGraphicsItem], point: QPointF, *, collapsed: bool) -> Hit | None:
    for item in found:
        if isinstance(item, GroupItem) and item.collapsed is collapsed and item.bar().contains(point):
            return Hit(group=item.name, chevron=item.is_chevron(point))
    return None


def _hit_wire(found: Iterable[QGraphicsItem], point: QPointF, reach: float) -> Hit | None:
    wires = [item for item in found if isinstance(item, WireItem)]
    for item in wires:
        if (bend := item.bend_at(point, reach)) is not None:
            return Hit(wire=item.wire, bend=bend)
    return next((Hit(wire=item.wire) for item in wires if item.shape().contains(point)), None)


def _hit_note(found: Iterable[QGraphicsItem], point: QPointF) -> Hit | None:
    for item in found:
        if isinstance(item, NoteItem) and (item.card().contains(point - item.pos()) or item.is_corner(point)):
            return Hit(note=item.name, corner=item.is_corner(point), link=item.link_at(point))
    return None


def items_in(items: Iterable[QGraphicsItem], area: QRectF) -> tuple[list[str], list[str]]:
    """Nodes that an area touches, with notes that it holds; and collapsed groups that it touches."""
    names, groups = [], []
    for item in items:
        if isinstance(item, GroupItem):
            if item.collapsed and item.card().intersects(area):
                groups.append(item.name)
        elif isinstance(item, NodeItem | NoteItem):
            card = item.card().translated(item.pos())
            if area.contains(card) if isinstance(item, NoteItem) else area.intersects(card):
                names.append(item.name)
    return names, groups
