"""Selectors are found on a page in the workshop, by mouse and keys, and written into the node as one step."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from etl_studio.demo import DemoSite
from etl_studio.ui.workshop.page_view import LINKS, SOURCE, TEXT, TREE
from etl_studio.ui.workshop.selectors_panel import ListButton

LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
WAIT = 20_000
PIPELINE = """\
etl_studio: 1
nodes:
  read:
    type: web_page_source
    config:
      urls: ["${{shop}}/shop"]
      fields: {{}}
      max_pages: 2
    policy: {{retry: {{attempts: 1}}}}
  keep: {{type: filter, config: {{where: price > 1}}}}
wires: [read -> keep]
parameters: {{shop: {{default: "{url}"}}}}
layout: {{read: [0, 0], keep: [260, 0]}}
"""


@pytest.fixture
def site():
    with DemoSite() as site:
        yield site


@pytest.fixture
def person(open_window, tmp_path, site):
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE.format(url=site.url))
    person = open_window(file)
    person.window.activateWindow()
    person.click_node("read")
    return person


@pytest.fixture
def workshop(qtbot, person):
    """The workshop of the node, opened by its button, with the page in it."""
    offered = person.bench.inspector.node_page.form.content.fields["item"].offered
    QTest.mouseClick(offered, LEFT)
    dialog = person.bench.workshops.dialog
    qtbot.waitUntil(lambda: dialog.selectors.findChildren(ListButton) != [], timeout=WAIT)
    yield dialog
    person.bench.workshops.close()


def config(person):
    return dict(person.bench.document.pipeline.nodes["read"].config)


def take_list(qtbot, workshop):
    """Click the first list that was found, and wait for its rows."""
    QTest.mouseClick(workshop.selectors.findChildren(ListButton)[0], LEFT)
    qtbot.waitUntil(lambda: workshop.rows.table_model.rowCount() == 20, timeout=WAIT)


def numbers(workshop, selector):
    from etl_studio.app.scraping.asking import found_by

    return found_by(workshop.session.page, selector)


def click_in_tree(qtbot, workshop, number):
    """Open the tree down to an element by keys and mouse, and click it."""
    tree = workshop.page.tree
    for outer in workshop.session.page.dom.path(number)[:-1]:
        index = tree.dom_model.index_of(outer)
        if not tree.isExpanded(index):
            tree.scrollTo(index)
            QTest.mouseClick(tree.viewport(), LEFT, pos=tree.visualRect(index).center())
            QTest.keyClick(tree, Qt.Key.Key_Right)
    index = tree.dom_model.index_of(number)
    tree.scrollTo(index)
    QTest.mouseClick(tree.viewport(), LEFT, pos=tree.visualRect(index).center())
    await_offer(qtbot, workshop, number)


def await_offer(qtbot, workshop, number):
    view, dom = workshop.proposals, workshop.session.page.dom
    assert workshop.marks.current == number
    from etl_studio.ui.workshop.words import short_name

    qtbot.waitUntil(lambda: view.subject.text() == short_name(dom.nodes[number]), timeout=WAIT)


def proposed(workshop):
    """The proposals that are seen, as texts, by the text of their group."""
    tree = workshop.proposals.tree
    heads = [tree.topLevelItem(at) for at in range(tree.topLevelItemCount())]
    return {head.text(0): [head.child(at).text(0) for at in range(head.childCount())] for head in heads}


def click_proposal(workshop, text, *, twice=False):
    tree = workshop.proposals.tree
    (item, *_) = tree.findItems(text, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)
    tree.scrollToItem(item)
    place = tree.visualItemRect(item).center()
    QTest.mouseClick(tree.viewport(), LEFT, pos=place)
    if twice:
        QTest.mouseDClick(tree.viewport(), LEFT, pos=place)


def test_the_list_that_was_found_gives_rows_at_once_and_becomes_settings_in_one_step(qtbot, person, workshop):
    before = config(person)
    take_list(qtbot, workshop)
    assert workshop.selectors.item.text() == ".card"
    assert [row.value for row in workshop.selectors.fields][:3] == [
        ("title", "h2 a::text"), ("link", "h2 a::attr(href)"), ("price", ".price::text"),
    ]  # fmt: skip
    assert workshop.selectors.fields[0].hits.text() == "20 of 20"
    assert "20 matches" in workshop.selectors.state.text()
    QTest.mouseClick(workshop.apply, LEFT)
    after = config(person)
    assert after["item"] == ".card"
    assert after["fields"]["price"] == ".price::text"
    assert after["next"].endswith("::attr(href)")
    assert (after["urls"], after["max_pages"]) == (before["urls"], 2)
    person.window.activateWindow()
    person.click_menu("Edit", "Undo")
    assert config(person) == before


def test_what_is_typed_is_tried_out_while_it_is_typed(qtbot, workshop):
    item = workshop.selectors.item
    item.setFocus()
    QTest.keyClicks(item, ".card")
    qtbot.waitUntil(lambda: "20 matches" in workshop.selectors.state.text(), timeout=WAIT)
    assert list(workshop.marks.items) == numbers(workshop, ".card")
    QTest.mouseClick(workshop.selectors.add, LEFT)
    row = workshop.selectors.fields[0]
    QTest.keyClicks(row.name, "price")
    QTest.keyClick(row.name, Qt.Key.Key_Tab)
    QTest.keyClicks(row.selector, ".price::text")
    qtbot.waitUntil(lambda: row.hits.text() == "20 of 20", timeout=WAIT)
    assert list(workshop.marks.values) == numbers(workshop, ".price")
    assert workshop.rows.table_model.rows[0] == (row.sample.toolTip() or row.sample.text(),)


def test_a_wrong_selector_is_told_under_its_field_with_the_place_and_the_rest_goes_on(qtbot, workshop):
    take_list(qtbot, workshop)
    row = workshop.selectors.fields[1]
    row.selector.setFocus()
    row.selector.selectAll()
    QTest.keyClicks(row.selector, "h2 !a")
    qtbot.waitUntil(row.problem.isVisible, timeout=WAIT)
    assert "▸ !a" in row.problem.text()
    assert row.selector.property("invalid")
    assert "link" not in workshop.rows.table_model.names
    assert workshop.rows.table_model.rowCount() == 20


def test_fields_without_a_name_or_with_that_of_another_one_are_not_taken_over(qtbot, person, workshop):
    before = config(person)
    take_list(qtbot, workshop)
    name = workshop.selectors.fields[1].name
    name.setFocus()
    name.selectAll()
    QTest.keyClicks(name, "price")
    QTest.keyClick(workshop, Qt.Key.Key_Return, CONTROL)
    assert workshop.message.text() == "Two fields are called price."
    assert config(person) == before
    QTest.keyClick(name, Qt.Key.Key_Backspace)
    assert workshop.message.text() == ""
    QTest.keyClick(workshop, Qt.Key.Key_Return, CONTROL)
    assert list(config(person)["fields"])[1:3] == ["pric", "price"]


def test_a_click_in_the_tree_proposes_a_field_and_a_double_click_takes_it(qtbot, workshop):
    workshop.selectors.item.setFocus()
    QTest.keyClicks(workshop.selectors.item, ".card")
    qtbot.waitUntil(lambda: len(workshop.marks.items) == 20, timeout=WAIT)
    click_in_tree(qtbot, workshop, numbers(workshop, ".card .price")[0])
    assert proposed(workshop)["Values of this element, in each item"][0] == ".price::text"
    click_proposal(workshop, ".price::text", twice=True)
    qtbot.waitUntil(lambda: workshop.rows.table_model.rowCount() == 20, timeout=WAIT)
    assert [row.value for row in workshop.selectors.fields] == [("price", ".price::text")]


def test_without_an_item_the_repeated_element_around_is_proposed_and_its_matches_are_marked(qtbot, workshop):
    click_in_tree(qtbot, workshop, numbers(workshop, ".card .price")[0])
    assert ".card" in proposed(workshop)["Repeated elements around it"]
    click_proposal(workshop, ".card")
    qtbot.waitUntil(lambda: list(workshop.marks.values) == numbers(workshop, ".card"), timeout=WAIT)
    QTest.mouseClick(workshop.proposals.use, LEFT)
    qtbot.waitUntil(lambda: len(workshop.marks.items) == 20, timeout=WAIT)
    assert workshop.selectors.item.text() == ".card"


def test_tree_text_source_and_links_show_the_same_element(qtbot, workshop):
    page = workshop.page
    third = numbers(workshop, ".card h2 a")[2]
    page.tabs.setCurrentIndex(SOURCE)
    page.source.reveal(third)
    QTest.mouseClick(page.source.viewport(), LEFT, pos=page.source.position_of(third) + QPoint(6, 0))
    await_offer(qtbot, workshop, third)
    page.tabs.setCurrentIndex(TREE)
    assert page.tree.currentIndex().internalId() == third
    fourth = numbers(workshop, ".card h2 a")[3]
    page.tabs.setCurrentIndex(TEXT)
    page.text.reveal(fourth)
    QTest.mouseClick(page.text.viewport(), LEFT, pos=page.text.position_of(fourth) + QPoint(4, 0))
    assert workshop.marks.current == fourth
    page.tabs.setCurrentIndex(LINKS)
    assert page.link_rows.rows[page.links.currentIndex().row()].number == fourth
    page.tabs.setCurrentIndex(TREE)
    assert page.tree.currentIndex().internalId() == fourth


def test_a_row_leads_to_its_item_and_the_arrows_go_from_item_to_item(qtbot, workshop):
    take_list(qtbot, workshop)
    table = workshop.rows.table
    place = table.visualRect(table.model().index(2, 0)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=place)
    cards = numbers(workshop, ".card")
    assert workshop.marks.current == cards[2]
    QTest.mouseClick(workshop.selectors.next, LEFT)
    assert workshop.marks.current == cards[3]
    assert workshop.selectors.place.text() == "4 of 20"


def test_the_link_to_the_next_page_is_proposed_as_such(qtbot, workshop):
    take_list(qtbot, workshop)
    click_in_tree(qtbot, workshop, numbers(workshop, "a.next")[0])
    (link, *_) = proposed(workshop)["The link to the next page"]
    click_proposal(workshop, link)
    workshop.proposals.tree.setFocus()
    tree = workshop.proposals.tree
    heads = [tree.topLevelItem(at) for at in range(tree.topLevelItemCount())]
    tree.setCurrentItem(next(head for head in heads if head.text(0) == "The link to the next page").child(0))
    QTest.keyClick(tree, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workshop.selectors.next_page.hits.text() == "found", timeout=WAIT)
    assert "::attr(href)" in workshop.selectors.draft().next


def test_texts_are_found_in_the_page(qtbot, workshop):
    QTest.keyClick(workshop, Qt.Key.Key_F, CONTROL)
    line = workshop.page.find.line
    QTest.keyClicks(line, "in stock")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workshop.marks.current is not None, timeout=WAIT)
    first = workshop.marks.current
    assert first == numbers(workshop, ".stock")[0]
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert workshop.marks.current == numbers(workshop, ".stock")[1]
    assert workshop.isVisible()


def test_cancel_leaves_the_node_as_it_was_after_a_question(qtbot, person, workshop):
    before = config(person)
    take_list(qtbot, workshop)
    asked = []

    def answer():
        question = QApplication.activeModalWidget()
        if not isinstance(question, QMessageBox):
            QTimer.singleShot(10, answer)
            return
        asked.append(question.text())
        button = next(each for each in question.findChildren(QPushButton) if each.text() == "Discard")
        QTest.mouseClick(button, LEFT)

    QTimer.singleShot(0, answer)
    QTest.mouseClick(workshop.cancel, LEFT)
    assert asked
    assert person.bench.workshops.dialog is None
    assert config(person) == before


def test_escape_closes_what_nobody_has_changed(person, workshop):
    QTest.keyClick(workshop, Qt.Key.Key_Escape)
    assert person.bench.workshops.dialog is None
    assert not person.bench.document.is_modified


def test_a_page_that_cannot_be_loaded_says_why_and_another_address_is_loaded(qtbot, workshop, site):
    line = workshop.bar.address
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, f"{site.url}/nowhere")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "404" in workshop.page.notice.text.text(), timeout=WAIT)
    line.selectAll()
    QTest.keyClicks(line, f"{site.url}/product/1")
    QTest.mouseClick(workshop.bar.load, LEFT)
    qtbot.waitUntil(lambda: workshop.session.page.response.url.endswith("/product/1"), timeout=WAIT)
    qtbot.waitUntil(workshop.page.tree.isVisible, timeout=WAIT)


def test_a_page_comes_out_of_a_file_and_out_of_the_clipboard(qtbot, person, workshop, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("<ul><li class=row><b>one</b><li class=row><b>two</b></ul>", encoding="utf-8")
    person.answer_file_dialog(file)
    QTest.mouseClick(workshop.bar.open, LEFT)
    qtbot.waitUntil(lambda: "one" in workshop.session.page.source, timeout=WAIT)
    QApplication.clipboard().setText("<p class=hello>Hello</p>")
    QTest.mouseClick(workshop.bar.paste, LEFT)
    qtbot.waitUntil(lambda: "Hello" in workshop.session.page.source, timeout=WAIT)
    assert numbers(workshop, ".hello")


def test_the_page_is_saved_and_opened_again_with_its_address(qtbot, person, workshop, tmp_path):
    file = tmp_path / "kept.html"
    person.answer_file_dialog(file)
    QTest.mouseClick(workshop.save, LEFT)
    qtbot.waitUntil(lambda: workshop.message.text() == "Saved as kept.html.", timeout=WAIT)
    before = workshop.session.page
    person.answer_file_dialog(file)
    QTest.mouseClick(workshop.bar.open, LEFT)
    qtbot.waitUntil(lambda: workshop.session.page is not before, timeout=WAIT)
    assert workshop.session.page.links == before.links


def test_a_test_of_the_page_is_made_and_passes_when_the_site_is_gone(qtbot, person, workshop, site):
    take_list(qtbot, workshop)
    QTest.mouseClick(workshop.test, LEFT)
    qtbot.waitUntil(lambda: workshop.message.text() != "", timeout=WAIT)
    assert workshop.message.text() == "Made the test read page. It runs without the site."
    QTest.mouseClick(workshop.apply, LEFT)
    site.stop()
    tests = person.bench.tests
    qtbot.waitUntil(lambda: [case.folder.name for case in tests.runner.cases] == ["read page"], timeout=WAIT)
    tests.run_all()
    qtbot.waitUntil(lambda: tests.runner.cases[0].state in ("passed", "failed", "error"), timeout=WAIT)
    assert tests.runner.cases[0].state == "passed"


def test_the_menu_opens_it_for_nodes_that_read_pages_only(qtbot, person):
    person.click_menu("Edit", "Selector workshop")
    dialog = person.bench.workshops.dialog
    qtbot.waitUntil(lambda: dialog.session.page is not None, timeout=WAIT)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    person.click_node("keep")
    assert not person.window.findChild(QAction, "workshop").isEnabled()
