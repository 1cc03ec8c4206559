"""Aggregate, Sort, SQL and Union."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio.errors import PermanentError
from etl_studio.nodes.transform.aggregate import Aggregate
from etl_studio.nodes.transform.sort import Sort
from etl_studio.nodes.transform.sql import Sql
from etl_studio.nodes.transform.union import Union

ORDERS = [
    pa.record_batch({"category": ["b", "a", None], "price": [1, 2, 3]}),
    pa.record_batch({"category": ["a", "b", "a"], "price": [None, 5, 6]}),
]


def test_aggregate_gives_one_row_for_each_group_sorted(whole):
    config = {"by": ["category"], "measures": {"orders": "count(*)", "price": "sum(price)", "mean": "avg(price)"}}
    out = whole(Aggregate, config, input=ORDERS)
    assert out.to_pylist() == [
        {"category": "a", "orders": 3, "price": 8, "mean": 4.0},
        {"category": "b", "orders": 2, "price": 6, "mean": 3.0},
        {"category": None, "orders": 1, "price": 3, "mean": 3.0},
    ]
    assert out.schema.field("price").type == pa.int64()


def test_aggregate_without_groups_gives_one_row_also_of_no_rows(whole):
    config = {"measures": {"orders": "count(*)", "total": "sum(price)"}}
    assert whole(Aggregate, config, input=ORDERS).to_pylist() == [{"orders": 6, "total": 17}]
    nothing = [ORDERS[0].slice(0, 0)]
    assert whole(Aggregate, config, input=nothing).to_pylist() == [{"orders": 0, "total": None}]
    assert whole(Aggregate, {"by": ["category"], **config}, input=nothing).to_pylist() == []


def test_aggregate_without_measures_gives_the_groups(whole):
    assert whole(Aggregate, {"by": ["category"]}, input=ORDERS).to_pydict() == {"category": ["a", "b", None]}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"by": ["categry"]}, 'Did you mean "category"?'),
        ({"measures": {"total": "sum(prise)"}}, 'There is no column "prise"'),
        ({"measures": {"total": "sum(category)"}}, '"sum" does not work on text'),
        ({"measures": {"total": "price"}}, "GROUP BY"),
        ({"by": ["category"], "measures": {"Category": "count(*)"}}, "has the name of a group column"),
    ],
)
def test_aggregate_explains_settings_that_do_not_fit(whole, config, words):
    with pytest.raises(PermanentError) as caught:
        whole(Aggregate, config, input=ORDERS)
    assert words in str(caught.value)


def test_aggregate_needs_something_to_do():
    with pytest.raises(ValidationError, match="Set columns to group by"):
        Aggregate.Config()


def test_sort_puts_empty_values_last_in_both_directions(whole):
    up = whole(Sort, {"by": [{"column": "price"}]}, input=ORDERS).column("price").to_pylist()
    down = whole(Sort, {"by": [{"column": "price", "descending": True}]}, input=ORDERS).column("price").to_pylist()
    assert (up, down) == ([1, 2, 3, 5, 6, None], [6, 5, 3, 2, 1, None])


def test_sort_keeps_the_order_of_equal_rows(whole):
    keys = [number % 3 for number in range(200_000)]
    batch = pa.record_batch({"key": keys, "n": list(range(len(keys)))})
    parts = [batch.slice(start, 50_000) for start in range(0, len(keys), 50_000)]
    out = whole(Sort, {"by": [{"column": "key", "descending": True}]}, input=parts)
    wanted = [number for key in (2, 1, 0) for number in range(key, len(keys), 3)]
    assert out.column("n").to_pylist() == wanted


def test_sort_by_several_columns(whole):
    by = [{"column": "category"}, {"column": "price", "descending": True}]
    out = whole(Sort, {"by": by}, input=ORDERS)
    assert out.column("category").to_pylist() == ["a", "a", "a", "b", "b", None]
    assert out.column("price").to_pylist() == [6, 2, None, 5, 1, 3]


def test_sql_reads_its_inputs_by_the_names_of_their_ports(whole):
    query = (
        "SELECT c.name, sum(o.price) AS total FROM input AS o JOIN customers AS c USING (id) GROUP BY ALL ORDER BY ALL;"
    )
    orders = pa.record_batch({"id": [1, 2, 1], "price": [10, 20, 30]})
    customers = pa.record_batch({"id": [1, 2], "name": ["Ann", "Bob"]})
    out = whole(Sql, {"query": query}, input=[orders], customers=[customers])
    assert out.to_pydict() == {"name": ["Ann", "Bob"], "total": [40, 20]}


def test_sql_may_read_an_input_twice_and_give_dates(whole):
    query = """
        WITH big AS (SELECT max(price) AS top FROM input)
        SELECT price, DATE '2024-01-02' AS d FROM input, big WHERE price = top
    """
    assert whole(Sql, {"query": query}, input=ORDERS).to_pylist() == [{"price": 6, "d": dt.date(2024, 1, 2)}]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("DROP TABLE input", "Write one SELECT"),
        ("SELECT 1; SELECT 2", "Write one SELECT"),
        ("SELECT * FROM orders", 'There is no input "orders"'),
        ("SELECT * FROM read_csv('/etc/passwd')", "may not open files"),
        ("SELECT CAST(category AS INTEGER) FROM input", '"b" in the column "category" is no integer'),
    ],
)
def test_sql_explains_what_is_wrong(whole, query, words):
    with pytest.raises(PermanentError) as caught:
        whole(Sql, {"query": query}, input=ORDERS)
    assert words in str(caught.value)


def test_union_passes_batches_on():
    assert list(Union(Union.Config()).process(ORDERS[0], None)) == [ORDERS[0]]
    assert Union.inputs[0].many
