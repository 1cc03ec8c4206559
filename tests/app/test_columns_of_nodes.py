"""What every node type says about columns is what it does."""

from __future__ import annotations

import json

import pytest

from etl_studio.app.catalogue import built_in_types
from etl_studio.app.studio import Studio
from etl_studio.nodes.sub_pipelines.sub_pipeline import SubPipeline
from etl_studio.pipeline.column_renaming import rename_column
from etl_studio.pipeline.file_format import load
from etl_studio.pipeline.lineage import Lineage
from etl_studio.pipeline.renaming import apply
from etl_studio.pipeline.setting_fields import SQL_EDITORS, settings_of
from etl_studio.sdk import Sink, Source
from etl_studio.sdk.config import editor_of, names_of

TYPES = built_in_types()
OF_THE_TARGET = {
    ("browser_source", "name"),  # a value of the column _type
    ("crawl_source", "name"),
    ("sqlite_sink", "valid_from"),  # columns that only the table has
    ("sqlite_sink", "valid_to"),
    ("sqlite_source", "where"),  # SQLite's dialect, over columns of the database
    ("sqlite_source", "query"),
}
ROWS = (
    "id,price,quantity,category,customer_id,day\n1,2.5,3,a,7,2026-01-01\n2,9.5,1,b,7,2026-01-02\n12,99,2,a,8,2026-01-03"
)


def models(node_type):
    """The Config of a type and the models in it."""
    found, waiting = [], [node_type.Config]
    while waiting:
        model = waiting.pop()
        found.append(model)
        waiting += [inner for _, models in settings_of((model,)).values() for inner in models]
    return found


@pytest.mark.parametrize("node_type", TYPES, ids=lambda one: one.type)
def test_settings_that_name_columns_say_so(node_type):
    for model in models(node_type):
        for name, field in model.model_fields.items():
            about_columns = "olumn" in f"{field.title} {field.description}" and "str" in str(field.annotation)
            is_sql = editor_of(field) in SQL_EDITORS
            if (node_type.type, name) in OF_THE_TARGET:
                continue
            if "dict[str, str]" in str(field.annotation) and (about_columns or is_sql):
                assert names_of(field)[1] is not None, f"{node_type.type}.{name}: what do its keys name?"
            elif about_columns and not is_sql:
                assert names_of(field)[0] is not None, f"{node_type.type}.{name}: what does it name?"


def wired(node_type):
    """A pipeline in which files feed a node of the type with the settings of its example."""
    nodes = {"node": {"type": node_type.type, "config": node_type.example}}
    wires = []
    for port in node_type.inputs:
        nodes[f"read_{port.name}"] = {"type": "csv_source", "config": {"path": "rows.csv"}}
        wires.append(f"read_{port.name} -> node.{port.name}")
    return {"etl_studio": 1, "nodes": nodes, "wires": wires}


ON_THEIR_OWN = [
    one
    for one in TYPES
    if not issubclass(one, Sink | SubPipeline) and (not issubclass(one, Source) or one.type == "generate_source")
]


@pytest.fixture
def studio():
    with Studio() as opened:
        yield opened


def opened(tmp_path, studio, content):
    (tmp_path / "rows.csv").write_text(ROWS)
    file = tmp_path / "p.etl.yaml"
    file.write_text(json.dumps(content))
    return load(file, studio.registry), file


@pytest.mark.parametrize("node_type", ON_THEIR_OWN, ids=lambda one: one.type)
def test_the_columns_that_leave_a_node_are_those_of_its_rows(tmp_path, studio, node_type):
    pipeline, file = opened(tmp_path, studio, wired(node_type))
    rows = studio.preview(pipeline, file=file, node="node")
    known = {name: ROWS.split("\n", 1)[0].split(",") for name in pipeline.nodes if name != "node"}
    given = Lineage(pipeline, studio.registry, known).nodes["node"].gives
    assert sorted(given.named()) == sorted(rows.column_names)


@pytest.mark.parametrize("node_type", ON_THEIR_OWN, ids=lambda one: one.type)
def test_each_column_of_each_node_can_be_renamed_and_the_rows_stay(tmp_path, studio, node_type):
    pipeline, file = opened(tmp_path, studio, wired(node_type))
    before = studio.preview(pipeline, file=file, node="node")
    known = {name: ROWS.split("\n", 1)[0].split(",") for name in pipeline.nodes if name != "node"}
    for column in before.column_names:
        found = rename_column(pipeline, studio.registry, "node", column, "new name", known=known)
        assert found.obstacles == []
        after = studio.preview(apply(pipeline, found), file=file, node="node")
        names = ["new name" if name == column else name for name in before.column_names]
        # a namesake on the other side of a join gets its own name back
        names = [name.removesuffix("_right") if column == name.removesuffix("_right") else name for name in names]
        ordered = [sorted(table.to_pydict().values(), key=str) for table in (before, after)]
        assert after.column_names == names
        assert ordered[0] == ordered[1]


SHOP = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: rows.csv, columns: {price: number}}}
  keep: {type: filter, config: {where: price > 3 AND quantity < 100}}
  compute: {type: derive, config: {columns: {total: price * quantity, share: total / (price + 1)}}}
  pick: {type: select, config: {columns: [id, total, price, category], rename: {total: amount}}}
  check: {type: validate, config: {rules: [{column: price, rule: not_null}, {column: amount, rule: range, min: 0}]}}
  other: {type: csv_source, config: {path: rows.csv}}
  pair: {type: join, config: {how: left, "on": [id]}}
  ask:
    type: sql
    config:
      query: |
        WITH best AS (SELECT category, max(amount) AS top FROM input GROUP BY category)
        SELECT i.id, i.price, i.price_right, best.top -- the dearest
        FROM input AS i JOIN best USING (category) ORDER BY i.id
  order: {type: sort, config: {by: [{column: price, descending: true}]}}
wires:
  - read -> keep
  - keep -> compute
  - compute -> pick
  - pick -> check
  - check -> pair.left
  - other -> pair.right
  - pair -> ask
  - ask -> order
"""


@pytest.mark.parametrize(
    ("node", "column"),
    [("read", "price"), ("read", "category"), ("read", "id"), ("compute", "total"), ("pick", "amount"), ("ask", "top"),
     ("other", "price"), ("read", "quantity")],
)  # fmt: skip
def test_a_run_gives_the_same_rows_under_the_new_name(tmp_path, studio, node, column):
    (tmp_path / "rows.csv").write_text(ROWS)
    file = tmp_path / "p.etl.yaml"
    file.write_text(SHOP)
    pipeline = load(file, studio.registry)
    known = {one: studio.preview(pipeline, file=file, node=one).column_names for one in pipeline.nodes}
    found = rename_column(pipeline, studio.registry, node, column, "Order no", known=known)
    assert found.obstacles == []
    later = apply(pipeline, found)
    for one in pipeline.nodes:
        before = studio.preview(pipeline, file=file, node=one)
        after = studio.preview(later, file=file, node=one)
        key = [sorted(map(str, row.values())) for row in before.to_pylist()]
        assert sorted(key) == sorted([sorted(map(str, row.values())) for row in after.to_pylist()])
    assert (
        "Order no"
        in studio.preview(later, file=file, node=found.insertions[0].node if found.insertions else node).column_names
    )
