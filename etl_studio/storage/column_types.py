"""From Arrow columns to what SQLite keeps: types and values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import peewee
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CUT = 10_000
"""Rows turned into Python values at once: a longer call would hold the window's thread up."""


def field_for(data_type: pa.DataType) -> type[peewee.Field]:
    """The column that keeps values of an Arrow type exactly."""
    if pa.types.is_boolean(data_type):
        return peewee.BooleanField
    if pa.types.is_integer(data_type):
        return peewee.BigIntegerField if pa.types.is_uint64(data_type) else peewee.IntegerField
    if pa.types.is_floating(data_type):
        return peewee.DoubleField
    if pa.types.is_binary(data_type) or pa.types.is_large_binary(data_type):
        return peewee.BlobField
    return peewee.TextField


def rows_of(batch: pa.RecordBatch) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The rows in cuts, as values that SQLite takes."""
    columns = [_storable(column) for column in batch.columns]
    for start in range(0, batch.num_rows, CUT):
        yield list(zip(*(column.slice(start, CUT).to_pylist() for column in columns), strict=True))


def _storable(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8())
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_null(kind)
    ):
        return column
    if pa.types.is_timestamp(kind):
        return _iso(column)
    if pa.types.is_nested(kind):
        texts = (
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in column.to_pylist()
        )
        return pa.array(list(texts), pa.string())
    return column.cast(pa.string())


def _iso(column: pa.Array) -> pa.Array:
    """``2026-11-23 22:15:00``, with a fraction only where there is one and a Z for UTC, as SQLite reads it."""
    zone = column.type.tz
    texts = column.cast(pa.timestamp("us", tz="UTC" if zone else None)).cast(pa.string())
    return pc.replace_substring_regex(texts, r"\.000000", "")
