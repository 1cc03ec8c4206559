"""Another program changes, replaces or deletes the file that is open in the window."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from etl_studio.pipeline.file_format import load
from etl_studio.storage.journal import Journal, Unsaved

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton
WAIT = 20_000
PIPELINE = """\
etl_studio: 1
name: shop
nodes:
  read:  # the list
    type: csv_source
    config: {path: a.csv}
  keep: {type: filter, config: {where: a > 1}}
  save: {type: csv_sink, config: {path: b.csv}}
wires:
  - read -> keep
  - keep -> save
layout: {read: [0, 0], keep: [300, 0], save: [600, 0]}
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    return file


@pytest.fixture
def person(open_window, file):
    person = open_window(file)
    person.life, person.banner, person.document = (
        person.bench.life, person.bench.life.banner, person.bench.document,
    )  # fmt: skip
    return person


@pytest.fixture
def told(qtbot, person):
    """``told(about)``: wait until the strip over the canvas is about that; gives its text."""

    def wait(about):
        qtbot.waitUntil(lambda: person.banner.about == about, timeout=WAIT)
        assert person.banner.isVisible()
        return person.banner.text

    return wait


def replaced(file, *replacements):
    """As most editors save: the new text takes the place of the old file."""
    text = file.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    other = file.with_name("other.tmp")
    other.write_text(text)
    other.replace(file)
    return text


def where(person):
    return person.document.pipeline.nodes["keep"].config["where"]


def click(person, label):
    QTest.mouseClick(person.banner.buttons[label], LEFT)


def answer(button):
    """Answer the next message box; gives what it asks."""
    asked = []

    def reply():
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(10, reply)
            return
        asked.append(box.text())
        QTest.mouseClick(box.button(button), LEFT)

    QTimer.singleShot(0, reply)
    return asked


def test_an_unmodified_pipeline_follows_its_file_and_keeps_what_is_selected_and_seen(person, told, file):
    person.click_node("keep")
    navigation = person.bench.canvas.navigation
    corner, zoom = navigation.sight().topLeft(), navigation.zoom
    replaced(file, ("a > 1", "a > 2"))
    assert told("merged") == "shop.etl.yaml was changed by another program and has been read again."
    assert where(person) == "a > 2"
    assert not person.document.is_modified
    assert person.bench.canvas.pipeline_scene.chosen_nodes() == ["keep"]
    assert person.bench.inspector.selected == ("keep",)
    assert (navigation.sight().topLeft(), navigation.zoom) == (corner, zoom)


def test_it_follows_again_and_again_however_the_file_is_written(qtbot, person, file):
    for number in range(2, 5):
        replaced(file, (f"a > {number - 1}", f"a > {number}"))
        qtbot.waitUntil(lambda number=number: where(person) == f"a > {number}", timeout=WAIT)
    file.write_text(file.read_text().replace("a > 4", "a > 5"))
    qtbot.waitUntil(lambda: where(person) == "a > 5", timeout=WAIT)


def test_a_reload_can_be_undone(person, told, file):
    replaced(file, ("a > 1", "a > 2"))
    told("merged")
    click(person, "Undo")
    assert where(person) == "a > 1"
    assert person.document.is_modified


def test_what_this_window_saves_is_no_change_of_another_program(qtbot, person, file):
    person.document.set_setting("keep", "where", "a > 7")
    person.click_menu("File", "Save")
    with qtbot.waitSignal(person.life.watch._fetcher.fetched, timeout=WAIT):
        person.life.watch.look()
    assert person.banner.about == ""


def test_with_changes_here_a_person_is_asked_and_may_keep_them(person, told, file):
    person.document.set_setting("save", "path", "c.csv")
    replaced(file, ("a > 1", "a > 2"))
    assert told("changed") == (
        "shop.etl.yaml was changed by another program, and there are changes here that are not saved."
    )
    assert list(person.banner.buttons) == ["Merge", "Reload", "Keep mine", "Show the difference"]
    click(person, "Keep mine")
    assert not person.banner.isVisible()
    assert person.document.is_modified
    person.click_menu("File", "Save")
    assert "a > 1" in file.read_text()
    assert "c.csv" in file.read_text()


def test_with_changes_here_the_file_can_be_taken_and_undo_brings_the_changes_back(qtbot, person, told, file):
    person.document.set_setting("save", "path", "c.csv")
    replaced(file, ("a > 1", "a > 2"))
    told("changed")
    click(person, "Reload")
    qtbot.waitUntil(lambda: where(person) == "a > 2", timeout=WAIT)
    assert person.document.pipeline.nodes["save"].config["path"] == "b.csv"
    assert not person.document.is_modified
    person.document.undo_stack.undo()
    assert person.document.pipeline.nodes["save"].config["path"] == "c.csv"


