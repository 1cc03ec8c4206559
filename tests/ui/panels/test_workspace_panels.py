from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from etl_studio.app.studio import Studio
from etl_studio.engine.events import DeadLettered, RunEnded, RunStarted, RunStatus
from etl_studio.storage.recorder import Recorder
from etl_studio.ui.panels.dead_letters import DeadLettersPanel
from etl_studio.ui.panels.runs import RunsPanel

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

LEFT = Qt.MouseButton.LeftButton
LETTERS = (("cast", {"qty": "ten"}), ("not_null", {"name": None}), ("cast", {"qty": "é"}))


def shown(qtbot, widget: QWidget) -> QWidget:
    qtbot.addWidget(widget)
    widget.resize(900, 300)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def texts(model, column: int) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def workspace(studio, tmp_path):
    """A workspace with a run that left dead letters and a later one that failed."""
    workspace = studio.workspace(tmp_path / "kept")
    now = time.time()
    for number, (run, status, error) in enumerate(
        (("a", RunStatus.DONE_WITH_DEAD_LETTERS, None), ("b", RunStatus.FAILED, "The disk is full."))
    ):
        recorder = Recorder(workspace)
        recorder(RunStarted(run, now + number, "orders", None, ("keep",)))
        for error_type, payload in LETTERS if run == "a" else ():
            recorder(DeadLettered(run, now, "keep", error_type, f"About {error_type}.", payload, line=3))
        recorder(RunEnded(run, now + 75, status, 75.0, 12_345, 12_300, 40, 3 if run == "a" else 0, {}, error))
        recorder.flush()
        recorder.close()
    workspace.release()
    return workspace


def test_runs_are_listed_newest_first_with_status_and_counts(qtbot, theme, workspace):
    panel = shown(qtbot, RunsPanel(lambda: workspace, theme))
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)

    assert texts(panel.model, 0) == ["failed", "done, with dead letters"]
    assert panel.model.index(0, 0).data(Qt.ItemDataRole.ForegroundRole) == QColor(theme.tokens.danger)
    assert panel.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) == "The disk is full."
    assert texts(panel.model, 3) == ["1 min 15 s"] * 2
    assert texts(panel.model, 4) == ["12,345"] * 2
    panel.close_threads()


def test_return_on_a_run_asks_for_it(qtbot, theme, workspace):
    panel = shown(qtbot, RunsPanel(lambda: workspace, theme))
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    panel.table.setCurrentIndex(panel.model.index(1, 0))
    panel.table.setFocus()
    with qtbot.waitSignal(panel.run_requested) as asked:
        QTest.keyClick(panel.table, Qt.Key.Key_Return)

    assert asked.args == ["a"]
    panel.close_threads()


def test_a_workspace_without_runs_says_so(qtbot, theme, studio, tmp_path):
    panel = shown(qtbot, RunsPanel(lambda: studio.workspace(tmp_path / "new"), theme))
    qtbot.waitUntil(lambda: not panel._fetcher.is_busy)

    assert panel.notice.isVisible()
    assert panel.notice.headline.text() == "No runs yet"
    panel.close_threads()


@pytest.mark.parametrize("kind", [RunsPanel, DeadLettersPanel])
def test_a_workspace_that_cannot_be_opened_is_told(qtbot, theme, studio, tmp_path, kind):
    (tmp_path / "file").write_text("in the way")
    more = [lambda: None] if kind is DeadLettersPanel else []
    panel = shown(qtbot, kind(lambda: studio.workspace(tmp_path / "file" / "kept"), theme, *more))
    if kind is DeadLettersPanel:
        panel.show_run("a")
    qtbot.waitUntil(lambda: "could not" in panel.notice.headline.text())

    assert "cannot be made" in panel.notice.text.text()
    panel.close_threads()
