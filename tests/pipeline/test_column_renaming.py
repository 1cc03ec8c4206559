"""Columns followed, and renamed everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.app.catalogue import full_registry
from etl_studio.errors import UsageError
from etl_studio.pipeline.column_renaming import rename_column
from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.lineage import Lineage
from etl_studio.pipeline.renaming import apply, rename_parameter

REGISTRY = full_registry()
SHOP = """\
etl_studio: 1
parameters:
  least: {type: number, default: 1}
nodes:
  read:
    type: generate_source
    config: {rows: 20, columns: {id: i, price: i * 2, quantity: i % 3, day: "'d' || i"}}
  keep:
    type: filter
    config: {where: "PRICE >= ${least} -- the price\\n  AND price < 1000"}
  compute:
    type: derive
    config: {columns: {total: price * quantity, gross: total * 1.2 + price}}
  pick:
    type: select
    config: {columns: [id, total, price, day], rename: {total: amount}, cast: {price: text}}
  check:
    type: validate
    config: {rules: [{column: price, rule: not_null}, {rule: expression, expression: "amount >= 0 OR price IS NULL"}]}
  more:
    type: generate_source
    config: {rows: 20, columns: {id: i, price: "'p' || i"}}
  pair:
    type: join
    config: {how: left, "on": [id]}
  ask:
    type: sql
    config: {query: "SELECT o.price, max(amount) AS top -- best\\nFROM input AS o GROUP BY o.price ORDER BY top DESC"}
  group:
    type: aggregate
    config: {by: [day], measures: {price: max(price), price_right: min(price_right), half: avg(amount)}}
  order:
    type: sort
    config: {by: [{column: price}]}
wires:
  - read -> keep
  - keep -> compute
  - compute -> pick
  - pick -> check
  - check -> pair.left
  - more -> pair.right
  - pair -> ask
  - pair -> group
  - group -> order
"""
FILES = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: a.csv, columns: {price: number}}}
  keep: {type: filter, config: {where: price > 1}}
  save: {type: sqlite_sink, config: {table: t, write_disposition: merge, key: [price]}}
wires: [read -> keep, keep -> save]
"""


def pipeline(text=SHOP):
    return loads(text, registry=REGISTRY)


def renamed(node, column, new, text=SHOP, **more):
    return rename_column(pipeline(text), REGISTRY, node, column, new, **more)


def after(found):
    return {(change.node, ".".join(change.path), change.is_key): change.after for change in found.changes}


def test_everything_behind_follows_the_name_until_it_ends():
    found = renamed("read", "price", "unit price")
    assert after(found) == {
        ("read", "columns.price", True): "unit price",
        ("keep", "where", False): '"unit price" >= ${least} -- the price\n  AND "unit price" < 1000',
        ("compute", "columns.total", False): '"unit price" * quantity',
        ("compute", "columns.gross", False): 'total * 1.2 + "unit price"',
        ("pick", "columns.2", False): "unit price",
        ("pick", "cast.price", True): "unit price",
        ("check", "rules.0.column", False): "unit price",
        ("check", "rules.1.expression", False): 'amount >= 0 OR "unit price" IS NULL',
        ("ask", "query", False): 'SELECT o."unit price", max(amount) AS top -- best\n'
        'FROM input AS o GROUP BY o."unit price" ORDER BY top DESC',
        ("group", "measures.price", False): 'max("unit price")',
        # the right side's column has no namesake any more, so the join does not add to its name
        ("group", "measures.price_right", False): "min(price)",
    }
    assert found.obstacles == []


@pytest.mark.parametrize(
    ("node", "column", "places"),
    [
        ("compute", "total", [("compute", "columns.total"), ("compute", "columns.gross"), ("pick", "columns.1"),
                              ("pick", "rename.total")]),
        ("pick", "amount", [("pick", "rename.total"), ("check", "rules.1.expression"), ("ask", "query"),
                            ("group", "measures.half")]),
        ("ask", "top", [("ask", "query")]),
        ("group", "half", [("group", "measures.half")]),
        ("order", "price", [("group", "measures.price"), ("order", "by.0.column")]),
    ],
)  # fmt: skip
def test_a_name_is_changed_where_it_is_given(node, column, places):
    found = renamed(node, column, "other")
    assert [(change.node, ".".join(change.path)) for change in found.changes] == places
    assert found.insertions == []
    assert found.obstacles == []


def test_both_sides_of_a_join_keep_the_same_key():
    found = renamed("read", "id", "number")
    assert {(change.node, change.path[-1], change.after) for change in found.changes if change.is_key} == {
        ("read", "id", "number"),
        ("more", "id", "number"),
    }
    assert after(found)["pair", "on.0", False] == "number"


