"""Pipelines of any shape that run: sources that make numbers, steps, splits, joins and sinks."""

from __future__ import annotations

from hypothesis import strategies as st

from etl_studio.pipeline.model import NodeSpec, Parameter, Pipeline, Wire


@st.composite
def pipelines(draw, most: int = 8) -> Pipeline:
    """A pipeline without errors; each sink writes a file of its own, ``sink_N.csv``."""
    pipeline = Pipeline("any", parameters={"least": Parameter("least", "integer", 2)})
    ends: list[tuple[str, str]] = []

    def add(name, node_type, config, **policy):
        pipeline.nodes[name] = NodeSpec(name, node_type, config, policy)

    for number in range(draw(st.integers(1, 2))):
        add(f"make_{number}", "generate_source", {"rows": 6, "columns": {"n": f"i + {number}", "k": "i % 2"}})
        ends.append((f"make_{number}", "out"))
    for number in range(draw(st.integers(1, most))):
        name, kind = f"step_{number}", draw(st.sampled_from(["filter", "derive", "union", "fails"]))
        if kind == "filter":
            add(name, "filter", {"where": f"n >= ${{least}} - {number}"})
        elif kind == "derive":
            add(name, "derive", {"columns": {"n": "n + ${least}"}})
        elif kind == "fails":
            add(
                name,
                "derive",
                {"columns": {"n": "(CASE WHEN n = 3 THEN 'no' ELSE n::TEXT END)::BIGINT"}},
                on_error="reject",
            )
        else:
            add(name, "union", {})
        several = kind == "union" and len(ends) > 1
        sources = draw(st.lists(st.sampled_from(ends), min_size=1, max_size=3 if several else 1, unique=True))
        pipeline.wires += [Wire(*source, name, "input") for source in sources]
        ends.append((name, "out"))
        if kind == "fails":
            ends.append((name, "rejects"))
    fed = {(wire.source, wire.source_port) for wire in pipeline.wires}
    for number, end in enumerate(end for end in ends if end not in fed):
        add(f"sink_{number}", "csv_sink", {"path": f"sink_{number}.csv"})
        pipeline.wires.append(Wire(*end, f"sink_{number}", "input"))
    pipeline.layout = {name: (320.0 * number, 0.0) for number, name in enumerate(pipeline.nodes)}
    return pipeline
