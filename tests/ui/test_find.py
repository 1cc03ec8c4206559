"""Find in the pipeline: in titles, settings, columns, parameters and notes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.pipeline.model import Group, Note, Parameter
from etl_studio.ui.find_popup import FindPopup
from etl_studio.ui.pipeline_search import search_pipeline


@pytest.fixture
def filled(document):
    document.add_node("csv_source", 0, 0, {"path": "orders.csv"})
    document.add_node("filter", 300, 0, {"where": "quantity >= ${minimum} AND status <> 'returned'"})
    document.add_node("sqlite_sink", 600, 0, {"table": "big_orders"})
    document.set_title("filter", "Large orders")
    document.set_policy("filter", {"retry": {"attempts": 9}, "on_error": "dead_letter"})
    document.set_parameters({"minimum": Parameter("minimum", "integer", 5, "The least quantity.")})
    document.set_description("Keeps what is worth keeping.")
    return document


def columns(node):
    return {"filter": ["order_id", "quantity"]}.get(node, ())


def places(document, query):
    found = search_pipeline(query, document.pipeline, document.registry, columns)
    return [(one.node, one.field, one.where, one.text) for one in found]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("large", ("filter", "", "title", "Large orders")),
        ("big_ORDERS", ("sqlite", "config.table", "Table", "big_orders")),
        ("returned", ("filter", "config.where", "Condition", "quantity >= ${minimum} AND status <> 'returned'")),
        ("order_id", ("filter", "", "column", "order_id")),
        ("attempts 9", ("filter", "policy.retry", "policy, retry", "attempts: 9")),
        ("least", ("", "parameters.minimum", "parameter", "minimum, The least quantity., 5")),
        ("worth", ("", "description", "description", "Keeps what is worth keeping.")),
        ("csv_source", ("csv", "", "type", "CSV file (csv_source)")),
    ],
)
def test_a_text_is_found_wherever_it_stands(filled, query, wanted):
    assert wanted in places(filled, query)


def test_every_word_must_be_there_and_nothing_is_found_for_no_word(filled):
    assert places(filled, "large xylophone") == []
    assert places(filled, "   ") == []


def test_a_long_text_is_cut_around_the_word(filled):
    filled.set_setting("filter", "where", "a = 1 AND " * 40 + "needle = 2" + " AND b = 3" * 40)
    ((_, _, _, text),) = places(filled, "needle")

    assert "needle" in text
    assert len(text) < 100


def test_notes_and_groups_are_found(filled):
    notes = {"n1": Note("n1", "Ask **Ada** about returns")}
    pipeline = replace(filled.pipeline, notes=notes, groups={"g": Group("g", "Preparing", ["filter"])})

    (note,) = search_pipeline("ada", pipeline, filled.registry)
    (group,) = search_pipeline("preparing", pipeline, filled.registry)
    assert (note.note, note.where) == ("n1", "note")
    assert (group.node, group.where) == ("filter", "group")


def test_the_popup_lists_places_while_typing_and_return_goes_there(filled, qtbot):
    popup = FindPopup(filled, columns)
    popup.show()
    assert "Type a word" in popup.count.text()
    QTest.keyClicks(popup.field, "quantity")
    rows = [
        [popup.results.topLevelItem(row).text(column) for column in range(2)]
        for row in range(popup.results.topLevelItemCount())
    ]
    assert rows == [["Large orders", "Condition"], ["Large orders", "column"], ["Pipeline", "parameter"]]
    assert popup.count.text() == "3 places"

    QTest.keyClick(popup.field, Qt.Key.Key_Down)
    QTest.keyClick(popup.field, Qt.Key.Key_Up)
    with qtbot.waitSignal(popup.place_wanted) as wanted:
        QTest.keyClick(popup.field, Qt.Key.Key_Return)
    assert (wanted.args[0].node, wanted.args[0].field) == ("filter", "config.where")


def test_the_popup_says_when_a_text_occurs_nowhere(filled, qtbot):
    popup = FindPopup(filled, columns)
    popup.show()
    QTest.keyClicks(popup.field, "xylophone")

    assert "“xylophone” occurs nowhere." in popup.count.text()
    QTest.keyClick(popup.field, Qt.Key.Key_Return)
    assert popup.isVisible(), "there is nowhere to go"
    popup.close()
