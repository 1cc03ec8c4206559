"""From DuckDB's errors to ours: a row's problem, or an error of the settings with a clean sentence and a hint."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from etl_studio.errors import Cancelled, EtlError, PermanentError
from etl_studio.sdk import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

NAMES = {
    "BOOL": "boolean", "BOOLEAN": "boolean", "DOUBLE": "number", "FLOAT": "number", "VARCHAR": "text", "DATE": "date",
    "TIME": "time", "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamptz", "INTEGER_LITERAL": "integer",
    "TINYINT": "integer", "SMALLINT": "integer", "INTEGER": "integer", "BIGINT": "integer", "HUGEINT": "integer",
    "UTINYINT": "integer", "USMALLINT": "integer", "UINTEGER": "integer", "UBIGINT": "integer",
    "STRING_LITERAL": "text",
}  # fmt: skip
"""DuckDB's type names in the words of the settings."""

_VALUE = re.compile(
    r"Could not convert string ['\"](.*)['\"] to (.+?)(?: when casting from source column (.+))?", re.DOTALL
)
_DATE = re.compile(
    r"(?:invalid )?(date|time|timestamp) field [^\"]*\"(.*?)\".*?(?: when casting from source column (.+))?", re.DOTALL
)
_RANGE = re.compile(
    r"Type (\w+) with value (\S+) can't be cast because the value is out of range for the destination type (\w+)"
    r"(?: when casting from source column (.+))?",
    re.DOTALL,
)
_ZERO = re.compile(r"Division by zero in expression (.+?)\. Use TRY", re.DOTALL)
_COLUMN = re.compile(
    r"(?:Referenced column|Column|column) \"(.+?)\" .*?not found in FROM clause|does not have a column named \"(.+?)\""
)
_FUNCTION = re.compile(r"Function with name (\S+) does not exist!(?:\nDid you mean \"(.+?)\")?")
_TABLE = re.compile(r"Table with name (.+?) does not exist!")
_OVERLOAD = re.compile(r"No function matches the given name and argument types '(.+?)\((.*?)\)'\.")
_CAST = re.compile(r"Unimplemented type for cast \((.+?) -> (.+?)\)(?: when casting from source column (.+))?")
_NEAR = re.compile(r"syntax error at or near \"(.+?)\"|(unterminated .+)|(syntax error at end of input)")
_CARET = re.compile(r"LINE (\d+): (.*)\n(\s*)\^")

_REFUSED = {
    "OutOfMemoryException": (
        "There is not enough memory for this step.",
        "Give it fewer rows or columns, or close other programs.",
    ),
    "PermissionException": (
        "SQL in a pipeline may not open files or load extensions.",
        "Read the file with a source node and wire it in.",
    ),
}
"""DuckDB's kind of error: what happened, and what to do."""


def type_of_duckdb(name: str) -> str:
    """DuckDB's name of a type in the words of the settings, such as ``integer`` for ``BIGINT`` or ``INT64``."""
    return "integer" if re.fullmatch(r"U?INT\d+", name) else NAMES.get(name, name.lower())


def is_row_error(error: Exception) -> bool:
    """Whether a value of a row made a query fail that has been bound before."""
    import duckdb

    # A conversion that DuckDB does not have comes as an error of the data, when the first row meets it.
    return isinstance(error, duckdb.DataError | duckdb.InvalidInputException) and not _CAST.match(_sentence(error))


def problem_of(error: Exception, row: pa.RecordBatch | None = None) -> Problem:
    """Why a row failed.

    Args:
        error: what DuckDB said.
        row: a batch of that one row, in which the column is looked for where the message does not name it.
    """
    text = _sentence(error)
    if match := _VALUE.fullmatch(text):
        value, wanted, column = match.groups()
        return _cast(value, type_of_duckdb(wanted), column, row)
    if match := _DATE.fullmatch(text):
        kind, value, column = match.groups()
        return _cast(value, kind, column, row)
    if match := _RANGE.fullmatch(text):
        _, value, wanted, column = match.groups()
        column = _known(column, row) or _holder(value, row)
        size = f"an integer of {wanted[-2:].strip('T')} bits" if wanted.startswith("INT") else type_of_duckdb(wanted)
        return Problem("out_of_range", f"{_subject(value, column)} does not fit into {size}.", column, value=value)
    if match := _ZERO.match(text):
        return Problem("division_by_zero", f"Division by zero in {match[1]}. Guard it: nullif(divisor, 0).")
    kind = "out_of_range" if type(error).__name__ == "OutOfRangeException" else "invalid_value"
    return Problem(kind, f"{text.rstrip('!.')}.")


