"""How Arrow's values are stored in SQLite, which knows integers, reals, texts and blobs. Whole columns at a time.

| Arrow | column | stored as |
|---|---|---|
| integer, boolean | INTEGER, BOOLEAN | integer; unsigned ones above 2^63 - 1 do not fit |
| float | REAL | real; SQLite keeps NaN as NULL |
| text | TEXT | text |
| date, time, timestamp | TEXT | ISO: ``2026-11-23 22:15:30``, microseconds where there are any, UTC as ``+00:00`` |
| decimal | TEXT | every digit, which NUMERIC would lose |
| list, struct, map | TEXT | JSON |
| binary | BLOB | bytes |
"""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from etl_studio.engine.json_values import json_value
from etl_studio.sdk import BatchView, sandbox

LARGEST = 2**63 - 1


def declared_type(data_type: pa.DataType) -> str:
    """The type that a new column of a table is declared with."""
    types = pa.types
    if types.is_dictionary(data_type):
        return declared_type(data_type.value_type)
    if types.is_integer(data_type):
        return "INTEGER"
    if types.is_floating(data_type):
        return "REAL"
    if types.is_boolean(data_type):
        return "BOOLEAN"
    return "BLOB" if _is_binary(data_type) else "TEXT"


def storable(array: pa.Array) -> pa.Array:
    """The same values as integers, floats, texts or bytes, whose ``to_pylist`` gives what SQLite takes."""
    types = pa.types
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    data_type = array.type
    if types.is_boolean(data_type):
        return array.cast(pa.int8())
    if types.is_integer(data_type) or _is_text(data_type) or _is_binary(data_type):
        return array
    if types.is_floating(data_type):
        return array.cast(pa.float64())
    if types.is_temporal(data_type):
        return _moments(array)
    if types.is_nested(data_type):
        return _json(array)
    return array.cast(pa.string())


def does_not_fit(array: pa.Array) -> pa.Array | None:
    """A mask of values that SQLite has no room for, or None where all fit."""
    if not pa.types.is_uint64(array.type):
        return None
    mask = pc.fill_null(pc.greater(array, pa.scalar(LARGEST, pa.uint64())), fill_value=False)
    return mask if pc.any(mask).as_py() else None


def is_missing(array: pa.Array) -> pa.Array | None:
    """A mask of values that SQLite stores as NULL (NaN is one of them), or None where there are none."""
    if array.null_count == 0 and not pa.types.is_floating(array.type):
        return None
    mask = pc.is_null(array, nan_is_null=True)
    return mask if pc.any(mask).as_py() else None


def _is_text(data_type: pa.DataType) -> bool:
    types = pa.types
    return any(is_one(data_type) for is_one in (types.is_string, types.is_large_string, types.is_string_view))


def _is_binary(data_type: pa.DataType) -> bool:
    types = pa.types
    kinds = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(is_one(data_type) for is_one in kinds)


def _moments(array: pa.Array) -> pa.Array:
    types = pa.types
    if types.is_timestamp(array.type) and array.type.tz is not None:
        texts = array.cast(pa.timestamp(array.type.unit, tz="UTC")).cast(pa.string())
        # "+00:00" sorts before ".500000", as it must; "Z" would sort after it.
        return pc.binary_join_element_wise(_without_zeros(pc.utf8_rtrim(texts, "Z")), "+00:00", "")
    if types.is_interval(array.type):
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())
    if types.is_date(array.type):
        return array.cast(pa.date32()).cast(pa.string())
    return _without_zeros(array.cast(pa.string()))


def _without_zeros(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, r"\.0+$", "")


def _json(array: pa.Array) -> pa.Array:
    batch = pa.record_batch({"value": array})
    view = BatchView(batch.schema)
    view.batches = [batch]
    with sandbox() as database:
        database.register("input", view)
        texts = database.sql("SELECT CAST(to_json(value) AS VARCHAR) AS text FROM input").to_arrow_table()["text"]
    # JSON has no word for these; a text that merely holds the word goes the slow way, too.
    if not pc.any(pc.match_substring_regex(texts, "NaN|Infinity")).as_py():
        return texts.combine_chunks()
    values = array.to_pylist()
    return pa.array(
        [None if value is None else json.dumps(json_value(value), ensure_ascii=False) for value in values], pa.string()
    )
