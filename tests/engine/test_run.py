"""A whole run with small nodes of the test's own: counts, policies, stops, and nothing half-written."""

from __future__ import annotations

import threading
from typing import ClassVar

import pyarrow as pa
import pytest

from etl_studio import sdk
from etl_studio.engine.context import Places
from etl_studio.engine.events import DeadLettered, NodeChanged, RunEnded, RunStarted, RunStatus, Sampled
from etl_studio.engine.plan import make_plan
from etl_studio.engine.run import Run
from etl_studio.errors import PermanentError, TransientError
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire


def batch(*numbers):
    return pa.record_batch({"n": pa.array(numbers, pa.int64())})


def refused(*numbers):
    return sdk.Rejected(batch(*numbers), [sdk.Problem("odd", f"{number} is odd") for number in numbers])


class Numbers(sdk.Source):
    """Gives batches of numbers."""

    type = "numbers_source"
    title = "Numbers"
    icon = "dice"
    group = "extract"

    class Config(sdk.Config):
        batches: int = 10
        size: int = 100
        fail_at: int | None = None
        endless: bool = False

    def read(self, context):
        number = 0
        while self.config.endless or number < self.config.batches:
            if number == self.config.fail_at:
                raise PermanentError("The file ends in the middle of a row.", line=number)
            start = number * self.config.size
            yield batch(*range(start, start + self.config.size))
            number += 1


class Even(sdk.Transform):
    """Rejects odd numbers."""

    type = "even"
    title = "Even"
    icon = "filter"
    group = "transform"

    class Config(sdk.Config):
        fail_first: int = 0

    def __init__(self, config):
        super().__init__(config)
        self.failures = config.fail_first

    def process(self, rows, context):
        if self.failures:
            self.failures -= 1
            raise TransientError("Busy.")
        numbers = rows.column("n").to_pylist()
        yield batch(*[number for number in numbers if number % 2 == 0])
        yield refused(*[number for number in numbers if number % 2])


class Losing(sdk.Transform):
    """A defect: one row of each batch vanishes."""

    type = "losing"
    title = "Losing"
    icon = "filter"
    group = "transform"

    def process(self, rows, context):
        yield rows.slice(1)


class Crashing(sdk.Transform):
    """A defect: an exception of no kind that the studio knows."""

    type = "crashing"
    title = "Crashing"
    icon = "filter"
    group = "transform"

    def process(self, rows, context):
        raise ZeroDivisionError("oops")


class Collect(sdk.Sink):
    """Keeps what is committed in a list that the test reads."""

    type = "collect_sink"
    title = "Collect"
    icon = "database"
    group = "load"
    committed: ClassVar[dict] = {}
    slow: ClassVar[dict] = {}

    class Config(sdk.Config):
        name: str = "default"
        partial: bool = False
        fail_open: bool = False

    @property
    def keeps_partial(self):
        return self.config.partial

    def open(self, schema, context):
        if self.config.fail_open:
            raise PermanentError("The table has other columns.")
        self.rows = []

    def write(self, rows, context):
        gate = self.slow.get(self.config.name)
        if gate is not None:
            gate.wait(10)
        self.rows += rows.to_pylist()
        return ()

    def commit(self, context, mark=None):
        self.committed.setdefault(self.config.name, []).extend(self.rows)
        return sdk.Loaded(inserted=len(self.rows))

    def abort(self, context):
        self.rows = []


REGISTRY = sdk.Registry([Numbers, Even, Losing, Crashing, Collect])


@pytest.fixture(autouse=True)
def _fresh():
    Collect.committed.clear()
    Collect.slow.clear()


