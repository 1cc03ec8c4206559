"""Checks SQL that people write, by DuckDB's own parser; nothing runs."""

from __future__ import annotations

from typing import Any

from etl_studio.engine.sql_types import normalised
from etl_studio.errors import PermanentError
from etl_studio.pipeline.sql_tree import syntax_tree

ONE_SELECT = "Write one SELECT: other statements and several at once are not allowed."


def check_expression(text: str) -> str | None:
    """What is wrong with the syntax of one SQL expression, such as ``price * quantity``; None: nothing.

    Line and position in the answer count from 1 in ``text``.
    """
    if not text.strip():
        return "The expression is empty."
    opening = "SELECT (\n"
    tree = syntax_tree(f"{opening}{text}\n)")
    if message := _error(tree, text, len(opening)):
        return message
    statements = tree["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    alone = len(node.get("select_list", ())) == 1 and node["from_table"]["type"] == "EMPTY" and not node["where_clause"]
    return None if alone else "Write one expression; its brackets do not match."


def check_query(text: str) -> str | None:
    """What is wrong with the syntax of one SELECT; None: nothing. Line and position count from 1 in ``text``."""
    if not text.strip():
        return "The query is empty."
    tree = syntax_tree(text)
    if tree.get("error") and tree["error_type"] != "parser":
        return ONE_SELECT
    return _error(tree, text, 0) or (None if len(tree["statements"]) == 1 else ONE_SELECT)


def bound(cursor: Any, query: str) -> Any:
    """The relation of a query, with its columns cast to the types that wires carry. Nothing has run yet.

    Raises:
        PermanentError: it is not one SELECT.
        duckdb.Error: it does not fit the tables.
    """
    statements = cursor.extract_statements(query)
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        raise PermanentError(ONE_SELECT, hint="Mend the SQL in the node's settings.")
    relation = cursor.sql(query)
    wrapped = normalised(relation, query)
    return relation if wrapped is query else bound(cursor, wrapped)


def _error(tree: dict[str, Any], text: str, offset: int) -> str | None:
    if not tree.get("error"):
        return None
    message = tree["error_message"]
    if tree["error_type"] != "parser":
        return "Write one expression; its brackets do not match."
    encoded = text.encode()
    position = int(tree.get("position", 0)) - offset
    if position >= len(encoded):
        return "The SQL is not complete." if "at or near" in message else f"{message[:1].upper()}{message[1:]}."
    before = encoded[: max(position, 0)].decode(errors="ignore")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    what = message.replace("syntax error at or near", "Syntax error at").split("\n", 1)[0]
    what = what[:1].upper() + what[1:]
    return f"{what} (line {line}, position {column})." if "\n" in text else f"{what} (position {column})."
