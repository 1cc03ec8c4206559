"""Keys can be changed, conflicts are told, and what was changed is remembered and holds in all windows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from etl_studio.ui.actions import ACTIONS, Actions
from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.shortcuts import KEY, Shortcuts, refusal
from etl_studio.ui.shortcuts_dialog import ShortcutsDialog

LEFT, CTRL, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def shortcuts(qapp, settings):
    return Shortcuts(settings)


@pytest.fixture
def dialog(shortcuts, qtbot):
    dialog = ShortcutsDialog(shortcuts)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def texts(shortcuts, action):
    return [key.toString() for key in shortcuts.keys(action)]


def test_no_two_actions_come_with_the_same_key(shortcuts):
    keys = [key for spec in ACTIONS for key in texts(shortcuts, spec.id)]

    assert len(keys) == len(set(keys))


def test_what_was_changed_is_remembered_and_the_rest_follows_the_program(shortcuts, settings):
    shortcuts.set_keys("run", [QKeySequence("Ctrl+Return"), QKeySequence("F5")])

    again = Shortcuts(settings)
    assert texts(again, "run") == ["Ctrl+Return", "F5"]
    assert again.is_own("run")
    assert not again.is_own("save")


def test_a_key_belongs_to_one_action_only(shortcuts):
    shortcuts.set_keys("arrange", [QKeySequence("Ctrl+S")])

    assert texts(shortcuts, "arrange") == ["Ctrl+S"]
    assert texts(shortcuts, "save") == []
    assert shortcuts.owner(QKeySequence("Ctrl+S")) == "arrange"
    shortcuts.reset("save")
    assert texts(shortcuts, "save") == ["Ctrl+S"]
    assert texts(shortcuts, "arrange") == []


def test_reset_all_leaves_no_trace(shortcuts, settings):
    shortcuts.set_keys("run", [])
    shortcuts.set_keys("save", [QKeySequence("F9")])

    shortcuts.reset_all()

    assert texts(shortcuts, "run") == ["F5", "Ctrl+R"]
    assert not settings.contains(KEY)


@pytest.mark.parametrize("text", ["not json", "[1]", '{"run": 5, "unknown": "F9"}'])
def test_settings_that_somebody_has_spoilt_do_no_harm(settings, text):
    settings.setValue(KEY, text)

    assert texts(Shortcuts(settings), "run") == ["F5", "Ctrl+R"]


@pytest.mark.parametrize(("key", "refused"), [
    ("A", True), ("Shift+A", True), ("Return", True), ("Space", True), ("Left", True),
    ("F9", False), ("Del", False), ("Ctrl+A", False), ("Alt+Left", False), ("", False),
])  # fmt: skip
def test_a_key_that_types_something_is_refused(key, refused):
    assert bool(refusal(QKeySequence(key))) == refused


def choose(dialog, name):
    dialog.list.setCurrentItem(dialog._items[name])


def press(dialog, key, keys=Qt.KeyboardModifier.NoModifier):
    dialog.editor.setFocus()
    QTest.keyClick(dialog.editor, key, keys)


def test_the_dialog_lists_every_action_and_the_fixed_keys(dialog):
    assert set(dialog._items) == {spec.id for spec in ACTIONS} - {"open_recent", "open_example", "text_size"}
    assert dialog._items["run"].text(1) == "F5, Ctrl+R"
    heads = [dialog.list.topLevelItem(row).text(0) for row in range(dialog.list.topLevelItemCount())]
    assert heads == ["File", "Edit", "View", "Arrange", "Run", "Debug", "Help", "On the canvas", "In dead letters"]


def test_a_key_is_pressed_and_set(dialog, shortcuts):
    choose(dialog, "arrange")
    press(dialog, Qt.Key.Key_F12)
    QTest.mouseClick(dialog.replace, LEFT)

    assert texts(shortcuts, "arrange") == ["F12"]
    assert dialog._items["arrange"].text(1) == "F12"
    assert dialog.said.text() == "“Arrange in columns” has F12 now."


def test_a_second_key_is_added_and_all_are_removed(dialog, shortcuts):
    choose(dialog, "arrange")
    press(dialog, Qt.Key.Key_F12)
    QTest.mouseClick(dialog.add, LEFT)
    assert texts(shortcuts, "arrange") == ["Ctrl+L", "F12"]

    QTest.mouseClick(dialog.clear, LEFT)
    assert texts(shortcuts, "arrange") == []
    assert dialog._items["arrange"].text(1) == "none"
    QTest.mouseClick(dialog.reset, LEFT)
    assert texts(shortcuts, "arrange") == ["Ctrl+L"]
    assert not dialog.reset.isEnabled()


def test_a_conflict_is_told_before_and_after(dialog, shortcuts):
    choose(dialog, "arrange")
    press(dialog, Qt.Key.Key_S, CTRL)
    assert dialog.said.text() == "Ctrl+S is the key of “Save”. Set takes it from there."

    QTest.mouseClick(dialog.replace, LEFT)
    assert dialog.said.text() == "“Arrange in columns” has Ctrl+S now. “Save” has no keys now."
    assert dialog._items["save"].text(1) == "none"


def test_a_letter_alone_is_refused_with_the_reason(dialog, shortcuts):
    choose(dialog, "arrange")
    press(dialog, Qt.Key.Key_G)

    assert dialog.said.text().startswith("G alone is needed for typing")
    assert not dialog.replace.isEnabled()


def test_a_letter_may_be_the_key_of_what_is_done_on_the_canvas(dialog, shortcuts):
    choose(dialog, "duplicate")
    press(dialog, Qt.Key.Key_Q)
    QTest.mouseClick(dialog.replace, LEFT)

    assert texts(shortcuts, "duplicate") == ["Q"]


def test_fixed_keys_say_so(dialog):
    head = dialog.list.topLevelItem(7)
    dialog.list.setCurrentItem(head.child(0))

    assert dialog.title.text() == "These keys are fixed"
    assert not dialog.editor.isEnabled()


def test_the_search_finds_by_name_and_by_key(dialog):
    QTest.keyClicks(dialog.field, "ctrl+k")

    shown = [name for name, item in dialog._items.items() if not item.isHidden()]
    assert shown == ["find_action"]


def test_it_holds_at_once_in_every_window(qtbot, theme, settings, tmp_path):
    first = MainWindow(theme, settings, tmp_path)
    second = MainWindow(theme, settings, tmp_path, first.shortcuts)
    for window in (first, second):
        qtbot.addWidget(window)

    first.shortcuts.set_keys("run", [QKeySequence("F9")])

    for window in (first, second):
        assert window.actions_by_name["run"].shortcut().toString() == "F9"
        assert window.actions_by_name["run"].toolTip().endswith("(F9)")


def test_tool_tips_name_the_first_key(theme, shortcuts, qtbot):
    window = MainWindow(theme, shortcuts._settings, None, shortcuts)
    qtbot.addWidget(window)
    actions = Actions(theme, window)
    actions.set_keys(shortcuts.keys)

    assert actions["save"].toolTip() == "Save the pipeline (Ctrl+S)"
    shortcuts.set_keys("save", [])
    actions.set_keys(shortcuts.keys)
    assert actions["save"].toolTip() == "Save the pipeline"
