"""Column types: the names people write, Arrow's and DuckDB's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.errors import PermanentError
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Callable

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
    "int": "integer", "bigint": "integer", "int64": "integer", "int32": "integer", "long": "integer",
    "smallint": "integer",
    "double": "number", "float": "number", "real": "number", "float64": "number", "numeric": "number",
    "bool": "boolean", "datetime": "timestamp",
}  # fmt: skip

_CLOCK = r"^\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$"
_DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")


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
    near = closest(key, [*TYPES, *ALIASES])
    guess = f'Did you mean "{near}"?' if near else f"Types are {', '.join(TYPES)} and decimal(10,2)."
    raise PermanentError(f'There is no column type "{name}".', hint=guess)


def cast_texts(texts: pa.Array, data_type: pa.DataType) -> pa.Array:
    """Texts as values of a type.

    Raises:
        ArrowInvalid: one does not fit.
    """
    if not pa.types.is_time(data_type):
        return texts.cast(data_type)
    import pyarrow.compute as pc

    # Arrow casts no text to a time of day, but to a moment.
    if pc.all(pc.match_substring_regex(texts, _CLOCK)).as_py() is False:
        raise pa.ArrowInvalid("a text is no time of day")
    return pc.binary_join_element_wise("1970-01-01", texts, " ").cast(pa.timestamp("us")).cast(data_type)


def type_name(data_type: pa.DataType) -> str:
    """The name people read for an Arrow type."""
    if pa.types.is_dictionary(data_type):
        return type_name(data_type.value_type)
    if pa.types.is_timestamp(data_type):
        return "timestamptz" if data_type.tz else "timestamp"
    if pa.types.is_decimal(data_type):
        return f"decimal({data_type.precision},{data_type.scale})"
    return next((name for name, belongs in _NAMES.items() if belongs(data_type)), str(data_type))


_NAMES: dict[str, Callable[[pa.DataType], bool]] = {
    "integer": pa.types.is_integer,
    "number": pa.types.is_floating,
    "text": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind),
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "time": pa.types.is_time,
    "empty": pa.types.is_null,
    "json": pa.types.is_nested,
}