def settings_error(error: Exception, columns: Sequence[str] = ()) -> EtlError:
    """What is wrong with the node's SQL, as an error to raise.

    Args:
        error: what DuckDB said.
        columns: those that arrive, for "did you mean".
    """
    text = _sentence(error)
    refused = _REFUSED.get(type(error).__name__)
    if type(error).__name__ == "InterruptException":
        return Cancelled("The query was stopped.")
    if refused is not None:
        return PermanentError(refused[0], hint=refused[1])
    if _NEAR.match(text):
        return PermanentError(f"{syntax_sentence(error)}.", hint="Mend the SQL in the node's settings.")
    if unknown := _unknown_name(text, columns):
        return unknown
    if match := _OVERLOAD.match(text):
        types = " and ".join(type_of_duckdb(part) for part in match[2].split(", "))
        return PermanentError(f'"{match[1]}" does not work on {types}.', hint="Convert one side: CAST(column AS type).")
    if match := _CAST.match(text):
        source, target, column = match.groups()
        what = f"{_capital(type_of_duckdb(source))} cannot become {type_of_duckdb(target)}."
        return PermanentError(what, column=column)
    if is_row_error(error):
        problem = problem_of(error)
        hint = "Mend the value, or filter such rows out before."
        return PermanentError(problem.message, column=problem.column, hint=hint)
    return PermanentError(f"{text.rstrip('!.')}.")


def _unknown_name(text: str, columns: Sequence[str]) -> PermanentError | None:
    """A column, function or table that is not there."""
    if match := _COLUMN.search(text):
        name = match[1] or match[2]
        near = get_close_matches(name, columns, n=1)
        guess = f'Did you mean "{near[0]}"?' if near else f"Columns here: {', '.join(columns) or 'none'}."
        return PermanentError(f'There is no column "{name}".', hint=guess, column=name)
    if match := _FUNCTION.search(text):
        guess = f'Did you mean "{match[2]}"?' if match[2] else "Look it up in DuckDB's function list."
        return PermanentError(f'There is no function "{match[1]}".', hint=guess)
    if match := _TABLE.search(text):
        hint = "A query reads the node's inputs by the names of their ports."
        return PermanentError(f'There is no input "{match[1]}".', hint=hint)
    return None


def syntax_sentence(error: Exception) -> str:
    """A parser's error as ``Syntax error at "*" (line 1, position 5)``; lines that the node wrote around do not count.

    Nodes write a person's expression on lines of its own, between ``(`` and ``)``.
    """
    match = _NEAR.match(_sentence(error))
    found = None if match is None else match[1]
    caret = _CARET.search(str(error))
    line = caret[2] if caret else ""
    if found == ")" and line.startswith(")"):
        return "The expression is not complete"
    what = f'Syntax error at "{found}"' if found else _capital(match[2] if match and match[2] else "syntax error")
    if caret is None or "..." in line:
        return what
    position = len(caret[3]) - len(f"LINE {caret[1]}: ") + 1
    return f"{what} (position {position} of: {line.strip()})" if position > 0 else what


def _sentence(error: Exception) -> str:
    """The message without DuckDB's prefix, candidates and caret."""
    text = str(error).split("\n\nLINE ", 1)[0]
    text = re.sub(r"^[A-Z][\w ]*? Error: ", "", text)
    for noise in (
        "\n\tCandidate functions",
        "\nCandidate bindings",
        "\n\nCandidate",
        '\n\nUse "SET',
        "\n\nPossible solutions",
    ):
        text = text.split(noise, 1)[0]
    return text.removesuffix(" You might need to add explicit type casts.").strip()


def _cast(value: str, wanted: str, column: str | None, row: pa.RecordBatch | None) -> Problem:
    column = _known(column, row) or _holder(value, row)
    return Problem("cast", f"{_subject(value, column)} is no {wanted}.", column, value=value)


def _subject(value: str, column: str | None) -> str:
    return f'"{value}"' if column is None else f'"{value}" in the column "{column}"'


def _known(column: str | None, row: pa.RecordBatch | None) -> str | None:
    """DuckDB also calls an expression a column."""
    return column if column is not None and (row is None or column in row.schema.names) else None


def _holder(value: str, row: pa.RecordBatch | None) -> str | None:
    """The only column of the row that holds the value."""
    if row is None or row.num_rows != 1:
        return None
    holders = [
        name for name, array in zip(row.schema.names, row.columns, strict=True) if str(array[0].as_py()) == value
    ]
    return holders[0] if len(holders) == 1 else None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
