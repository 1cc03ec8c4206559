"""A run that stands still says which wires stand and who holds them, once."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from etl_studio.engine.events import LogWritten, NodeState, Sampled
from etl_studio.engine.inbox import Bounds, Inbox
from etl_studio.engine.meter import Meter
from etl_studio.engine.plan import make_plan
from etl_studio.engine.watchdog import Watchdog
from tests.engine.random_flows import Count, Keeper, Made, batch, pipeline_of, registry, run_flow

MADE = [
    Made("count_source", {}),
    Made("keep", {}, (("input", (0, "out")),)),
    Made("keeper_sink", {"name": "all"}, (("input", (1, "out")),)),
]


class Yard:
    """The stations of a run whose time goes by at will."""

    def __init__(self):
        pipeline = pipeline_of(MADE)
        plan = make_plan(pipeline, registry(), {node.id: (node.config, {}) for node in pipeline.nodes.values()})
        self.stations = {
            node: SimpleNamespace(
                planned=item, inbox=Inbox(item.inputs, Bounds(rows=2)), meter=Meter(), busy_since=None
            )
            for node, item in plan.nodes.items()
        }
        self.first, self.second = plan.wires
        self.now = 0.0
        self.is_paused = False
        self.told = []
        self.dog = Watchdog(self.stations, lambda: self.is_paused, self.told.append, clock=lambda: self.now)

    def look(self, seconds=0.0):
        self.now += seconds
        nodes = {node: station.meter.sample() for node, station in self.stations.items()}
        wires = {text: one for station in self.stations.values() for text, one in station.inbox.samples().items()}
        self.dog.look(Sampled("run", self.now, nodes, wires))


@pytest.fixture
def yard():
    yard = Yard()
    yard.stations["n1"].inbox.put(yard.first, batch([1, 2]))
    yard.stations["n2"].inbox.hungry = True
    yard.look()
    return yard


def test_a_standstill_names_each_wire_and_what_both_ends_do(yard):
    yard.look(29)
    assert yard.told == []

    yard.look(2)

    assert yard.told[0] == (
        "Nothing has moved for 31 s. "
        'The wire n0.out -> n1.input is full (2 rows, the oldest for 0 s): "n0" is busy, "n1" is busy. '
        'The wire n1.out -> n2.input is empty: "n1" is busy, "n2" waits for rows.'
    )


def test_a_standstill_is_told_once_and_the_next_one_again(yard):
    for _ in range(5):
        yard.look(31)
    assert len(yard.told) == 1

    yard.stations["n1"].inbox.take()
    yard.look(1)
    yard.look(31)

    assert len(yard.told) == 2


def test_a_sender_that_waits_for_room_is_told(yard):
    inbox = yard.stations["n1"].inbox
    waiting = threading.Thread(target=inbox.put, args=(yard.first, batch([3])))
    waiting.start()
    while not inbox.blocks(yard.first):
        pass
    yard.look(31)
    inbox.take()
    waiting.join()

    assert '"n0" waits to send to "n1"' in yard.told[0]


@pytest.mark.parametrize("state", [NodeState.RETRYING, NodeState.OPEN])
def test_a_node_that_waits_under_its_policy_is_no_standstill(yard, state):
    yard.stations["n1"].meter.state = state
    for _ in range(5):
        yard.look(31)
    assert yard.told == []

    yard.stations["n1"].meter.state = NodeState.RUNNING
    yard.look(29)
    assert yard.told == []


def test_a_call_a_query_and_a_pause_are_no_standstill(yard):
    yard.stations["n1"].meter.calling = 1
    yard.look(31)
    yard.stations["n1"].meter.calling = 0
    yard.stations["n1"].busy_since = 0.0
    yard.look(31)
    yard.stations["n1"].busy_since = None
    yard.is_paused = True
    yard.look(31)

    assert yard.told == []


def test_a_query_that_waits_for_rows_is_no_reason_to_stand_still(yard):
    yard.stations["n2"].busy_since = 0.0
    yard.look(31)

    assert len(yard.told) == 1


class Stuck(Count):
    """Stands in its own code until somebody is told of it."""

    type = "stuck_source"
    free = threading.Event()

    def read(self, context):
        self.free.wait(30)
        yield from super().read(context)


def test_a_run_that_stands_still_writes_it_to_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr("etl_studio.engine.watchdog.STILL_SECONDS", 0.2)
    Keeper.kept.clear()
    Stuck.free.clear()
    told = []

    def listener(event):
        if isinstance(event, LogWritten) and event.level == "warning":
            told.append(event.message)
            Stuck.free.set()

    made = [Made("stuck_source", {}), Made("keeper_sink", {"name": "all"}, (("input", (0, "out")),))]
    run_flow(pipeline_of(made), tmp_path, registry(Stuck), listeners=[listener])

    assert 'The wire n0.out -> n1.input is empty: "n0" is busy, "n1" waits for rows.' in told[0]
    assert Keeper.kept["all"].total() == 12
