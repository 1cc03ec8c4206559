"""The dead letters of a workspace, and a person at them."""

from __future__ import annotations

import csv
import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox

from etl_studio.app.studio import Studio
from etl_studio.engine.events import DeadLettered, RunEnded, RunStarted, RunStatus
from etl_studio.storage.letters import Selection
from etl_studio.storage.recorder import Recorder
from etl_studio.ui.panels.dead_letters import DeadLettersPanel
from etl_studio.ui.panels.letter_row import VALUE
from etl_studio.ui.panels.letter_work import replay_words
from etl_studio.ui.run.replaying import Replayed

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
TYPES = {"id": "int64", "qty": "int64", "note": "string"}
ROWS = ((1, "cast", "ten eggs"), (2, "not_null", None), (3, "cast", "é"))
TICK = 10


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def workspace(studio, tmp_path):
    """Run a left three letters, run b one, run c none."""
    workspace = studio.workspace(tmp_path / "kept")
    now = time.time()
    for run, rows in (("a", ROWS), ("b", ROWS[:1]), ("c", ())):
        recorder = Recorder(workspace)
        recorder(RunStarted(run, now, "orders", None, ("keep",)))
        for number, error, note in rows:
            payload = {"id": number, "qty": None, "note": note}
            message = f"About {error}."
            recorder(DeadLettered(run, now, "keep", error, message, payload, column="qty", line=3, types=TYPES))
        recorder(RunEnded(run, now, RunStatus.DONE, 1.0, 3, 0, 3, len(rows), {}))
        recorder.flush()
        recorder.close()
    workspace.release()
    return workspace


@pytest.fixture
def panel(qtbot, theme, workspace):
    """The panel with the letters of run a."""
    panel = DeadLettersPanel(lambda: workspace, theme, lambda: lambda _place, _letters: {})
    qtbot.addWidget(panel)
    panel.resize(1200, 400)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.show_run("a")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 3)
    yield panel
    panel.close_threads()


def column(panel, number: int) -> list[str]:
    return [panel.model.index(row, number).data() for row in range(panel.model.rowCount())]


def click_row(panel, row: int, keys=Qt.KeyboardModifier.NoModifier) -> None:
    box = panel.table.visualRect(panel.model.index(row, 0))
    QTest.mouseClick(panel.table.viewport(), LEFT, keys, box.center())


def type_value(panel, row: int, text: str) -> QWidget:
    """Double-click a value and type another; the line stays open."""
    table = panel.editor.table
    center = table.visualRect(panel.editor.model.index(row, VALUE)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=center)
    QTest.mouseDClick(table.viewport(), LEFT, pos=center)
    line = table.findChild(QLineEdit)
    QTest.keyClick(line, Qt.Key.Key_A, CTRL)
    QTest.keyClicks(line, text)
    return line


def test_letters_are_grouped_by_error_and_node(panel):
    groups = [panel.groups.item(row).text() for row in range(panel.groups.count())]
    assert groups == ["All   3", "cast  ·  keep   2", "not_null  ·  keep   1"]

    box = panel.groups.visualItemRect(panel.groups.item(1))
    QTest.mouseClick(panel.groups.viewport(), LEFT, pos=box.center())
    assert column(panel, 0) == ["cast", "cast"]
    assert panel.replay_button.text() == "Replay 2"


def test_the_filter_looks_into_the_rows(panel):
    panel.table.setFocus()
    QTest.keyClick(panel.table, Qt.Key.Key_F, CTRL)
    QTest.keyClicks(panel.filter, "TEN EGGS")
    assert column(panel, 0) == ["cast"]
    assert panel.count.text() == "1 of 3"

    QTest.keyClicks(panel.filter, " and more")
    assert panel.notice.headline.text() == "No such dead letters"
    assert not panel.replay_button.isEnabled()


def test_a_run_without_dead_letters_says_so(qtbot, panel):
    panel.show_run("c")
    qtbot.waitUntil(lambda: not panel._fetcher.is_busy)

    assert panel.notice.isVisible()
    assert panel.notice.headline.text() == "No dead letters"


def test_the_letters_of_all_runs_are_one_choice_away(qtbot, panel):
    panel.scope.setFocus()
    QTest.keyClick(panel.scope, Qt.Key.Key_Down)
    panel.scope.activated.emit(panel.scope.currentIndex())
    qtbot.waitUntil(lambda: panel.model.rowCount() == 4)


def test_a_value_that_does_not_fit_its_type_is_refused_while_it_is_typed(panel):
    click_row(panel, 0)
    line = type_value(panel, 1, "1x")
    assert panel.editor.error.text().startswith('"1x" does not fit the column "qty", which is integer.')
    assert not panel.editor.save_button.isEnabled()

    QTest.keyClick(line, Qt.Key.Key_Backspace)
    assert not panel.editor.error.isVisible()
    assert panel.editor.save_button.isEnabled()


def test_escape_gives_back_the_value_that_was_there(panel):
    click_row(panel, 0)
    QTest.keyClick(type_value(panel, 1, "12"), Qt.Key.Key_Escape)

    assert panel.editor.model.index(1, VALUE).data() == "NULL"
    assert not panel.editor.save_button.isEnabled()