def test_a_column_that_a_file_names_gets_its_name_behind_the_source():
    found = renamed("keep", "price", "cost", FILES)
    assert [(one.behind, one.node, one.names) for one in found.insertions] == [("read", "rename", {"price": "cost"})]
    result = apply(pipeline(FILES), found)
    assert result.nodes["rename"].config == {"rename": {"price": "cost"}}
    assert sorted(map(str, result.wires)) == [
        "keep.out -> save.input",
        "read.out -> rename.input",
        "rename.out -> keep.input",
    ]
    assert result.nodes["read"].config == {"path": "a.csv", "columns": {"price": "number"}}
    assert result.nodes["save"].config["key"] == ["cost"]
    assert found.doubts == ["save writes it as cost from then on; what is there keeps the old name."]


def test_a_select_behind_the_source_is_extended():
    text = FILES.replace("filter, config: {where: price > 1}", "select, config: {columns: [price]}")
    found = renamed("read", "price", "cost", text)
    assert found.insertions == []
    assert apply(pipeline(text), found).nodes["keep"].config == {"columns": ["price"], "rename": {"price": "cost"}}


def test_rows_that_come_together_are_called_the_same():
    text = """\
etl_studio: 1
nodes:
  one: {type: generate_source, config: {columns: {a: i, b: i}}}
  two: {type: generate_source, config: {columns: {a: i}}}
  both: {type: union}
  keep: {type: filter, config: {where: a > 1}}
wires: [one -> both, two -> both, both -> keep]
"""
    found = renamed("one", "a", "c", text)
    assert {change.node: change.after for change in found.changes} == {"one": "c", "two": "c", "keep": "c > 1"}


@pytest.mark.parametrize(
    ("node", "column", "new", "words"),
    [
        ("read", "price", "Quantity", 'has a column "Quantity" already'),
        ("read", "price", "total", 'compute has a column "total" already'),
        ("pick", "amount", "day", 'pick has a column "day" already'),
    ],
)
def test_a_name_that_is_taken_is_an_obstacle(node, column, new, words):
    assert any(words in obstacle for obstacle in renamed(node, column, new).obstacles)


def test_a_name_that_would_mean_something_else_in_the_sql_is_an_obstacle():
    text = """\
etl_studio: 1
nodes:
  read: {type: generate_source, config: {columns: {price: i, tags: "[i]"}}}
  compute: {type: derive, config: {columns: {more: "list_transform(tags, lambda x: x + price)"}}}
wires: [read -> compute]
"""
    assert renamed("read", "price", "x", text).obstacles == ['compute: its SQL uses the name "x" for something else.']


@pytest.mark.parametrize("new", ["", "  ", "${x}", "a\0b"])
def test_a_name_must_be_one(new):
    with pytest.raises(UsageError):
        renamed("read", "price", new)


def test_a_column_that_is_not_there_cannot_be_renamed():
    with pytest.raises(UsageError, match="no column"):
        renamed("group", "quantity", "x")


COLUMNS = [("read", "price"), ("read", "day"), ("read", "id"), ("compute", "total"), ("compute", "gross"),
           ("pick", "amount"), ("ask", "top"), ("group", "half"), ("order", "price"), ("more", "price")]  # fmt: skip
NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Lu", "Lt")), min_size=1, max_size=8).filter(
    lambda name: name.strip() and "${" not in name
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(COLUMNS), NAMES)
def test_renaming_there_and_back_leaves_the_pipeline_as_it_was(place, name):
    text = SHOP.replace("PRICE", "price")
    before, (node, column) = pipeline(text), place
    found = rename_column(before, REGISTRY, node, column, name)
    if found.obstacles:
        return
    there = apply(before, found)
    back = apply(there, rename_column(there, REGISTRY, node, name, column))
    assert back == before
    assert [list(spec.config.items()) for spec in back.nodes.values()] == [
        list(spec.config.items()) for spec in before.nodes.values()
    ]


def test_only_what_was_chosen_is_changed():
    found = renamed("compute", "total", "sum")
    result = apply(pipeline(), found, [change for change in found.changes if change.node != "pick"])
    assert list(result.nodes["compute"].config["columns"].items()) == [
        ("sum", "price * quantity"),
        ("gross", "sum * 1.2 + price"),
    ]
    assert result.nodes["pick"].config == pipeline().nodes["pick"].config


def test_a_column_is_followed_both_ways():
    trace = Lineage(pipeline(), REGISTRY).trace("check", "amount")
    assert trace.origins == [("compute", "total")]
    assert trace.carried == {
        "compute": ["total"], "pick": ["total", "amount"], "check": ["amount"], "pair": ["amount"], "ask": ["amount"],
        "group": ["amount"], "order": [],
    }  # fmt: skip
    assert [str(wire) for wire in trace.wires if wire.target in ("pick", "ask", "order")] == [
        "compute.out -> pick.input",
        "pair.out -> ask.input",
    ]
    direct = [(use.node, ".".join(use.mention.path)) for use in trace.uses if not use.computed]
    assert direct == [
        ("compute", "columns.total"),
        ("compute", "columns.gross"),
        ("pick", "columns.1"),
        ("pick", "rename.total"),
        ("pick", "rename.total"),
        ("check", "rules.1.expression"),
        ("ask", "query"),
        ("group", "measures.half"),
    ]
    assert {use.node for use in trace.uses if use.computed} == {"compute", "ask", "group"}