def test_changes_of_both_are_merged_with_the_comments_and_a_save_needs_no_question(person, told, file):
    person.document.set_setting("save", "path", "c.csv")
    replaced(file, ("a > 1", "a > 2"), ("# the list", "# the list of today"))
    told("changed")
    click(person, "Merge")
    assert told("merged") == "The changes of shop.etl.yaml are merged with those here."
    assert where(person) == "a > 2"
    assert person.document.pipeline.nodes["save"].config["path"] == "c.csv"
    person.click_menu("File", "Save")
    assert file.read_text() == PIPELINE.replace("a > 1", "a > 2").replace("b.csv", "c.csv").replace(
        "# the list", "# the list of today"
    )


def test_a_setting_that_both_changed_is_kept_as_here_and_told(person, told, file):
    person.document.set_setting("keep", "where", "a > 5")
    replaced(file, ("a > 1", "a > 2"), ("a.csv", "z.csv"))
    told("changed")
    click(person, "Merge")
    assert told("merged") == (
        "Merged with shop.etl.yaml. 1 setting was changed on both sides and kept as here: keep, config.where."
    )
    assert where(person) == "a > 5"
    assert person.document.pipeline.nodes["read"].config["path"] == "z.csv"


def test_the_difference_can_be_seen_before_it_is_decided(qtbot, person, told, file):
    person.document.set_setting("save", "path", "c.csv")
    replaced(file, ("a > 1", "a > 2"))
    told("changed")
    with qtbot.waitSignal(person.life.comparing.shown, timeout=WAIT):
        click(person, "Show the difference")
    dialog = person.life.comparing.dialog
    assert [one.title for one in dialog.union.differences] == ["keep", "save"]
    dialog.close()
    assert person.banner.about == "changed"


def test_saving_over_what_another_program_wrote_asks_first(person, file):
    person.document.set_setting("save", "path", "c.csv")
    person.life.watch.close()  # a file system that does not tell
    text = replaced(file, ("a > 1", "a > 2"))
    asked = answer(QMessageBox.StandardButton.Cancel)
    person.click_menu("File", "Save")
    assert asked == ["shop.etl.yaml was changed by another program since it was read here."]
    assert file.read_text() == text
    answer(QMessageBox.StandardButton.Save)
    person.click_menu("File", "Save")
    assert "c.csv" in file.read_text()
    assert "a > 1" in file.read_text()


def test_a_file_that_was_deleted_is_told_and_a_save_writes_it_again(qtbot, person, told, file):
    file.unlink()
    assert told("gone") == "shop.etl.yaml was deleted or moved by another program. Save writes it again."
    assert person.document.is_modified
    person.click_menu("File", "Save")
    assert file.read_text() == PIPELINE
    assert not person.banner.isVisible()


def test_a_change_that_is_no_pipeline_is_told_and_what_is_here_stays(qtbot, person, told, file):
    file.write_text("nodes: [")
    assert told("changed").startswith("shop.etl.yaml was changed by another program and cannot be read: ")
    assert where(person) == "a > 1"
    file.write_text(PIPELINE)
    qtbot.waitUntil(lambda: person.banner.about == "", timeout=WAIT)


def test_a_file_of_a_newer_version_is_shown_and_nothing_can_be_done_to_it(qtbot, open_window, file):
    text = PIPELINE.replace("etl_studio: 1", "etl_studio: 2")
    file.write_text(text)
    person = open_window(file)
    banner = person.bench.life.banner
    assert "made by a newer ETL Studio (format 2; this one writes 1)" in banner.text
    assert list(person.bench.canvas.pipeline_scene.nodes) == ["read", "keep", "save"]
    person.click_node("keep")
    QTest.keyClick(person.bench.canvas, Qt.Key.Key_Delete)
    assert "keep" in person.bench.document.pipeline.nodes
    assert not any(person.window.actions_by_name[name].isEnabled() for name in ("save", "save_as", "run", "dry_run"))
    assert file.read_text() == text