def test_a_saved_value_is_kept_and_taken_back(qtbot, panel, workspace):
    click_row(panel, 0)
    type_value(panel, 1, "12")
    QTest.mouseClick(panel.editor.save_button, LEFT)
    qtbot.waitUntil(lambda: column(panel, 4)[0] == "edited")
    (letter,) = workspace.letters.find(Selection(ids=[3]))
    assert letter.payload == {"id": 3, "qty": 12, "note": "é"}
    assert panel.editor.letter == letter

    QTest.mouseClick(panel.editor.back_button, LEFT)
    QTest.mouseClick(panel.editor.save_button, LEFT)
    qtbot.waitUntil(lambda: column(panel, 4)[0] == "")
    workspace.release()


def test_what_is_typed_waits_while_another_letter_is_looked_at(qtbot, panel):
    click_row(panel, 0)
    with qtbot.waitSignal(panel.editor.table.itemDelegateForColumn(VALUE).closeEditor):
        QTest.keyClick(type_value(panel, 1, "12"), Qt.Key.Key_Return)
    click_row(panel, 1)
    assert panel.editor.model.index(1, VALUE).data() == "NULL"
    click_row(panel, 0)
    assert panel.editor.model.index(1, VALUE).data() == "12"
    assert panel.editor.save_button.isEnabled()


def test_return_edits_the_column_that_the_error_names_and_delete_makes_a_value_null(panel):
    click_row(panel, 0)
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    line = panel.editor.table.findChild(QLineEdit)
    assert line.accessibleName() == "Value of qty"
    QTest.keyClick(line, Qt.Key.Key_Escape)

    panel.editor.table.setFocus()
    QTest.keyClick(panel.editor.table, Qt.Key.Key_Up)
    QTest.keyClick(panel.editor.table, Qt.Key.Key_Delete)
    assert panel.editor.model.draft.values == {"id": None}
    QTest.keyClick(panel.editor.table, Qt.Key.Key_Escape)
    assert panel.table.hasFocus()


def test_delete_asks_and_discards_the_selected_letters(qtbot, panel, workspace):
    click_row(panel, 0)
    click_row(panel, 2, CTRL)
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    ask = panel.findChild(QMessageBox)
    assert ask.text() == "Discard 2 dead letters?"
    QTest.keyClick(ask, Qt.Key.Key_Escape)
    assert panel.model.rowCount() == 3

    QTest.mouseClick(panel.discard_button, LEFT)
    ask = next(box for box in panel.findChildren(QMessageBox) if box.isVisible())
    QTest.mouseClick(next(button for button in ask.buttons() if button.text() == "Discard"), LEFT)
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1)
    assert panel.said.text() == "2 dead letters discarded."
    assert [letter.id for letter in workspace.letters.find(Selection(run="a"))] == [2]
    workspace.release()


def test_after_a_discard_the_next_letter_is_selected(qtbot, panel):
    click_row(panel, 1)
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    ask = panel.findChild(QMessageBox)
    QTest.mouseClick(next(button for button in ask.buttons() if button.text() == "Discard"), LEFT)
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)

    assert [letter.id for letter in panel.table.selected()] == [1]
    assert panel.editor.letter.id == 1


def test_a_letter_without_a_row_shows_what_was_tried(qtbot, panel, workspace):
    recorder = Recorder(workspace)
    tried = {"url": "http://localhost/7"}
    recorder(RunStarted("d", 0.0, "orders", None, ("pages",)))
    recorder(DeadLettered("d", 0.0, "pages", "timeout", "No answer.", {}, operation=tried))
    recorder.flush()
    recorder.close()
    workspace.release()
    panel.show_run("d")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1)
    click_row(panel, 0)

    assert panel.editor.tried.isVisible()
    assert panel.editor.tried.toPlainText() == '{\n  "url": "http://localhost/7"\n}'
    assert not panel.editor.save_button.isVisible()
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    assert panel.editor.tried.hasFocus()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RunStatus.DONE, "3 dead letters of 5 left the queue. 2 failed again, with the message that is shown now."),
        (RunStatus.STOPPED, "3 dead letters of 5 left the queue. The replay was stopped; 2 still wait."),
        (RunStatus.FAILED, "3 dead letters of 5 left the queue. The disk is full."),
    ],
)
def test_the_end_of_a_replay_tells_what_became_of_the_letters(status, words):
    error = "The disk is full." if status is RunStatus.FAILED else None
    ended = RunEnded("r", 0.0, status, 1.0, 5, 3, 0, 2, {}, error)
    assert replay_words(Replayed(5, 2, (ended,))) == (words, True)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_the_letters_that_are_shown_are_exported(qtbot, panel, tmp_path, ending):
    path = tmp_path / f"letters.{ending}"

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(TICK, answer)
            return
        line = dialog.findChild(QLineEdit, "fileNameEdit")
        line.selectAll()
        line.insert(str(path))
        QTest.keyClick(line, Qt.Key.Key_Return)

    QTimer.singleShot(TICK, answer)
    QTest.mouseClick(panel.export_button, LEFT)
    qtbot.waitUntil(lambda: panel.said.text() == f"3 dead letters written to {path}")
    if ending == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            assert [row["note"] for row in csv.DictReader(file)] == ["é", "", "ten eggs"]
    else:
        assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_control_return_asks_for_a_replay_of_the_selected_letters_but_not_beside_a_run(qtbot, panel):
    click_row(panel, 1)
    with qtbot.waitSignal(panel.replay_wanted) as asked:
        QTest.keyClick(panel.table, Qt.Key.Key_Return, CTRL)
    assert asked.args == [[2], False]

    panel.set_running(True)
    assert not panel.replay_button.isEnabled()
    with qtbot.assertNotEmitted(panel.replay_wanted):
        QTest.keyClick(panel.table, Qt.Key.Key_Return, CTRL)
