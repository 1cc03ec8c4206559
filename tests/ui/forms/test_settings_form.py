from __future__ import annotations

from gettext import NullTranslations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from etl_studio import sdk
from etl_studio.pipeline.problems import Problem
from etl_studio.ui.forms.editor import FormContext
from etl_studio.ui.forms.editors import add_text, build_editor
from etl_studio.ui.forms.field import Field
from etl_studio.ui.forms.setting import UNSET, Setting, settings_of
from etl_studio.ui.forms.text import FileEditor
from etl_studio.ui.translation import tr

LEFT = Qt.MouseButton.LeftButton


def type_into(widget: QWidget, text: str) -> None:
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_End)
    QTest.keyClicks(widget, text)


def choose(combo, text: str) -> None:
    """Go to an entry by the arrow keys."""
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    while combo.currentText() != text and combo.currentIndex() < combo.count() - 1:
        QTest.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentText() == text


def test_typed_sql_reaches_the_document_after_a_moment_of_quiet(qtbot, form, editor, config):
    type_into(editor("where").text, "price > 3")

    assert config() == {}
    qtbot.waitUntil(lambda: config() == {"where": "price > 3"})


def test_leaving_a_field_writes_it_at_once(form, editor, config):
    type_into(editor("path").line, "orders.csv")
    editor("limit").line.setFocus()

    assert config() == {"path": "orders.csv"}


def test_numbers_are_written_as_numbers_and_other_texts_are_kept(form, editor, config):
    type_into(editor("limit").line, "12")
    type_into(editor("share").line, "0.25")
    form.flush()
    assert config() == {"limit": 12, "share": 0.25}

    type_into(editor("limit").line, "x")
    form.flush()
    assert config()["limit"] == "12x"
    assert editor("limit").line.text() == "12x"


@pytest.mark.parametrize("key", ["where", "path", "limit", "share"])
def test_a_parameter_is_accepted_as_text(form, editor, config, key):
    field = editor(key)
    type_into(field.focusProxy(), "${minimum}")
    form.flush()

    assert config()[key] == "${minimum}"


@pytest.mark.parametrize("key", ["mode", "header", "keys", "rules", "columns", "pages", "limits", "by", "statuses"])
def test_an_editor_steps_back_for_a_parameter_and_returns_on_a_click(form, document, config, key):
    document.set_setting("everything", key, "${minimum}")
    guard = form.content.fields[key].editor

    assert guard.fallback.text.toPlainText() == "${minimum}"
    assert guard.inner.isHidden()

    QTest.mouseClick(guard._back, LEFT)
    assert key not in config()
    assert not guard.inner.isHidden()


def test_a_parameter_is_taken_from_the_menu_of_a_field(form, config):
    menu = form.content.fields["header"].menu()
    choose_parameter = menu.actions()[0].menu()
    choose_parameter.actions()[0].trigger()

    assert config() == {"header": "${minimum}"}


def test_an_emptied_field_is_taken_out_of_the_file(form, document, editor, config):
    document.set_setting("everything", "path", "orders.csv")
    line = editor("path").line
    line.setFocus()
    line.selectAll()
    QTest.keyClick(line, Qt.Key.Key_Delete)
    form.flush()

    assert config() == {}


def test_a_choice_is_written_at_once_and_the_default_is_not_written(form, editor, config):
    choose(editor("mode").combo, "exact")
    assert config() == {"mode": "exact"}

    choose(editor("mode").combo, "fast")
    assert config() == {}


def test_a_click_on_a_check_box_is_written_at_once(form, editor, config):
    box = editor("header").box
    QTest.mouseClick(
        box,
        LEFT,
        pos=box.rect().topLeft()
        + box.style().subElementRect(box.style().SubElement.SE_CheckBoxIndicator, _option(box), box).center(),
    )

    assert config() == {"header": False}


def _option(box):
    from PySide6.QtWidgets import QStyleOptionButton

    option = QStyleOptionButton()
    option.initFrom(box)
    return option


