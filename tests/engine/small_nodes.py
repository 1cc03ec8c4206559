"""Small nodes for the tests of policies, and a bench that runs a pipeline of them."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from etl_studio import sdk
from etl_studio.engine.context import Places
from etl_studio.engine.plan import make_plan
from etl_studio.engine.run import Run
from etl_studio.errors import TransientError
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

    def read(self, context):
        for number in range(self.config.batches):
            yield batch(*range(number * self.config.size, (number + 1) * self.config.size))


class Spotted(sdk.Source):
    """Gives its rejects first, one by one, then its good rows."""

    type = "spotted_source"
    title = "Spotted"
    icon = "dice"
    group = "extract"

    class Config(sdk.Config):
        good: int = 0
        bad: int = 0

    def read(self, context):
        yield batch()
        for number in range(self.config.bad):
            yield refused(number)
        yield batch(*range(self.config.good))


class Pages(sdk.Source):
    """Asks a site for pages; each gives one row."""

    type = "pages_source"
    title = "Pages"
    icon = "globe"
    group = "extract"
    reads_web = True

    class Config(sdk.Config):
        urls: list[str]

    def read(self, context):
        client = context.http()
        for number, url in enumerate(self.config.urls):
            client.send(sdk.HttpRequest(url))
            yield batch(number)


class Even(sdk.Transform):
    """Rejects odd numbers."""

    type = "even"
    title = "Even"
    icon = "filter"
    group = "transform"

    def process(self, rows, context):
        numbers = rows.column("n").to_pylist()
        yield batch(*[number for number in numbers if number % 2 == 0])
        yield refused(*[number for number in numbers if number % 2])


class Ask(sdk.Transform):
    """Asks a site once for each batch; gives the batch on."""

    type = "ask"
    title = "Ask"
    icon = "globe"
    group = "transform"

    class Config(sdk.Config):
        url: str

    def process(self, rows, context):
        context.http().send(sdk.HttpRequest(self.config.url))
        yield rows


class Collect(sdk.Sink):
    """Keeps what is committed in a list that the test reads."""

    type = "collect_sink"
    title = "Collect"
    icon = "database"
    group = "load"
    committed: ClassVar[dict] = {}

    class Config(sdk.Config):
        name: str = "default"
        busy: bool = False

    def open(self, schema, context):
        self.rows = []

    def write(self, rows, context):
        if self.config.busy:
            raise TransientError("The database is locked by another program.")
        self.rows += rows.to_pylist()
        return ()

    def commit(self, context, mark=None):
        self.committed.setdefault(self.config.name, []).extend(self.rows)
        return sdk.Loaded(inserted=len(self.rows))

    def abort(self, context):
        self.rows = []


REGISTRY = sdk.Registry([Numbers, Spotted, Pages, Even, Ask, Collect])


class Bench:
    """Builds and runs a pipeline of the nodes above."""

    def __init__(self, folder):
        Collect.committed.clear()
        self.folder = folder
        self.events = []
        self.pipeline = Pipeline("test")

    def node(self, node_id, node_type, policy=None, **config):
        self.pipeline.nodes[node_id] = NodeSpec(node_id, node_type, config, policy or {})
        return self

    def wire(self, text):
        source, target = text.split(" -> ")
        node, _, port = source.partition(".")
        self.pipeline.wires.append(Wire(node, port or "out", target, "input"))
        return self

    def run(self, **options):
        settings = {node.id: (node.config, node.policy) for node in self.pipeline.nodes.values()}
        places = Places(self.folder, self.folder / "data.db", self.folder / "scratch")
        plan = make_plan(self.pipeline, REGISTRY, settings)
        return Run("run-1", plan, places, None, [self.events.append], **options)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def committed(name="default"):
    return [row["n"] for row in Collect.committed.get(name, [])]
