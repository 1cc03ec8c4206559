"""Rows that are kept at a node stand in its place in previews, and never in a run."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from etl_studio.app.pins import Pins
from etl_studio.app.previews import Previews
from etl_studio.app.studio import Studio
from etl_studio.engine.samples import Sample
from etl_studio.errors import PipelineError, UsageError

PIPELINE = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  typed: {type: derive, config: {columns: {day: day::DATE}}}
  keep: {type: filter, config: {where: qty > 1}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [read -> typed, typed -> keep, keep -> save]
"""


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def file(tmp_path):
    (tmp_path / "orders.csv").write_text("id,qty,day\n1,1,2026-01-01\n2,2,soon\n3,3,2026-01-03\n")
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    return file


@pytest.fixture
def pins(file):
    return Pins(file)


@pytest.fixture
def look(studio, file):
    previews, pipeline = Previews(studio), studio.load(file)
    look = lambda node, **more: previews.look(pipeline, node, file=file, **more)  # noqa: E731
    look.pipeline = pipeline
    return look


def type_of(studio, name):
    return studio.registry.get(name)


def ids(preview):
    return next(iter(preview.sample.ports.values())).column("id").to_pylist()


@pytest.fixture
def pinned(studio, pins, look):
    """The rows of ``typed`` are pinned, a refused one among them."""
    sample = look("typed").sample
    pins.write("typed", type_of(studio, "derive"), sample)
    return sample


def test_pinned_rows_are_read_back_as_they_were_at_every_port(studio, pins, pinned):
    found = pins.read("typed", type_of(studio, "derive"))
    assert found.pinned
    assert found.ports["out"].equals(pinned.ports["out"])
    assert found.ports["rejects"].equals(pinned.ports["rejects"])
    assert {path.name for path in pins.folder.iterdir()} == {"typed.json", "typed.rejects.json"}
    assert pins.nodes() == {"typed"}


def test_every_type_survives(studio, pins):
    table = pa.table(
        {
            "text": ["ä", None, ""],
            "number": [0.1, None, float("inf")],
            "price": pa.array([Decimal("1.10"), None, Decimal("2.00")], pa.decimal128(10, 2)),
            "at": pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None, None], pa.timestamp("us", tz="UTC")),
            "tags": pa.array([["a"], None, []], pa.list_(pa.string())),
        }
    )
    pins.write("node", type_of(studio, "filter"), Sample({"out": table}))
    assert pins.read("node", type_of(studio, "filter")).ports["out"].equals(table)


def test_nothing_before_a_pinned_node_is_read_or_checked(file, look, pinned):
    (file.parent / "orders.csv").unlink()
    look.pipeline.nodes["read"].type = "unknown"
    found = look("keep")
    assert ids(found) == [3]
    assert found.samples.keys() == {"typed", "keep"}
    assert found.samples["typed"].pinned
    assert not found.sample.pinned


def test_a_source_that_asks_another_machine_need_not_be_asked(look, pinned):
    look.pipeline.nodes["read"].type = "rest_source"
    look.pipeline.nodes["read"].config = {"url": "http://127.0.0.1:1/"}
    assert look("keep", ask=False).unasked == ()


def test_a_run_reads_the_source_whatever_is_pinned(studio, file, pins, pinned):
    pins.edit("typed", 0, "qty", "50")
    workspace = file.parent / ".etl_studio"
    ended = studio.prepare(studio.load(file), file=file, parameters={}, workspace=workspace).execute()
    assert ended.nodes["read"].rows_out == 3
    assert (file.parent / "out.csv").read_text().splitlines()[1:] == ["3,3,2026-01-03"]


def test_an_edited_value_is_seen_at_once(look, pins, pinned):
    assert ids(look("keep")) == [3]
    pins.edit("typed", 0, "qty", "2")
    assert ids(look("keep")) == [1, 3]
    pins.edit("typed", 0, "qty", "null")
    assert look("typed").sample.ports["out"].column("qty").to_pylist() == [None, 3]


def test_a_value_of_another_type_is_refused_and_nothing_changes(pins, pinned):
    before = (pins.folder / "typed.json").read_bytes()
    with pytest.raises(UsageError, match="integer"):
        pins.edit("typed", 0, "qty", "many")
    assert (pins.folder / "typed.json").read_bytes() == before


def test_a_node_without_its_pins_runs_again(look, pins, pinned):
    pins.edit("typed", 1, "id", "33")
    assert ids(look("keep")) == [33]
    pins.remove("typed")
    assert ids(look("keep")) == [3]
    assert not pins.folder.exists()


def test_pins_follow_their_node_and_leave_those_of_others(studio, pins, pinned):
    pins.write("typed_2", type_of(studio, "filter"), Sample({"out": pa.table({"n": [1]})}))
    pins.rename("typed", "dated")
    assert {path.name for path in pins.folder.iterdir()} == {"dated.json", "dated.rejects.json", "typed_2.json"}
    assert pins.nodes() == {"dated", "typed_2"}


def test_pins_of_a_disabled_node_are_not_used(look, pinned):
    look.pipeline.nodes["typed"].disabled = True
    assert ids(look("keep")) == [2, 3]


def test_a_pipeline_without_a_file_cannot_pin(studio):
    with pytest.raises(UsageError, match="Save the pipeline first"):
        Pins(None).write("node", type_of(studio, "filter"), Sample({"out": pa.table({"n": [1]})}))
    assert Pins(None).nodes() == frozenset()


def test_what_arrives_at_a_sink_is_pinned_at_the_node_before(studio, pins, look):
    with pytest.raises(UsageError, match="node before"):
        pins.write("save", type_of(studio, "csv_sink"), look("save").sample)


def test_a_file_that_holds_no_rows_is_told_by_its_name(pins, look, pinned):
    (pins.folder / "typed.json").write_text("nothing")
    with pytest.raises(UsageError, match=r"typed\.json"):
        look("keep")


def test_a_node_of_an_unknown_type_cannot_give_its_pins(look, pinned):
    look.pipeline.nodes["typed"].type = "nonsense"
    with pytest.raises((UsageError, PipelineError), match="nonsense"):
        look("keep")
