"""A person sees the first pages of an API from its form, takes over what was found out, and nothing is saved."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from tests.app.probed_site import ProbedSite

pytestmark = pytest.mark.window

WAIT = 30_000
PIPELINE = """\
etl_studio: 1
name: shop
nodes:
  read: {{type: rest_source, title: Products, config: {{url: "{url}/things"}}}}
  rows: {{type: csv_source, config: {{path: a.csv}}}}
"""


@pytest.fixture
def site():
    with ProbedSite() as site:
        yield site


@pytest.fixture
def person(open_window, site, tmp_path):
    path = tmp_path / "shop.etl.yaml"
    path.write_text(PIPELINE.format(url=site.url))
    person = open_window(path)
    person.window.workbench.canvas.pipeline_scene.choose(["read"])
    return person


@pytest.fixture
def card(person, qtbot):
    inspector = person.window.workbench.inspector
    qtbot.waitUntil(lambda: inspector.node_page is not None, timeout=WAIT)
    return inspector.node_page.above


def click(button):
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def probed(card, qtbot):
    click(card.button)
    qtbot.waitUntil(lambda: card.seen is not None, timeout=WAIT)
    return card.seen


def test_pages_are_seen_and_what_was_found_out_is_written_in_one_step(person, card, site, qtbot):
    document = person.window.workbench.document
    before = dict(document.pipeline.nodes["read"].config)

    probed(card, qtbot)

    assert card.text.text() == "3 pages · 30 rows · 1 column"
    assert card.found.text() == 'Pages found: cursor (the cursor in "next_cursor", sent as "cursor")\nItems in: items'
    assert card.button.text() == "Probe again"
    assert len(site.asked) == 3
    assert not document.is_modified
    click(card.use)
    assert document.pipeline.nodes["read"].config == {**before, "pagination": {"kind": "cursor"}, "items": "items"}
    assert not card.use.isVisible()
    document.undo_stack.undo()
    assert document.pipeline.nodes["read"].config == before
    assert not document.is_modified


def test_the_window_shows_each_page_and_the_columns(card, qtbot):
    probed(card, qtbot)
    click(card.show_button)
    shown = card.pages_window

    assert shown.windowTitle() == "Probe of Products"
    assert [shown.list.item(row).text().split("\n")[0] for row in range(4)] == [
        "Page 1   200",
        "Page 2   200",
        "Page 3   200",
        "Columns",
    ]
    shown.list.setCurrentRow(1)
    assert shown.page.address.text().endswith("/things?cursor=c10")
    assert shown.page.following.text() == "Next page: cursor=c20"
    assert '"next_cursor": "c20"' in shown.page.answer.toPlainText()
    assert "c00kie" not in shown.page.came.toPlainText()
    shown.list.setCurrentRow(3)
    assert shown.stack.currentWidget() is shown.columns
    assert [shown.columns.topLevelItem(0).text(column) for column in range(4)] == ["id", "integer", "0, 1, 2", ""]
    click(shown.use)
    assert not shown.use.isVisible()
    assert not card.use.isVisible()
    shown.close()


def test_pages_appear_one_by_one_and_the_probe_can_be_stopped(card, site, qtbot):
    site.gate.clear()
    click(card.button)
    assert (card.button.text(), card.text.text()) == ("Stop", "Asking for the first page…")
    qtbot.waitUntil(lambda: len(site.asked) == 1, timeout=WAIT)

    click(card.button)

    assert (card.button.text(), card.text.text()) == ("Probe", "The probe was stopped.")
    site.gate.set()
    assert probed(card, qtbot).rows == 30


def test_what_was_typed_a_moment_ago_is_what_is_asked_for(person, card, site, qtbot):
    person.window.workbench.inspector.show_field("read", "config.url")
    QTest.keyClick(person.window.focusWidget(), Qt.Key.Key_End)
    QTest.keyClicks(person.window.focusWidget(), "?shop=mugs")

    probed(card, qtbot)

    assert all("shop=mugs" in path for path, _ in site.asked)


def test_changed_settings_make_a_probe_old(person, card, qtbot):
    probed(card, qtbot)

    person.window.workbench.document.set_setting("read", "params", {"status": "open"})

    assert card.text.text().endswith("The settings have changed since.")
    assert not card.use.isVisible()
    person.window.workbench.document.undo_stack.undo()
    assert card.use.isVisible()


def test_an_error_is_told_with_the_pages_before_it(open_window, tmp_path, qtbot):
    with ProbedSite(statuses={2: 403}) as site:
        path = tmp_path / "shop.etl.yaml"
        path.write_text(PIPELINE.format(url=site.url))
        person = open_window(path)
        bench = person.window.workbench
        bench.canvas.pipeline_scene.choose(["read"])
        qtbot.waitUntil(lambda: bench.inspector.node_page is not None, timeout=WAIT)
        card = bench.inspector.node_page.above

        seen = probed(card, qtbot)

    assert [page.status for page in seen.pages] == [200, 403]
    assert "403" in card.text.text()
    assert card.show_button.isVisible()


def test_settings_with_mistakes_are_told_and_nothing_is_asked(person, card, site, qtbot):
    person.window.workbench.document.set_setting("read", "url", "nonsense")

    click(card.button)

    qtbot.waitUntil(lambda: "must be an address" in card.text.text(), timeout=WAIT)
    assert card.button.text() == "Probe"
    assert not card.show_button.isVisible()
    assert site.asked == []


def test_a_file_has_no_pages(person, qtbot):
    inspector = person.window.workbench.inspector
    person.window.workbench.canvas.pipeline_scene.choose(["rows"])

    qtbot.waitUntil(lambda: inspector.node_page is not None and inspector.node_page.node == "rows", timeout=WAIT)
    assert inspector.node_page.above is None


def test_another_node_ends_a_probe_that_is_under_way(person, card, site, qtbot):
    card.open_window()
    shown = card.pages_window
    site.gate.clear()
    click(card.button)
    qtbot.waitUntil(lambda: len(site.asked) == 1, timeout=WAIT)

    with qtbot.waitSignal(shown.destroyed, timeout=WAIT):
        person.window.workbench.canvas.pipeline_scene.choose(["rows"])
    site.gate.set()

    inspector = person.window.workbench.inspector
    qtbot.waitUntil(lambda: inspector.node_page is not None and inspector.node_page.node == "rows", timeout=WAIT)


def test_a_recording_is_chosen_from_the_menu(person, monkeypatch, qtbot, tmp_path):
    from tests.pipeline.test_har_file import entry, har

    path = tmp_path / "visit.har"
    path.write_text(har(entry()))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    bench = person.window.workbench

    person.window.actions_by_name["add_requests"].trigger()

    qtbot.waitUntil(lambda: bench.canvas.requests.picker is not None, timeout=WAIT)
    bench.canvas.requests.picker.add.click()
    assert bench.document.pipeline.nodes["rest"].config["url"] == "https://shop.example/api/products"
