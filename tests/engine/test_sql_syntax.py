"""The syntax check of what people type."""

from __future__ import annotations

import pytest

from etl_studio.engine.sql_syntax import check_expression, check_query


@pytest.mark.parametrize(
    "text",
    [
        "price > 10",
        "a AND b -- why",
        "count(*)",
        "sum(x) FILTER (WHERE y > 1)",
        "CASE WHEN a THEN 1 ELSE 2 END",
        "(SELECT 1)",
        "'it''s'",
    ],
)
def test_good_expressions_pass(text):
    assert check_expression(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression is empty."),
        ("  \n", "The expression is empty."),
        ("price > * 2", 'Syntax error at "2" (position 11).'),
        ("a +\nb c d", 'Syntax error at "c" (line 2, position 3).'),
        ("größe > * 2", 'Syntax error at "2" (position 11).'),
        ("price >", "The SQL is not complete."),
        ("(a + b", "The SQL is not complete."),
        ("name = 'x", "Unterminated string literal (position 8)."),
        ("1) AS x, (2", "Write one expression; its brackets do not match."),
        ("1) FROM t WHERE (2", "Write one expression; its brackets do not match."),
        ("1); SELECT (2", "Write one expression; its brackets do not match."),
        ("1); DROP TABLE t; SELECT (2", "Write one expression; its brackets do not match."),
    ],
)
def test_a_wrong_expression_is_told_with_its_position(text, message):
    assert check_expression(text) == message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "FROM input",
        "WITH a AS (SELECT 1) SELECT * FROM a;",
        "VALUES (1)",
        "SELECT a FROM x UNION ALL SELECT b FROM y",
    ],
)
def test_good_queries_pass(text):
    assert check_query(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The query is empty."),
        ("-- nothing", "Write one SELECT"),
        ("SELECT 1; SELECT 2", "Write one SELECT"),
        ("DELETE FROM input", "Write one SELECT"),
        ("COPY input TO 'x.csv'", "Write one SELECT"),
        ("SET threads = 1", "Write one SELECT"),
        ("SELECT a\nFROM FROM x", 'Syntax error at "FROM" (line 2, position 6).'),
        ("SELECT a FROM", 'Syntax error at "FROM" (position 10).'),
    ],
)
def test_a_wrong_query_is_told_with_its_position(text, words):
    assert words in (check_query(text) or "")
