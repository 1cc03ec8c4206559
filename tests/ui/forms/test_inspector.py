from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.pipeline.model import NodeSpec, Parameter, Pipeline
from etl_studio.ui.forms.node_page import DOCS, POLICY, SETTINGS
from etl_studio.ui.inspector import Inspector

LEFT = Qt.MouseButton.LeftButton


class Known:
    """A column for each node, and no rows."""

    def arriving_types(self, node):
        return {f"of_{node}": "text"}

    def tables_arriving(self, node):
        return {}


@pytest.fixture
def inspector(qtbot, document, theme):
    document.add_node("everything", 300, 0)
    inspector = Inspector(document, theme, known=Known())
    qtbot.addWidget(inspector)
    inspector.resize(360, 900)
    with qtbot.waitExposed(inspector):
        inspector.show()
    return inspector


def retype(line, text: str) -> None:
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def test_nothing_selected_shows_the_pipeline_itself(inspector, document):
    page = inspector.pipeline_page
    retype(page.name.line, "orders")
    retype(page.description.text, "What comes in.")
    inspector.flush()

    assert page.isVisible()
    assert (document.pipeline.name, document.pipeline.description) == ("orders", "What comes in.")


def test_parameters_are_added_with_type_and_default(inspector, document):
    page = inspector.pipeline_page
    QTest.mouseClick(page.parameters.add, LEFT)
    row = page.parameters.rows[0].content
    QTest.keyClicks(row.name, "minimum")
    row.kind.setFocus()
    QTest.keyClicks(row.kind, "integer")
    QTest.keyClicks(row.default, "5")
    inspector.flush()

    assert document.pipeline.parameters == {"minimum": Parameter("minimum", "integer", 5)}

    document.undo_stack.undo()
    assert document.pipeline.parameters != {"minimum": Parameter("minimum", "integer", 5)}


def test_the_time_between_checkpoints_is_a_setting_of_the_pipeline(inspector, document):
    page = inspector.pipeline_page
    retype(page.interval.line, "5")
    inspector.flush()
    assert document.pipeline.checkpoint == {"seconds": 5}

    retype(page.interval.line, "never")
    inspector.flush()
    assert document.pipeline.checkpoint == {"seconds": 5}

    document.undo_stack.undo()
    assert document.pipeline.checkpoint == {}


def test_a_selected_node_shows_its_settings(inspector, document):
    inspector.show_nodes(["everything"])
    page = inspector.node_page

    assert page.isVisible()
    assert page.header.id.text() == "everything"
    assert page.header.title.placeholderText() == "Everything"
    retype(page.form.content.fields["path"].editor.inner.line, "x.csv")
    inspector.show_nodes([])
    assert document.pipeline.nodes["everything"].config == {"path": "x.csv"}


def test_title_and_id_are_edited_in_the_header(inspector, document):
    inspector.show_nodes(["everything"])
    header = inspector.node_page.header
    retype(header.title, "Keep the big ones")
    QTest.keyClick(header.title, Qt.Key.Key_Return)
    retype(header.id, "keep")
    QTest.keyClick(header.id, Qt.Key.Key_Return)

    assert document.pipeline.nodes["keep"].title == "Keep the big ones"
    assert inspector.selected == ("keep",)
    retype(inspector.node_page.form.content.fields["path"].editor.inner.line, "x.csv")
    inspector.flush()
    assert document.pipeline.nodes["keep"].config == {"path": "x.csv"}

    document.undo_stack.undo()
    document.undo_stack.undo()
    assert header.id.text() == "everything"


def test_a_taken_id_is_refused_with_a_reason(inspector, document):
    inspector.show_nodes(["everything"])
    header = inspector.node_page.header
    retype(header.id, "everything_2")
    QTest.keyClick(header.id, Qt.Key.Key_Return)

    assert "everything_2" in header.problem.text()
    assert header.problem.isVisible()
    assert set(document.pipeline.nodes) == {"everything", "everything_2"}


def test_policy_and_docs_are_built_when_looked_at(inspector):
    inspector.show_nodes(["everything"])
    page = inspector.node_page
    assert (page.policy, page.docs) == (None, None)

    page.tabs.setCurrentIndex(POLICY)
    assert page.policy.isVisible()
    page.tabs.setCurrentIndex(DOCS)
    assert page.docs.isVisible()
    assert "For the tests of forms." in page.docs.toPlainText()
    assert "Condition where" in page.docs.toPlainText()


def test_a_problem_leads_to_its_field(inspector):
    inspector.show_field("everything_2", "config.body")

    assert inspector.selected == ("everything_2",)
    page = inspector.node_page
    assert page.tabs.currentIndex() == SETTINGS
    assert page.form.content.fields["body"].isVisible()
    assert page.form.content.fields["body"].isAncestorOf(inspector.focusWidget())

    inspector.show_field("everything_2", "policy.retry.attempts")
    assert page.tabs.currentIndex() == POLICY