def test_rows_of_a_map_are_added_filled_reordered_and_removed(form, editor, config):
    rename = editor("rename")
    QTest.mouseClick(rename.add, LEFT)
    type_into(rename.rows[0].content.key, "a")
    type_into(rename.rows[0].content.content.focusProxy().focusProxy(), "b")
    QTest.keyClick(rename.rows[0].content.key, Qt.Key.Key_Return)
    type_into(rename.rows[1].content.key, "c")
    form.flush()
    assert list(config()["rename"].items()) == [("a", "b"), ("c", "")]

    QTest.keyClick(rename.rows[1].content.key, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert list(config()["rename"]) == ["c", "a"]

    QTest.mouseClick(rename.rows[0].remove, LEFT)
    assert config() == {"rename": {"a": "b"}}


def test_a_row_is_dragged_by_its_grip(form, document, editor, config):
    document.set_setting("everything", "urls", ["one", "two", "three"])
    QApplication.processEvents()
    urls = editor("urls")
    grip = urls.rows[0].layout().itemAt(0).layout().itemAt(0).widget()
    last = urls.rows[2]
    QTest.mousePress(grip, LEFT)
    for _ in range(4):
        QTest.mouseMove(grip, grip.mapFromGlobal(last.mapToGlobal(last.rect().center())) + last.rect().bottomLeft() / 2)
    QTest.mouseRelease(grip, LEFT)

    assert config()["urls"] == ["two", "three", "one"]


def test_the_same_name_twice_loses_nothing_and_is_told(form, document, editor, config):
    document.set_setting("everything", "rename", {"a": "b"})
    rename = editor("rename")
    QTest.mouseClick(rename.add, LEFT)
    type_into(rename.rows[1].content.key, "a")
    type_into(rename.rows[1].content.content.focusProxy().focusProxy(), "z")
    form.flush()
    document.problems_changed.emit()

    assert config()["rename"] == {"a": "b"}
    assert rename.rows[1].content.content.value() == "z"
    assert "twice" in rename.rows[1].problem.text()


def test_names_of_columns_become_chips_on_return_and_on_a_comma(form, editor, config):
    keys = editor("keys")
    type_into(keys.line, "price")
    QTest.keyClick(keys.line, Qt.Key.Key_Return)
    type_into(keys.line, "name,")
    assert config() == {"keys": ["price", "name"]}

    QTest.mouseClick(keys.chips[0].remove, LEFT)
    assert config() == {"keys": ["name"]}

    QTest.keyClick(keys.line, Qt.Key.Key_Backspace)
    assert keys.line.text() == "name"
    assert config() == {}


def test_columns_that_arrive_are_offered(form, editor):
    keys = editor("keys")
    type_into(keys.line, "pri")

    completer = keys.line.completer()
    completer.setCompletionPrefix("pri")
    assert completer.currentCompletion() == "price"


def test_numbers_in_chips_are_numbers(form, editor, config):
    statuses = editor("statuses")
    form.content.folds[""].unfold()
    type_into(statuses.line, "503")
    QTest.keyClick(statuses.line, Qt.Key.Key_Return)

    assert config() == {"statuses": [500, 503]}


def test_models_in_a_list_are_added_as_rows_and_as_cards(form, editor, config):
    by, rules = editor("by"), editor("rules")
    QTest.mouseClick(by.add, LEFT)
    type_into(by.rows[0].content.fields["column"].editor.inner.line, "price")
    form.flush()
    assert config() == {"by": [{"column": "price"}]}

    QTest.mouseClick(rules.add, LEFT)
    type_into(rules.rows[0].content.fields["column"].editor.inner.line, "name")
    form.flush()
    assert config()["rules"] == [{"column": "name"}]


def test_a_setting_shows_only_where_it_has_a_meaning_or_a_value(form, document, editor, config):
    document.set_setting("everything", "rules", [{"column": "a"}])
    rule = editor("rules").rows[0].content
    minimum = rule.fields["minimum"]
    assert not minimum.isVisible()

    choose(rule.fields["rule"].editor.inner.combo, "range")
    assert minimum.isVisible()
    type_into(minimum.editor.inner.line, "5")
    choose(rule.fields["rule"].editor.inner.combo, "not null")
    assert minimum.isVisible()
    form.flush()
    assert config()["rules"] == [{"column": "a", "minimum": 5}]


@pytest.mark.parametrize(
    ("typed", "value"),
    [("5", 5), ("2.5", 2.5), ("2026-01-01", "2026-01-01"), ('"5"', "5"), ("true", True), ("[1]", "[1]")],
)
def test_a_scalar_is_read_as_json_reads_it(form, document, editor, typed, value):
    document.set_setting("everything", "rules", [{"column": "a", "rule": "range"}])
    line = editor("rules").rows[0].content.fields["minimum"].editor.inner.line
    type_into(line, typed)
    form.flush()

    assert document.pipeline.nodes["everything"].config["rules"][0]["minimum"] == value
    assert line.text() == typed


def test_a_blank_row_is_not_written_and_survives_a_change_elsewhere(form, document, editor, config):
    QTest.mouseClick(editor("urls").add, LEFT)
    document.set_setting("everything", "path", "x.csv")

    assert config() == {"path": "x.csv"}
    assert len(editor("urls").rows) == 1


def test_one_of_several_kinds_shows_its_own_fields(form, editor, config):
    pages = editor("pages")
    choose(pages.combo, "page")
    assert config() == {"pages": {"kind": "page"}}

    type_into(pages.page.fields["parameter"].editor.inner.line, "p")
    form.flush()
    assert config() == {"pages": {"kind": "page", "parameter": "p"}}

    choose(pages.combo, "none")
    assert config() == {}

    choose(pages.combo, "page")
    assert config() == {"pages": {"kind": "page", "parameter": "p"}}


def test_an_optional_model_unfolds(form, editor, config):
    limits = editor("limits")
    assert not limits.content.isVisible()

    QTest.keyClick(limits.box, Qt.Key.Key_Space)
    assert config() == {"limits": {}}
    assert limits.content.isVisible()

    type_into(limits.content.fields["calls"].editor.inner.line, "3")
    form.flush()
    assert config() == {"limits": {"calls": 3.0}}


def test_json_is_parsed_and_what_is_none_is_kept_as_text(form, editor, config):
    form.content.folds[""].unfold()
    type_into(editor("body").text, '{"a": [1]}')
    form.flush()
    assert config() == {"body": {"a": [1]}}

    type_into(editor("body").text, "x")
    form.flush()
    assert config() == {"body": '{"a": [1]}x'}


def test_undo_flows_back_and_the_cursor_stays(qtbot, form, document, editor, config):
    line = editor("path").line
    type_into(line, "ab.csv")
    form.flush()
    line.setCursorPosition(2)
    document.set_setting("everything", "limit", 7)
    assert editor("limit").line.text() == "7"
    assert line.cursorPosition() == 2

    document.undo_stack.undo()
    assert editor("limit").line.text() == ""
    assert line.hasFocus()
    assert line.cursorPosition() == 2

    document.undo_stack.undo()
    assert line.text() == ""
    document.undo_stack.redo()
    assert line.text() == "ab.csv"


def test_undo_while_typing_writes_first_and_belongs_to_the_document(form, document, editor, config):
    line = editor("path").line
    type_into(line, "ab")
    QTest.keyClick(line, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    assert config() == {"path": "ab"}
    assert line.text() == "ab"
    assert document.undo_stack.canUndo()


@pytest.mark.parametrize("key", ["path", "where"])
def test_the_windows_undo_takes_back_what_is_being_typed(qtbot, form, document, editor, config, key):
    action = document.undo_stack.createUndoAction(form.window())
    action.setShortcut(QKeySequence.StandardKey.Undo)
    form.window().addAction(action)
    form.window().activateWindow()
    qtbot.waitUntil(form.window().isActiveWindow)
    field = editor(key).focusProxy()
    type_into(field, "ab")
    QTest.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    assert config() == {}
    assert editor(key).value() is UNSET
    assert field.hasFocus()


def test_the_wheel_over_a_choice_without_focus_scrolls_the_form(form, editor, config):
    combo = editor("mode").combo
    middle = combo.rect().center()
    event = QWheelEvent(
        QPointF(middle), QPointF(combo.mapToGlobal(middle)), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(combo, event)

    assert not event.isAccepted()
    assert config() == {}


def test_a_file_beside_the_pipeline_is_written_as_a_relative_path(qtbot, theme, tmp_path, monkeypatch):
    chosen = tmp_path / "data" / "orders.csv"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(chosen), ""))
    context = FormContext(theme, folder=lambda: tmp_path)
    file = FileEditor(Setting("path", "path", "File", str, editor="file"), context)
    qtbot.addWidget(file)
    QTest.mouseClick(file.browse, LEFT)
    assert file.value() == "data/orders.csv"

    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/elsewhere/x.csv", ""))
    QTest.mouseClick(file.browse, LEFT)
    assert file.value() == "/elsewhere/x.csv"


def test_what_is_being_typed_is_not_overwritten_by_another_change(form, document, editor, config):
    type_into(editor("path").line, "abc")
    document.set_setting("everything", "limit", 3)

    assert editor("path").line.text() == "abc"
    form.flush()
    assert config() == {"limit": 3, "path": "abc"}


def test_problems_stand_under_their_fields_also_deep_inside(form, document, editor):
    document.set_setting("everything", "rules", [{"column": "a"}, {"column": "b"}])
    document.set_setting("everything", "columns", {"total": "a +", "x": "1"})
    document.set_setting("everything", "where", "quantity > 1")
    document.check_now()
    document.problems = [
        Problem("error", "No such column.", "Did you mean qty?", "everything", "config.where"),
        Problem("error", "There is no column b.", "", "everything", "config.rules.1.column"),
        Problem("error", "Cannot be read.", "", "everything", "config.columns.total"),
        Problem("error", "Unknown setting.", "", "everything", "config.nonsense"),
        Problem("error", "Of another node.", "", "other", "config.where"),
    ]
    document.problems_changed.emit()

    assert form.content.fields["where"].problem.text() == "No such column. Did you mean qty?"
    assert editor("where").text.property("invalid") is True
    inner = editor("rules").rows[1].content.fields["column"]
    assert inner.problem.text() == "There is no column b."
    assert editor("rules").rows[0].content.fields["column"].problem.isHidden()
    assert editor("columns").rows[0].problem.text() == "Cannot be read."
    assert form.notice.text() == "Unknown setting."

    document.problems = []
    document.problems_changed.emit()
    assert form.content.fields["where"].problem.isHidden()
    assert form.notice.isHidden()


def test_a_setting_that_is_needed_and_empty_is_not_called_by_its_key(qtbot, form, document, editor):
    document.check_now()
    problem = form.content.fields["where"].problem
    assert (problem.text(), problem.isVisible()) == ("Fill this in.", True)

    type_into(editor("where").text, "quantity > 1")
    qtbot.waitUntil(problem.isHidden)


def test_an_invalid_number_is_complained_about_while_typing(qtbot, form, document, editor):
    type_into(editor("where").text, "true")
    type_into(editor("limit").line, "ten")

    qtbot.waitUntil(form.content.fields["limit"].problem.isVisible)
    assert editor("limit").line.text() == "ten"


def test_unknown_keys_in_nested_settings_survive_an_edit(form, document, editor, config):
    document.set_setting("everything", "rules", [{"column": "a", "note": "mine"}])
    type_into(editor("rules").rows[0].content.fields["column"].editor.inner.line, "b")
    form.flush()

    assert config()["rules"] == [{"column": "ab", "note": "mine"}]


def test_advanced_settings_are_folded_and_counted(form, document):
    assert not form.content.fields["body"].isVisible()
    document.set_setting("everything", "body", 1)
    assert form.content.folds[""].button.text() == "More settings (1 set)"

    QTest.mouseClick(form.content.folds[""].button, LEFT)
    assert form.content.fields["body"].isVisible()


def test_a_section_folds_its_settings_away_and_opens_for_what_is_wrong_or_looked_for(form, document):
    fold, delay = form.content.folds["Politeness"], form.content.fields["delay"]
    assert list(form.content.folds) == ["", "Politeness"]
    assert (fold.button.text(), delay.isVisible()) == ("Politeness", False)

    document.set_setting("everything", "delay", 2)
    assert (fold.button.text(), delay.isVisible()) == ("Politeness (1 set)", False)
    form.focus_field("config.delay")
    assert delay.isVisible()
    assert not form.content.fields["body"].isVisible()


def test_a_form_that_is_taken_away_writes_what_was_typed(form, editor, config):
    type_into(editor("path").line, "late.csv")
    form.hide()

    assert config() == {"path": "late.csv"}


def test_a_long_title_makes_way_and_a_short_one_is_whole(qtbot, theme):
    context = FormContext(theme)

    def shown(title: str) -> Field:
        setting = Setting("key", "key", title, str)
        field = Field(setting, build_editor(setting, context), context)
        qtbot.addWidget(field)
        field.resize(160, 60)
        field.show()
        qtbot.waitExposed(field)
        return field

    long, short = shown("When a call of this kind finally fails"), shown("Timeout")

    assert long.minimumSizeHint().width() <= 160
    assert long.label.text().startswith("When a")
    assert long.label.text().endswith("…")
    assert short.label.text() == "Timeout"


def test_a_setting_is_shown_in_the_language_of_the_person(monkeypatch):
    words = {"Columns": "Spalten", "Which.": "Welche.", "Add column": "Spalte hinzufügen"}
    monkeypatch.setattr(NullTranslations, "gettext", lambda _self, text: words.get(text, text))

    class Config(sdk.Config):
        columns: dict[str, str] = sdk.setting(title="Columns", description="Which.")

    setting = settings_of(Config)[0]

    assert (setting.title, setting.description) == ("Spalten", "Welche.")
    assert tr(add_text(setting.english)) == "Spalte hinzufügen"
