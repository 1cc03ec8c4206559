"""The map in the corner: there when something is out of sight, and a way to get there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from etl_studio.ui.canvas.minimap import HEIGHT, MARGIN, WIDTH

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def far(document, view, qtbot):
    """A node in sight and one far to the right below; the map is there."""
    document.add_node("csv_source", 0, 80)
    document.add_node("filter", 4000, 2000)
    qtbot.waitUntil(view.minimap.isVisible)
    return document


def pixel_of(view, node):
    """The middle of a node on the map."""
    return view.minimap.on_map(view.editing.card(node)).center().toPoint()


def test_the_map_is_there_only_while_something_is_out_of_sight(document, view, qtbot):
    assert view.minimap.isHidden()
    document.add_node("csv_source", 0, 80)
    document.add_node("filter", 304, 80)
    view.minimap._renew()
    assert view.minimap.isHidden()

    document.add_node("filter", 9000, 80)
    qtbot.waitUntil(view.minimap.isVisible)
    view.navigation.fit()
    assert view.minimap.isHidden()
    view.navigation.zoom_reset()
    assert view.minimap.isVisible()
    document.remove(["filter_2"])
    view.navigation.fit()
    qtbot.waitUntil(view.minimap.isHidden)


def test_it_stands_in_the_lower_right_corner_and_stays_there(far, view):
    before = view.minimap.geometry()
    view.navigation.scroll(QPoint(70, 30))

    room = view.viewport().rect()
    assert before.size().toTuple() == (WIDTH, HEIGHT)
    assert (room.right() - before.right(), room.bottom() - before.bottom()) == (MARGIN, MARGIN)
    assert view.minimap.geometry() == before
    view.resize(700, 500)
    corner = view.viewport().rect().bottomRight() - view.minimap.geometry().bottomRight()
    assert corner == QPoint(MARGIN, MARGIN)


def test_a_click_brings_what_is_there_into_sight_and_edits_nothing(far, view):
    count = far.undo_stack.count()

    QTest.mouseClick(view.minimap, LEFT, pos=pixel_of(view, "filter"))

    assert view.navigation.sight().contains(view.editing.card("filter"))
    assert far.undo_stack.count() == count


def test_the_sight_is_dragged_without_a_jump(far, view):
    sight = view.minimap.on_map(view.navigation.sight())
    grabbed = (sight.center() + QPointF(3, 2)).toPoint()
    before = view.navigation.sight().center()

    QTest.mousePress(view.minimap, LEFT, pos=grabbed)
    jump = view.navigation.sight().center() - before
    QTest.mouseMove(view.minimap, grabbed + QPoint(20, 10))
    moved = view.navigation.sight().center() - before
    QTest.mouseRelease(view.minimap, LEFT, pos=grabbed + QPoint(20, 10))
    QTest.mouseMove(view.minimap, grabbed)

    assert abs(jump.x()) < 30
    assert 300 < moved.x() < 700
    assert view.navigation.sight().center() - before == moved, "after the release nothing follows"


def test_each_node_is_drawn_in_the_colour_of_its_group_and_the_chosen_one_in_another(far, view, theme):
    view.minimap.repaint()
    image = view.minimap.grab().toImage()
    filter_colour = image.pixelColor(pixel_of(view, "filter"))
    view.pipeline_scene.choose(["filter"])
    view.minimap._renew()
    chosen = view.minimap.grab().toImage().pixelColor(pixel_of(view, "filter"))

    assert filter_colour != image.pixelColor(QPoint(WIDTH // 2, 12))
    assert chosen.name() == theme.tokens.accent


def test_switched_off_it_stays_away(far, view):
    view.minimap.on = False
    assert view.minimap.isHidden()
    view.navigation.scroll(QPoint(10, 10))
    assert view.minimap.isHidden()
    view.minimap.on = True
    assert view.minimap.isVisible()


def test_many_changes_draw_the_map_once(document, view, qtbot, monkeypatch):
    drawn = []
    monkeypatch.setattr(view.minimap, "_draw_cards", lambda draw=view.minimap._draw_cards: drawn.append(1) or draw())
    document.add_node("csv_source", 0, 80)
    for number in range(40):
        document.add_node("filter", 400 * number, 2000)
    qtbot.waitUntil(lambda: view.minimap.isVisible() and bool(drawn))

    assert len(drawn) <= 2
