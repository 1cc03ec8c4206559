"""Pipelines that are killed again and again, and what must be there in the end."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from etl_studio.demo.faults import Faults
from etl_studio.demo.site import DemoSite
from tests.delivery.receiver import Receiver

if TYPE_CHECKING:
    import random

CHILD = Path(__file__).with_name("child.py")
READ = "import json, sqlite3, sys; print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))"
POINTS = ("saving", "saved", "open", "committing", "applying", "applied", "marking", "marked", "committed")
RESUMABLE_CODES = {1, -signal.SIGKILL}
ROWS = 150_000
PIECE_ROWS = 65_536


@dataclass
class Tally:
    """What came of the kills."""

    kills: int = 0
    finished: int = 0
    lost: int = 0
    doubled: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return self.lost + self.doubled + len(self.notes)


class Scenario:
    """One pipeline in a folder of its own.

    Args:
        folder: empty.
        options: for ``child.py``.
    """

    name = ""
    points: tuple[str, ...] = POINTS
    checkpoint_always = False

    def __init__(self, folder: Path, plant: str = "") -> None:
        self.folder = folder
        self.plant = plant
        self.file = folder / "job.etl.yaml"
        self.make()

    def make(self) -> None:
        raise NotImplementedError

    def check(self, tally: Tally) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Stop what it started."""

    def write(self, nodes, wires, **others):
        document = {"etl_studio": 1, "checkpoint": {"rows": 1}, "nodes": nodes, "wires": wires, **others}
        self.file.write_text(json.dumps(document))

    def numbers(self, rows=ROWS):
        """A CSV file with the numbers from 0."""
        lines = "".join(f"{n},name {n % 977},{n % 7}\n" for n in range(rows))
        (self.folder / "numbers.csv").write_text("n,name,kind\n" + lines)

    def start(self, *, resume, point="", hit=1):
        told = {
            "point": point, "hit": hit, "plant": self.plant, "checkpoint_always": self.checkpoint_always,
        }  # fmt: skip
        command = [sys.executable, str(CHILD), json.dumps(told), "run", str(self.file), *self.arguments()]
        if resume:
            command.append("--resume")
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def arguments(self):
        return []

    @property
    def started(self):
        return (self.folder / ".etl_studio" / "workspace.db").exists() and bool(
            query(self.folder / ".etl_studio" / "workspace.db", "SELECT 1 FROM run")
        )

    def count(self, found, wanted, tally, what):
        """Compare two bags of values."""
        found, wanted = Counter(found), Counter(wanted)
        lost, doubled = (wanted - found).total(), (found - wanted).total()
        tally.lost += lost
        tally.doubled += doubled
        if lost or doubled:
            tally.notes.append(f"{what}: {lost} lost, {doubled} too many")


def query(database, sql):
    """Rows of an SQLite file, read by another process with another copy of SQLite."""
    run = subprocess.run([sys.executable, "-c", READ, str(database), sql], capture_output=True, text=True, check=False)
    return [tuple(row) for row in json.loads(run.stdout)] if run.returncode == 0 else []


class OneTable(Scenario):
    """A file into one table without a key: a row that comes twice is there twice."""

    name = "one SQLite sink"

    def make(self):
        self.numbers()
        self.write(
            {
                "read": {"type": "csv_source", "config": {"path": "numbers.csv"}},
                "keep": {"type": "filter", "config": {"where": "kind <> 3"}},
                "save": {"type": "sqlite_sink", "config": {"table": "numbers"}},
            },
            ["read -> keep", "keep -> save"],
        )

    def check(self, tally):
        found = query(self.folder / ".etl_studio" / "data.db", "SELECT n FROM numbers")
        self.count([n for (n,) in found], [n for n in range(ROWS) if n % 7 != 3], tally, "numbers")


