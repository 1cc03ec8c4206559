"""Rows of dead letters: kept as JSON, read as people type them, and turned into the same Arrow rows again."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.engine.json_values import json_value
from etl_studio.errors import UsageError
from etl_studio.sdk import type_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MISFITS = (pa.ArrowException, ArithmeticError, AttributeError, LookupError, OverflowError, TypeError, ValueError)
"""What Python and Arrow raise for a value that is not of a type."""
_NUMBERS = re.compile(r"(decimal128|decimal256|fixed_size_binary|timestamp)[(\[](.*)[)\]]")
_DURATION = re.compile(r"(?:(-?\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")
_EXAMPLES = {
    "integer": "12", "number": "12.5", "boolean": "true", "date": "2026-01-31", "time": "14:30:00",
    "timestamp": "2026-01-31T14:30:00", "timestamptz": "2026-01-31T14:30:00+00:00", "json": "[1, 2]",
}  # fmt: skip


def type_words(schema: pa.Schema) -> dict[str, Any]:
    """Types by column as JSON: Arrow's own name for each, and a dict for what is nested."""
    return {field.name: _words(field.type) for field in schema}


def schema_of(types: Mapping[str, Any]) -> pa.Schema:
    """The columns that ``type_words`` described."""
    return pa.schema([(name, arrow_type(words)) for name, words in types.items()])


def arrow_type(words: Any) -> pa.DataType:
    """One type from its description.

    Raises:
        ValueError: it is none.
    """
    if isinstance(words, dict):
        kind, inner = next(iter(words.items()))
        if kind == "struct":
            return pa.struct([(name, arrow_type(part)) for name, part in inner])
        if kind == "map":
            return pa.map_(*map(arrow_type, inner))
        return pa.list_(arrow_type(inner))
    if match := _NUMBERS.fullmatch(words):
        parts = [part.strip() for part in match[2].split(",")]
        if match[1] == "timestamp":
            return pa.timestamp(parts[0], parts[1].removeprefix("tz=") if len(parts) > 1 else None)
        make: Any = {"decimal128": pa.decimal128, "decimal256": pa.decimal256, "fixed_size_binary": pa.binary}[match[1]]
        return make(*map(int, parts))
    return pa.type_for_alias(words)


