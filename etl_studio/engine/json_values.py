"""Rows as values that JSON can hold, for dead letters and reports."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def json_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Each row as a dict of JSON-ready values."""
    return [{name: json_value(value) for name, value in row.items()} for row in batch.to_pylist()]


def json_value(value: Any) -> Any:
    """One value: times in ISO 8601, decimals as text, bytes in base64, NaN and infinities as text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | dt.timedelta):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return str(value)
