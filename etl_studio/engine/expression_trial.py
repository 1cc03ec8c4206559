"""SQL that a person is typing, tried out on a few rows: its values, or its error and where that is."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from etl_studio.engine.sql_errors import is_row_error, problem_of, settings_error, type_of_duckdb
from etl_studio.engine.sql_syntax import ONE_SELECT, check_expression, check_query
from etl_studio.sdk import attempt, fails, identifier, identifiers, sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    import pyarrow as pa

DEADLINE = 2.0
"""Seconds that a trial may take."""
MEMORY = "256MB"
SHOWN = 5
"""Values that are shown."""
TOO_LONG = "This takes long; it was not tried to the end."


@dataclass(frozen=True, slots=True)
class Question:
    """What is tried.

    Attributes:
        text: the SQL, with the values of parameters in it.
        kind: an expression for each row, one for each group, or a whole query.
        tables: rows by the name of the input; tables without rows tell the types only.
        sets: columns that are computed before, from top to bottom: name and expression.
        by: columns that make the groups.
    """

    text: str
    kind: Literal["row", "group", "query"]
    tables: Mapping[str, pa.Table]
    sets: Sequence[tuple[str, str]] = ()
    by: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.

    Attributes:
        columns: names of the columns of a query, and types in the words of the settings; of an expression one.
        rows: the first values as they are; of an expression one in each row.
        total: rows, or groups, in all.
        failed: rows of which the expression has no value, and why the first of them has none.
        why: likewise.
        true: rows for which it is true, where it is a condition; else None.
        error: why there is nothing to show.
        is_syntax: the error is one of syntax, which the rules tell, too.
        start, end: where in the text the error is, in characters; None: nobody knows.
    """

    columns: Sequence[tuple[str, str]] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    total: int = 0
    failed: int = 0
    why: str = ""
    true: int | None = None
    error: str = ""
    is_syntax: bool = False
    start: int | None = None
    end: int | None = None


class Trials:
    """Tries one text after the other, in whichever thread asks. No file, network or variable can be reached."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._stopped = False

    def interrupt(self) -> None:
        """End the trial that is under way; may be called from any thread."""
        self._stopped = True
        if self._connection is not None:
            self._connection.interrupt()

    def close(self) -> None:
        """Free the memory."""
        self.interrupt()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def ask(self, question: Question) -> Trial:
        """Try a text. Never raises for what is wrong with it."""
        wrong = check_query(question.text) if question.kind == "query" else check_expression(question.text)
        if wrong:
            return Trial(error=wrong, is_syntax=True)
        with self._lock:
            self._stopped = False
            if self._connection is None:
                self._connection = sandbox(memory_limit=MEMORY, threads=1, placed_errors=True)
            timer = threading.Timer(DEADLINE, self.interrupt)
            timer.daemon = True
            timer.start()
            try:
                return self._tried(self._connection, question)
            finally:
                timer.cancel()

    def _tried(self, connection: duckdb.DuckDBPyConnection, question: Question) -> Trial:
        import duckdb

        opening = "" if question.kind == "query" else "SELECT (\n"
        try:
            for name, table in question.tables.items():
                connection.register(name, table)
            if question.kind == "query":
                return _queried(connection, question)
            return _computed(connection, question)
        except duckdb.Error as error:
            if self._stopped or isinstance(error, duckdb.InterruptException):
                return Trial(error=TOO_LONG)
            columns = [name for table in question.tables.values() for name in table.column_names]
            columns += [name for name, _ in question.sets if name not in columns]
            return _refused(error, question.text, len(opening.encode()), columns)
        finally:
            for name in question.tables:
                connection.unregister(name)


def _queried(connection: duckdb.DuckDBPyConnection, question: Question) -> Trial:
    statements = connection.extract_statements(question.text)
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        return Trial(error=ONE_SELECT)
    # A relation's error would not tell its place.
    rows = connection.execute(question.text).fetchall()
    return Trial(_types(connection), rows[:SHOWN], len(rows))


def _computed(connection: duckdb.DuckDBPyConnection, question: Question) -> Trial:
    import duckdb

    source, text = _source(question), question.text
    if question.kind == "group":
        by = identifiers(question.by)
        tail = f" GROUP BY {by} ORDER BY {by}" if by else ""
        rows = connection.execute(f"SELECT (\n{text}\n) FROM {source}{tail}").fetchall()
        return Trial(_types(connection), rows[:SHOWN], len(rows))
    failed, why = 0, ""
    try:
        rows = connection.execute(f"SELECT (\n{text}\n) FROM {source}").fetchall()
    except duckdb.Error as error:
        placed = _plain(error)
        if not is_row_error(placed):
            raise
        why = problem_of(placed).message
        # Apart: in one query DuckDB computes what both have in common outside of TRY.
        failed = sum(row[0] for row in connection.execute(f"SELECT {fails(text)} FROM {source}").fetchall())
        rows = connection.execute(f"SELECT {attempt(text)} FROM {source}").fetchall()
    types = _types(connection)
    true = sum(row[0] is True for row in rows) if types[0][1] == "boolean" else None
    return Trial(types, rows[:SHOWN], len(rows), failed, why, true)


def _types(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return [(column[0], type_of_duckdb(str(column[1]))) for column in connection.description or ()]


def _source(question: Question) -> str:
    """The input with what is computed before; where that fails there is no value."""
    source = identifier(next(iter(question.tables)))
    present = {name.lower() for name in next(iter(question.tables.values())).column_names}
    for name, expression in question.sets:
        column = f"{attempt(expression)} AS {identifier(name)}"
        chosen = f"* REPLACE ({column})" if name.lower() in present else f"*, {column}"
        source = f"(SELECT {chosen} FROM {source})"
        present.add(name.lower())
    return source


def _plain(error: duckdb.Error) -> duckdb.Error:
    """The error with its sentence in place of JSON."""
    kind, _, rest = str(error).partition(": ")
    try:
        return type(error)(f"{kind}: {json.loads(rest)['exception_message']}")
    except (ValueError, KeyError):
        return error


def _refused(error: duckdb.Error, text: str, opening: int, columns: Sequence[str]) -> Trial:
    told = settings_error(_plain(error), columns)
    sentence = f"{told.what} {told.hint}" if told.hint else told.what
    _, _, rest = str(error).partition(": ")
    try:
        location = json.loads(json.loads(rest)["location"])
    except (ValueError, KeyError, TypeError):
        return Trial(error=sentence)
    encoded = text.encode()
    start, end = location[0] - opening, location[0] + location[1] - opening
    if not 0 <= start < len(encoded):
        return Trial(error=sentence)
    begin, finish = (len(encoded[:place].decode(errors="ignore")) for place in (start, min(end, len(encoded))))
    return Trial(error=sentence, start=begin, end=max(finish, begin + 1))
