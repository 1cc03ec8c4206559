"""A test is made of what a preview shows."""

from __future__ import annotations

import json

import pytest

from etl_studio.app.pins import Pins
from etl_studio.app.pipeline_tests import run_case
from etl_studio.app.previews import Previews
from etl_studio.app.recording import record_preview
from etl_studio.app.studio import Studio
from etl_studio.errors import UsageError

PIPELINE = """\
etl_studio: 1
parameters: {least: {type: integer, default: 1}}
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  typed: {type: derive, config: {columns: {day: day::DATE}}}
  keep: {type: filter, config: {where: "qty > ${least}"}}
  sum: {type: aggregate, config: {by: [shop], measures: {total: sum(qty)}}}
  save: {type: csv_sink, config: {path: out.csv}}
  drawn: {type: sql, config: {query: 'SELECT *, random() AS x FROM input'}}
wires: [read -> typed, typed -> keep, keep -> sum, sum -> save, read -> drawn]
"""


@pytest.fixture
def shop(tmp_path):
    """``shop("keep")`` makes a test; ``shop.passes(folder)`` runs one."""
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    (tmp_path / "orders.csv").write_text(
        "id,shop,qty,day\n1,a,1,2026-01-01\n2,b,2,soon\n3,a,3,2026-01-03\n4,b,4,2026-01-04\n"
    )

    class Shop:
        def __init__(self, studio):
            self.studio, self.file, self.previews = studio, file, Previews(studio)
            self.pipeline = studio.load(file)

        def __call__(self, node, **more):
            return record_preview(self.previews, self.pipeline, node, file=file, **more)

        def passes(self, folder):
            return run_case(self.studio, self.pipeline, folder, file=file).status == "passed"

    with Studio() as studio:
        yield Shop(studio)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_given_and_expected_rows_are_kept_and_the_test_needs_no_source(shop):
    folder = shop("keep")
    assert folder == shop.file.parent / "shop.tests" / "keep"
    assert names(folder) == ["expected/keep.json", "given/read.json"]
    (shop.file.parent / "orders.csv").unlink()
    assert shop.passes(folder)
    shop.pipeline.nodes["keep"].config["where"] = "true"
    assert not shop.passes(folder)


def test_refused_rows_are_expected_too(shop):
    folder = shop("typed")
    assert names(folder) == ["expected/typed.json", "expected/typed.rejects.json", "given/read.json"]
    assert len(json.loads((folder / "expected" / "typed.rejects.json").read_text())["rows"]) == 1


def test_at_a_sink_the_rows_that_would_be_loaded_are_expected(shop):
    folder = shop("save")
    assert names(folder) == ["case.yaml", "expected/save.json", "given/read.json"]
    assert not (shop.file.parent / "out.csv").exists()


def test_groups_may_come_in_any_order(shop):
    assert "any_order" in (shop("sum") / "case.yaml").read_text()


def test_pinned_rows_are_given_in_place_of_the_source(shop):
    sample = shop.previews.look(shop.pipeline, "typed", file=shop.file).sample
    Pins(shop.file).write("typed", shop.studio.registry.get("derive"), sample)
    folder = shop("keep")
    assert names(folder) == ["expected/keep.json", "given/typed.json", "given/typed.rejects.json"]


def test_values_of_parameters_are_kept(shop):
    folder = shop("keep", parameters={"least": "3"})
    assert len(json.loads((folder / "expected" / "keep.json").read_text())["rows"]) == 1
    assert shop.passes(folder)


def test_a_second_test_of_a_node_has_a_name_of_its_own(shop):
    assert [shop("keep").name, shop("keep").name] == ["keep", "keep 2"]


def test_rows_that_differ_each_time_make_no_test(shop):
    with pytest.raises(UsageError, match="differently each time"):
        shop("drawn")
    assert not (shop.file.parent / "shop.tests" / "drawn").exists()


def test_rows_that_are_only_read_make_no_test(shop):
    with pytest.raises(UsageError, match="given, not made"):
        shop("read")
