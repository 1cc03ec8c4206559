from __future__ import annotations

import threading

import pyarrow as pa
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from etl_studio.engine.events import LogWritten
from etl_studio.pipeline.problems import Problem
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.panels.log import LogPanel
from etl_studio.ui.panels.problems import ProblemsPanel
from etl_studio.ui.tables.arrow_model import ArrowTableModel
from etl_studio.ui.tables.log_model import LogModel

LEFT = Qt.MouseButton.LeftButton
DISPLAY = Qt.ItemDataRole.DisplayRole


def shown(qtbot, widget: QWidget) -> QWidget:
    qtbot.addWidget(widget)
    widget.resize(900, 300)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def texts(model, column: int) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


# -- the Arrow model -------------------------------------------------------------------------------------------


@pytest.fixture
def arrow(qapp, theme):
    model = ArrowTableModel(theme)
    model.show_table(
        pa.table(
            {
                "id": pa.array([1, None], pa.int64()),
                "name": ["a\nb", None],
                "ok": [True, False],
                "at": pa.array([1_767_322_800_000_000, None], pa.timestamp("us")),
                "tags": [["x"], None],
            }
        )
    )
    return model


def test_a_cell_tells_its_value_and_a_null_is_told_apart(arrow, theme):
    assert [arrow.index(0, column).data() for column in range(5)] == [
        "1", "a ⏎ b", "true", "2026-01-02 03:00:00", '["x"]',
    ]  # fmt: skip
    null = arrow.index(1, 1)
    assert null.data() == "null"
    assert null.data(Qt.ItemDataRole.ForegroundRole) == QColor(theme.tokens.text_muted)
    assert arrow.index(0, 1).data(Qt.ItemDataRole.ForegroundRole) is None


def test_headers_tell_name_and_type_and_numbers_stand_right(arrow):
    heads = [arrow.headerData(column, Qt.Orientation.Horizontal, DISPLAY) for column in range(5)]

    assert heads == ["id\ninteger", "name\ntext", "ok\nboolean", "at\ntimestamp", "tags\njson"]
    assert arrow.index(0, 0).data(Qt.ItemDataRole.TextAlignmentRole) & int(Qt.AlignmentFlag.AlignRight)
    assert arrow.index(0, 1).data(Qt.ItemDataRole.TextAlignmentRole) & int(Qt.AlignmentFlag.AlignLeft)


def test_a_million_rows_are_shown_without_a_copy(qapp, theme):
    model = ArrowTableModel(theme)
    table = pa.table({"n": pa.array(range(1_000_000))})
    before = pa.total_allocated_bytes()
    model.show_table(table)

    assert model.rowCount() == 1_000_000
    assert model.index(999_999, 0).data() == "999999"
    assert pa.total_allocated_bytes() - before < 100_000


def test_a_fetcher_that_dies_while_busy_leaves_no_thread(qtbot):
    release = threading.Event()
    owner = QWidget()
    fetcher = Fetcher(owner)
    fetcher.ask(lambda: release.wait(10), release.set)
    call = next(iter(fetcher._calls))
    qtbot.waitUntil(call.isRunning)
    owner.deleteLater()
    del owner, fetcher
    qtbot.waitUntil(call.isFinished)

    assert release.is_set()