class InSubPipelines(OneTable):
    """The same, with the source in one file, and filter and sink in another that is used by a third one."""

    name = "in sub-pipelines"

    def make(self):
        self.numbers()
        parts = self.folder / "parts"
        parts.mkdir()

        def write(name, nodes, wires):
            (parts / name).write_text(json.dumps({"etl_studio": 1, "nodes": nodes, "wires": wires}))

        write(
            "read.yaml",
            {
                "file": {"type": "csv_source", "config": {"path": "../numbers.csv"}},
                "end": {"type": "pipeline_output"},
            },
            ["file -> end"],
        )
        write(
            "save.yaml",
            {
                "begin": {"type": "pipeline_input"},
                "keep": {"type": "filter", "config": {"where": "kind <> 3"}},
                "table": {"type": "sqlite_sink", "config": {"table": "numbers"}},
            },
            ["begin -> keep", "keep -> table"],
        )
        write(
            "deeper.yaml",
            {
                "begin": {"type": "pipeline_input"},
                "save": {"type": "sub_pipeline", "config": {"file": "save.yaml"}},
            },
            ["begin -> save"],
        )
        self.write(
            {
                "read": {"type": "sub_pipeline", "config": {"file": "parts/read.yaml"}},
                "save": {"type": "sub_pipeline", "config": {"file": "parts/deeper.yaml"}},
            },
            ["read -> save"],
        )


