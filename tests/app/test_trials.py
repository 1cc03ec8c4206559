"""A run on some rows: from a node on, or of everything, with samples and pinned rows."""

from __future__ import annotations

import sqlite3

import pyarrow as pa
import pytest

from etl_studio.app.dry_run import dry_run
from etl_studio.app.pins import Pins
from etl_studio.app.previews import Previews
from etl_studio.app.studio import Studio
from etl_studio.app.trials import make_trial
from etl_studio.engine.events import RunStatus
from etl_studio.engine.samples import Sample
from etl_studio.errors import UsageError

PIPELINE = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: orders.csv, columns: {day: text}}}
  typed: {type: derive, config: {columns: {day: day::DATE}}}
  keep: {type: filter, config: {where: qty > 1}}
  names: {type: csv_source, config: {path: names.csv}}
  named: {type: join, config: {how: inner, on: [id]}}
  save: {type: sqlite_sink, config: {table: orders}}
  late: {type: csv_sink, config: {path: late.csv}}
wires:
  - read -> typed
  - typed -> keep
  - typed.rejects -> late
  - keep -> named.left
  - names -> named.right
  - named -> save
"""


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def file(tmp_path):
    days = ["2026-01-01", "soon", "2026-01-03", "2026-01-04", "2026-01-05"]
    rows = "".join(f"{number},{number},{day}\n" for number, day in enumerate(days, 1))
    (tmp_path / "orders.csv").write_text(f"id,qty,day\n{rows}")
    (tmp_path / "names.csv").write_text("id,name\n" + "".join(f"{number},n{number}\n" for number in range(1, 10)))
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    return file


@pytest.fixture
def tried(studio, file):
    """``tried(start=..., rows=...)`` runs a trial for real and gives its report and its record."""

    def run(**how):
        pipeline = studio.load(file)
        trial = make_trial(Previews(studio), pipeline, file=file, **how)
        place = studio.workspace(studio.workspace_folder(file))
        prepared = studio.prepare(pipeline, file=file, parameters={}, workspace=place, trial=trial)
        ended = prepared.execute()
        return ended, place.run(ended.run)

    return run


@pytest.fixture
def pin(studio, file):
    def pin(node, rows):
        node_type = studio.registry.get(studio.load(file).nodes[node].type)
        Pins(file).write(node, node_type, Sample({"out": pa.Table.from_pylist(rows)}))

    return pin


def loaded(file):
    with sqlite3.connect(file.parent / ".etl_studio" / "data.db") as database:
        return [row[0] for row in database.execute("SELECT id FROM orders ORDER BY id")]


def test_a_run_from_a_node_reads_nothing_before_it_and_takes_a_sample_of_what_arrives(tried, file):
    ended, _ = tried(start="keep", rows=4)
    assert ended.status is RunStatus.DONE
    assert loaded(file) == [3, 4]  # of the first four orders, one has no day
    assert set(ended.nodes) == {"typed", "keep", "names", "named", "save"}
    assert not (file.parent / "late.csv").exists()


def test_pinned_rows_before_the_node_are_what_it_runs_on(tried, pin, file):
    pin("typed", [{"id": 7, "qty": 9, "day": None}, {"id": 8, "qty": 0, "day": None}])
    file.with_name("orders.csv").unlink()
    ended, record = tried(start="keep")
    assert ended.status is RunStatus.DONE
    assert loaded(file) == [7]
    assert record.notes == ["a trial from keep: at most 200 rows of each source; 2 pinned rows in the place of typed"]


def test_rows_pinned_at_the_node_itself_do_not_keep_it_from_running(tried, pin, file):
    pin("keep", [{"id": 1, "qty": 1, "day": None}])
    tried(start="keep")
    assert loaded(file) == [3, 4, 5]


def test_a_trial_of_everything_reads_the_first_rows_only_and_takes_pinned_rows(tried, pin, file):
    pin("names", [{"id": 1, "name": "one"}, {"id": 3, "name": "three"}])
    ended, record = tried(rows=3)
    assert loaded(file) == [3]
    assert ended.nodes["read"].rows_out == 3
    assert (file.parent / "late.csv").exists()
    assert record.notes == ["a trial: at most 3 rows of each source; 2 pinned rows in the place of names"]


def test_a_trial_may_end_before_the_end(tried, file):
    ended, _ = tried(start="typed", end="keep")
    assert set(ended.nodes) == {"read", "typed", "keep"}
    assert not (file.parent / ".etl_studio" / "data.db").exists() or ended.rows_out == 0


def test_an_end_that_does_not_follow_is_refused(tried):
    with pytest.raises(UsageError, match="does not follow"):
        tried(start="keep", end="late")


def test_a_node_that_is_not_there_is_named(tried):
    with pytest.raises(UsageError, match='no node "keap"'):
        tried(start="keap")


def test_a_disabled_node_is_nothing_to_run_from(tried, file):
    file.write_text(PIPELINE.replace("where: qty > 1}", "where: qty > 1}, disabled: true"))
    with pytest.raises(UsageError, match="disabled"):
        tried(start="keep")


def test_errors_in_nodes_that_do_not_run_are_no_obstacle(tried, pin, file):
    pin("typed", [{"id": 7, "qty": 9, "day": None}])
    file.write_text(PIPELINE.replace("day: day::DATE", "day: nonsense("))
    assert tried(start="keep")[0].status is RunStatus.DONE


def test_a_trial_without_writing_tells_what_it_would_load(studio, file):
    pipeline = studio.load(file)
    trial = make_trial(Previews(studio), pipeline, file=file, rows=3)
    folder = studio.workspace_folder(file)
    report = dry_run(studio, pipeline, file=file, workspace=folder, parameters={}, trial=trial)
    assert {sink.node: sink.rows for sink in report.sinks} == {"save": 1, "late": 1}
    assert not (folder / "data.db").exists()


def test_a_trial_that_broke_off_is_not_resumed(studio, file):
    place = studio.workspace(studio.workspace_folder(file))
    pipeline = studio.load(file)
    trial = make_trial(Previews(studio), pipeline, file=file, rows=3)
    prepared = studio.prepare(pipeline, file=file, parameters={}, workspace=place, trial=trial)
    prepared.stop(hard=True)
    ended = prepared.execute()
    assert ended.status is RunStatus.STOPPED
    assert not place.run(ended.run).resumable
    with pytest.raises(UsageError, match="nothing to resume"):
        studio.broken_off(place, file)


def test_a_sub_pipeline_is_run_from_at_its_first_nodes(studio, tmp_path):
    (tmp_path / "inner.yaml").write_text(
        "etl_studio: 1\nnodes:\n  in: {type: pipeline_input}\n  big: {type: filter, config: {where: n > 5}}\n"
        "  out: {type: pipeline_output}\nwires: [in -> big, big -> out]\n"
    )
    file = tmp_path / "outer.yaml"
    file.write_text(
        "etl_studio: 1\nnodes:\n  make: {type: generate_source, config: {rows: 10, columns: {n: i}}}\n"
        "  clean: {type: sub_pipeline, config: {file: inner.yaml}}\n"
        "  save: {type: csv_sink, config: {path: out.csv}}\nwires: [make -> clean, clean -> save]\n"
    )
    pipeline = studio.load(file)
    trial = make_trial(Previews(studio), pipeline, file=file, start="clean", rows=8)
    assert list(trial.given) == ["make"]
    place = studio.workspace(studio.workspace_folder(file))
    ended = studio.prepare(pipeline, file=file, parameters={}, workspace=place, trial=trial).execute()
    assert ended.status is RunStatus.DONE
    assert (tmp_path / "out.csv").read_text().split() == ["n", "6", "7"]
