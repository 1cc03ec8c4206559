"""The rows that arrive beside those that leave; what changed has a colour."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from etl_studio.pipeline.model import Wire
from etl_studio.ui.tables.changes import TINT
from etl_studio.ui.theme.style_sheet import mix

LEFT = Qt.MouseButton.LeftButton
GROUND, FONT, TIP = Qt.ItemDataRole.BackgroundRole, Qt.ItemDataRole.FontRole, Qt.ItemDataRole.ToolTipRole


@pytest.fixture
def comparing(qtbot, panel, orders):
    """Turns to a node of a type behind the source, and to what it does to its rows."""

    def turn(node_type="filter", **config):
        node = orders.add_node(node_type, 300, 200, config)
        orders.connect_ports(Wire("csv", "out", node, "input"))
        panel.show_node(node)
        qtbot.waitUntil(lambda: panel.bar.views.key == "out")
        with qtbot.waitSignal(panel._runner.compared):
            QTest.mouseClick(panel.bar.views.button("both"), LEFT)
        assert panel.both.isVisible()
        return panel.both

    return turn


def texts(table, column):
    model = table.model()
    return [model.index(row, column).data() for row in range(model.rowCount())]


def tint(theme, role):
    return QColor(mix(getattr(theme.tokens, role), theme.tokens.surface, TINT))


def words(both):
    from PySide6.QtGui import QTextDocument

    document = QTextDocument()
    document.setHtml(both.summary.text())
    return document.toPlainText().replace("\u00a0", " ")


def test_dropped_rows_are_struck_out_on_the_left_and_empty_on_the_right(comparing):
    both = comparing("filter", where="qty <> 7")
    assert texts(both.before, 1) == ["5", "7", "9"]
    assert texts(both.after, 1) == ["5", None, "9"]
    assert both.before.model().index(1, 0).data(FONT).strikeOut()
    assert both.before.model().index(0, 0).data(FONT) is None
    assert both.before.model().index(1, 0).data(TIP) == "does not leave the node"
    assert words(both) == "1 row dropped"


def test_changed_cells_and_new_columns_have_their_colours(comparing, theme):
    both = comparing("derive", columns={"qty": "greatest(qty, 6)", "double": "id * 2"})
    after = both.after.model()
    assert [after.index(row, 1).data(GROUND) == tint(theme, "warning") for row in range(3)] == [True, False, False]
    assert all(after.index(row, 2).data(GROUND) == tint(theme, "success") for row in range(3))
    assert both.before.model().index(0, 1).data(GROUND) == tint(theme, "warning")
    assert after.index(0, 1).data(TIP) == "before: 5\nafter: 6"
    assert words(both) == "~ 1 changed cell   + column double"


def test_removed_columns_are_marked_on_the_left(comparing, theme):
    both = comparing("select", columns=["qty"])
    before = both.before.model()
    assert before.index(0, 0).data(GROUND) == tint(theme, "danger")
    assert before.index(0, 1).data(GROUND) is None
    assert words(both) == "\N{MINUS SIGN} column id"


def test_refused_rows_tell_why(comparing, theme):
    both = comparing("derive", columns={"x": "10 // (id - 2)"})
    before = both.before.model()
    assert before.index(1, 0).data(GROUND) == tint(theme, "danger")
    assert before.index(1, 0).data(TIP).startswith("refused: ")
    assert words(both) == "+ column x   1 row refused"


def test_what_cannot_be_matched_says_why_and_has_no_marks(comparing):
    both = comparing("aggregate", by=["id"], measures={"n": "count(*)"})
    assert words(both).startswith("Rows are not matched: its rows are made of several")
    assert both.before.model().index(0, 0).data(FONT) is None


def test_both_sides_scroll_and_are_chosen_together(comparing, tmp_path):
    (tmp_path / "orders.csv").write_text("id,qty\n" + "".join(f"{number},1\n" for number in range(100)))
    both = comparing("filter", where="id <> 3")
    both.after.verticalScrollBar().setValue(20)
    assert both.before.verticalScrollBar().value() == 20
    both.before.selectRow(30)
    assert both.after.currentIndex().row() == 30


def test_a_change_compares_again_and_the_choice_holds_for_the_next_node(qtbot, comparing, panel, orders):
    both = comparing("filter", where="qty <> 7")
    orders.set_setting("filter_2", "where", "qty > 100")
    qtbot.waitUntil(lambda: words(both) == "3 rows dropped")
    panel.show_node("filter")
    qtbot.waitUntil(lambda: both.isVisible() and words(both) == "1 row dropped")


def test_a_source_shows_only_what_leaves_it(qtbot, comparing, panel):
    comparing("filter", where="true")
    panel.show_node("csv")
    qtbot.waitUntil(panel.table.isVisible)
    assert panel.bar.views.key == ""
