"""Tables of any size, read as they scroll into view, and exported."""

from __future__ import annotations

import csv

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from etl_studio.storage.databases import Databases
from etl_studio.storage.workspace import Workspace
from etl_studio.ui.results.paged_model import PAGE_ROWS, PAGES_KEPT, PagedTableModel
from etl_studio.ui.results.panel import MOVED, NOTHING, ResultsPanel
from etl_studio.ui.tables.view import WIDEST_COLUMN

LEFT = Qt.MouseButton.LeftButton
ROWS = 20_000
COUNT = "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {})"


@pytest.fixture
def workspace(tmp_path):
    databases = Databases()
    workspace = Workspace(tmp_path / "workspace", databases)
    yield workspace
    databases.close()


@pytest.fixture
def filled(workspace):
    """A workspace with 20,000 orders in one table and two cities in another."""
    data = workspace.results._file
    data.query("CREATE TABLE orders (id INTEGER, city TEXT, price REAL)")
    data.query(
        f"{COUNT.format(ROWS)} INSERT INTO orders "
        "SELECT value, CASE WHEN value % 100 THEN 'Oslo' END, value * 0.5 FROM numbers"
    )
    data.query("CREATE TABLE cities (name TEXT)")
    data.query("INSERT INTO cities VALUES ('Oslo'), ('Rome')")
    return workspace


@pytest.fixture
def make_panel(qtbot, theme):
    panels = []

    def make(workspace) -> ResultsPanel:
        panel = ResultsPanel(workspace if callable(workspace) else lambda: workspace, theme)
        qtbot.addWidget(panel)
        panels.append(panel)
        panel.resize(900, 400)
        panel.show()
        return panel

    yield make
    for panel in panels:
        panel.close_threads()


@pytest.fixture
def panel(qtbot, make_panel, filled):
    panel = make_panel(filled)
    qtbot.waitUntil(lambda: panel.shown is not None, timeout=5000)
    choose(panel, "orders")
    qtbot.waitUntil(lambda: text(panel, 0, 0) == "1", timeout=5000)
    return panel


def choose(panel, name):
    row = next(row for row in range(panel.list.count()) if panel.list.item(row).text().startswith(name))
    QTest.mouseClick(panel.list.viewport(), LEFT, pos=panel.list.visualItemRect(panel.list.item(row)).center())


def text(panel, row, column):
    return panel.model.index(row, column).data()


