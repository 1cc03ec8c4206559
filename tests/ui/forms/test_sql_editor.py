"""Completion, line numbers and live results in fields of SQL."""

from __future__ import annotations

import pyarrow as pa
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.app.catalogue import full_registry
from etl_studio.engine.sql_functions import sql_functions
from etl_studio.pipeline.file_format import loads
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.forms.line_completion import LineCompletion
from etl_studio.ui.inspector import Inspector

PIPELINE = """\
etl_studio: 1
parameters:
  least: {type: number, default: 2}
  asked: {type: number}
nodes:
  read: {type: csv_source, config: {path: a.csv}}
  keep: {type: filter, config: {where: price > 1}}
  compute: {type: derive, config: {columns: {total: price * 2, gross: total + 1}}}
  group: {type: aggregate, config: {by: [name], measures: {all: sum(price)}}}
  ask: {type: sql, config: {query: "SELECT name, price\\nFROM input"}}
  pick: {type: select}
  make: {type: generate_source, config: {columns: {id: i}}}
  send: {type: http_sink, config: {url: "https://x.example", headers: {Authorization: "Bearer ${secret:token}"}}}
wires: [read -> keep, read -> pick, read -> compute, read -> group, read -> ask]
"""
ROWS = pa.table({"price": [1.0, 2.0, 3.0], "name": ["a", "b", "b"], "my day": ["x", "y", "z"]})


class Known:
    """Rows that arrive at every node."""

    rows: pa.Table | None = ROWS

    def arriving_types(self, node):
        return {"price": "number", "name": "text", "my day": "text"}

    def tables_arriving(self, node):
        return {} if self.rows is None else {"input": self.rows}


@pytest.fixture
def known():
    return Known()


@pytest.fixture
def inspector(qtbot, theme, known):
    registry = full_registry()
    document = PipelineDocument(registry, loads(PIPELINE, registry=registry))
    inspector = Inspector(document, theme, known=known)
    qtbot.addWidget(inspector)
    inspector.resize(360, 900)
    with qtbot.waitExposed(inspector):
        inspector.show()
    inspector.activateWindow()
    yield inspector
    inspector.trying.close()


def sql_field(inspector, node, key, name=""):
    """The editor of a setting, or of one entry of it."""
    inspector.show_nodes([node])
    editor = inspector.node_page.form.content.fields[key].editor.inner
    if name:
        rows = {row.content.key.text(): row.content.content for row in editor.rows}
        editor = rows[name].inner
    return editor


