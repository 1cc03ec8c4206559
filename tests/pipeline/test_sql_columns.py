"""Which columns the names in SQL stand for."""

from __future__ import annotations

import pytest

from etl_studio.pipeline.column_tables import Arriving
from etl_studio.pipeline.sql_columns import expression_columns, query_columns
from etl_studio.pipeline.sql_words import exchanged, written


def tables(*ports, **known):
    return {port: Arriving(port, known.get(port, ())) for port in ports}


def named(text, read, port):
    """The parts of the text that stand for columns of a port."""
    return [text[one.start : one.end] for one in read.names if any(column.port == port for column in one.columns)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("price * quantity", ["price", "quantity"]),
        ("Price -- price\n + 'price' /* price */", ["Price"]),
        ('"my price" > 3', ['"my price"']),
        ("input.price > 1", ["price"]),
        ("box.width", ["box"]),
        ("list_transform(tags, lambda tag: tag || name)", ["tags", "name"]),
        ("[x + rate for x in numbers if x > 1]", ["numbers", "rate"]),
        ("'äöü' || name", ["name"]),
        ("price > ${minimum} AND day = '${day}'", ["price", "day"]),
        ("sum(price) FILTER (WHERE paid) OVER (PARTITION BY shop ORDER BY day)", ["price", "paid", "shop", "day"]),
        ("CASE WHEN a THEN b ELSE c END", ["a", "b", "c"]),
        ("price::INTEGER", ["price"]),
        ("price >", []),
    ],
)
def test_an_expression_names_the_columns_that_it_uses(text, names):
    assert sorted(named(text, expression_columns(text, tables("input")), "input")) == sorted(names)


def test_names_in_a_query_belong_to_their_tables():
    text = "SELECT c.name, sum(o.price) AS revenue FROM orders AS o JOIN customers c USING (id) GROUP BY ALL"
    read = query_columns(text, tables("orders", "customers"))
    assert named(text, read, "orders") == ["price", "id"]
    assert named(text, read, "customers") == ["name", "id"]
    assert list(read.made.named()) == ["name", "revenue"]
    assert [{column.port for column in tied} for tied in read.ties] == [{"orders", "customers"}]


def test_a_name_without_its_table_is_that_of_the_table_which_is_known_to_have_it():
    text = "SELECT price, name FROM orders, customers"
    read = query_columns(text, tables("orders", "customers", orders=["price"]))
    assert [[column.port for column in one.columns] for one in read.names] == [["orders"], ["orders", "customers"]]


def test_a_column_keeps_its_name_through_subqueries_and_common_tables():
    text = "WITH x AS (SELECT price, day FROM input) SELECT t.price FROM (SELECT * FROM x) AS t WHERE t.price > 1"
    assert named(text, query_columns(text, tables("input")), "input") == ["price", "day", "price", "price"]


def test_an_alias_is_another_column():
    text = "SELECT price AS cost FROM input ORDER BY cost"
    read = query_columns(text, tables("input"))
    assert named(text, read, "input") == ["price"]
    assert [(text[one.start : one.end], one.makes) for one in read.names] == [
        ("price", False),
        ("cost", True),
        ("cost", False),
    ]


def test_an_alias_that_is_called_as_a_column_does_not_cover_it_in_where():
    text = "SELECT upper(name) AS name FROM input WHERE name > 'a' GROUP BY name"
    assert named(text, query_columns(text, tables("input")), "input") == ["name", "name", "name"]


@pytest.mark.parametrize(
    ("text", "inputs", "given"),
    [
        ("SELECT * EXCLUDE (day) FROM input", ["day"], ["price"]),
        ("SELECT * REPLACE (price + 1 AS price) FROM input", ["price"], ["day", "price"]),
        ("SELECT * RENAME (price AS cost) FROM input", ["price"], ["cost", "day"]),
        ("FROM input", [], ["day", "price"]),
        ("SELECT total: price * 2, day FROM input", ["price", "day"], ["day", "total"]),
        ("SELECT price total FROM input UNION ALL SELECT day FROM input", ["price", "day"], ["total"]),
    ],
)
def test_what_a_query_gives_is_known(text, inputs, given):
    read = query_columns(text, {"input": Arriving("input", ["day", "price"], complete=True)})
    columns = [c for one in read.names for c in one.columns if c.port == "input" or one.makes]
    assert [column.name for column in columns if column.port] == [name.lower() for name in inputs]
    assert sorted(read.made.named()) == given
    assert read.exact


def test_what_cannot_be_followed_is_said():
    assert not query_columns("PIVOT input ON day USING sum(price)", tables("input")).exact
    assert not query_columns("SELECT COLUMNS('p.*') FROM input", tables("input")).exact


def test_a_computed_column_without_a_name_is_told():
    text = "SELECT price, count(*), sum(price) AS total FROM input GROUP BY price"
    read = query_columns(text, tables("input"))
    assert [text[start:end] for start, end in read.unnamed] == ["count(*)"]


@pytest.mark.parametrize(
    ("name", "like", "text"),
    [
        ("cost", "price", "cost"),
        ("my cost", "price", '"my cost"'),
        ("order", "price", '"order"'),
        ('a"b', "price", '"a""b"'),
        ("cost", '"price"', '"cost"'),
        ("cost", '"my price"', "cost"),
        ("Größe", "price", '"Größe"'),
    ],
)
def test_a_name_gets_quotes_where_it_needs_them(name, like, text):
    assert written(name, like=like) == text


def test_words_are_exchanged_and_all_else_stays():
    assert exchanged("a + b", [(0, 1, "first"), (4, 5, "c")]) == "first + c"
