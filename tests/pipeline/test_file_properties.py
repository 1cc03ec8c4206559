"""What must hold for every pipeline, checked with random ones."""

from __future__ import annotations

import difflib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio.pipeline.file_format import dumps, loads
from etl_studio.pipeline.model import Group, NodeSpec, Note, Parameter, Pipeline, Wire

quick = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
tricky = [
    "", " ", "yes", "NULL", "~", "1e3", "007", "0x1F", "2024-01-01", "12:30", "- a", "a: b", "a #b", "#", "---", "...",
    "SELECT 1\nFROM x\n", "a\n\n  b\nc", "\n", "x\n\n", "tab\tin", "'quoted'", '"double"', "{}", "[a]", "<<", "=",
    "a\r\nb", "${x}", "&a", "*a", "!t", "|", ">", "%", "@", "`", "?", ":", "-", "trailing ", "line \nnext", "\x85",
    "\ufeff", "\u2028", "é",
]  # fmt: skip
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(tricky)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
configs = st.dictionaries(texts, values, max_size=4)


@st.composite
def pipelines(draw):
    ids = draw(st.lists(names, unique=True, max_size=5))
    pipeline = Pipeline(name=draw(texts.filter(bool)), description=draw(texts))
    for key in ids:
        kind = draw(st.sampled_from(["keep", "numbers_source", "pair", "query", "table_sink", "gone"]))
        pipeline.nodes[key] = NodeSpec(key, kind, draw(configs), draw(configs), draw(texts))
    for name in draw(st.lists(names, unique=True, max_size=2)):
        pipeline.parameters[name] = Parameter(name, draw(texts.filter(bool)), draw(values), draw(texts))
    if ids:
        ports = st.sampled_from(["out", "rejects", "input", "left", "right", "other"])
        ends = st.builds(Wire, st.sampled_from(ids), ports, st.sampled_from(ids), ports)
        pipeline.wires = draw(st.lists(ends, max_size=5))
        coordinates = st.floats(-1e6, 1e6) | st.integers(-1000, 1000).map(float)
        points = st.tuples(coordinates, coordinates)
        pipeline.layout = draw(st.dictionaries(st.sampled_from(ids), points))
        for key in draw(st.sets(st.sampled_from(ids), max_size=2)):
            pipeline.nodes[key].disabled = True
        members = draw(st.permutations(ids))
        for name in draw(st.lists(names, unique=True, max_size=2)):
            taken, members = members[:2], members[2:]
            pipeline.groups[name] = Group(name, draw(texts), taken, draw(texts), draw(st.booleans()))
        if pipeline.wires:
            bends = st.lists(points, min_size=1, max_size=3).map(tuple)
            pipeline.bends = draw(st.dictionaries(st.sampled_from(pipeline.wires), bends, max_size=2))
        for name in draw(st.lists(names.filter(lambda name: name not in ids), unique=True, max_size=2)):
            pipeline.notes[name] = Note(name, draw(texts), draw(texts))
            if draw(st.booleans()):
                pipeline.layout[name] = draw(st.tuples(coordinates, coordinates, coordinates, coordinates))
    extra = draw(st.dictionaries(names.filter(lambda name: len(name) > 1), values, max_size=2))
    pipeline.extra = {f"x_{key}": value for key, value in extra.items()}
    return pipeline


@quick
@given(pipelines())
def test_what_is_written_is_read_back_equal(registry, pipeline):
    assert loads(dumps(pipeline, registry), registry=registry) == pipeline
    assert loads(dumps(pipeline)) == pipeline


@quick
@given(pipelines())
def test_an_unchanged_pipeline_is_written_byte_for_byte(registry, pipeline):
    text = dumps(pipeline, registry)
    again = loads(text, registry=registry)
    assert dumps(again, registry) == text


@quick
@given(pipelines(), pipelines())
def test_any_change_to_a_file_is_read_back(registry, before, after):
    read = loads(dumps(before, registry), registry=registry)
    after.source = read.source
    assert loads(dumps(after, registry), registry=registry) == after


@quick
@given(pipelines().filter(lambda pipeline: pipeline.layout), st.data())
def test_a_moved_node_changes_only_its_layout_line(registry, pipeline, data):
    text = dumps(pipeline, registry)
    read = loads(text, registry=registry)
    node = data.draw(st.sampled_from(sorted(read.layout)))
    x, *rest = read.layout[node]
    read.layout[node] = (x + 10, *rest)
    changed = [line for line in difflib.ndiff(text.split("\n"), dumps(read, registry).split("\n")) if line[0] in "+-"]
    assert all(line[2:].strip().strip('"').startswith(node) for line in changed)
    assert len(changed) == 2
