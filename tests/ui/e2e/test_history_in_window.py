"""Earlier versions of the open file: kept at saves and runs, compared on the canvas, restored in one step."""

from __future__ import annotations

import subprocess

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton
WAIT = 20_000
PIPELINE = """\
etl_studio: 1
name: numbers
nodes:
  make:  # some rows
    type: generate_source
    config: {columns: {n: i}, rows: 5}
  keep: {type: filter, config: {where: n > 1}}
  save: {type: csv_sink, config: {path: out.csv}}
wires:
  - make -> keep
  - keep -> save
layout: {make: [0, 0], keep: [300, 0], save: [600, 0]}
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "numbers.etl.yaml"
    file.write_text(PIPELINE)
    return file


@pytest.fixture
def person(open_window, file):
    return open_window(file)


@pytest.fixture
def listed(qtbot, person):
    """``listed(n)``: show the panel and wait for so many versions; gives why and what changed of each."""

    def wait(number):
        person.click_menu("File", "History of versions")
        model = person.bench.life.history.model
        qtbot.waitUntil(lambda: len(model.rows) == number, timeout=WAIT)
        return [(model.index(row, 1).data(), model.index(row, 2).data()) for row in range(number)]

    return wait


def change(person, where):
    person.bench.document.set_setting("keep", "where", where)
    person.click_menu("File", "Save")


def select(person, row):
    table = person.bench.life.history.table
    QTest.mouseClick(
        table.viewport(), LEFT, pos=table.visualRect(person.bench.life.history.model.index(row, 1)).center()
    )


def test_each_save_keeps_a_version_and_tells_what_changed_and_the_first_one_is_what_was_found(person, listed):
    change(person, "n > 2")
    person.bench.document.add_node("filter", 0, 300)
    change(person, "n > 3")
    assert listed(3) == [
        ("saved", "filter added, keep changed"),
        ("saved", "keep changed"),
        ("as it was found", "the first one that is known"),
    ]


def test_a_run_keeps_what_was_on_the_screen(person, listed, run_to_its_end):
    person.bench.document.set_setting("keep", "where", "n > 2")
    run_to_its_end(person)
    assert listed(1) == [("run", "the first one that is known")]


def test_what_another_program_wrote_is_kept_too(qtbot, person, listed, file):
    change(person, "n > 2")
    file.write_text(PIPELINE.replace("n > 1", "n > 9"))
    assert listed(3)[0] == ("changed by another program", "keep changed")


def test_a_version_can_be_compared_with_now_and_restored_to_the_letter(qtbot, person, listed, file):
    change(person, "n > 2")
    change(person, "n > 3")
    listed(3)
    select(person, 2)
    with qtbot.waitSignal(person.bench.life.comparing.shown, timeout=WAIT):
        QTest.mouseClick(person.bench.life.history.compare_button, LEFT)
    dialog = person.bench.life.comparing.dialog
    assert [(one.title, one.lines) for one in dialog.union.differences] == [
        ("keep", (("", "config.where: n > 1 -> n > 3"),)),
    ]
    with qtbot.waitSignal(person.bench.life.history.restored, timeout=WAIT):
        QTest.mouseClick(dialog.accept_button, LEFT)
    assert person.bench.document.pipeline.nodes["keep"].config == {"where": "n > 1"}
    person.click_menu("File", "Save")
    assert file.read_text() == PIPELINE
    person.click_menu("Edit", "Undo")
    assert person.bench.document.pipeline.nodes["keep"].config == {"where": "n > 3"}


def test_a_version_can_be_restored_at_once(qtbot, person, listed):
    change(person, "n > 2")
    listed(2)
    assert not person.bench.life.history.restore_button.isEnabled()
    select(person, 1)
    with qtbot.waitSignal(person.bench.life.history.restored, timeout=WAIT):
        QTest.mouseClick(person.bench.life.history.restore_button, LEFT)
    assert person.bench.document.pipeline.nodes["keep"].config == {"where": "n > 1"}
    assert "is on the screen" in person.bench.life.history.said.text()


def test_a_pipeline_without_a_file_has_no_history_and_is_told_how_it_gets_one(open_window):
    person = open_window()
    assert not person.window.actions_by_name["history"].isEnabled()
    assert person.bench.life.history.notice.text.text().startswith("Save the pipeline:")


def test_what_is_on_the_screen_is_compared_with_the_saved_file(qtbot, person):
    person.bench.document.set_setting("keep", "where", "n > 7")
    with qtbot.waitSignal(person.bench.life.comparing.shown, timeout=WAIT):
        person.click_menu("File", "Compare with the saved file")
    dialog = person.bench.life.comparing.dialog
    assert dialog.windowTitle() == "saved → now"
    assert [one.title for one in dialog.union.differences] == ["keep"]
    dialog.close()


def test_it_is_compared_with_another_file(qtbot, person, tmp_path):
    other = tmp_path / "other.etl.yaml"
    other.write_text(PIPELINE.replace("rows: 5", "rows: 6"))
    person.answer_file_dialog(other)
    with qtbot.waitSignal(person.bench.life.comparing.shown, timeout=WAIT):
        person.click_menu("File", "Compare with another file")
    dialog = person.bench.life.comparing.dialog
    assert dialog.windowTitle() == "other.etl.yaml → now"
    assert [one.title for one in dialog.union.differences] == ["make"]
    dialog.close()


class TestInGit:
    @pytest.fixture
    def committed(self, file):
        def git(*arguments):
            who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
            subprocess.run(["git", *who, *arguments], cwd=file.parent, check=True, capture_output=True)

        git("init", "-q")
        git("add", file.name)
        git("commit", "-qm", "begin")

    def test_it_is_compared_with_what_is_committed(self, qtbot, committed, person):
        change(person, "n > 7")
        with qtbot.waitSignal(person.bench.life.comparing.shown, timeout=WAIT):
            person.click_menu("File", "Compare with the last commit")
        dialog = person.bench.life.comparing.dialog
        assert dialog.windowTitle() == "committed → now"
        assert [one.title for one in dialog.union.differences] == ["keep"]
        dialog.close()

    def test_where_nothing_is_committed_it_says_so(self, qtbot, person):
        person.click_menu("File", "Compare with the last commit")
        qtbot.waitUntil(lambda: person.bench.life.banner.about == "not_compared", timeout=WAIT)
        assert "git has no committed version of numbers.etl.yaml" in person.bench.life.banner.text