def batch_of(payloads: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Stored rows as one batch; a column that a row lacks is NULL there.

    Raises:
        UsageError: a value is not of its column's type.
    """
    arrays = []
    for field in schema:
        values = [payload.get(field.name) for payload in payloads]
        try:
            arrays.append(pa.array([_restored(value, field.type) for value in values], field.type))
        except _MISFITS:
            bad = next(value for value in values if not _is_of(value, field.type))
            raise _misfit(field.name, field.type, bad) from None
    if not arrays:
        raise UsageError("The dead letter holds no column.", hint="Discard it, or run the pipeline again.")
    return pa.record_batch(arrays, schema=schema)


def types_of(payload: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """Types of all columns of a row; those that were not kept are read off the values."""
    found = {}
    for name, value in payload.items():
        try:
            found[name] = types[name] if name in types else _words(pa.array([value]).type)
        except _MISFITS:
            found[name] = "string"
    return found


def read_text(column: str, text: str, words: Any) -> Any:
    """A value as a person types it, JSON-ready. Nothing at all means missing, except in a text.

    Raises:
        UsageError: it does not fit the column's type.
    """
    kind = arrow_type(words)
    if _is_text(kind):
        return text
    if not text.strip():
        return None
    try:
        return read_value(column, _typed(text.strip(), kind), words)
    except UsageError:
        raise _misfit(column, kind, text) from None


def read_value(column: str, value: Any, words: Any) -> Any:
    """A value from JSON, as it will be kept.

    Raises:
        UsageError: it does not fit the column's type.
    """
    kind = arrow_type(words)
    try:
        return json_value(pa.array([_restored(value, kind)], kind).to_pylist()[0])
    except _MISFITS:
        raise _misfit(column, kind, value) from None


def edited(payload: Mapping[str, Any], types: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A row with other values, which are JSON-ready.

    Raises:
        UsageError: it has no such column, or a value does not fit.
    """
    known = types_of(payload, types)
    for name in changes:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            guess = f'Did you mean "{near[0]}"?' if near else f"Columns: {', '.join(known) or 'none'}."
            raise UsageError(f'The dead letter has no column "{name}".', hint=guess)
    return {**payload, **{name: read_value(name, value, known[name]) for name, value in changes.items()}}


def _words(kind: pa.DataType) -> Any:
    if isinstance(kind, pa.BaseExtensionType):
        return _words(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _words(kind.value_type)
    if pa.types.is_struct(kind):
        return {"struct": [[field.name, _words(field.type)] for field in kind]}
    if pa.types.is_map(kind):
        return {"map": [_words(kind.key_type), _words(kind.item_type)]}
    if pa.types.is_nested(kind):
        return {"list": _words(kind.value_type)} if hasattr(kind, "value_type") else "string"
    # An interval is kept as text: nothing that travels on a wire has that type.
    return "string" if pa.types.is_interval(kind) else str(kind)


def _restored(value: Any, kind: pa.DataType) -> Any:
    """What ``json_value`` made JSON-ready, as Python's own value."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        unknown = set(value) - {field.name for field in kind}
        if unknown:
            raise ValueError(unknown)
        return {field.name: _restored(value.get(field.name), field.type) for field in kind}
    if pa.types.is_map(kind):
        return [(_restored(key, kind.key_type), _restored(item, kind.item_type)) for key, item in value]
    if pa.types.is_nested(kind):
        if not isinstance(value, list):
            raise TypeError(value)
        return [_restored(item, kind.value_type) for item in value]
    return _scalar(value, kind)


def _scalar(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        wanted = bool if pa.types.is_boolean(kind) else int
        if type(value) is not wanted:
            raise TypeError(value)
        return value
    if pa.types.is_floating(kind) and not isinstance(value, bool):
        return float(value)
    if pa.types.is_decimal(kind):
        return decimal.Decimal(str(value))
    if not isinstance(value, str):
        raise TypeError(value)
    if pa.types.is_temporal(kind):
        return _time(value, kind)
    return value if _is_text(kind) else base64.b64decode(value, validate=True)


def _time(value: str, kind: pa.DataType) -> Any:
    if pa.types.is_timestamp(kind):
        return _moment(value, kind)
    if pa.types.is_duration(kind):
        return _duration(value)
    return (dt.date if pa.types.is_date(kind) else dt.time).fromisoformat(value)


def _moment(value: str, kind: pa.DataType) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    if (moment.tzinfo is None) != (kind.tz is None):
        # Without a zone it would be taken for UTC, with one its zone would be lost.
        raise ValueError(value)
    return moment


def _duration(value: str) -> dt.timedelta:
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(value)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    fraction = int((match[5] or "").ljust(6, "0"))
    return dt.timedelta(days, seconds, fraction, minutes=minutes, hours=hours)


def _typed(text: str, kind: pa.DataType) -> Any:
    """A typed text as JSON would hold it."""
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}.get(text.lower(), text)
    if pa.types.is_integer(kind):
        return int(text) if re.fullmatch(r"[-+]?\d{1,40}", text) else text
    if pa.types.is_nested(kind):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_of(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.array([_restored(value, kind)], kind)
    except _MISFITS:
        return False
    return True


def _misfit(column: str, kind: pa.DataType, value: Any) -> UsageError:
    name = type_name(kind)
    example = _EXAMPLES.get(name) or ("12.50" if name.startswith("decimal") else None)
    shown = str(value)
    shown = shown if len(shown) <= UsageError.shown else shown[: UsageError.shown - 1] + "…"
    return UsageError(
        f'"{shown}" does not fit the column "{column}", which is {name}.',
        hint=f"Write it as {example}." if example else None,
    )