def test_whatever_goes_wrong_in_the_thread_becomes_a_text(qtbot):
    fetcher = Fetcher()
    with qtbot.waitSignal(fetcher.failed) as failed:
        fetcher.ask(lambda: 1 // 0)
    fetcher.close()

    assert "ZeroDivisionError" in failed.args[0]


# -- problems --------------------------------------------------------------------------------------------------


def test_problems_are_listed_errors_first_and_a_click_leads_to_the_field(qtbot, document, theme):
    panel = shown(qtbot, ProblemsPanel(document, theme))
    document.check_now()
    document.problems = [
        Problem("warning", "The rejects lead nowhere.", "", "keep"),
        Problem("error", "No such column.", "Did you mean qty?", "keep", "config.where"),
    ]
    document.problems_changed.emit()
    first = panel.model.index(0)
    with qtbot.waitSignal(panel.node_requested) as asked:
        QTest.mouseClick(panel.list.viewport(), LEFT, pos=panel.list.visualRect(first).center())

    assert asked.args == ["keep", "config.where"]
    assert first.data() == "error: keep, config.where: No such column. Did you mean qty?"

    document.problems = []
    document.problems_changed.emit()
    assert panel.notice.isVisible()


# -- log -------------------------------------------------------------------------------------------------------


def line(text: str, level: str = "info", node: str | None = "read", **facts) -> LogWritten:
    return LogWritten("run", 1_700_000_000.0, level, node, text, facts)


@pytest.fixture
def log(qtbot, theme):
    return shown(qtbot, LogPanel(theme, limit=100))


def test_lines_appear_together_after_a_moment(qtbot, log):
    log.append(line("one", attempt=1))
    log.append(line("two", "error", None))
    assert log.model.rowCount() == 0

    qtbot.waitUntil(lambda: log.model.rowCount() == 2)
    assert texts(log.model, 3) == ["one (attempt=1)", "two"]
    assert texts(log.model, 1) == ["info", "error"]
    assert texts(log.model, 2) == ["read", ""]


def test_the_oldest_lines_go_when_the_ring_is_full(qapp, theme):
    model = LogModel(theme, limit=10)
    for start in range(0, 30, 6):
        model.append([line(str(number), "error" if number % 2 else "info") for number in range(start, start + 6)])
    assert texts(model, 3) == [str(number) for number in range(20, 30)]

    model.show_only(level="error")
    assert texts(model, 3) == ["21", "23", "25", "27", "29"]
    model.append([line("30"), line("31", "error")])
    assert texts(model, 3) == ["23", "25", "27", "29", "31"]


def test_the_log_is_filtered_by_level_node_and_text(qtbot, log):
    for text, level, node in (("Page 1", "info", "read"), ("page 2", "error", "read"), ("Loaded", "error", "save")):
        log.append(line(text, level, node))
    qtbot.waitUntil(lambda: log.model.rowCount() == 3)

    QTest.keyClicks(log.search, "PAGE")
    assert texts(log.model, 3) == ["Page 1", "page 2"]
    log.level.setFocus()
    QTest.keyClick(log.level, Qt.Key.Key_End)
    assert texts(log.model, 3) == ["page 2"]
    log.search.clear()
    log.node.setFocus()
    QTest.keyClick(log.node, Qt.Key.Key_End)
    assert texts(log.model, 3) == ["Loaded"]
    QTest.keyClicks(log.search, "zzz")
    assert log.notice.isVisible()


def test_the_end_is_followed_while_the_button_is_down(qtbot, log):
    for number in range(50):
        log.append(line(str(number)))
    qtbot.waitUntil(lambda: log.model.rowCount() == 50)
    bar = log.table.verticalScrollBar()
    assert bar.value() == bar.maximum()

    QTest.mouseClick(log.follow, LEFT)
    bar.setValue(0)
    log.append(line("more"))
    qtbot.waitUntil(lambda: log.model.rowCount() == 51)
    assert bar.value() == 0


def test_lines_are_copied_to_the_clipboard(qtbot, log):
    log.append(line("one"))
    log.append(line("two", "error"))
    qtbot.waitUntil(lambda: log.model.rowCount() == 2)
    QTest.mouseClick(log.copy_button, LEFT)
    copied = QGuiApplication.clipboard().text().splitlines()
    assert [one.split("  ", 1)[1] for one in copied] == ["INFO  read  one", "ERROR  read  two"]

    log.table.selectRow(1)
    log.table.setFocus()
    QTest.keyClick(log.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().endswith("ERROR  read  two")
    assert "one" not in QGuiApplication.clipboard().text()
