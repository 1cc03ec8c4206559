"""Column types: the names people write, Arrow's and DuckDB's."""

from __future__ import annotations

import re
from difflib import get_close_matches

import pyarrow as pa

from etl_studio.errors import PermanentError

TYPES: dict[str, tuple[pa.DataType, str]] = {
    "text": (pa.string(), "VARCHAR"),
    "integer": (pa.int64(), "BIGINT"),
    "number": (pa.float64(), "DOUBLE"),
    "boolean": (pa.bool_(), "BOOLEAN"),
    "date": (pa.date32(), "DATE"),
    "time": (pa.time64("us"), "TIME"),
    "timestamp": (pa.timestamp("us"), "TIMESTAMP"),
    "timestamptz": (pa.timestamp("us", tz="UTC"), "TIMESTAMPTZ"),
    "json": (pa.string(), "VARCHAR"),
}
"""Name: (Arrow type, DuckDB type)."""

ALIASES = {
    "varchar": "text", "string": "text", "str": "text", "char": "text",
    "int": "integer", "bigint": "integer", "int64": "integer", "int32": "integer", "long": "integer", "smallint": "integer",
    "double": "number", "float": "number", "real": "number", "float64": "number", "numeric": "number",
    "bool": "boolean", "datetime": "timestamp",
}  # fmt: skip

_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")


def column_type(name: str) -> tuple[pa.DataType, str]:
    """Arrow's and DuckDB's type for a name such as ``integer``, ``text`` or ``decimal(10,2)``; case does not matter.

    Raises:
        PermanentError: no such type; names the nearest.
    """
    key = name.strip().lower()
    if match := _DECIMAL.fullmatch(key):
        digits, scale = int(match[1]), int(match[2])
        if 1 <= digits <= 38 and scale <= digits:  # noqa: PLR2004 - the limits of Arrow's decimal128
            return pa.decimal128(digits, scale), f"DECIMAL({digits},{scale})"
    key = ALIASES.get(key, key)
    if key in TYPES:
        return TYPES[key]
    near = get_close_matches(key, [*TYPES, *ALIASES], n=1)
    guess = f'Did you mean "{near[0]}"?' if near else f"Types are {', '.join(TYPES)} and decimal(10,2)."
    raise PermanentError(f'There is no column type "{name}".', hint=guess)


def type_name(data_type: pa.DataType) -> str:
    """The name people read for an Arrow type."""
    if pa.types.is_integer(data_type):
        return "integer"
    if pa.types.is_floating(data_type):
        return "number"
    if pa.types.is_string(data_type) or pa.types.is_large_string(data_type):
        return "text"
    if pa.types.is_boolean(data_type):
        return "boolean"
    if pa.types.is_date(data_type):
        return "date"
    if pa.types.is_time(data_type):
        return "time"
    if pa.types.is_timestamp(data_type):
        return "timestamptz" if data_type.tz else "timestamp"
    if pa.types.is_decimal(data_type):
        return f"decimal({data_type.precision},{data_type.scale})"
    if pa.types.is_null(data_type):
        return "empty"
    return "json" if pa.types.is_nested(data_type) else str(data_type)
