"""A person at the real window: drags, wires, types, clicks, chooses in menus. Nothing here calls the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QPlainTextEdit, QWidget

from etl_studio.ui.actions import plain
from tests.ui.conftest import card_pixel, drag, port_pixel, synth_drop

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QMenu

    from etl_studio.ui.forms.editor import Editor
    from etl_studio.ui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
TICK = 10
"""Milliseconds between two looks for a dialog."""


class Person:
    """Works with one window.

    Args:
        window: the window, with its workbench.
    """

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.bench = window.workbench

    # -- the canvas -------------------------------------------------------------------------------------------

    def drop(self, node_type: str, x: int, y: int) -> str:
        """Drag a type from the palette onto a pixel of the canvas; gives the id of the new node."""
        palette, before = self.bench.palette_panel.nodes, set(self.bench.document.pipeline.nodes)
        mime = palette.mimeData([palette.item(palette.row_of(node_type))])
        assert synth_drop(self.bench.canvas, mime, QPoint(x, y)), f"the canvas refuses {node_type}"
        (name,) = set(self.bench.document.pipeline.nodes) - before
        return name

    def wire(self, source: str, target: str, *, out: str = "out", into: str = "input") -> None:
        """Drag from port to port."""
        canvas = self.bench.canvas
        drag(canvas, port_pixel(canvas, source, out), port_pixel(canvas, target, into))

    def click_node(self, name: str) -> None:
        """Select a node by a click on its card."""
        QTest.mouseClick(self.bench.canvas.viewport(), LEFT, pos=card_pixel(self.bench.canvas, name))
        assert self.bench.inspector.selected == (name,)

    # -- the form ---------------------------------------------------------------------------------------------

    def editor(self, key: str) -> Editor:
        """The editor of a setting of the selected node."""
        editor = self.bench.inspector.node_page.form.content.fields[key].editor
        return getattr(editor, "inner", editor)

    def type_text(self, key: str, text: str) -> None:
        """Type into a line or a text of the form."""
        editor = self.editor(key)
        _type_into(next(iter(editor.findChildren(QLineEdit) or editor.findChildren(QPlainTextEdit))), text)

    def type_rows(self, key: str, *texts: str) -> None:
        """Add rows to a list and type into each."""
        rows = self.editor(key)
        for text in texts:
            QTest.mouseClick(rows.add, LEFT)
            _type_into(rows.rows[-1].content.findChild(QLineEdit), text)

    def type_map(self, key: str, texts: dict[str, str]) -> None:
        """Add rows to a map and type name and value into each."""
        rows = self.editor(key)
        for name, text in texts.items():
            QTest.mouseClick(rows.add, LEFT)
            pair = rows.rows[-1].content
            _type_into(pair.key, name)
            _type_into(pair.content.findChild(QLineEdit), text)

    def type_chips(self, key: str, *texts: str) -> None:
        """Type names, each followed by Return."""
        for text in texts:
            _type_into(self.editor(key).line, text)
            QTest.keyClick(self.editor(key).line, Qt.Key.Key_Return)

    def choose(self, key: str, text: str) -> None:
        """Go to an entry of a choice by the arrow keys."""
        combo = self.editor(key).combo
        combo.setFocus()
        QTest.keyClick(combo, Qt.Key.Key_Home)
        while combo.currentText() != text:
            before = combo.currentIndex()
            QTest.keyClick(combo, Qt.Key.Key_Down)
            assert combo.currentIndex() > before, f"there is no {text} to choose"

    # -- the window -------------------------------------------------------------------------------------------

    def click_run(self) -> None:
        """Click the button that starts a run, and stops one."""
        QTest.mouseClick(self.window._run_button, LEFT)

    def click_menu(self, *path: str) -> None:
        """Open a menu by the mouse and click through it, such as ``"File", "Save"``."""
        bar = self.window.menuBar()
        entry = _entry(bar, path[0])
        QTest.mouseClick(bar, LEFT, pos=bar.actionGeometry(entry).center())
        menu: QMenu = entry.menu()
        for text in path[1:]:
            assert menu.isVisible(), f"the menu with {text} did not open"
            entry = _entry(menu, text)
            assert entry.isEnabled(), f"{text} is grey"
            QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(entry).center())
            menu = entry.menu()

    def answer_file_dialog(self, path: Path) -> list[str]:
        """Give a path to the next file dialog, as soon as it is there; gives the title that it had."""
        titles: list[str] = []

        def answer() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QFileDialog):
                QTimer.singleShot(TICK, answer)
                return
            titles.append(dialog.windowTitle())
            line = dialog.findChild(QLineEdit, "fileNameEdit")
            line.selectAll()
            line.insert(str(path))  # letter by letter, Qt's completer would change folder in between
            QTest.keyClick(line, Qt.Key.Key_Return)

        QTimer.singleShot(0, answer)
        return titles

    # -- what is seen -----------------------------------------------------------------------------------------

    def card(self, name: str) -> str:
        """What the card of a node says during and after a run: counters, and the notice below."""
        item = self.bench.canvas.pipeline_scene.nodes[name]
        is_source, is_sink = item._ends
        counters = item._live.counters(is_source=is_source, is_sink=is_sink) if item._live else ""
        notice = item._notice.text if item._notice else ""
        return " | ".join(text for text in (counters, notice) if text)

    def rows(self) -> list[tuple[str, ...]]:
        """What the results table shows."""
        model = self.bench.results.model
        return [
            tuple(model.index(row, column).data() for column in range(model.columnCount()))
            for row in range(model.rowCount())
        ]

    def words(self) -> str:
        """Every text that the window shows: for what must not be there."""
        parts = [self.bench.banner.text, self.window.workbench.status.text]
        parts += [str(widget.text()) for widget in self.window.findChildren(QWidget) if hasattr(widget, "text")
                  and callable(widget.text)]  # fmt: skip
        parts += [view.toPlainText() for view in self.window.findChildren(QPlainTextEdit)]
        for panel in (self.bench.log, self.bench.problems):
            for view in panel.findChildren(QWidget):
                model = view.model() if callable(getattr(view, "model", None)) else None
                if model is not None:
                    parts += [
                        str(model.index(row, column).data())
                        for row in range(model.rowCount())
                        for column in range(model.columnCount())
                    ]
        parts += [item.toolTip() for item in self.bench.canvas.pipeline_scene.nodes.values()]
        return "\n".join(parts)


def _type_into(widget: QWidget, text: str) -> None:
    widget.setFocus()
    QTest.keyClicks(widget, text)


def _entry(menu: QWidget, text: str):
    return next(action for action in menu.actions() if plain(action.text()) == text)