class TestRecovery:
    """What a killed program had left in the journal."""

    @pytest.fixture
    def leave(self, tmp_path, monkeypatch, file):
        """``leave(path, text)``: an entry of a program that is dead."""

        def make(path, text, base=PIPELINE):
            journal = Journal(tmp_path / "data" / "journal")
            journal.write(Unsaved("left", path, "shop", base, text, 1_700_000_000.0))
            entry = journal.folder / "left.json"
            entry.write_text(json.dumps(json.loads(entry.read_text()) | {"process": 2**22 + 1}))

        return make

    @pytest.fixture
    def opened(self, open_window):
        def make(path=None):
            person = open_window(path)
            person.life, person.banner = person.bench.life, person.bench.life.banner
            person.document = person.bench.document
            return person

        return make

    @pytest.fixture
    def entries(self, tmp_path):
        return lambda: sorted(path.name for path in (tmp_path / "data" / "journal").glob("*.json"))

    def test_it_can_be_restored_in_one_step_and_is_safe_until_it_is_saved(self, qtbot, leave, opened, entries, file):
        leave(file, PIPELINE.replace("a > 1", "a > 9"))
        person = opened(file)
        qtbot.waitUntil(lambda: person.banner.about == "recovery", timeout=WAIT)
        assert person.banner.text == (
            f"shop.etl.yaml has changes of {person.banner.text.split('of ')[1][:19]} that were not saved when the "
            "program ended."
        )
        with qtbot.waitSignal(person.life.autosave.kept, timeout=WAIT):
            QTest.mouseClick(person.banner.buttons["Restore"], LEFT)
        assert where(person) == "a > 9"
        assert person.document.undo_stack.count() == 1
        assert entries() == ["left.json"]
        person.click_menu("File", "Save")
        assert "a > 9" in file.read_text()
        assert entries() == []

    def test_it_can_be_discarded(self, qtbot, leave, opened, entries, file):
        leave(file, PIPELINE.replace("a > 1", "a > 9"))
        person = opened(file)
        qtbot.waitUntil(lambda: person.banner.about == "recovery", timeout=WAIT)
        QTest.mouseClick(person.banner.buttons["Discard"], LEFT)
        assert not person.banner.isVisible()
        assert (where(person), entries()) == ("a > 1", [])

    def test_it_can_be_seen_and_restored_from_there(self, qtbot, leave, opened, file):
        leave(file, PIPELINE.replace("a > 1", "a > 9"))
        person = opened(file)
        qtbot.waitUntil(lambda: person.banner.about == "recovery", timeout=WAIT)
        with qtbot.waitSignal(person.life.comparing.shown, timeout=WAIT):
            QTest.mouseClick(person.banner.buttons["Show the difference"], LEFT)
        dialog = person.life.comparing.dialog
        assert [one.title for one in dialog.union.differences] == ["keep"]
        with qtbot.waitSignal(person.document.undo_stack.indexChanged, timeout=WAIT):
            QTest.mouseClick(dialog.accept_button, LEFT)
        assert where(person) == "a > 9"

    def test_where_the_file_has_changed_since_it_can_be_merged_afterwards(self, qtbot, leave, opened, file):
        leave(file, PIPELINE.replace("a > 1", "a > 9"))
        replaced(file, ("b.csv", "c.csv"))
        person = opened(file)
        qtbot.waitUntil(lambda: person.banner.about == "recovery", timeout=WAIT)
        assert person.banner.text.endswith("The file has changed since.")
        QTest.mouseClick(person.banner.buttons["Restore"], LEFT)
        qtbot.waitUntil(lambda: person.banner.about == "changed", timeout=WAIT)
        assert person.document.pipeline.nodes["save"].config["path"] == "b.csv"
        QTest.mouseClick(person.banner.buttons["Merge"], LEFT)
        qtbot.waitUntil(lambda: person.banner.about == "merged", timeout=WAIT)
        assert person.document.pipeline.nodes["save"].config["path"] == "c.csv"
        assert where(person) == "a > 9"

    def test_at_the_start_it_opens_the_file_where_it_is_offered(self, qtbot, leave, opened, file):
        leave(file, PIPELINE.replace("a > 1", "a > 9"))
        person = opened()
        qtbot.waitUntil(lambda: person.window.workbench.life.banner.about == "recovery", timeout=WAIT)
        assert person.window.workbench.document.path == file

    def test_of_a_file_that_is_gone_it_is_offered_in_a_new_pipeline(self, qtbot, leave, opened, file):
        leave(file, PIPELINE.replace("a > 1", "a > 9"))
        file.unlink()
        person = opened()
        qtbot.waitUntil(lambda: person.banner.about == "recovery", timeout=WAIT)
        with qtbot.waitSignal(person.document.undo_stack.indexChanged, timeout=WAIT):
            QTest.mouseClick(person.banner.buttons["Restore"], LEFT)
        assert where(person) == "a > 9"
        person.answer_file_dialog(file)
        person.click_menu("File", "Save")
        assert load(file).nodes["keep"].config == {"where": "a > 9"}


def test_what_is_undone_or_discarded_leaves_nothing_in_the_journal(qtbot, person, tmp_path):
    folder = tmp_path / "data" / "journal"
    with qtbot.waitSignal(person.life.autosave.kept, timeout=WAIT):
        person.document.set_setting("keep", "where", "a > 7")
    assert len(list(folder.iterdir())) == 1
    person.document.undo_stack.undo()
    qtbot.waitUntil(lambda: not list(folder.iterdir()), timeout=WAIT)

    with qtbot.waitSignal(person.life.autosave.kept, timeout=WAIT):
        person.document.set_setting("keep", "where", "a > 8")
    answer(QMessageBox.StandardButton.Discard)
    person.window.close()
    assert not list(folder.iterdir())


def test_changes_that_cannot_be_kept_safe_are_told_once(qtbot, person, told, tmp_path):
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "journal").write_text("in the way")
    person.document.set_setting("keep", "where", "a > 7")
    assert told("not_kept").startswith("Changes that are not saved are lost if the program ends now.")
