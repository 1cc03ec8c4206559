"""Several workers of one node lose nothing, double nothing and keep the order, if asked to."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.engine.checkpoints import Interval
from etl_studio.engine.crew import Crew
from etl_studio.engine.events import CheckpointSaved, LogWritten, RunStatus, Sampled
from etl_studio.engine.inbox import Bounds
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.quality.validate import Validate
from etl_studio.nodes.transform.deduplicate import Deduplicate
from tests.engine.random_flows import Keeper, Made, expected, flows, make_flow, pipeline_of, registry, run_flow

FLOWS = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Ordered(Keeper):
    """Keeps the order, too, and which rows came before each barrier that stood behind so many rows of the source."""

    type = "ordered_sink"
    order: ClassVar[list] = []
    before: ClassVar[dict] = {}

    def write(self, rows, context):
        self.order += rows.column("n").to_pylist()
        return super().write(rows, context)

    def commit(self, context, mark=None):
        if mark is not None and not mark.final:
            self.before[mark.facts["positions"]["n0"]["rows"]] = sorted(self.order)
        return super().commit(context, mark)


class Meeting(sdk.Transform):
    """Each batch waits until as many others as the node has workers are under way, too."""

    type = "meeting"
    title = "Meeting"
    icon = "globe"
    group = "transform"
    barrier: ClassVar = None

    def process(self, rows, context):
        if rows.num_rows:
            self.barrier.wait(20)
        yield rows


class Uneven(sdk.Transform):
    """The second batch is done before the first one."""

    type = "uneven"
    title = "Uneven"
    icon = "globe"
    group = "transform"
    overtaken: ClassVar = threading.Event()

    def process(self, rows, context):
        if rows.num_rows and rows.column("n")[0].as_py() == 0:
            self.overtaken.wait(20)
        elif rows.num_rows:
            self.overtaken.set()
        yield rows


class Broken(sdk.Transform):
    """Cannot do the fifth batch; all others wait for a service that is down."""

    type = "broken"
    title = "Broken"
    icon = "globe"
    group = "transform"

    def process(self, rows, context):
        if rows.num_rows and rows.column("n")[0].as_py() == 16:
            raise PermanentError("No.")
        if rows.num_rows and rows.column("n")[0].as_py() > 7:
            raise TransientError("Busy.")
        yield rows


class Picky(sdk.SqlTransform):
    """Leaves out every third number, and fails for every fifth."""

    type = "picky"
    title = "Picky"
    icon = "filter"
    group = "transform"
    rows = "fewer"

    def query(self, inputs):
        return "SELECT n, CASE WHEN n % 5 = 0 THEN error('No.') ELSE v END AS v FROM input WHERE n % 3 != 0"


class Endless(sdk.SqlTransform):
    """Never comes to an end with some numbers."""

    type = "endless"
    title = "Endless"
    icon = "filter"
    group = "transform"

    class Config(sdk.Config):
        first: int = 0
        last: int = 1_000

    def query(self, inputs):
        turns = f"CASE WHEN n BETWEEN {self.config.first} AND {self.config.last} THEN 1000000000000 ELSE 1 END"
        return f"SELECT * FROM input WHERE (SELECT count(*) FROM range({turns})) > 0"


class Wrong(sdk.SqlTransform):
    """Asks for a column that is not there."""

    type = "wrong"
    title = "Wrong"
    icon = "filter"
    group = "transform"

    def query(self, inputs):
        return "SELECT w FROM input"


class Keyed(sdk.Source):
    """Gives numbers with these keys, with a cursor behind each batch."""

    type = "keyed_source"
    title = "Keyed"
    icon = "dice"
    group = "extract"

    class Config(sdk.Config):
        keys: list[list[int | None]]

    @property
    def replays(self):
        return True

    def read(self, context):
        number = 0
        for keys in ([], *self.config.keys):
            numbers = pa.array(range(number, number + len(keys)), pa.int64())
            yield pa.record_batch({"n": numbers, "v": pa.array(keys, pa.int64())})
            number += len(keys)
            yield sdk.Cursor(number)


class Flaky(sdk.Transform):
    """Fails at the first attempt for most batches."""

    type = "flaky"
    title = "Flaky"
    icon = "globe"
    group = "transform"
    tried: ClassVar[set] = set()

    def process(self, rows, context):
        numbers = rows.column("n").to_pylist()
        if numbers and numbers[0] % 3 and numbers[0] not in self.tried:
            self.tried.add(numbers[0])
            raise TransientError("Busy.")
        yield rows


class OneByOne(sdk.Transform):
    """Looks whether a key is worked on twice at once."""

    type = "one_by_one"
    title = "One by one"
    icon = "globe"
    group = "transform"
    working: ClassVar[list] = []
    twice: ClassVar[list] = []

    def process(self, rows, context):
        keys = set(rows.column("v").to_pylist())
        self.twice += keys & set(self.working)
        self.working += keys
        for _ in range(1_000):
            Path(__file__).stat()  # other threads go on meanwhile
        yield rows
        for key in keys:
            self.working.remove(key)


NODES = registry(Keyed, Flaky, OneByOne, Deduplicate, Validate, Ordered, Meeting, Uneven, Broken, Picky, Endless, Wrong)


@pytest.fixture(autouse=True)
def _fresh():
    Keeper.kept.clear()
    Ordered.order.clear()
    Ordered.before.clear()
    Uneven.overtaken.clear()
    OneByOne.working.clear()
    OneByOne.twice.clear()


def line(kind, batches=12, size=4, **config):
    return [
        Made("count_source", {"batches": batches, "size": size}),
        Made(kind, config, (("input", (0, "out")),)),
        Made("ordered_sink", {"name": "all"}, (("input", (1, "out")),)),
    ]


@FLOWS
@given(flows(blocking=False), st.integers(1, 5), st.integers(2, 5), st.booleans())
def test_any_flow_with_several_workers_and_barriers_ends_with_the_right_rows(made, rows, workers, order):
    Keeper.kept.clear()
    policy = {"workers": workers, "keep_order": order}
    pipeline = pipeline_of(made, dict.fromkeys(("halve", "together", "keep"), policy))
    with tempfile.TemporaryDirectory() as folder:
        run_flow(pipeline, Path(folder), bounds=Bounds(rows=rows), interval=Interval(rows=1))
    assert {name: Keeper.kept.get(name, {}) for name in expected(made)} == expected(made)


def test_four_workers_work_on_four_batches_at_once(tmp_path):
    Meeting.barrier = threading.Barrier(4)
    run_flow(pipeline_of(line("meeting"), {"meeting": {"workers": 4}}), tmp_path, NODES, interval=Interval())
    assert Ordered.order == list(range(48))


def test_as_many_workers_start_as_the_load_asks_for(tmp_path):
    Meeting.barrier = threading.Barrier(3)
    run_flow(pipeline_of(line("meeting"), {"meeting": {"workers": 0}}), tmp_path, NODES, interval=Interval())
    assert Ordered.order == list(range(48))


@pytest.mark.parametrize("keep", [True, False])
def test_a_batch_that_is_done_early_waits_for_its_turn_or_not_by_choice(tmp_path, keep):
    policy = {"uneven": {"workers": 2, "keep_order": keep}}
    run_flow(pipeline_of(line("uneven", 2), policy), tmp_path, NODES, interval=Interval())
    assert sorted(Ordered.order) == list(range(8))
    if keep:
        assert Ordered.order == list(range(8))


def test_barriers_pass_when_all_batches_before_them_are_done(tmp_path):
    saved = []
    listeners = [lambda event: saved.append(event.rows) if isinstance(event, CheckpointSaved) else None]
    run_flow(pipeline_of(line("together"), {"together": {"workers": 3}}), tmp_path, NODES, listeners=listeners)
    assert Ordered.order == list(range(48))
    assert len(saved) > 1


def test_a_worker_that_fails_ends_the_run_though_others_wait_for_a_retry(tmp_path):
    policy = {"broken": {"workers": 6, "retry": {"delay": 3600, "max_delay": 3600, "jitter": False}}}
    flow = make_flow(pipeline_of(line("broken"), policy), tmp_path, NODES, interval=Interval())
    flow.start()
    ended = flow.ended()

    assert ended.status is RunStatus.FAILED
    assert ended.error == "flow > n1: No."
    assert not Keeper.kept


def test_a_graceful_stop_ends_workers_that_wait_for_a_retry(tmp_path):
    policy = {"broken": {"workers": 2, "retry": {"delay": 3600, "max_delay": 3600, "jitter": False}}}

    def listener(event):
        if isinstance(event, Sampled) and event.nodes["n1"].counts.retries == 2:
            flow.run.stop()

    flow = make_flow(pipeline_of(line("broken"), policy), tmp_path, NODES, listeners=[listener], interval=Interval())
    flow.start()

    assert flow.ended().status is RunStatus.STOPPED


def test_rows_of_a_call_that_finally_failed_are_refused_by_several_workers_too(tmp_path):
    policy = {"broken": {"workers": 3, "fallback": "branch", "retry": {"attempts": 1}}}
    made = line("broken", 4)
    ended = run_flow(pipeline_of(made, policy), tmp_path, NODES, interval=Interval())
    assert (ended.rows_out, ended.dead_letters) == (8, 8)


@FLOWS
@given(
    st.integers(0, 8),
    st.integers(1, 7),
    st.integers(0, 4),
    st.booleans(),
    st.sampled_from(["reject", "skip", "dead_letter"]),
)
def test_sql_with_several_workers_gives_the_rows_and_counts_of_one(batches, size, workers, order, on_error):
    Keeper.kept.clear()
    Ordered.order.clear()
    made = [*line("picky", batches, size), Made("keeper_sink", {"name": "bad"}, (("input", (1, "rejects")),))]
    policy = {"picky": {"workers": workers, "keep_order": order, "on_error": on_error}}
    with tempfile.TemporaryDirectory() as folder:
        ended = run_flow(pipeline_of(made, policy), Path(folder), NODES)

    numbers = range(batches * size)
    bad = [n for n in numbers if n % 3 and n % 5 == 0]
    good = [n for n in numbers if n % 3 and n % 5]
    counts = ended.nodes["n1"]
    refused = {"reject": counts.rejected, "skip": counts.skipped, "dead_letter": counts.dead_letters}
    assert sorted(Ordered.order) == good
    if order:
        assert Ordered.order == good
    assert (counts.rows_in, counts.rows_out, counts.filtered) == (len(numbers), len(good), len(numbers[::3]))
    assert refused == {**dict.fromkeys(refused, 0), on_error: len(bad)}
    assert sorted(n for n, _ in Keeper.kept.get("bad", ())) == (bad if on_error == "reject" else [])


def test_only_the_thread_whose_sql_takes_too_long_is_ended(tmp_path):
    policy = {"workers": 2, "keep_order": False, "timeout": 0.5, "retry": {"attempts": 1}, "fallback": "branch"}
    made = line("endless", first=8, last=11)
    ended = run_flow(pipeline_of(made, {"endless": policy}), tmp_path, NODES, interval=Interval())

    assert sorted(Ordered.order) == [*range(8), *range(12, 48)]
    assert ended.dead_letters == 4
    assert ended.nodes["n1"].errors == 1


def test_a_hard_stop_ends_the_sql_of_all_threads(tmp_path):
    def listener(event):
        if isinstance(event, Sampled) and flow.run._meters["n1"].calling == 3:
            flow.run.stop(hard=True)

    made = pipeline_of(line("endless"), {"endless": {"workers": 3}})
    flow = make_flow(made, tmp_path, NODES, listeners=[listener], interval=Interval())
    flow.start()

    assert flow.ended().status is RunStatus.STOPPED
    assert not Keeper.kept


def test_wrong_sql_ends_the_run_with_its_message(tmp_path):
    made = pipeline_of(line("wrong"), {"wrong": {"workers": 4}})
    flow = make_flow(made, tmp_path, NODES, interval=Interval())
    flow.start()
    ended = flow.ended()

    assert ended.status is RunStatus.FAILED
    assert ended.error == 'flow > n1: There is no column "w". Columns here: n, v.'


def test_validate_checks_several_batches_at_once(tmp_path):
    rules = [
        {"column": "n", "rule": "range", "max": 3999},
        {"rule": "expression", "expression": "n % 2 = 0"},
    ]
    made = line("validate", 40, 200, rules=rules)
    policy = {"validate": {"workers": 4, "on_error": "skip"}}
    run_flow(pipeline_of(made, policy), tmp_path, NODES, interval=Interval())

    assert Ordered.order == list(range(0, 4000, 2))


@pytest.mark.parametrize("keep", [True, False])
def test_the_first_row_of_a_key_stays_with_several_workers_too(tmp_path, keep):
    saved = []
    listeners = [lambda event: saved.append(event.rows) if isinstance(event, CheckpointSaved) else None]
    made = line("deduplicate", 40, 50, keys=["v"])
    policy = {"deduplicate": {"workers": 4, "keep_order": keep}}
    ended = run_flow(pipeline_of(made, policy), tmp_path, NODES, listeners=listeners)

    assert Ordered.order == [0, 1, 2, 3, 4]
    assert ended.nodes["n1"].filtered == 1995
    assert len(saved) > 1


def rows_of(keys, kind, policy):
    """The order in which rows came, those that were refused, and which had come before each barrier."""
    for kept in (Keeper.kept, Ordered.order, Ordered.before, Flaky.tried):
        kept.clear()
    made = [
        Made("keyed_source", {"keys": keys}),
        Made(kind, {}, (("input", (0, "out")),)),
        Made("ordered_sink", {"name": "all"}, (("input", (1, "out")),)),
        Made("keeper_sink", {"name": "bad"}, (("input", (1, "rejects")),)),
    ]
    with tempfile.TemporaryDirectory() as folder:
        run_flow(pipeline_of(made, {kind: {"retry": {"delay": 0}, **policy}}), Path(folder), NODES)
    return list(Ordered.order), dict(Keeper.kept.get("bad", {})), dict(Ordered.before)


@FLOWS
@given(
    st.lists(st.lists(st.sampled_from([None, 0, 1, 2, 3]), max_size=12), max_size=8),
    st.sampled_from(["picky", "halve", "flaky", "together"]),
    st.integers(0, 5),
    st.sampled_from([{}, {"keep_order": False}, {"partition_by": ["v"]}]),
)
def test_workers_change_at_most_the_order_and_only_where_they_may(keys, kind, workers, how):
    one, refused, _ = rows_of(keys, kind, {})
    # Workers that are as many as the load asks for become more with each batch.
    with patch.object(Crew, "_should_grow", return_value=True):
        several, refused_by_several, before = rows_of(keys, kind, {"workers": workers, **how})

    assert sorted(several) == sorted(one)
    assert refused_by_several == refused
    key_of = [key for some in keys for key in some]
    if not how:
        assert several == one
    elif "partition_by" in how:
        for key in set(key_of):
            assert [n for n in several if key_of[n] == key] == [n for n in one if key_of[n] == key]
    assert before == {rows: [n for n in sorted(one) if n < rows] for rows in before}


def test_keys_run_beside_each_other(tmp_path):
    Meeting.barrier = threading.Barrier(3)
    policy = {"meeting": {"workers": 3, "partition_by": ["n"]}}
    run_flow(pipeline_of(line("meeting", size=200), policy), tmp_path, NODES, interval=Interval())
    assert sorted(Ordered.order) == list(range(2400))


@pytest.mark.parametrize("workers", [4, 0])
def test_a_key_is_never_worked_on_twice_at_once_even_while_workers_become_more(tmp_path, workers):
    policy = {"one_by_one": {"workers": workers, "partition_by": ["v"]}}
    with patch.object(Crew, "_should_grow", return_value=True):
        run_flow(pipeline_of(line("one_by_one", 60, 20), policy), tmp_path, NODES, interval=Interval())
    assert OneByOne.twice == []
    assert sorted(Ordered.order) == list(range(1200))


def failure(made, policies, folder):
    flow = make_flow(pipeline_of(made, policies), folder, NODES, interval=Interval())
    flow.start()
    ended = flow.ended()
    assert ended.status is RunStatus.FAILED
    return ended.error


def test_a_column_to_partition_by_that_is_not_there_is_named_with_node_and_setting(tmp_path):
    text = failure(line("together"), {"together": {"workers": 2, "partition_by": ["w"]}}, tmp_path)
    assert text == 'flow > n1: There is no column "w" (setting policy.partition_by). Columns here: n, v.'


def test_a_node_that_remembers_rows_in_their_order_is_not_partitioned(tmp_path):
    text = failure(line("deduplicate", keys=["v"]), {"deduplicate": {"workers": 2, "partition_by": ["v"]}}, tmp_path)
    assert text.startswith("flow > n1: It remembers rows in the order in which they come")


def test_a_node_that_remembers_rows_in_python_tells_that_it_has_one_worker(tmp_path):
    logged = []
    listeners = [lambda event: logged.append(event.message) if isinstance(event, LogWritten) else None]
    made = line("validate", rules=[{"column": "n", "rule": "unique"}])
    run_flow(pipeline_of(made, {"validate": {"workers": 3}}), tmp_path, NODES, listeners=listeners)
    assert "It has one worker, since it remembers rows." in logged