def type_into(qtbot, editor, text):
    """Paste a text in place of what is there and wait for what comes of it."""
    editor.text.setFocus()
    editor.text.selectAll()
    QApplication.clipboard().setText(text)
    with qtbot.waitSignal(editor._context.trying.answered, timeout=10_000):
        QTest.keyClick(editor.text, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        editor.completion.hide()
    return editor.result.text()


@pytest.mark.parametrize(
    ("place", "text", "told"),
    [
        (("keep", "where"), "price >= 2", "True for 2 of 3 sample rows."),
        (("keep", "where"), "price >= ${least}", "True for 2 of 3 sample rows."),
        (("keep", "where"), "price > ${asked}", "True for 2 of 3 sample rows."),
        (("compute", "columns", "gross"), "total + 10", "number: 12.0  ·  14.0  ·  16.0"),
        (("compute", "columns", "total"), "name::INTEGER",
         'integer: null  ·  null  ·  null\nFails for 3 of 3 sample rows: "a" in the column "name" is no integer.'),
        (("group", "measures", "all"), "max(price)", "number: 1.0  ·  3.0"),
        (("ask", "query"), "SELECT name, count(*) AS n FROM input GROUP BY ALL ORDER BY n",
         "2 rows: name (text), n (integer)\nFirst: a  ·  1"),
        (("make", "columns", "id"), "i * 10", "integer: 0  ·  10  ·  20  ·  30  ·  40"),
        (("keep", "where"), "price > ${secret:token}", "A secret is never tried out."),
        (("keep", "where"), "price > ${leest}", 'There is no parameter "leest".'),
    ],
)  # fmt: skip
def test_the_result_on_sample_rows_stands_under_the_field_while_it_is_typed(qtbot, inspector, place, text, told):
    assert type_into(qtbot, sql_field(inspector, *place), text) == told


def test_an_error_is_underlined_where_it_is(qtbot, inspector):
    editor = sql_field(inspector, "keep", "where")
    assert type_into(qtbot, editor, "1 < prise") == 'There is no column "prise". Did you mean "price"?'
    marked = [one.cursor.selectedText() for one in editor.text.extraSelections()]
    assert marked == ["prise"]
    type_into(qtbot, editor, "1 < price")
    assert editor.text.extraSelections() == []


def test_an_error_behind_a_parameter_is_underlined_where_it_is(qtbot, inspector):
    editor = sql_field(inspector, "keep", "where")
    type_into(qtbot, editor, "name <> '${least}' AND price > ${least} AND prise < ${asked}")
    assert [one.cursor.selectedText() for one in editor.text.extraSelections()] == ["prise"]


def test_without_rows_the_field_says_how_to_get_them(qtbot, inspector, known):
    known.rows = None
    assert "Preview the node" in type_into(qtbot, sql_field(inspector, "keep", "where"), "price > 1")


def test_where_only_columns_are_known_the_type_is_told(qtbot, inspector, known):
    known.rows = ROWS.slice(0, 0)
    told = type_into(qtbot, sql_field(inspector, "compute", "columns", "total"), "price * 3")
    assert told == "Gives a number. No sample rows are known to compute it on."


def test_when_rows_become_known_the_text_is_tried_again(qtbot, inspector, known):
    known.rows = None
    editor = sql_field(inspector, "keep", "where")
    type_into(qtbot, editor, "price > 1")
    known.rows = ROWS
    with qtbot.waitSignal(inspector.trying.answered, timeout=10_000):
        inspector.trying.again()
    assert editor.result.text() == "True for 2 of 3 sample rows."


@pytest.fixture
def offered(inspector):
    """Types into an editor and gives the names that are offered."""

    def offer(editor, text):
        inspector.trying.functions = sql_functions()
        editor.text.setFocus()
        editor.text.clear()
        QTest.keyClicks(editor.text, text)
        model = editor.completion._model
        return [row.name for row in model.rows] if editor.completion.is_open else []

    return offer


def test_columns_come_first_and_functions_with_their_help(inspector, offered):
    editor = sql_field(inspector, "keep", "where")
    assert offered(editor, "pr")[0] == "price"
    assert {"product", "printf"} <= set(offered(editor, "pr"))
    rows = {row.name: row for row in editor.completion._model.rows}
    assert rows["price"].detail == "number"
    assert rows["printf"].detail.startswith("(")


def test_return_takes_a_suggestion_and_quotes_it_where_it_must(inspector, offered):
    editor = sql_field(inspector, "keep", "where")
    assert offered(editor, "my") == ["my day"]
    QTest.keyClick(editor.completion.list, Qt.Key.Key_Return)
    assert editor.text.toPlainText() == '"my day"'
    assert not editor.completion.is_open


def test_tab_takes_a_function_and_puts_the_cursor_between_its_brackets(inspector, offered):
    editor = sql_field(inspector, "keep", "where")
    assert offered(editor, "date_tru")[0] == "date_trunc"
    QTest.keyClick(editor.completion.list, Qt.Key.Key_Tab)
    assert editor.text.toPlainText() == "date_trunc()"
    assert editor.text.textCursor().position() == len("date_trunc(")
    assert editor.text.hasFocus()


def test_escape_hides_the_list_and_the_text_stays(inspector, offered):
    editor = sql_field(inspector, "keep", "where")
    offered(editor, "pri")
    QTest.keyClick(editor.completion.list, Qt.Key.Key_Escape)
    assert not editor.completion.is_open
    assert editor.text.toPlainText() == "pri"


def test_parameters_and_secrets_are_offered_by_name(inspector, offered, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_SHOP", "s3cret")
    editor = sql_field(inspector, "keep", "where")
    assert offered(editor, "price > ${") == ["least", "asked", "secret:shop", "secret:token"]
    QTest.keyClick(editor.completion.list, Qt.Key.Key_Return)
    assert editor.text.toPlainText() == "price > ${least}"
    assert "s3cret" not in str(editor.completion._model.rows)


def test_columns_that_are_set_above_are_offered(inspector, offered):
    assert "total" in offered(sql_field(inspector, "compute", "columns", "gross"), "to")
    assert "gross" not in offered(sql_field(inspector, "compute", "columns", "total"), "gr")


def line_of(inspector, node, key, name):
    inspector.show_nodes([node])
    rows = inspector.node_page.form.content.fields[key].editor.inner.rows
    return next(row.content for row in rows if row.content.key.text() == name)


def test_a_line_of_text_completes_parameters_and_keeps_what_stands_around(inspector):
    line = line_of(inspector, "send", "headers", "Authorization").content.inner.line
    line.setFocus()
    line.setText("Bearer }")
    line.setCursorPosition(7)
    QTest.keyClicks(line, "${ask")
    completion = line.findChild(LineCompletion).completion
    assert [row.name for row in completion._model.rows] == ["asked"]
    QTest.keyClick(completion.list, Qt.Key.Key_Return)
    assert line.text() == "Bearer ${asked}"
    inspector.flush()
    assert inspector.document.pipeline.nodes["send"].config["headers"] == {"Authorization": "Bearer ${asked}"}


def test_a_cast_completes_columns_on_the_left_and_types_on_the_right(inspector):
    inspector.document.set_setting("pick", "cast", {"a": "b"})
    pair = line_of(inspector, "pick", "cast", "a")
    pair.key.setFocus()
    pair.key.clear()
    QTest.keyClicks(pair.key, "pri")
    assert pair.key.completer().currentCompletion() == "price"
    pair.key.completer().popup().hide()
    line = pair.content.inner.line
    line.setFocus()
    line.clear()
    QTest.keyClicks(line, "time")
    completion = line.findChild(LineCompletion).completion
    assert [row.name for row in completion._model.rows] == ["time", "timestamp", "timestamptz"]
    completion.hide()


@pytest.mark.parametrize("text", ["'pri", "-- pri", "x = 'a' AND y = 'pr"])
def test_nothing_is_offered_inside_of_texts_and_comments(inspector, offered, text):
    assert offered(sql_field(inspector, "keep", "where"), text) == []


def test_control_and_space_ask_for_the_list(inspector, offered):
    editor = sql_field(inspector, "keep", "where")
    assert offered(editor, "price > ") == []
    QTest.keyClick(editor.text, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert [row.name for row in editor.completion._model.rows] == ["price", "name", "my day"]
    editor.completion.hide()


def test_a_query_has_numbers_beside_its_lines(inspector):
    editor = sql_field(inspector, "ask", "query")
    assert editor.numbers.isVisible()
    assert editor.text.viewportMargins().left() == editor.numbers.width()