class FromDatabase(OneTable):
    """The same numbers out of a table, in the order of a column in which many rows are equal."""

    name = "from a database with an order column"

    def make(self):
        with closing(sqlite3.connect(self.folder / "numbers.db")) as database:
            database.execute("CREATE TABLE numbers (n INTEGER, kind INTEGER, third INTEGER)")
            rows = ((n, n % 7, n // 3) for n in range(ROWS))
            database.executemany("INSERT INTO numbers VALUES (?, ?, ?)", rows)
            database.commit()
        self.write(
            {
                "read": {
                    "type": "sqlite_source",
                    "config": {"database": "numbers.db", "table": "numbers", "order_by": "third"},
                },
                "keep": {"type": "filter", "config": {"where": "kind <> 3"}},
                "save": {"type": "sqlite_sink", "config": {"table": "numbers"}},
            },
            ["read -> keep", "keep -> save"],
        )


class DuringWalCheckpoint(OneTable):
    """The same, with the log copied into the database at every commit."""

    name = "during a WAL checkpoint"
    checkpoint_always = True
    points = ()


class FanOut(Scenario):
    """A split into two databases and a file."""

    name = "two databases and a CSV"
    points = (*POINTS, "filing", "filed")

    def make(self):
        self.numbers()
        self.write(
            {
                "read": {"type": "csv_source", "config": {"path": "numbers.csv"}},
                "one": {"type": "sqlite_sink", "config": {"table": "one", "database": "one.db"}},
                "two": {"type": "sqlite_sink", "config": {"table": "two", "database": "two.db"}},
                "file": {"type": "csv_sink", "config": {"path": "three.csv"}},
            },
            ["read -> one", "read -> two", "read -> file"],
        )

    def check(self, tally):
        for name in ("one", "two"):
            found = query(self.folder / f"{name}.db", f"SELECT n FROM {name}")
            self.count([n for (n,) in found], range(ROWS), tally, name)
        with (self.folder / "three.csv").open(newline="") as file:
            self.count([int(row["n"]) for row in csv.DictReader(file)], range(ROWS), tally, "three.csv")
        left = list(self.folder.glob(".*.part"))
        if left:
            tally.notes.append(f"left behind: {left}")


class MergeWithUpdates(Scenario):
    """Keys that come again: the last row of each key stays, and an append-only table beside it judges."""

    name = "merge with updates"

    def make(self):
        lines = "".join(f"{n % 50_000},{n}\n" for n in range(ROWS))
        (self.folder / "changes.csv").write_text("id,n\n" + lines)
        self.write(
            {
                "read": {"type": "csv_source", "config": {"path": "changes.csv"}},
                "merge": {
                    "type": "sqlite_sink",
                    "config": {"table": "merged", "write_disposition": "merge", "key": ["id"]},
                },
                "append": {"type": "sqlite_sink", "config": {"table": "changes", "database": "judge.db"}},
            },
            ["read -> merge", "read -> append"],
        )

    def check(self, tally):
        found = query(self.folder / ".etl_studio" / "data.db", "SELECT id, n FROM merged")
        wanted = {n % 50_000: n for n in range(ROWS)}
        self.count(found, wanted.items(), tally, "merged")
        found = query(self.folder / "judge.db", "SELECT n FROM changes")
        self.count([n for (n,) in found], range(ROWS), tally, "changes")


class UniqueAndRejects(Scenario):
    """A rule that remembers values, rejects in a table of their own, and dead letters."""

    name = "remembered values, rejects, dead letters"

    def make(self):
        # A repeated value every 1,000 rows; a text for a number every 5,000.
        lines = "".join(
            f"{n - 500 if n % 1000 == 999 else n},{'x' if n % 5000 == 4321 else n % 7}\n" for n in range(ROWS)
        )
        (self.folder / "numbers.csv").write_text("n,kind\n" + lines)
        self.write(
            {
                "read": {"type": "csv_source", "config": {"path": "numbers.csv"}},
                "check": {"type": "validate", "config": {"rules": [{"column": "n", "rule": "unique"}]}},
                "save": {"type": "sqlite_sink", "config": {"table": "numbers"}},
                "bad": {"type": "sqlite_sink", "config": {"table": "bad", "database": "bad.db"}},
            },
            ["read -> check", "check -> save", "check.rejects -> bad"],
        )

    def check(self, tally):
        poison = {n for n in range(ROWS) if n % 5000 == 4321}
        repeated = {n for n in range(ROWS) if n % 1000 == 999}
        found = query(self.folder / ".etl_studio" / "data.db", "SELECT n FROM numbers")
        wanted = [n for n in range(ROWS) if n not in repeated and n not in poison]
        self.count([n for (n,) in found], wanted, tally, "numbers")
        found = query(self.folder / "bad.db", "SELECT n FROM bad")
        self.count([n for (n,) in found], [n - 500 for n in repeated], tally, "rejects")
        found = query(self.folder / ".etl_studio" / "workspace.db", "SELECT line FROM dead_letter")
        self.count([line for (line,) in found], [n + 2 for n in poison], tally, "dead letters")


class FaultyApi(Scenario):
    """Pages of an API that fails now and then."""

    name = "REST source with faults"
    products = 600
    points = (*POINTS, "")

    def make(self):
        self.demo = DemoSite(products=self.products, faults=Faults(rate_500=0.1, rate_reset=0.05))
        self.demo.start()
        self.write(
            {
                "read": {
                    "type": "rest_source",
                    "config": {
                        "url": f"{self.demo.url}/api/products?per_page=10",
                        "items": "data.items",
                        "pagination": {"kind": "page", "has_more": "has_more"},
                    },
                    "policy": {"retry": {"attempts": 20, "delay": 0.01, "max_delay": 0.05}},
                },
                "save": {"type": "sqlite_sink", "config": {"table": "products"}},
            },
            ["read -> save"],
        )

    def check(self, tally):
        found = query(self.folder / ".etl_studio" / "data.db", "SELECT id FROM products")
        self.count([n for (n,) in found], [item.id for item in self.demo.goods.products], tally, "products")

    def close(self):
        self.demo.stop()


class RememberedKeys(Scenario):
    """Repeated rows are left out and the others numbered: both nodes remember what came before."""

    name = "deduplicate and sequence"

    def make(self):
        # Every third row repeats one of the last 600, or the very first.
        lines = "".join(f"{self.value(n)},name {self.value(n) % 977}\n" for n in range(ROWS))
        (self.folder / "numbers.csv").write_text("n,name\n" + lines)
        self.write(
            {
                "read": {"type": "csv_source", "config": {"path": "numbers.csv"}},
                "once": {"type": "deduplicate", "config": {"keys": ["n", "name"]}},
                "number": {"type": "sequence", "config": {"column": "place", "start": 1000, "step": -2}},
                "save": {"type": "sqlite_sink", "config": {"table": "numbers"}},
            },
            ["read -> once", "once -> number", "number -> save"],
        )

    @staticmethod
    def value(n):
        return n if n % 3 else n - min(n, 600) if n % 2 else 0

    def check(self, tally):
        found = query(self.folder / ".etl_studio" / "data.db", "SELECT n, place FROM numbers")
        values = dict.fromkeys(self.value(n) for n in range(ROWS))
        self.count(found, [(n, 1000 - 2 * place) for place, n in enumerate(values)], tally, "numbers")


class Pushed(Scenario):
    """Rows pushed to an API that breaks off now and then, sometimes after it took them, and refuses some."""

    name = "pushed to an API with faults"
    points = ("saving", "saved", "open", "filing", "filed", "sending", "sent", "refusing", "refused")
    rows = 40_000

    @staticmethod
    def is_poison(n):
        return n % 5000 == 4321

    def make(self):
        self.receiver = Receiver(faults=0.1, refuses=lambda row: self.is_poison(row["n"]))
        self.receiver.__enter__()
        self.numbers(self.rows)
        self.write(
            {
                "read": {"type": "csv_source", "config": {"path": "numbers.csv"}},
                "push": {
                    "type": "http_sink",
                    "config": {"url": self.receiver.url, "rows_per_request": 1000},
                    "policy": {"retry": {"attempts": 20, "delay": 0.01, "max_delay": 0.05}},
                },
            },
            ["read -> push"],
        )

    def check(self, tally):
        found = [row["n"] for body in self.receiver.bodies for row in body]
        poison = [n for n in range(self.rows) if self.is_poison(n)]
        self.count(found, set(range(self.rows)) - set(poison), tally, "pushed")
        letters = query(self.folder / ".etl_studio" / "workspace.db", "SELECT payload FROM dead_letter")
        self.count([json.loads(payload)["n"] for (payload,) in letters], poison, tally, "dead letters")
        ended = query(self.folder / ".etl_studio" / "workspace.db", "SELECT rows_out, dead_letters FROM run")
        self.count(ended, [(self.rows - len(poison), len(poison))], tally, "counts of the run")

    def close(self):
        self.receiver.__exit__()


SCENARIOS = (
    OneTable,
    DuringWalCheckpoint,
    FanOut,
    MergeWithUpdates,
    UniqueAndRejects,
    RememberedKeys,
    FaultyApi,
    FromDatabase,
    Pushed,
    InSubPipelines,
)


def kill_again_and_again(make, kills: int, rng: random.Random, longest: float) -> Tally:
    """Run a scenario to its end as often as it takes to kill it ``kills`` times.

    Args:
        make: gives a fresh scenario.
        kills: how many at least.
        rng: chooses the moments.
        longest: seconds within which a run is killed.
    """
    tally = Tally()
    while tally.kills < kills:
        scenario = make()
        ended = None
        while ended != 0:
            point = rng.choice(scenario.points) if scenario.points and rng.random() < 0.7 else ""
            process = scenario.start(resume=scenario.started, point=point, hit=rng.randint(1, 6))
            try:
                _, said = process.communicate(timeout=60 if point else rng.uniform(0.3, longest))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                _, said = process.communicate()
            ended = process.returncode
            if ended == 3 or (ended == 2 and "is done" in said):  # killed after its last word
                ended = 0
            elif ended == -signal.SIGKILL:
                tally.kills += 1
            elif ended != 0:
                tally.notes.append(said)
                scenario.close()
                return tally
        tally.finished += 1
        scenario.check(tally)
        scenario.close()
        if tally.wrong:
            return tally
    return tally
