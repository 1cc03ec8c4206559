"""The way of the Tab key through forms, as it is seen. Qt's own goes by the age of widgets, and rows come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QTabWidget, QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QLayout


def move_focus(inside: QWidget, *, forward: bool) -> bool:
    """Give the focus to the next widget in ``inside``, or past its end to the next one outside; whether there is one.

    Call it in ``focusNextPrevChild``.
    """
    found = list(stops(inside))
    current = inside.window().focusWidget()
    index = found.index(current) + (1 if forward else -1) if current in found else 0 if forward else len(found) - 1
    target = found[index] if 0 <= index < len(found) else _stop_outside(inside, forward=forward)
    if target is None:
        return False
    target.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
    return True


def stops(widget: QWidget) -> Iterator[QWidget]:
    """Where Tab stops in a widget, as its layouts show it."""
    if widget.isHidden():
        return
    if _is_stop(widget):
        yield widget
    elif isinstance(widget, QTabWidget):
        yield from stops(widget.tabBar())
        yield from stops(widget.currentWidget())
    elif isinstance(widget, QScrollArea):
        yield from stops(widget.widget())
    elif widget.layout() is not None:
        yield from _stops_in(widget.layout())


def _stops_in(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        if item.widget() is not None:
            yield from stops(item.widget())
        elif item.layout() is not None:
            yield from _stops_in(item.layout())


def _is_stop(widget: QWidget) -> bool:
    takes_focus = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
    return takes_focus and widget.isEnabled() and not isinstance(widget, QScrollArea)


def _stop_outside(inside: QWidget, *, forward: bool) -> QWidget | None:
    """The next widget in Qt's order that is not in ``inside``."""
    step = QWidget.nextInFocusChain if forward else QWidget.previousInFocusChain
    widget = step(inside)
    while widget is not inside:
        if _is_stop(widget) and widget.isVisible() and not inside.isAncestorOf(widget):
            return widget
        widget = step(widget)
    return None
