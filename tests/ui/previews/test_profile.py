"""What is in the columns stands above them; a click tells all that is known."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from etl_studio.engine.profile import profile
from etl_studio.ui.previews.figures import as_text, facts, figure, nulls, spread

LEFT = Qt.MouseButton.LeftButton
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def of(values, kind=None):
    return profile(pa.table({"c": pa.array(values, kind)}))[0]


@pytest.fixture
def profiled(qtbot, panel):
    """The panel with the rows of the source and their profile."""
    with qtbot.waitSignal(panel.table.profiled):
        panel.show_node("csv")
    return panel


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1, 2_000], "1 \N{EN DASH} 2,000"),
        ([0.5, 1.25], "0.5 \N{EN DASH} 1.25"),
        (["a", "b", "a"], "2 values"),
        (["a", "b"], "all different"),
        (["a", "a"], "only a"),
        ([None], "no values"),
        ([NOON, NOON + dt.timedelta(hours=2)], "on 2026-01-01"),
        (
            [dt.datetime(2026, 1, 1, 5, tzinfo=dt.UTC), dt.datetime(2026, 1, 3, 6, tzinfo=dt.UTC)],
            "2026-01-01 \N{EN DASH} 2026-01-03",
        ),
    ],
)
def test_the_spread_of_a_column_is_told_in_few_words(values, text):
    assert spread(of(values)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567, "1,234,567"), (0.1 + 0.2, "0.3"), (1e9, "1e+09"), (0.00001, "1e-05"), (0.0, "0"), (True, "true")],
)
def test_figures_are_short(value, text):
    assert figure(value) == text


def test_missing_values_are_told_as_a_share():
    assert [nulls(of(values)) for values in ([1], [1, None], [None] + [1] * 999)] == ["", "50 % null", "<1 % null"]


def test_the_profile_follows_the_rows(profiled):
    assert [one.name for one in profiled.table.profile.profiles] == ["id", "qty"]
    assert profiled.table.profile.profiles[1].mean == 7.0


def test_the_profile_of_other_rows_is_not_shown_meanwhile(qtbot, profiled):
    profiled.show_node("filter")
    assert profiled.table.profile.profiles == ()
    with qtbot.waitSignal(profiled.table.profiled):
        pass
    assert profiled.table.profile.profiles[1].low == 7


def test_a_click_on_a_header_opens_all_that_is_known_and_copies_it(qtbot, profiled):
    header = profiled.table.profile
    at = QPoint(header.sectionViewportPosition(1) + 5, header.height() // 2)
    QTest.mouseClick(header.viewport(), LEFT, pos=at)
    card = profiled.table.card

    assert card.isVisible()
    QTest.mouseClick(card.copy, LEFT)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("qty\tinteger\nOf\tall 3 rows\nRows\t3\n")
    assert "Mean\t7" in text
    qtbot.waitUntil(lambda: profiled.table.card is None)


def test_the_keyboard_opens_the_facts_of_the_current_column(qtbot, profiled):
    profiled.table.setFocus()
    profiled.table.setCurrentIndex(profiled.model.index(0, 1))
    QTest.keyClick(profiled.table, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert profiled.table.card._profile.name == "qty"
    QTest.keyClick(profiled.table.card, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: profiled.table.card is None)


def test_without_charts_the_rows_have_more_room(qtbot, profiled):
    high = profiled.table.profile.height()
    QTest.mouseClick(profiled.bar.charts, LEFT)
    qtbot.waitUntil(lambda: profiled.table.profile.height() < high)


def test_the_facts_of_texts_and_numbers_have_their_own_words():
    assert dict(facts(of(["b", "a", None])))["First"] == "a"
    assert dict(facts(of([3, 1])))["Smallest"] == "1"
    assert dict(facts(of([None, 1])))["Missing"] == "1 (50 %)"
    assert as_text(of(["x", "x"]), "all 2 rows").endswith("x\t2")