def click_header(panel, column):
    header = panel.table.horizontalHeader()
    at = QPoint(header.sectionViewportPosition(column) + 20, header.height() // 2)
    QTest.mouseClick(header.viewport(), LEFT, pos=at)


def test_it_lists_the_tables_with_their_rows(panel):
    assert [panel.list.item(row).text() for row in range(2)] == ["cities   2", "orders   20,000"]
    assert panel.facts.text() == "20,000 rows, 3 columns"
    assert panel.model.rowCount() == ROWS


def test_rows_far_down_come_when_they_are_scrolled_to(qtbot, panel):
    panel.table.scrollToBottom()

    qtbot.waitUntil(lambda: text(panel, ROWS - 1, 0) == str(ROWS), timeout=5000)

    assert text(panel, ROWS - 1, 1) == "null"
    assert panel.model.index(ROWS - 1, 1).data(Qt.ItemDataRole.ForegroundRole) is not None


def test_columns_are_as_wide_as_their_first_rows_and_stay_as_a_person_makes_them(qtbot, make_panel, workspace):
    text_of = {"short": "a", "long": "a text of some length, " * 2, "endless": "x" * 500}
    data = workspace.results._file
    data.query("CREATE TABLE texts (short TEXT, long TEXT, endless TEXT)")
    data.query("INSERT INTO texts VALUES ('{short}', '{long}', '{endless}')".format(**text_of))
    panel = make_panel(workspace)
    qtbot.waitUntil(lambda: text(panel, 0, 0) == "a", timeout=5000)
    header = panel.table.horizontalHeader()
    widths = [header.sectionSize(column) for column in range(3)]

    assert widths[0] < widths[1] < widths[2] == WIDEST_COLUMN
    assert widths[1] > header.fontMetrics().horizontalAdvance(text_of["long"])

    header.resizeSection(0, 200)
    QTest.mouseClick(panel.refresh_button, LEFT)
    click_header(panel, 0)
    qtbot.waitUntil(lambda: text(panel, 0, 0) == "a", timeout=5000)
    assert header.sectionSize(0) == 200


def test_only_a_few_pages_are_kept(qtbot, panel):
    for page in range(ROWS // PAGE_ROWS):
        row = page * PAGE_ROWS
        text(panel, row, 0)
        qtbot.waitUntil(lambda row=row: text(panel, row, 0) == str(row + 1), timeout=5000)

    assert len(panel.model._pages) <= PAGES_KEPT


def test_a_click_on_a_header_sorts_in_the_database(qtbot, panel):
    click_header(panel, 2)
    click_header(panel, 2)

    qtbot.waitUntil(lambda: text(panel, 0, 2) == "10000.0", timeout=5000)
    assert text(panel, 0, 0) == str(ROWS)


def test_a_refresh_shows_new_rows_and_keeps_the_table(qtbot, panel, filled):
    filled.results._file.query("INSERT INTO orders VALUES (0, 'Bern', 1.0)")

    QTest.mouseClick(panel.refresh_button, LEFT)

    qtbot.waitUntil(lambda: panel.facts.text() == "20,001 rows, 3 columns", timeout=5000)
    assert panel.shown.name == "orders"


def test_without_tables_it_says_what_will_be_here(qtbot, make_panel, workspace):
    panel = make_panel(workspace)
    qtbot.waitUntil(lambda: not panel._fetcher.is_busy, timeout=5000)

    assert panel._pages.currentWidget() is panel.notice
    assert "appear here" in panel.notice.text.text()
    assert not panel.export_button.isEnabled()
    assert not workspace.data_path.exists()


def test_a_pipeline_that_is_saved_elsewhere_is_told_where_its_rows_are(qtbot, make_panel, filled, tmp_path):
    databases = Databases()
    elsewhere = Workspace(tmp_path / "elsewhere", databases)
    places = [filled]
    panel = make_panel(lambda: places[0])
    qtbot.waitUntil(lambda: panel.shown is not None, timeout=5000)

    places[0] = elsewhere
    panel.forget(moved=True)
    qtbot.waitUntil(lambda: panel.notice.text.text() == MOVED, timeout=5000)

    panel.forget()
    qtbot.waitUntil(lambda: panel.notice.text.text() == NOTHING, timeout=5000)
    panel.close_threads()
    databases.close()


def test_an_export_writes_every_row_and_tells_where(qtbot, panel, tmp_path):
    target = tmp_path / "orders.csv"
    with qtbot.waitSignal(panel.exported, timeout=20_000) as exported:
        panel.export(target)
        assert panel.progress.isVisible()

    assert exported.args == [str(target)]
    with target.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert len(lines) == ROWS + 1
    assert lines[0] == ["id", "city", "price"]
    assert "20,000 rows written" in panel.facts.text()
    assert not panel.progress.isVisible()


def test_an_export_can_be_cancelled_and_leaves_no_file(qtbot, panel, tmp_path, filled):
    filled.results._file.query(f"{COUNT.format(60)} INSERT INTO orders SELECT id, city, price FROM orders, numbers")
    target = tmp_path / "orders.csv"
    panel.export(target)
    qtbot.waitUntil(lambda: panel.progress.maximum() > 0 or panel.job is None, timeout=10_000)

    QTest.mouseClick(panel.cancel_button, LEFT)

    qtbot.waitUntil(lambda: panel.job is None, timeout=20_000)
    assert "no file was written" in panel.facts.text()
    assert not target.exists()


def test_an_export_that_fails_says_why(qtbot, panel, tmp_path):
    panel.export(tmp_path / "missing" / "orders.csv")

    qtbot.waitUntil(lambda: panel.job is None, timeout=20_000)

    assert "missing" in panel.facts.text()
    assert "Traceback" not in panel.facts.text()


def test_a_page_that_cannot_be_read_is_told(qtbot, qapp, theme):
    def broken(offset, limit):
        raise OSError("the disk is gone")

    model = PagedTableModel(theme)
    model.show_table(["a"], 1000, broken)
    with qtbot.waitSignal(model.failed, timeout=5000) as failed:
        assert model.index(0, 0).data() == "…"
    model.close_threads()

    assert "the disk is gone" in failed.args[0]