def test_a_column_ends_where_it_is_redefined():
    text = """\
etl_studio: 1
nodes:
  read: {type: generate_source, config: {columns: {a: i}}}
  compute: {type: derive, config: {columns: {a: a + 1}}}
  keep: {type: filter, config: {where: a > 1}}
wires: [read -> compute, compute -> keep]
"""
    uses = Lineage(pipeline(text), REGISTRY).trace("read", "a").uses
    assert [(use.node, use.mention.is_key, use.computed) for use in uses] == [
        ("read", True, False),
        ("compute", True, True),
        ("compute", False, False),
        ("keep", False, True),
    ]


def test_rejected_rows_have_the_columns_with_which_they_came():
    text = SHOP.replace("  - read -> keep", "  - read -> keep\n  - pick.rejects -> late").replace(
        "  order:", "  late: {type: filter, config: {where: total > 1}}\n  order:"
    )
    assert after(renamed("compute", "total", "sum", text))["late", "where", False] == "sum > 1"


def test_a_loop_and_a_type_that_is_missing_are_no_end_of_the_world():
    text = """\
etl_studio: 1
nodes:
  one: {type: filter, config: {where: a > 1}}
  two: {type: what_is_this, config: {column: a}}
wires: [one -> two, two -> one]
"""
    assert [use.node for use in Lineage(pipeline(text), REGISTRY).trace("one", "a").uses] == ["one"]


def test_a_parameter_is_renamed_in_every_setting_and_policy():
    before = pipeline()
    before.nodes["read"].policy = {"retry": {"attempts": "${least}"}, "timeout": "$${least}"}
    found = rename_parameter(before, "least", "minimum")
    result = apply(before, found)
    assert list(result.parameters) == ["minimum"]
    assert result.parameters["minimum"].name == "minimum"
    assert result.nodes["keep"].config["where"].startswith("PRICE >= ${minimum} --")
    assert result.nodes["read"].policy == {"retry": {"attempts": "${minimum}"}, "timeout": "$${least}"}
    assert apply(result, rename_parameter(result, "minimum", "least")) == before


def test_notes_follow_and_are_sure_where_the_name_stands_as_code():
    text = FILES + "notes: {a: {text: 'the `price`'}, b: {text: 'a pricey price'}}\n"
    found = renamed("keep", "price", "cost", text)
    notes = {change.node: (change.after, change.is_sure) for change in found.changes if change.section == "note"}
    assert notes == {"a": ("the `cost`", True), "b": ("a pricey cost", False)}
    assert apply(pipeline(text), found).notes["b"].text == "a pricey cost"


def test_a_policy_that_partitions_by_a_column_follows():
    text = FILES.replace(
        "config: {where: price > 1}", "config: {where: x > 1}, policy: {partition_by: [price], workers: 2}"
    )
    found = renamed("read", "price", "cost", text)
    assert apply(pipeline(text), found).nodes["keep"].policy == {"partition_by": ["cost"], "workers": 2}


def test_what_goes_into_another_pipeline_and_comes_out_of_it_is_told():
    text = """\
etl_studio: 1
nodes:
  read: {type: generate_source, config: {columns: {a: i}}}
  inner: {type: sub_pipeline, config: {file: inner.etl.yaml}}
  keep: {type: filter, config: {where: a > 1}}
wires: [read -> inner, inner -> keep]
"""
    found = renamed("read", "a", "b", text)
    assert [change.node for change in found.changes] == ["read"]
    assert found.doubts == ["inner hands it to another pipeline, which may know it by its old name."]
    assert "gives rows of another pipeline" in renamed("keep", "a", "b", text).obstacles[0]


def test_a_column_is_renamed_in_the_braces_of_addresses_and_bodies():
    text = """\
etl_studio: 1
parameters:
  id: {type: text, default: x}
nodes:
  read:
    type: generate_source
    config: {rows: 1, columns: {id: i, name: "'a'"}}
  look:
    type: http_lookup
    config:
      url: "https://${id}.example/people/{id}/{{id}}"
      fields: {city: city}
      method: POST
      body: {who: ["{name} ({id})"]}
wires:
  - read -> look
"""
    assert after(renamed("read", "id", "number", text)) == {
        ("read", "columns.id", True): "number",
        ("look", "url", False): "https://${id}.example/people/{number}/{{id}}",
        ("look", "body.who.0", False): "{name} ({number})",
    }