def test_several_nodes_are_counted_duplicated_and_deleted(inspector, document):
    inspector.show_nodes(["everything", "everything_2"])
    page = inspector.selection_page
    assert page.count.text() == "2 nodes selected"

    QTest.mouseClick(page.duplicate, LEFT)
    assert len(document.pipeline.nodes) == 4

    QTest.mouseClick(page.remove, LEFT)
    assert len(document.pipeline.nodes) == 2
    assert inspector.pipeline_page.isVisible()


def test_a_removed_node_is_left(inspector, document):
    inspector.show_nodes(["everything"])
    document.remove(["everything"])

    assert inspector.node_page is None
    assert inspector.selected == ()


def test_another_pipeline_is_shown_at_once(inspector, document):
    inspector.show_nodes(["everything"])
    document._replace(Pipeline(name="other"), None)

    assert inspector.node_page is None
    assert inspector.pipeline_page.name.line.text() == "other"


def test_what_was_typed_does_not_reach_a_node_of_the_same_name_in_another_pipeline(inspector, document):
    inspector.show_nodes(["everything"])
    page = inspector.node_page
    retype(page.form.content.fields["path"].editor.inner.line, "mine.csv")
    retype(page.header.title, "Mine")
    other = Pipeline(nodes={"everything": NodeSpec("everything", "everything")})
    document._replace(other, None)

    assert document.pipeline.nodes["everything"] == NodeSpec("everything", "everything")
    assert not document.is_modified


def test_a_form_follows_the_theme(inspector, theme):
    inspector.show_nodes(["everything"])
    before = inspector.grab().toImage()
    theme.set_mode("dark")

    assert inspector.grab().toImage() != before


def test_a_type_that_is_not_installed_is_told_and_kept(inspector, document):
    document.pipeline.nodes["old"] = NodeSpec("old", "nowhere", {"a": 1})
    document.pipeline.layout["old"] = (0.0, 0.0)
    inspector.show_nodes(["old"])

    page = inspector.node_page
    assert page.form is None
    assert not page.tabs.isTabEnabled(POLICY)
    inspector.show_nodes([])
    assert document.pipeline.nodes["old"].config == {"a": 1}


def test_columns_that_arrive_at_the_selected_node_are_asked_for(inspector):
    inspector.show_nodes(["everything_2"])
    line = inspector.node_page.form.content.fields["keys"].editor.inner.line
    line.setFocus()
    QTest.keyClicks(line, "of")

    assert line.completer().currentCompletion() == "of_everything_2"


def tab_from(widget, key=Qt.Key.Key_Tab):
    QTest.keyClick(widget, key)
    return QApplication.focusWidget()


@pytest.mark.parametrize("key", ["rename", "columns"])
def test_tab_goes_through_the_rows_as_they_are_seen(inspector, key):
    inspector.show_nodes(["everything"])
    names = inspector.node_page.form.content.fields[key].editor.inner
    for name in ("first", "second", "third"):
        QTest.mouseClick(names.add, LEFT)
        QTest.keyClicks(QApplication.focusWidget(), name)
    QTest.keyClick(names.rows[2].content.key, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [row.content.key.text() for row in names.rows] == ["first", "third", "second"]

    widget = names.rows[0].content.key
    widget.setFocus()
    for row in names.rows:
        assert widget is row.content.key
        value = tab_from(widget)
        assert row.content.content.isAncestorOf(value)
        assert tab_from(value) is row.remove
        widget = tab_from(row.remove)
    assert widget is names.add
    assert tab_from(names.add, Qt.Key.Key_Backtab) is names.rows[2].remove


def test_tab_goes_from_a_kind_to_its_own_fields_and_from_a_value_shown_as_text_to_the_next(qtbot, inspector, document):
    inspector.show_nodes(["everything"])
    fields = inspector.node_page.form.content.fields
    pages = fields["pages"].editor.inner
    pages.combo.setFocus()
    QTest.keyClicks(pages.combo, "page")
    assert pages.page.isAncestorOf(tab_from(pages.combo))

    document.set_setting("everything", "header", "${minimum}")
    header = fields["header"].editor
    qtbot.waitUntil(header.fallback.isVisible)
    header.fallback.setFocus()
    give_it_up = tab_from(QApplication.focusWidget())
    assert header.isAncestorOf(give_it_up)
    assert tab_from(give_it_up) is fields["columns"].editor.inner.add


def test_tab_goes_from_the_title_by_the_tabs_into_the_settings_and_on_to_the_end(inspector):
    inspector.show_nodes(["everything"])
    page = inspector.node_page
    page.header.title.setFocus()
    bar = tab_from(tab_from(page.header.title))
    assert bar is page.tabs.tabBar()
    seen = [bar]
    while seen.count(seen[-1]) == 1:
        seen.append(tab_from(seen[-1]))
    assert all(page.form.isAncestorOf(widget) for widget in seen[1:-1])
    assert len(seen) > len(page.form.content.fields)
