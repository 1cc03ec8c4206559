"""Pipelines of any form: splits, filters, rejects, unions, joins and sums, and what must come out of them."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.engine.checkpoints import Interval
from etl_studio.engine.context import Places
from etl_studio.engine.events import RunStatus
from etl_studio.engine.plan import make_plan
from etl_studio.engine.run import Run
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire

PATIENCE = 20
"""Seconds until a run that does not end counts as standing still."""


def batch(numbers):
    return pa.record_batch({"n": pa.array(numbers, pa.int64()), "v": pa.array([n % 5 for n in numbers], pa.int64())})


class Count(sdk.Source):
    """Gives numbers, with a cursor behind each batch."""

    type = "count_source"
    title = "Count"
    icon = "dice"
    group = "extract"

    class Config(sdk.Config):
        batches: int = 3
        size: int = 4

    @property
    def replays(self):
        return True

    def read(self, context):
        size = self.config.size
        yield batch(())
        for number in range(self.config.batches):
            yield batch(range(number * size, number * size + size))
            yield sdk.Cursor(number + 1)


class Keep(sdk.SqlTransform):
    """Keeps what leaves a remainder."""

    type = "keep"
    title = "Keep"
    icon = "filter"
    group = "transform"
    rows = "fewer"

    class Config(sdk.Config):
        of: int = 2
        remainder: int = 0

    def query(self, inputs):
        return f"SELECT * FROM input WHERE n % {self.config.of} = {self.config.remainder}"


class Halve(sdk.Transform):
    """Gives even numbers on and sends odd ones by its rejects port."""

    type = "halve"
    title = "Halve"
    icon = "filter"
    group = "transform"

    def process(self, rows, context):
        even = [n % 2 == 0 for n in rows.column("n").to_pylist()]
        odd = rows.filter(pa.array([not one for one in even], pa.bool_()))
        yield rows.filter(pa.array(even, pa.bool_()))
        yield sdk.Rejected(odd, [sdk.Problem("odd", "It is odd.")] * odd.num_rows)


class Together(sdk.Transform):
    """Puts wires together."""

    type = "together"
    title = "Together"
    icon = "layers"
    group = "transform"
    inputs = (sdk.Port("input", "Rows", many=True),)

    def process(self, rows, context):
        yield rows


class Match(sdk.SqlTransform):
    """Keeps the left rows whose number is on the right, too."""

    type = "match"
    title = "Match"
    icon = "join"
    group = "transform"
    inputs = (sdk.Port("left", "Left"), sdk.Port("right", "Right"))
    outputs = (sdk.OUT,)
    rows = "any"
    blocking = True

    def query(self, inputs):
        return 'SELECT l.n, l.v FROM "left" l SEMI JOIN "right" r ON l.n = r.n'


class Total(sdk.SqlTransform):
    """Sums by number."""

    type = "total"
    title = "Total"
    icon = "sigma"
    group = "transform"
    outputs = (sdk.OUT,)
    rows = "any"
    blocking = True
    single_pass = True

    def query(self, inputs):
        return "SELECT n // 3 AS n, CAST(sum(v) AS BIGINT) AS v FROM input GROUP BY ALL"


class Keeper(sdk.Sink):
    """Keeps what is committed where the test reads it."""

    type = "keeper_sink"
    title = "Keeper"
    icon = "database"
    group = "load"
    kept: ClassVar[dict] = {}

    class Config(sdk.Config):
        name: str

    @property
    def commits_at_barriers(self):
        return True

    def open(self, schema, context):
        self.staged = Counter()

    def write(self, rows, context):
        self.staged.update(zip(rows.column("n").to_pylist(), rows.column("v").to_pylist(), strict=True))
        return ()

    def commit(self, context, mark=None):
        staged, self.staged = getattr(self, "staged", Counter()), Counter()
        self.kept.setdefault(self.config.name, Counter()).update(staged)
        return sdk.Loaded(inserted=staged.total())

    def abort(self, context):
        self.staged = Counter()


def registry(*further):
    return sdk.Registry([Count, Keep, Halve, Together, Match, Total, Keeper, *further])


@dataclass(frozen=True)
class Made:
    """A node of a flow: its type, its settings and the (node, port) that feed it, by input port."""

    kind: str
    config: dict
    inputs: tuple = ()


@st.composite
def flows(draw, *, blocking=True):
    """A list of nodes, each fed by earlier ones; what nobody takes goes to a sink of its own."""
    made = [
        Made("count_source", {"batches": draw(st.integers(0, 4)), "size": draw(st.integers(1, 6))})
        for _ in range(draw(st.integers(1, 2)))
    ]
    kinds = ["keep", "halve", "together", "together", *(["match", "total"] if blocking else [])]
    for _ in range(draw(st.integers(1, 7))):
        ends = [(number, port) for number, node in enumerate(made) for port in outputs_of(node)]
        end = st.sampled_from(ends)
        kind = draw(st.sampled_from(kinds))
        config = {"of": draw(st.integers(1, 3)), "remainder": draw(st.integers(0, 1))} if kind == "keep" else {}
        if kind == "together":
            inputs = [("input", one) for one in draw(st.lists(end, min_size=1, max_size=3, unique=True))]
        elif kind == "match":
            inputs = [("left", draw(end)), ("right", draw(end))]
        else:
            inputs = [("input", draw(end))]
        made.append(Made(kind, config, tuple(inputs)))
    taken = {end for node in made for _, end in node.inputs}
    for number, node in enumerate(list(made)):
        made += [
            Made("keeper_sink", {"name": f"{number}.{port}"}, (("input", (number, port)),))
            for port in outputs_of(node)
            if (number, port) not in taken or draw(st.booleans())
        ]
    return made


def outputs_of(node):
    return {"keeper_sink": (), "halve": ("out", "rejects")}.get(node.kind, ("out",))


def expected(made):
    """The rows that each end must give, as counts of (n, v)."""
    ends = {}
    for number, node in enumerate(made):
        by_port = {}
        for port, end in node.inputs:
            by_port.setdefault(port, Counter()).update(ends[end])
        came = by_port.get("input", Counter())
        match node.kind:
            case "count_source":
                out = Counter((n, n % 5) for n in range(node.config["batches"] * node.config["size"]))
            case "keep":
                config = node.config
                out = Counter({row: c for row, c in came.items() if row[0] % config["of"] == config["remainder"]})
            case "halve":
                out = Counter({row: c for row, c in came.items() if row[0] % 2 == 0})
                ends[number, "rejects"] = came - out
            case "match":
                there = {n for n, _ in by_port["right"]}
                out = Counter({row: c for row, c in by_port["left"].items() if row[0] in there})
            case "total":
                sums = Counter()
                for (n, v), count in came.items():
                    sums[n // 3] += v * count
                out = Counter({(n // 3, sums[n // 3]): 1 for n, _ in came})
            case _:
                out = came
        ends[number, "out"] = out
    return {node.config["name"]: ends[node.inputs[0][1]] for node in made if node.kind == "keeper_sink"}


def pipeline_of(made, policies=None):
    pipeline = Pipeline("flow")
    for number, node in enumerate(made):
        policy = (policies or {}).get(node.kind, {})
        pipeline.nodes[f"n{number}"] = NodeSpec(f"n{number}", node.kind, node.config, policy)
        for port, (feeder, out) in node.inputs:
            pipeline.wires.append(Wire(f"n{feeder}", out, f"n{number}", port))
    return pipeline


class Flow:
    """A run in a thread of its own."""

    def __init__(self, run):
        self.run = run
        self._reports = []
        self._thread = threading.Thread(target=lambda: self._reports.append(run.execute()))

    def start(self):
        self._thread.start()

    def ended(self, patience=PATIENCE):
        """The report; a run that stands still fails the test and is ended."""
        self._thread.join(patience)
        if self._thread.is_alive():
            wires = {text: s for inbox in self.run._inboxes.values() for text, s in inbox.samples().items()}
            self.run.stop(hard=True)
            self._thread.join(patience)
            raise AssertionError(f"the run stands still: {wires}")
        return self._reports[0]


def make_flow(pipeline, folder, nodes=None, *, bounds=None, interval=None, listeners=(), memory=None):
    settings = {node.id: (node.config, node.policy) for node in pipeline.nodes.values()}
    places = Places(folder, folder / "data.db", folder / "scratch")
    plan = make_plan(pipeline, nodes or registry(), settings)
    interval = interval or Interval(rows=1)
    return Flow(Run("run-1", plan, places, None, listeners, bounds=bounds, interval=interval, memory=memory))


def run_flow(*arguments, **options):
    """The report of a run that ended well."""
    flow = make_flow(*arguments, **options)
    flow.start()
    ended = flow.ended()
    assert ended.status in (RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS), ended.error
    return ended
