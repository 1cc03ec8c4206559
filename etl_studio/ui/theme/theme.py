"""The theme in force: tokens, palette, style sheet and icons, light or dark."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from etl_studio.app.resources import resource
from etl_studio.ui.theme.palette import palette
from etl_studio.ui.theme.style_sheet import control_images, style_sheet
from etl_studio.ui.theme.tokens import DARK, FONT_BODY, LIGHT

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from etl_studio.ui.theme.tokens import Tokens

Mode = Literal["light", "dark", "system"]

SCALES = (0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
"""Sizes of texts that are offered."""

_UNKNOWN_ICON = "box"
"""Shown for a name without a file: a plug-in may ask for an icon that this version lacks."""


@lru_cache(maxsize=256)
def _drawing(name: str) -> str:
    path = resource("icons", f"{name}.svg")
    if not path.is_file():
        path = resource("icons", f"{_UNKNOWN_ICON}.svg")
    return path.read_text(encoding="utf-8")


def set_role(widget: QWidget, role: str) -> None:
    """Tell the style sheet what a widget is (see ``style_sheet.ROLES``) and repaint it."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Theme(QObject):
    """Holds the tokens in force and draws icons in their colours.

    Args:
        mode: ``light``, ``dark``, or ``system`` to follow the desktop.

    Attributes:
        tokens: the colours in force.
        scale: size of texts, and of what holds them; 1 is the size of the design.
        changed: told after the tokens changed and the application wears them.
    """

    changed = Signal()

    def __init__(self, mode: Mode = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app: QApplication | None = None
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        self._icons: dict[tuple[str, str, int], QIcon] = {}
        self._folder = QTemporaryDir()  # a style sheet takes pictures only from files
        self.mode: Mode = mode
        self.scale = 1.0
        self.tokens: Tokens = self._wanted()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    @property
    def is_dark(self) -> bool:
        """Whether the dark colours are in force."""
        return self.tokens.name == "dark"

    @property
    def mono(self) -> str:
        """Family of the fixed-width font."""
        return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()

    def set_mode(self, mode: Mode) -> None:
        """Change to light, dark or the desktop's choice."""
        self.mode = mode
        self._set_title_bars()
        self._refresh()

    def set_scale(self, scale: float) -> None:
        """Make all texts larger or smaller: between ``SCALES[0]`` and ``SCALES[-1]``."""
        scale = min(max(scale, SCALES[0]), SCALES[-1])
        if scale != self.scale:
            self.scale = scale
            self._dress()
            self.changed.emit()

    def px(self, size: float) -> int:
        """A size of the design in pixels as they are now; for texts and for what must hold them."""
        return round(size * self.scale)

    def font(self, size: int = FONT_BODY, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """A font for painting.

        Args:
            size: of the type scale in ``tokens``.
            weight: how bold.
        """
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        font.setPixelSize(self.px(size))
        font.setWeight(weight)
        return font

    def apply(self, app: QApplication) -> None:
        """Dress the application: Fusion, font, palette and style sheet."""
        self._app = app
        app.setStyle("Fusion")
        self._set_title_bars()
        self._dress()

    def pixmap(self, name: str, color: str | None = None, size: int = 16, ratio: float | None = None) -> QPixmap:
        """One icon.

        Args:
            name: file in ``resources/icons`` without ``.svg``.
            color: ``#rrggbb``; None: the colour of text.
            size: edge in device-independent pixels.
            ratio: device pixels per pixel; None: that of the screen.
        """
        key = (name, color or self.tokens.text, size, ratio or QGuiApplication.instance().devicePixelRatio())
        if key not in self._pixmaps:
            self._pixmaps[key] = _draw(*key)
        return self._pixmaps[key]

    def icon(self, name: str, color: str | None = None, size: int = 16) -> QIcon:
        """One icon for buttons and menus, sharp on every screen, with its disabled form."""
        key = (name, color or self.tokens.text, size)
        if key not in self._icons:
            icon = QIcon()
            for ratio in (1.0, 2.0, 3.0):
                icon.addPixmap(self.pixmap(*key, ratio))
                grey = self.pixmap(name, self.tokens.text_disabled, size, ratio)
                icon.addPixmap(grey, QIcon.Mode.Disabled)
            self._icons[key] = icon
        return self._icons[key]

    def _wanted(self) -> Tokens:
        if self.mode == "system":
            dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
            return DARK if dark else LIGHT
        return DARK if self.mode == "dark" else LIGHT

    def _follow_system(self) -> None:
        if self.mode == "system":
            self._refresh()

    def _refresh(self) -> None:
        wanted = self._wanted()
        if wanted is self.tokens:
            return
        self.tokens = wanted
        self._pixmaps.clear()
        self._icons.clear()
        self._dress()
        self.changed.emit()

    def _set_title_bars(self) -> None:
        schemes = {
            "light": Qt.ColorScheme.Light,
            "dark": Qt.ColorScheme.Dark,
            "system": Qt.ColorScheme.Unknown,
        }
        QGuiApplication.styleHints().setColorScheme(schemes[self.mode])

    def _dress(self) -> None:
        if self._app is None:
            return
        self._app.setFont(self.font())
        self._app.setPalette(palette(self.tokens))
        self._app.setStyleSheet(style_sheet(self.tokens, self._control_images(), self.mono, self.scale))

    def _control_images(self) -> dict[str, str]:
        paths = {}
        for name, (icon, color) in control_images(self.tokens).items():
            path = Path(self._folder.path()) / f"{self.tokens.name}_{name}.svg"
            if not path.exists():
                path.write_text(_drawing(icon).replace("currentColor", color), encoding="utf-8")
            paths[name] = path.as_posix()
        return paths


def _draw(name: str, color: str, size: int, ratio: float) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", color).encode()))
    edge = round(size * ratio)
    pixmap = QPixmap(edge, edge)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, edge, edge))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
