"""The faces of nodes as pictures: painted once for a look and zoom, then copied in each frame.

Text is what makes a frame dear. While a person zooms, faces of the zoom before are scaled; they are sharp again as soon
as the zoom rests.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap, QTransform

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

MOST_BYTES = 48 * 1024 * 1024
"""Of all pictures that are kept; those drawn longest ago go first."""
AS_IT_IS = QTransform()


@dataclass(frozen=True, slots=True)
class _Face:
    picture: QPixmap
    scale: float

    @property
    def size(self) -> int:
        return self.picture.width() * self.picture.height() * 4


class Faces:
    """Keeps the pictures.

    Attributes:
        hurried: the zoom is changing: scale what is there instead of painting anew.
    """

    def __init__(self) -> None:
        self.hurried = False
        self._faces: OrderedDict[Hashable, _Face] = OrderedDict()
        self._bytes = 0

    def draw(
        self, painter: QPainter, owner: Hashable, area: QRectF, scale: float, paint: Callable[[QPainter], None]
    ) -> None:
        """Draw the face of an owner.

        Args:
            painter: of the scene.
            owner: whose face it is.
            area: of the face, in the owner's coordinates.
            scale: device pixels per pixel.
            paint: paints the face in the owner's coordinates; called when there is no picture that will do.
        """
        face = self._faces.get(owner)
        if face is None or (face.scale != scale and not self.hurried):
            face = self._paint(owner, area, scale, paint)
        else:
            self._faces.move_to_end(owner)
        if face.scale == scale:
            _copy(painter, face.picture, area.topLeft())
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
            painter.drawPixmap(area, face.picture, QRectF(face.picture.rect()))

    def forget(self, owner: Hashable) -> None:
        """An owner looks different now, or is gone."""
        if (face := self._faces.pop(owner, None)) is not None:
            self._bytes -= face.size

    def clear(self) -> None:
        """Everything looks different now."""
        self._faces.clear()
        self._bytes = 0

    def _paint(self, owner: Hashable, area: QRectF, scale: float, paint: Callable[[QPainter], None]) -> _Face:
        self.forget(owner)
        picture = QPixmap(ceil(area.width() * scale), ceil(area.height() * scale))
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        painter.scale(scale, scale)
        painter.translate(-area.topLeft())
        paint(painter)
        painter.end()
        face = self._faces[owner] = _Face(picture, scale)
        self._bytes += face.size
        while self._bytes > MOST_BYTES and len(self._faces) > 1:
            self._bytes -= self._faces.popitem(last=False)[1].size
        return face


def _copy(painter: QPainter, picture: QPixmap, corner: QPointF) -> None:
    """Pixel by pixel: Qt is ten times slower where it has to scale."""
    world, ratio = painter.worldTransform(), painter.device().devicePixelRatioF()
    if picture.devicePixelRatio() != ratio:
        picture.setDevicePixelRatio(ratio)
    pixel = (world.map(corner) * ratio).toPoint()
    painter.setWorldTransform(AS_IT_IS)
    painter.drawPixmap(QPointF(pixel) / ratio, picture)
    painter.setWorldTransform(world)
