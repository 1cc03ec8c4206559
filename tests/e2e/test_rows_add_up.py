"""Whatever the pipeline and however bad the rows: each row that was read is loaded, left out, or kept as a reject."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from etl_studio.app.studio import Studio
from etl_studio.engine.events import RunStatus

NUMBERS = st.integers(0, 60)
GOOD = st.tuples(
    st.integers(1, 8), NUMBERS, st.sampled_from(["1", "22", "", "red", "blau\u0308", '"quoted, text"'])
).map(lambda row: f"{row[0]},{row[1]},{row[2]}".encode())
BAD = st.sampled_from([b"1,ten,red", b"2,3", b"3,4,red,blue", b"4,5,K\xf6ln", b",,", b"5,,red", b"six,6,red"])
LINES = st.lists(st.one_of(GOOD, GOOD, GOOD, BAD), max_size=40)
TYPES = {"id": "integer", "quantity": "integer", "note": "text"}

STEPS = st.sampled_from(
    [
        ("filter", {"where": "quantity >= 20"}),
        ("filter", {"where": "100 // quantity >= 5"}),
        ("filter", {"where": "note <> 'red' OR quantity // (quantity - 7) > 0"}),
        ("derive", {"columns": {"number": "CAST(note AS INTEGER)"}}),
        ("derive", {"columns": {"quantity": "quantity + 1", "share": "60 // (quantity - 1)"}}),
        ("select", {"columns": ["note", "id", "quantity"]}),
        ("select", {"cast": {"quantity": "integer"}, "columns": ["id", "quantity", "note"]}),
        ("deduplicate", {"keys": ["id"], "keep": "last"}),
        ("deduplicate", {"keys": []}),
        ("sort", {"by": [{"column": "quantity", "descending": True}]}),
        ("validate", {"rules": [{"column": "quantity", "rule": "range", "min": 3, "max": 50}]}),
        ("validate", {"rules": [{"column": "id", "rule": "unique"}, {"column": "note", "rule": "not_null"}]}),
    ]
)
WITHOUT_REJECTS = {"deduplicate", "sort", "union", "join"}
REFUSED = st.sampled_from(["wire", "dead_letter", "skip"])


@dataclass
class Drawn:
    """A pipeline that grows node by node; its text is JSON, which is YAML too."""

    nodes: dict[str, Any] = field(default_factory=dict)
    wires: list[str] = field(default_factory=list)

    def add(self, kind, config, *sources, refused="dead_letter"):
        name = f"{kind}_{len(self.nodes)}"
        on_error = "skip" if refused == "skip" else "reject"
        self.nodes[name] = {"type": kind, "config": config, "policy": {"on_error": on_error}}
        self.wires += [f"{source} -> {name}" for source in sources]
        if refused == "wire" and kind not in WITHOUT_REJECTS:
            self.wires.append(f"{name}.rejects -> {self.sink(name + '_rejects')}")
        return name

    def sink(self, name):
        self.nodes[name] = {"type": "csv_sink", "config": {"path": f"{name}.csv"}}
        return name

    def text(self):
        return json.dumps({"etl_studio": 1, "nodes": self.nodes, "wires": self.wires}, indent=1)


@st.composite
def pipelines(draw):
    """A chain of steps; at times split and put together again, or joined with a second file."""
    drawn = Drawn()

    def steps(source, most):
        for kind, config in draw(st.lists(STEPS, max_size=most)):
            source = drawn.add(kind, config, source, refused=draw(REFUSED))
        return source

    def read(path):
        return drawn.add("csv_source", {"path": path, "columns": TYPES}, refused=draw(REFUSED))

    end = steps(read("rows.csv"), 2)
    shape = draw(st.sampled_from(["line", "split", "union", "join"]))
    if shape == "split":
        end = drawn.add("union", {}, steps(end, 2), steps(drawn.add("sort", {"by": [{"column": "id"}]}, end), 1))
    elif shape == "union":
        end = drawn.add("union", {}, end, steps(read("others.csv"), 2))
    elif shape == "join":
        how = draw(st.sampled_from(["inner", "left", "full", "semi", "anti"]))
        other = steps(read("others.csv"), 1)
        left, end = end, drawn.add("join", {"how": how, "on": ["id"]})
        drawn.wires += [f"{left} -> {end}.left", f"{other} -> {end}.right"]
    end = steps(end, 2) if shape != "join" else end
    drawn.wires.append(f"{end} -> {drawn.sink('result')}")
    event(shape)
    return drawn


def rows_of(path):
    """Records of a CSV file, the names left out."""
    with path.open(encoding="utf-8", newline="") as file:
        return max(len(list(csv.reader(file))) - 1, 0)


def refused(counts):
    return counts.rejected + counts.dead_letters + counts.skipped


PHASES = set(Phase) - {Phase.explain}  # a run is too dear to vary each part of a failing example


@settings(max_examples=30, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=pipelines(), rows=LINES, others=LINES)
def test_no_row_vanishes_and_none_appears(drawn, rows, others):
    with tempfile.TemporaryDirectory() as place, Studio() as studio:
        check(studio, Path(place), drawn, {"rows.csv": rows, "others.csv": others})


def check(studio, folder, drawn, files):
    for name, lines in files.items():
        (folder / name).write_bytes(b"id,quantity,note\n" + b"".join(line + b"\n" for line in lines))
    file = folder / "drawn.yaml"
    file.write_text(drawn.text(), encoding="utf-8")
    workspace = studio.workspace(folder / "ws")
    run = studio.prepare(studio.load(file), file=file, parameters={}, workspace=workspace)
    ended = run.execute()
    counts = ended.nodes
    assert ended.status in (RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS), ended.error

    # Every line of the files was read, and went on or was refused.
    sources = {name: node for name, node in drawn.nodes.items() if node["type"] == "csv_source"}
    for name, node in sources.items():
        assert counts[name].rows_in == len(files[node["config"]["path"]])
        assert counts[name].rows_in == counts[name].rows_out + refused(counts[name])

    # What a node gives on a port arrives at the other end of each of its wires.
    arriving = Counter()
    for wire in drawn.wires:
        source, _, target = wire.partition(" -> ")
        node, _, port = source.partition(".")
        arriving[target.partition(".")[0]] += counts[node].rejected if port == "rejects" else counts[node].rows_out
    for name, node in drawn.nodes.items():
        count = counts[name]
        if name not in sources:
            assert count.rows_in == arriving[name], name
        if node["type"] != "join":
            assert count.rows_in == count.rows_out + count.filtered + refused(count), name

    # Files hold what is counted as loaded, and the workspace what the report says.
    for name, node in drawn.nodes.items():
        if node["type"] == "csv_sink":
            assert rows_of(folder / node["config"]["path"]) == counts[name].rows_out == counts[name].rows_in
    stored = workspace.node_counts(run.id)
    assert {name: stored[name] for name in counts} == {name: asdict(count) for name, count in counts.items()}
    letters = Counter(letter.node for letter in workspace.dead_letters(run=run.id))
    assert letters == Counter({name: count.dead_letters for name, count in counts.items() if count.dead_letters})
    assert all(json.dumps(letter.payload) for letter in workspace.dead_letters(run=run.id))

    # Where rows are neither doubled nor combined, the sum holds from end to end.
    starts = [wire.partition(" -> ")[0] for wire in drawn.wires]
    if len(set(starts)) == len(starts) and not any(node["type"] == "join" for node in drawn.nodes.values()):
        filtered, dead, skipped = (
            sum(getattr(count, name) for count in counts.values()) for name in ("filtered", "dead_letters", "skipped")
        )
        assert ended.rows_in == ended.rows_out + filtered + dead + skipped
