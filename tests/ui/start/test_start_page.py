"""The page at the start: what it offers, by mouse and by keyboard."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.app.templates import TEMPLATES, template_file
from etl_studio.ui.start.page import short_folder, when

LEFT = Qt.MouseButton.LeftButton
NOW = datetime(2026, 11, 25, 14, 3).astimezone()


def focused(page):
    return page.focusWidget().accessibleName() or page.focusWidget().text()


def test_every_template_is_a_card_with_its_picture_and_what_it_does(make_page):
    page = make_page()

    assert [card.path for card in page.cards] == [template_file(name) for name in TEMPLATES]
    assert page.cards[0].accessibleName() == "Scrape a shop"
    assert "one row for each product" in page.cards[0].accessibleDescription()
    assert len(page.cards[0].picture.places()) == 5


def test_a_picture_shows_its_nodes_inside_and_apart(make_page):
    for width in (940, 1200):
        page = make_page(width)
        for card in page.cards:
            places = list(card.picture.places().values())
            assert all(card.picture.rect().adjusted(13, 13, -13, -13).contains(place.toPoint()) for place in places)
            assert all(
                (one - other).manhattanLength() > 30 for n, one in enumerate(places) for other in places[n + 1 :]
            )


def test_a_click_on_a_card_wants_its_template(make_page, qtbot):
    page = make_page()

    with qtbot.waitSignal(page.template_wanted) as wanted:
        QTest.mouseClick(page.cards[3], LEFT)

    assert wanted.args == [template_file("clean_a_csv")]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_arrow_keys_go_to_a_card_and_a_key_chooses_it(make_page, qtbot, key):
    page = make_page()
    QTest.keyClick(page.focusWidget(), Qt.Key.Key_Right)
    QTest.keyClick(page.focusWidget(), Qt.Key.Key_Down)
    assert focused(page) == "Merge two files"

    with qtbot.waitSignal(page.template_wanted) as wanted:
        QTest.keyClick(page.focusWidget(), key)

    assert wanted.args == [template_file("merge_two_files")]


def test_tab_goes_through_cards_files_examples_and_buttons(make_page, recent, tmp_path):
    recent.add(tmp_path / "orders.etl.yaml")
    page = make_page()
    seen = [focused(page)]
    for _ in range(13):
        QTest.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
        seen.append(focused(page))

    assert seen[:8] == [*(card.accessibleName() for card in page.cards), "orders"]
    assert seen[8:] == ["Airports", "Shop", "Shop API", "Take the tour", "Open…", "New pipeline"]


def test_a_file_that_is_gone_is_told_cannot_be_opened_and_can_be_taken_out(make_page, recent, tmp_path, qtbot):
    here, gone = tmp_path / "here.etl.yaml", tmp_path / "gone.etl.yaml"
    here.write_text("etl_studio: 1\n")
    for path in (gone, here):
        recent.add(path)
    page = make_page()
    first, second = page.recent_rows

    assert (first.missing, second.missing) == (False, True)
    assert "not found" in second.accessibleDescription()
    with qtbot.assertNotEmitted(page.file_wanted):
        QTest.mouseClick(second, LEFT)
    with qtbot.waitSignal(page.file_wanted) as wanted:
        QTest.mouseClick(first, LEFT)
    assert wanted.args == [here]

    QTest.mouseClick(second.cross, LEFT)
    assert [row.accessibleName() for row in page.recent_rows] == ["here"]
    assert [entry.path for entry in recent.entries()] == [here]


def test_delete_takes_a_file_out_of_the_list(make_page, recent, tmp_path):
    recent.add(tmp_path / "orders.etl.yaml")
    page = make_page()
    page.recent_rows[0].setFocus()

    QTest.keyClick(page.recent_rows[0], Qt.Key.Key_Delete)

    assert page.recent_rows == []
    assert page._nothing.isVisible(), "an empty list says what will be there"
    assert page.focusWidget().hasFocus()


def test_examples_say_what_they_show_and_are_chosen_by_a_click(make_page, qtbot):
    page = make_page()
    assert [row.accessibleName() for row in page.example_rows] == ["Airports", "Shop", "Shop API"]

    with qtbot.waitSignal(page.example_wanted) as wanted:
        QTest.mouseClick(page.example_rows[0], LEFT)

    assert wanted.args[0].name == "airports.etl.yaml"


def test_the_buttons_want_a_new_pipeline_a_file_and_the_tour(make_page, qtbot):
    page = make_page()
    for button, signal in ((page.new, page.new_wanted), (page.open, page.open_wanted), (page.tour, page.tour_wanted)):
        with qtbot.waitSignal(signal):
            QTest.mouseClick(button, LEFT)


@pytest.mark.parametrize(("width", "columns"), [(860, 2), (1024, 3), (1440, 3)])
def test_cards_stand_side_by_side_as_far_as_there_is_room(make_page, width, columns):
    page = make_page(width)

    assert len({card.x() for card in page.cards}) == columns
    assert page.widget().width() <= page.viewport().width(), "nothing is cut off at the right"


def test_a_time_is_told_as_people_tell_it():
    assert when(None, NOW) == ""
    assert when(NOW - timedelta(hours=2), NOW) == "12:03"
    assert when(NOW - timedelta(days=1), NOW) == "Yesterday"
    assert when(NOW - timedelta(days=3), NOW) == "Sunday"
    assert when(NOW - timedelta(days=30), NOW) == "26 Oct"
    assert when(NOW - timedelta(days=400), NOW) == "21 Oct 2025"


def test_the_persons_own_folder_is_written_short(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)

    assert short_folder(tmp_path / "data" / "orders") == str(Path("~/data/orders"))
    assert short_folder(tmp_path.parent) == str(tmp_path.parent)
