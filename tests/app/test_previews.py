"""Rows at nodes while a pipeline is designed: computed once, from no more than a sample, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from etl_studio.app.previews import Previews
from etl_studio.app.studio import Studio
from etl_studio.demo import DemoSite
from etl_studio.engine.samples import Sample, SampleCache
from etl_studio.errors import PermanentError, PipelineError, UsageError
from etl_studio.pipeline.model import Wire

PIPELINE = """\
etl_studio: 1
parameters: {least: {type: integer, default: 2}, unused: {type: text}}
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  double: {type: derive, config: {columns: {twice: qty * 2}}}
  keep: {type: filter, config: {where: "qty >= ${least}"}}
  typed: {type: derive, config: {columns: {day: "strptime(day, '%d.%m.%Y')::DATE"}}}
  save: {type: sqlite_sink, config: {table: orders}}
  bad: {type: csv_sink, config: {path: bad.csv}}
  other: {type: filter, config: {where: nonsense(}}
wires: [read -> double, double -> keep, keep -> typed, typed -> save, typed.rejects -> bad, read -> other]
"""
ORDERS = "id,qty,day\n1,1,01.02.2026\n2,2,02.02.2026\n3,3,soon\n4,4,04.02.2026\n"


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def previews(studio):
    return Previews(studio)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "orders.csv").write_text(ORDERS)
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    return file


@pytest.fixture
def look(studio, previews, file):
    """``look("keep")``; changes of ``look.pipeline`` are seen by the next one."""

    class Looker:
        pipeline = studio.load(file)

        def __call__(self, node, **more):
            return previews.look(self.pipeline, node, file=file, **more)

        def set(self, node, **config):
            self.pipeline.nodes[node].config.update(config)

    return Looker()


def out(preview):
    return preview.sample.ports["out"].to_pylist()


def test_a_look_shows_the_rows_at_every_port_with_the_reasons_of_rejects(look):
    found = look("typed").sample
    assert [str(row["day"]) for row in found.ports["out"].to_pylist()] == ["2026-02-02", "2026-02-04"]
    (refused,) = found.ports["rejects"].to_pylist()
    assert (refused["id"], refused["_error_type"]) == (3, "invalid_value")
    assert "soon" in refused["_error"]
    assert not found.cut


def test_at_a_sink_the_rows_that_arrive_are_shown_and_nothing_is_written(look, file):
    assert look("save").sample.ports["input"].column("id").to_pylist() == [2, 4]
    assert look("bad").sample.ports["input"].column("id").to_pylist() == [3]
    assert {path.name for path in file.parent.iterdir()} == {"orders.csv", "shop.etl.yaml"}


def test_a_change_runs_only_what_follows_it(look):
    assert look("typed").computed == ("read", "double", "keep", "typed")
    assert look("typed").computed == ()
    look.set("keep", where="qty >= 3")
    assert look("typed").computed == ("keep", "typed")
    look.pipeline.parameters["least"].default = 4
    assert look("typed").computed == ()


def test_a_parameter_that_a_node_uses_is_part_of_its_key(look):
    look("keep")
    assert look("keep", parameters={"least": "3"}).computed == ("keep",)
    assert [row["id"] for row in out(look("keep", parameters={"least": "3"}))] == [3, 4]


def test_a_parameter_without_a_value_matters_only_where_it_is_used(look):
    look("keep")
    look.set("keep", where="day <> ${unused}")
    with pytest.raises(UsageError, match='"unused" has no value'):
        look("keep")


def test_back_to_earlier_settings_is_known_already(look):
    look("keep")
    look.set("keep", where="false")
    look("keep")
    look.set("keep", where="qty >= ${least}")
    assert look("keep").computed == ()


def test_a_file_that_changed_is_read_again(look, file):
    look("double")
    (file.parent / "orders.csv").write_text("id,qty,day\n9,9,01.01.2026\n")
    found = look("double")
    assert found.computed == ("read", "double")
    assert [row["twice"] for row in out(found)] == [18]


def test_a_cached_sample_gives_the_same_as_a_cold_one(look, studio, file):
    look("keep")
    warm = look("typed").sample
    cold = Previews(studio).look(look.pipeline, "typed", file=file).sample
    assert warm == cold


def test_a_mistake_elsewhere_is_no_obstacle_and_one_before_the_node_is_told(look):
    assert look("keep").sample is not None
    with pytest.raises(PipelineError) as refused:
        look("other")
    assert refused.value.problems[0].node == "other"
    look.set("double", columns={"twice": "quantity * 2"})
    with pytest.raises(PermanentError, match=r"double: .*quantity"):
        look("typed")
    assert look("typed", compute=False).samples.keys() == {"read"}


def test_rejects_reach_the_other_branch_only_where_the_policy_sends_them(look):
    look.pipeline.nodes["typed"].policy["on_error"] = "dead_letter"
    assert look("typed").sample.ports["rejects"].num_rows == 1
    assert look("bad").sample.ports["input"].num_rows == 0


def test_a_disabled_node_lets_its_rows_pass(look):
    look.pipeline.nodes["keep"].disabled = True
    assert look("keep").sample == look("double").sample.__class__({"out": look("double").sample.ports["out"]})
    assert look("typed").sample.ports["out"].column("id").to_pylist() == [1, 2, 4]
    look.pipeline.nodes["read"].disabled = True
    with pytest.raises(UsageError, match="read: It is disabled"):
        look("read")
    with pytest.raises(UsageError, match="Only disabled nodes feed it"):
        look("typed")


def test_what_a_sink_refuses_is_not_guessed(look):
    look.pipeline.wires[-2] = Wire("save", "rejects", "bad", "input")
    with pytest.raises(UsageError, match='"save" tells only when it loads'):
        look("bad")


def test_the_sample_is_as_large_as_one_wants(look, file):
    (file.parent / "orders.csv").write_text("id,qty,day\n" + "1,5,01.01.2026\n" * 500)
    assert look("keep").sample.ports["out"].num_rows == 200
    assert look("keep").sample.cut == {"read"}
    assert look("keep", rows=1000).sample.ports["out"].num_rows == 500
    assert look("keep", rows=1000).sample.cut == set()


def test_a_join_that_multiplies_rows_ends_at_ten_times_the_sample(studio, previews, tmp_path):
    file = tmp_path / "many.yaml"
    file.write_text(
        "etl_studio: 1\nnodes:\n"
        "  a: {type: generate_source, config: {rows: 200, columns: {k: '1', a: i}}}\n"
        "  b: {type: generate_source, config: {rows: 200, columns: {k: '1', b: i}}}\n"
        "  both: {type: join, config: {on: [k]}}\n"
        "wires: [a -> both.left, b -> both.right]\n"
    )
    found = previews.look(studio.load(file), "both", file=file).sample
    assert found.ports["out"].num_rows == 2_000
    assert "both" in found.cut


def test_of_a_large_file_only_the_beginning_is_read(look, file, monkeypatch):
    large = file.parent / "orders.csv"
    large.write_text("id,qty,day\n" + "1,5,01.01.2026\n" * 4_000_000)
    read = []
    opened = Path.open

    def counting(path, *mode, **more):
        stream = opened(path, *mode, **more)
        if path.name == "orders.csv":
            plain = stream.read

            class Counting:
                def __getattr__(self, name):
                    return getattr(stream, name)

                def __enter__(self):
                    return self

                def __exit__(self, *_):
                    stream.close()

                def read(self, size=-1):
                    data = plain(size)
                    read.append(len(data))
                    return data

            return Counting()
        return stream

    monkeypatch.setattr(Path, "open", counting)
    assert look("keep").sample.ports["out"].num_rows == 200
    assert 0 < sum(read) < large.stat().st_size / 8


def test_rows_that_come_slowly_in_a_run_are_not_waited_for(studio, previews, tmp_path):
    file = tmp_path / "slow.yaml"
    file.write_text(
        "etl_studio: 1\nnodes: {sensor: {type: generate_source, config: {rows: 500, rows_per_second: 0.01}}}\n"
    )
    assert previews.look(studio.load(file), "sensor", file=file).sample.ports["out"].num_rows == 200


@pytest.fixture
def shop(studio, tmp_path):
    """A pipeline over a site of 45 products on 23 pages, and the site."""
    with DemoSite(products=45) as site:
        file = tmp_path / "api.yaml"
        file.write_text(
            "etl_studio: 1\nnodes:\n"
            f"  goods: {{type: rest_source, config: {{url: '{site.url}/api/products', items: data.items, "
            "pagination: {kind: page, size_param: per_page, size: 2}}}\n"
            "  a: {type: filter, config: {where: 'true'}}\n  b: {type: filter, config: {where: 'true'}}\n"
            "wires: [goods -> a, goods -> b]\n"
        )
        yield studio.load(file), file, site


def test_no_more_pages_are_asked_for_than_the_sample_needs_and_none_twice(studio, previews, shop):
    pipeline, file, site = shop
    found = previews.look(pipeline, "a", file=file, rows=6)
    assert found.sample.ports["out"].num_rows == 6
    asked = len(site.requests)
    assert 3 <= asked <= 4
    previews.look(pipeline, "b", file=file, rows=6)
    assert len(site.requests) == asked


def test_another_machine_is_asked_only_when_that_is_wanted(studio, previews, shop):
    pipeline, file, site = shop
    found = previews.look(pipeline, "a", file=file, ask=False)
    assert (found.sample, found.unasked, found.computed) == (None, ("goods",), ())
    assert not site.requests
    previews.look(pipeline, "a", file=file)
    assert previews.look(pipeline, "b", file=file, ask=False).computed == ("b",)


def test_what_was_asked_again_is_new_for_every_node_behind_it(studio, previews, shop):
    pipeline, file, site = shop
    for node in ("a", "b"):
        previews.look(pipeline, node, file=file)
    asked = len(site.requests)
    assert previews.look(pipeline, "a", file=file, again=True).computed == ("goods", "a")
    assert len(site.requests) == 2 * asked
    assert previews.look(pipeline, "b", file=file).computed == ("b",)


def test_the_columns_of_a_port_are_known_without_running_anything(previews, look, file):
    at = previews.schema_at
    assert at(look.pipeline, "typed", file=file) is None
    look("typed")
    assert at(look.pipeline, "typed", file=file).field("day").type == pa.date32()
    assert at(look.pipeline, "typed", "rejects", file=file).names[-3:] == ["_error", "_error_type", "_node"]
    look.set("read", path="nowhere.csv")
    assert at(look.pipeline, "typed", file=file) is None


def test_what_nobody_asked_for_longest_is_forgotten_first():
    tables = {name: Sample({"out": pa.table({"n": range(1_000)})}) for name in "abc"}
    cache = SampleCache(2 * tables["a"].nbytes)
    cache.keep("a", tables["a"])
    cache.keep("b", tables["b"])
    assert cache.get("a") is tables["a"]
    cache.keep("c", tables["c"])
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (tables["a"], None, tables["c"])
    assert cache.nbytes == 2 * tables["a"].nbytes


def test_a_sample_does_not_hold_the_batch_that_it_was_cut_from(look, file):
    (file.parent / "orders.csv").write_text("id,qty,day\n" + "1,5,01.01.2026\n" * 60_000)
    look("read")
    assert look("read").sample.ports["out"].get_total_buffer_size() < 50_000
