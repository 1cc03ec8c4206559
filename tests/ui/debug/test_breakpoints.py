"""Breakpoints belong to a file, follow its nodes, and stay out of it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings

from etl_studio.engine.breakpoints import Breakpoint
from etl_studio.pipeline.model import Wire
from etl_studio.ui.debug.breakpoints import Breakpoints
from etl_studio.ui.debug.marks import Dot, Frame


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def breakpoints(document, settings):
    names = [document.add_node("csv_source", 0, 0), document.add_node("filter", 300, 0)]
    assert names == ["csv", "filter"]
    assert document.connect_ports(Wire("csv", "out", "filter", "input")) is None
    return Breakpoints(document, settings)


WIRE = "csv.out -> filter.input"


def test_they_come_back_with_their_file_and_are_not_in_it(document, breakpoints, settings, tmp_path):
    breakpoints.put(Breakpoint(node="filter", condition="n > 1", enabled=False))
    breakpoints.toggle(WIRE)
    document.save(tmp_path / "one.etl.yaml")
    kept = breakpoints.all()

    document.new()
    assert breakpoints.all() == ()
    document.load(tmp_path / "one.etl.yaml")

    assert breakpoints.all() == kept == (
        Breakpoint(node="filter", condition="n > 1", enabled=False), Breakpoint(wire=WIRE),
    )  # fmt: skip
    assert "n > 1" not in (tmp_path / "one.etl.yaml").read_text()


def test_they_follow_a_node_that_is_renamed_and_back(document, breakpoints):
    breakpoints.toggle("filter")
    breakpoints.toggle(WIRE)

    document.rename_node("filter", "dear")
    assert {one.place for one in breakpoints.all()} == {"dear", "csv.out -> dear.input"}

    document.undo_stack.undo()
    assert {one.place for one in breakpoints.all()} == {"filter", WIRE}


def test_that_of_a_deleted_node_comes_back_with_it(document, breakpoints):
    breakpoints.toggle("filter")

    document.remove(["filter"])
    assert breakpoints.all() == ()

    document.undo_stack.undo()
    assert breakpoints.all() == (Breakpoint(node="filter"),)


def test_settings_of_another_version_are_no_reason_not_to_open_a_file(document, breakpoints, settings, tmp_path):
    breakpoints.toggle("filter")
    document.save(tmp_path / "one.etl.yaml")
    (key,) = [key for key in settings.allKeys() if key.startswith("breakpoints/")]
    settings.setValue(key, '[{"line": 3}]')

    document.load(tmp_path / "one.etl.yaml")

    assert breakpoints.all() == ()


def test_dots_stand_on_cards_and_wires_and_go_with_them(document, breakpoints, view, theme):
    from etl_studio.ui.debug.marks import CanvasMarks

    marks = CanvasMarks(view.pipeline_scene, breakpoints, theme)

    def count(kind):
        return sum(isinstance(item, kind) for item in view.pipeline_scene.items())

    breakpoints.toggle("filter")
    breakpoints.toggle(WIRE)
    assert count(Dot) == 2
    marks.show_halts({WIRE: "filter"})
    assert (count(Dot), count(Frame)) == (2, 1)
    before = next(iter(marks._dots.values())).scenePos()
    document.move({"filter": (400, 200)})
    document.remove(["csv"])
    assert count(Dot) == 1
    document.undo_stack.undo()
    assert count(Dot) == 2
    assert before not in [dot.scenePos() for dot in marks._dots.values()]
    breakpoints.clear()
    marks.show_halts({})
    assert (count(Dot), count(Frame)) == (0, 0)
