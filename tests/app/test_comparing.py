"""What a node does to its rows: which became which, and what changed in them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from etl_studio.app.previews import Previews
from etl_studio.app.studio import Studio
from etl_studio.engine.alignment import NOTHING, aligned
from etl_studio.errors import UsageError

ROWS = "id,name,qty\n1,a,3\n2,b,1\n3,b,2\n4,c,x\n"


@pytest.fixture
def compare(tmp_path):
    """``compare("{type: filter, config: {...}}")``: the node behind four rows, of which one has no quantity."""
    (tmp_path / "rows.csv").write_text(ROWS)
    file = tmp_path / "one.etl.yaml"

    def run(node, *, columns="{qty: text}"):
        file.write_text(
            "etl_studio: 1\nnodes:\n"
            f"  read: {{type: csv_source, config: {{path: rows.csv, columns: {columns}}}}}\n"
            f"  node: {node}\nwires: [read -> node]\n"
        )
        with Studio() as studio:
            return Previews(studio).compare(studio.load(file), "node", file=file)

    return run


def test_rows_that_a_filter_drops_are_known_in_their_place(compare):
    found = compare("{type: filter, config: {where: name = 'b'}}")
    assert found.matched
    assert found.pairs == [(0, NOTHING), (1, 0), (2, 1), (3, NOTHING)]
    assert not any(found.changed.values())


def test_changed_cells_and_new_columns_are_told(compare):
    found = compare("{type: derive, config: {columns: {name: upper(name), twice: id * 2}}}")
    assert found.pairs == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert found.changed == {"id": frozenset(), "name": frozenset({0, 1, 2, 3}), "qty": frozenset()}
    assert (found.added, found.removed) == ({"twice"}, set())


def test_only_cells_whose_value_differs_are_changed(compare):
    node = """{type: derive, config: {columns: {name: "replace(name, 'b', 'x')"}}}"""
    assert compare(node).changed["name"] == {1, 2}


def test_a_refused_row_is_told_with_its_reason(compare):
    found = compare("{type: derive, config: {columns: {qty: qty::INTEGER}}}")
    assert found.pairs == [(0, 0), (1, 1), (2, 2), (3, NOTHING)]
    assert list(found.refused) == [3]
    assert '"x"' in found.refused[3]
    assert found.changed["qty"] == frozenset()  # 3 is written as "3" was


def test_sorted_rows_stand_beside_where_they_came_from(compare):
    found = compare("{type: sort, config: {by: [{column: qty}]}}")
    assert found.pairs == [(1, 0), (2, 1), (0, 2), (3, 3)]


def test_doubles_that_are_dropped_are_known(compare):
    assert compare("{type: deduplicate, config: {keys: [name]}}").pairs == [(0, 0), (1, 1), (2, NOTHING), (3, 2)]


def test_a_node_that_takes_only_some_columns_is_matched_by_place(compare):
    found = compare("{type: select, config: {columns: [id, name], rename: {name: label}}}")
    assert found.matched
    assert found.pairs == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert (found.added, found.removed) == ({"label"}, {"name", "qty"})


def test_a_node_that_makes_one_row_of_several_is_not_matched(compare):
    found = compare("{type: aggregate, config: {by: [name], measures: {n: count(*)}}}")
    assert not found.matched
    assert "made of several" in found.reason
    assert found.pairs == [(0, 0), (1, 1), (2, 2), (3, NOTHING)]
    assert found.changed == {}


def test_a_number_that_the_node_itself_looks_at_is_not_believed(compare):
    """All columns count for doubles here, so that the number would make each row a different one."""
    found = compare("{type: sql, config: {query: 'SELECT DISTINCT * EXCLUDE (id, qty) FROM input ORDER BY name'}}")
    assert not found.matched
    assert found.after.num_rows == 3


def test_sql_that_keeps_its_rows_is_matched(compare):
    found = compare("{type: sql, config: {query: 'SELECT * FROM input WHERE id > 2'}}")
    assert found.pairs == [(0, NOTHING), (1, NOTHING), (2, 0), (3, 1)]


def test_a_source_has_nothing_to_compare(tmp_path, compare):
    compare("{type: filter, config: {where: 'true'}}")
    with Studio() as studio:
        file = tmp_path / "one.etl.yaml"
        with pytest.raises(UsageError, match="one wire"):
            Previews(studio).compare(studio.load(file), "read", file=file)


def test_missing_and_impossible_numbers_are_equal_to_themselves():
    before = pa.table({"n": [None, float("nan"), 1.0, None]})
    after = pa.table({"n": [None, float("nan"), 2.0, 0.0]})
    assert aligned(before, after, [0, 1, 2, 3], {}).changed == {"n": {2, 3}}


def test_nested_values_are_compared_by_what_they_hold():
    before, after = pa.table({"n": [{"a": 1}, {"a": 1}]}), pa.table({"n": [{"a": 1}, {"a": 2}]})
    assert aligned(before, after, [0, 1], {}).changed == {"n": {1}}