class Bench:
    """Builds and runs a pipeline of the nodes above."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        self.pipeline = Pipeline("test")
        self.events = []

    def node(self, node_id, node_type, policy=None, **config):
        self.pipeline.nodes[node_id] = NodeSpec(node_id, node_type, config, policy or {})
        return self

    def wire(self, text):
        source, target = text.split(" -> ")
        node, _, port = source.partition(".")
        self.pipeline.wires.append(Wire(node, port or "out", target, "input"))
        return self

    def run(self, listener=None):
        settings = {node.id: (node.config, node.policy) for node in self.pipeline.nodes.values()}
        places = Places(self.tmp_path, self.tmp_path / "data.db", self.tmp_path / "scratch")
        listeners = [self.events.append, *([listener] if listener else [])]
        return Run("run-1", make_plan(self.pipeline, REGISTRY, settings), places, None, listeners)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def committed(name="default"):
    return [row["n"] for row in Collect.committed.get(name, [])]


def test_every_row_arrives_and_the_report_adds_up(bench):
    bench.node("read", "numbers_source").node("save", "collect_sink").wire("read -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE
    assert (ended.rows_in, ended.rows_out, ended.rejected, ended.dead_letters) == (1000, 1000, 0, 0)
    assert committed() == list(range(1000))


def test_events_begin_with_the_start_and_end_with_the_report(bench):
    bench.node("read", "numbers_source").node("save", "collect_sink").wire("read -> save")
    ended = bench.run().execute()

    assert isinstance(bench.events[0], RunStarted)
    assert bench.events[-1] == ended
    assert bench.of(Sampled)[-1].nodes["save"].counts.rows_in == 1000
    assert bench.of(Sampled)[-1].wires["read.out -> save.input"].passed == 1000
    assert [event.state for event in bench.of(NodeChanged) if event.node == "save"] == ["running", "done"]


def test_refused_rows_leave_by_the_rejects_port_with_their_error(bench):
    bench.node("read", "numbers_source", batches=1, size=4).node("even", "even")
    bench.node("save", "collect_sink").node("bad", "collect_sink", name="bad")
    bench.wire("read -> even").wire("even -> save").wire("even.rejects -> bad")

    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE
    assert ended.rejected == 2
    assert committed() == [0, 2]
    assert Collect.committed["bad"] == [
        {"n": 1, "_error": "1 is odd", "_error_type": "odd", "_node": "even"},
        {"n": 3, "_error": "3 is odd", "_error_type": "odd", "_node": "even"},
    ]


def test_a_rejects_wire_tells_its_columns_even_when_nothing_is_refused(bench):
    bench.node("read", "numbers_source", batches=1, size=1).node("even", "even")
    bench.node("save", "collect_sink").node("bad", "collect_sink", name="bad")
    bench.wire("read -> even").wire("even -> save").wire("even.rejects -> bad")
    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE
    assert Collect.committed["bad"] == []


def test_without_a_rejects_wire_refused_rows_become_dead_letters(bench):
    bench.node("read", "numbers_source", batches=1, size=4).node("even", "even").node("save", "collect_sink")
    bench.wire("read -> even").wire("even -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE_WITH_DEAD_LETTERS
    assert ended.dead_letters == 2
    assert [(letter.node, letter.error_type, letter.payload) for letter in bench.of(DeadLettered)] == [
        ("even", "odd", {"n": 1}),
        ("even", "odd", {"n": 3}),
    ]


def test_on_error_skip_counts_and_drops(bench):
    bench.node("read", "numbers_source", batches=1, size=4).node("even", "even", {"on_error": "skip"})
    bench.node("save", "collect_sink").wire("read -> even").wire("even -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE
    assert ended.nodes["even"].skipped == 2


def test_on_error_stop_ends_the_run_and_nothing_is_loaded(bench):
    bench.node("read", "numbers_source", batches=1, size=4).node("even", "even", {"on_error": "stop"})
    bench.node("save", "collect_sink").wire("read -> even").wire("even -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.FAILED
    assert ended.error_node == "even"
    assert "1 is odd" in ended.error
    assert committed() == []


def test_a_transient_error_of_a_transform_is_tried_again_without_doubling_rows(bench):
    bench.node("read", "numbers_source", batches=3, size=2)
    bench.node("even", "even", {"retry": {"delay": 0}, "on_error": "skip"}, fail_first=2).node("save", "collect_sink")
    bench.wire("read -> even").wire("even -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE
    assert committed() == [0, 2, 4]
    assert ended.nodes["even"].retries == 2


def test_a_failing_source_fails_the_run_with_its_address_and_nothing_is_loaded(bench):
    bench.node("read", "numbers_source", fail_at=5).node("save", "collect_sink").wire("read -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.FAILED
    assert ended.error == "test > read: The file ends in the middle of a row (line 5)."
    assert committed() == []


def test_when_one_sink_fails_no_other_commits(bench):
    bench.node("read", "numbers_source").node("one", "collect_sink", name="one")
    bench.node("two", "collect_sink", name="two", fail_open=True).wire("read -> one").wire("read -> two")

    ended = bench.run().execute()

    assert ended.status is RunStatus.FAILED
    assert committed("one") == []


def test_a_node_that_loses_rows_is_found_and_named(bench):
    bench.node("read", "numbers_source").node("leak", "losing").node("save", "collect_sink")
    bench.wire("read -> leak").wire("leak -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.FAILED
    assert ended.error_node == "leak"
    assert "1,000 rows were read but 990 are accounted for" in ended.error


def test_an_unexpected_exception_ends_as_a_message_without_a_traceback(bench):
    bench.node("read", "numbers_source").node("bad", "crashing").node("save", "collect_sink")
    bench.wire("read -> bad").wire("bad -> save")

    ended = bench.run().execute()

    assert ended.status is RunStatus.FAILED
    assert ended.error.startswith("test > bad: An unexpected error: ZeroDivisionError: oops")
    assert "Traceback" not in ended.error


def stop_after(rows, run_box, *, hard):
    def listener(event):
        if isinstance(event, Sampled) and event.nodes["read"].counts.rows_in >= rows:
            run_box[0].stop(hard=hard)

    return listener


def test_a_graceful_stop_drains_what_was_read_into_an_append(bench):
    bench.node("read", "numbers_source", endless=True).node("save", "collect_sink", partial=True).wire("read -> save")
    box = []
    box.append(bench.run(stop_after(1, box, hard=False)))

    ended = box[0].execute()

    assert ended.status is RunStatus.STOPPED
    assert ended.rows_in == ended.rows_out > 0
    assert committed() == list(range(ended.rows_in))


def test_a_graceful_stop_commits_nothing_where_a_part_would_harm(bench):
    bench.node("read", "numbers_source", endless=True).node("save", "collect_sink", partial=False).wire("read -> save")
    box = []
    box.append(bench.run(stop_after(1, box, hard=False)))

    ended = box[0].execute()

    assert ended.status is RunStatus.STOPPED
    assert committed() == []


def test_a_hard_stop_ends_a_run_whose_wires_are_full(bench):
    Collect.slow["default"] = release = threading.Event()
    bench.node("read", "numbers_source", endless=True, size=100_000).node("save", "collect_sink").wire("read -> save")
    box = []

    def listener(event):
        if isinstance(event, Sampled) and event.wires["read.out -> save.input"].fill >= 1:
            box[0].stop(hard=True)
            release.set()

    box.append(bench.run(listener))

    ended = box[0].execute()

    assert ended.status is RunStatus.STOPPED
    assert committed() == []
    assert isinstance(bench.events[-1], RunEnded)


def test_a_split_that_rejoins_does_not_stand_still(bench):
    bench.node("read", "numbers_source", batches=20, size=30_000).node("even", "even", {"on_error": "skip"})
    bench.node("one", "collect_sink", name="one").node("two", "collect_sink", name="two")
    bench.wire("read -> even").wire("read -> one").wire("even -> two")

    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE
    assert ended.nodes["one"].rows_in == 600_000


def test_the_scratch_folder_is_gone_after_the_run(bench, tmp_path):
    bench.node("read", "numbers_source").node("save", "collect_sink").wire("read -> save")
    bench.run().execute()

    assert not (tmp_path / "scratch").exists()
