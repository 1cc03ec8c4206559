"""A pipeline of ten nodes built, wired, configured, run and exported without touching the mouse: keys alone."""

from __future__ import annotations

import csv

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from etl_studio.engine.events import RunStatus
from etl_studio.pipeline.model import Wire
from etl_studio.pipeline.snapshot import snapshot

pytestmark = pytest.mark.window

Key = Qt.Key
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
TICK = 10


class Typist:
    """Presses keys on whatever has the focus, as a keyboard does."""

    def __init__(self, window):
        self.window = window
        self.bench = window.workbench
        self.document = self.bench.document

    def press(self, *keys):
        for key in keys:
            QTest.keyClick(QApplication.focusWidget(), *(key if isinstance(key, tuple) else (key,)))

    def type(self, text):
        QTest.keyClicks(QApplication.focusWidget(), text)

    def add(self, text):
        """Search behind the node on which the keys are, and take the first; gives the id of the new node."""
        before = set(self.document.pipeline.nodes)
        self.press(Key.Key_Tab)
        self.type(text)
        self.press(Key.Key_Return)
        (name,) = set(self.document.pipeline.nodes) - before
        return name

    def set_up(self, *texts):
        """Open the settings, type into the first one, several texts each with Return, and come back."""
        self.press(Key.Key_Return)
        assert self.bench.inspector.isAncestorOf(QApplication.focusWidget()), "Enter does not lead into the settings"
        for text in texts:
            self.type(text)
            if len(texts) > 1:
                self.press(Key.Key_Return)
        for _ in range(3):  # a list of completions takes the first Escape
            if not self.bench.canvas.hasFocus():
                self.press(Key.Key_Escape)
        assert self.bench.canvas.hasFocus(), "Escape does not lead back"

    def paste_into_file_dialog(self, path):
        """Answer the next file dialog by Ctrl+A, Ctrl+V and Return."""
        QGuiApplication.clipboard().setText(str(path))

        def answer():
            dialog = QApplication.activeModalWidget()
            if isinstance(dialog, QFileDialog):
                line = dialog.findChild(QLineEdit, "fileNameEdit")
                QTest.keyClick(line, Key.Key_A, CTRL)
                QTest.keyClick(line, Key.Key_V, CTRL)
                QTest.keyClick(line, Key.Key_Return)
            else:
                QTimer.singleShot(TICK, answer)

        QTimer.singleShot(0, answer)


@pytest.fixture
def orders(tmp_path):
    """Two files of orders; some of the second are in the first, too."""
    for name, numbers in (("north.csv", range(60)), ("south.csv", range(40, 100))):
        lines = ["id,quantity,note", *(f"{number},{number % 10},n{number}" for number in numbers)]
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_ten_nodes_are_built_wired_set_up_run_and_exported_by_keys_alone(open_window, orders, qtbot):
    window = open_window().window
    window.activateWindow()
    typist = Typist(window)
    document, bench = typist.document, typist.bench
    assert bench.canvas.hasFocus()

    north = typist.add("csv")
    typist.set_up(str(orders / "north.csv"))
    typist.press(Key.Key_Escape)  # a source comes behind nothing
    south = typist.add("csv file")
    typist.set_up(str(orders / "south.csv"))
    both = typist.add("union")
    typist.press(Key.Key_Home)
    assert bench.canvas.walking.node == north
    typist.press(Key.Key_C)
    typist.type("union")
    typist.press(Key.Key_Return)
    assert bench.canvas.walking.node == both
    large = typist.add("filter")
    typist.set_up("quantity >= 5")
    once = typist.add("dedup")
    typist.set_up("id", "quantity")
    kept = typist.add("select")
    typist.set_up("id", "quantity")
    sorted_ = typist.add("sql")
    typist.set_up("SELECT * FROM input ORDER BY id")
    numbered = typist.add("sequence")
    table = typist.add("sqlite")
    typist.set_up("orders")
    typist.press((Key.Key_Left, ALT))
    assert bench.canvas.walking.node == numbered
    file = typist.add("csv")
    typist.set_up(str(orders / "out.csv"))
    typist.press(Key.Key_Escape, (Key.Key_L, CTRL))

    pipeline = document.pipeline
    assert len(pipeline.nodes) == 10
    assert set(pipeline.wires) == {
        Wire(south, "out", both, "input"), Wire(north, "out", both, "input"), Wire(both, "out", large, "input"),
        Wire(large, "out", once, "input"), Wire(once, "out", kept, "input"), Wire(kept, "out", sorted_, "input"),
        Wire(sorted_, "out", numbered, "input"), Wire(numbered, "out", table, "input"),
        Wire(numbered, "out", file, "input"),
    }  # fmt: skip
    assert [pipeline.nodes[name].type for name in (table, file)] == ["sqlite_sink", "csv_sink"]
    cards = list(bench.canvas.pipeline_scene.cards().values())
    assert not any(one.intersects(other) for n, one in enumerate(cards) for other in cards[:n])

    built, steps = snapshot(pipeline), document.undo_stack.count()
    typist.press(*[(Key.Key_Z, CTRL)] * steps)
    assert document.pipeline.nodes == {}
    typist.press(*[(Key.Key_Y, CTRL)] * steps)
    assert document.pipeline == built

    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        typist.press(Key.Key_F5)
    assert ended.args[0].status is RunStatus.DONE, ended.args[0].error
    qtbot.waitUntil(lambda: bench.results.shown is not None, timeout=10_000)
    typist.paste_into_file_dialog(orders / "exported.csv")
    with qtbot.waitSignal(bench.results.exported, timeout=10_000):
        typist.press((Key.Key_E, CTRL))

    expected = [(str(number), str(number % 10)) for number in range(100) if number % 10 >= 5]
    for path in (orders / "exported.csv", orders / "out.csv"):
        assert [(row["id"], row["quantity"]) for row in rows(path)] == expected
    assert [row["number"] for row in rows(orders / "out.csv")] == [str(n) for n in range(1, len(expected) + 1)]
