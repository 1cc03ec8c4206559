"""The types that travel on wires: what DuckDB gives is cast to them, so that no node meets an exotic one."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from etl_studio.sdk import identifier

_CASTS = {
    "hugeint": "BIGINT",
    "uhugeint": "BIGINT",
    "timestamp_ns": "TIMESTAMP",
    "timestamp_ms": "TIMESTAMP",
    "timestamp_s": "TIMESTAMP",
    "timestamptz_ns": "TIMESTAMPTZ",
    "time_ns": "TIME",
    "enum": "VARCHAR",
    "uuid": "VARCHAR",
    "interval": "VARCHAR",
    "bit": "VARCHAR",
    "bignum": "VARCHAR",
    "time with time zone": "VARCHAR",
    "union": "VARCHAR",
    "variant": "VARCHAR",
}


def normalised(relation: Any, query: str) -> str:
    """The query with casts around it where a column has a type that no wire carries, or a name that comes twice.

    Args:
        relation: the bound query; its columns and types are read, nothing runs.
        query: its text.
    """
    columns = list(zip(relation.columns, relation.types, strict=True))
    wanted = {name: target for name, given in columns if (target := _target(given)) is not None}
    unique = len({name.lower() for name, _ in columns}) == len(columns)
    if not wanted and unique:
        return query
    if not unique:
        # A subquery gives each name once (a, a_1, ...), so the types are read again under the new names.
        return f"SELECT * FROM (\n{query}\n)"
    casts = ", ".join(f"CAST({identifier(name)} AS {target}) AS {identifier(name)}" for name, target in wanted.items())
    return f"SELECT * REPLACE ({casts}) FROM (\n{query}\n)"


def canonical(schema: pa.Schema) -> pa.Schema:
    """The schema as the wires have it: the zone of a timestamp is called UTC, as people and Arrow call it."""
    fields = [
        pa.field(field.name, pa.timestamp("us", tz="UTC"))
        if pa.types.is_timestamp(field.type) and field.type.tz
        else pa.field(field.name, field.type)
        for field in schema
    ]
    return pa.schema(fields)


def _target(given: Any) -> str | None:
    """The type to cast to, in DuckDB's words; nested types are looked through. None: it may stay."""
    if given.id in _CASTS:
        return _CASTS[given.id]
    if given.id not in {"list", "array", "struct", "map"}:
        return None
    inner = {name: child for name, child in given.children if name != "size"}
    targets = {name: _target(child) for name, child in inner.items()}
    if not any(targets.values()):
        return None
    new = {name: target or str(inner[name]) for name, target in targets.items()}
    if given.id == "struct":
        return f"STRUCT({', '.join(f'{identifier(name)} {target}' for name, target in new.items())})"
    if given.id == "map":
        return f"MAP({new['key']}, {new['value']})"
    return f"{new['child']}[{dict(given.children).get('size', '')}]"
