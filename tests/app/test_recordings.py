"""A recorded run can be looked at again, moment by moment, and nothing runs for it."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.app.dry_run import dry_run
from etl_studio.app.recordings import FOLDER, RecordedRun, open_recording, prune, recordings
from etl_studio.app.studio import Studio
from etl_studio.engine.events import RunStatus
from etl_studio.engine.recording import PARTS, Recording
from etl_studio.errors import UsageError
from tests.engine.small_nodes import Bench, committed

PIPELINE = """\
etl_studio: 1
nodes:
  make: {type: generate_source, config: {rows: 10, columns: {n: i}}}
  small: {type: filter, config: {where: n < 5}}
  save: {type: sqlite_sink, config: {table: small}}
  copy: {type: csv_sink, config: {path: copy.csv}}
wires: [make -> small, small -> save, small -> copy]
"""


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.node("numbers", "numbers_source", batches=20, size=10).node("even", "even", {"on_error": "skip"})
    bench.node("sink", "collect_sink")
    return bench.wire("numbers -> even").wire("even -> sink")


def record(bench, folder, **options):
    """Run and record; the report and what was recorded."""
    run = bench.run()
    recording = Recording(folder, run.plan, {"pipeline": "test"}, **options)
    report = bench.run(recording=recording).execute()
    assert recording.error == ""
    return report, RecordedRun(folder)


def test_after_n_moments_the_counts_are_those_of_n_moments(bench, tmp_path):
    report, recorded = record(bench, tmp_path / "r")
    given, taken = {}, {}
    for position, moment in enumerate(recorded.moments):
        scene = recorded.scene(position)
        assert {wire: rows for wire, rows in scene.wires.items() if rows != (0, 0)} == {
            wire: (given.get(wire, 0), taken.get(wire, 0)) for wire in given.keys() | taken.keys()
        }
        for wire in moment.wires:
            side = given if moment.what == "gave" else taken
            side[wire] = side.get(wire, 0) + moment.rows

    last = recorded.scene(len(recorded.moments))
    assert [moment.number for moment in recorded.moments] == list(range(1, len(recorded.moments) + 1))
    assert recorded.moments == sorted(recorded.moments, key=lambda moment: moment.at)
    for node, counts in report.nodes.items():
        assert last.nodes[node]["rows_in"] == counts.rows_in
        assert last.nodes[node]["rows_out"] == counts.rows_out
        assert last.nodes[node]["state"] == "done"
    assert last.nodes["even"]["skipped"] == 100


def test_the_batch_of_a_moment_is_the_one_that_was_on_the_wire(bench, tmp_path):
    _, recorded = record(bench, tmp_path / "r")
    wire = "numbers.out -> even.input"
    batches = []
    for position, moment in enumerate(recorded.moments, 1):
        if moment.what == "gave" and moment.node == "numbers" and moment.rows:
            batches.extend(recorded.batch(position, wire=wire).column("n").to_pylist())

    assert batches == list(range(200))
    assert recorded.batch(0, wire=wire) is None
    assert recorded.batch(len(recorded.moments), node="even").column("n").to_pylist() == [190, 192, 194, 196, 198]


def test_past_the_budget_the_first_and_the_last_moments_are_kept(bench, tmp_path):
    bench.pipeline.nodes["numbers"].config.update(batches=3000, size=50)

    report, recorded = record(bench, tmp_path / "r", budget=200_000)

    assert report.status is RunStatus.DONE
    assert len(list((tmp_path / "r").glob("*.jsonl"))) <= PARTS
    assert recorded.missing > 0
    assert recorded.moments[0].number == 1
    assert recorded.scene(len(recorded.moments)).nodes["numbers"]["rows_out"] == 150_000
    numbers = [moment.number for moment in recorded.moments]
    gap = next(place for place in range(len(numbers)) if numbers[place + 1] > numbers[place] + 1)
    before, after = recorded.scene(gap + 1), recorded.scene(gap + 2)
    assert after.nodes["numbers"]["rows_out"] > before.nodes["numbers"]["rows_out"] + 50
    size = sum(path.stat().st_size for path in (tmp_path / "r").iterdir())
    assert size < 2 * 200_000


def test_what_is_recorded_does_not_change_the_run(bench, tmp_path):
    record(bench, tmp_path / "r")
    assert committed() == list(range(0, 200, 2))


def test_a_recording_that_breaks_off_is_read_as_far_as_it_goes(bench, tmp_path):
    _, whole = record(bench, tmp_path / "r")
    (path,) = (tmp_path / "r").glob("*.jsonl")
    text = path.read_text()
    path.write_text(text[: len(text) // 2])

    half = RecordedRun(tmp_path / "r")

    assert 0 < len(half.moments) < len(whole.moments)
    assert half.moments == whole.moments[: len(half.moments)]


@pytest.mark.parametrize("kind", ["run", "dry_run"])
def test_runs_of_a_pipeline_are_recorded_in_its_workspace_with_each_batch_once(tmp_path, kind):
    file = tmp_path / "small.yaml"
    file.write_text(PIPELINE)
    with Studio() as studio:
        workspace = studio.workspace_folder(file)
        if kind == "run":
            run = studio.prepare(studio.load(file), file=file, parameters={}, workspace=workspace, record=True)
            assert run.execute().status is RunStatus.DONE
        else:
            dry_run(studio, studio.load(file), file=file, workspace=workspace, parameters={}, record=True)
        (name,) = recordings(workspace)
        recorded = open_recording(workspace, name)

    end = recorded.scene(len(recorded.moments))
    assert recorded.facts["kind"] == kind
    assert end.wires == {
        "make.out -> small.input": (10, 10),
        "small.out -> save.input": (5, 5),
        "small.out -> copy.input": (5, 5),
    }
    assert recorded.batch(len(recorded.moments), wire="small.out -> copy.input").column("n").to_pylist() == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_a_run_that_was_not_recorded_says_so(tmp_path):
    with pytest.raises(UsageError, match="was not recorded"):
        open_recording(tmp_path, "r")


def test_a_folder_that_is_no_recording_is_told_and_not_fatal(tmp_path):
    (tmp_path / FOLDER / "r").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        open_recording(tmp_path, "r")
    assert recordings(tmp_path) == []


def test_old_recordings_go_and_the_newest_stay_within_the_size(tmp_path):
    for number in range(4):
        folder = tmp_path / FOLDER / f"2026010{number}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({}))
        (folder / "0001.rows").write_bytes(b"x" * 1000)

    assert prune(tmp_path, size=2500) == 2
    assert recordings(tmp_path) == ["20260103", "20260102"]
    assert prune(tmp_path, days=-1) == 2


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 5000))
def test_any_batches_come_back_whole_within_any_budget(tmp_path_factory, sizes, budget):
    folder = tmp_path_factory.mktemp("recorded")
    run = Bench(folder).node("numbers", "numbers_source").node("sink", "collect_sink").wire("numbers -> sink").run()
    recording = Recording(folder / "r", run.plan, {}, budget=budget)
    for size in sizes:
        run._meters["numbers"].rows_out += size
        recording.gave("numbers", "out", pa.record_batch({"n": list(range(size))}), run._meters["numbers"])
    recording._writer.close()

    recorded = RecordedRun(folder / "r")

    for position, moment in enumerate(recorded.moments, 1):
        assert recorded.batch(position, node="numbers").num_rows == sizes[moment.number - 1]
        assert recorded.scene(position).nodes["numbers"]["rows_out"] == sum(sizes[: moment.number])
    assert recorded.moments[-1].number == len(sizes)
