"""DuckDB's functions, for completion and help."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from etl_studio.sdk import sandbox

_QUERY = """
SELECT function_name, any_value(function_type), first(parameters ORDER BY len(parameters)),
       max(len(parameters)) > min(len(parameters)), any_value(description), any_value(examples[1])
FROM duckdb_functions()
WHERE function_type IN ('scalar', 'aggregate', 'macro') AND regexp_full_match(function_name, '[a-z][a-z0-9_]*')
GROUP BY function_name ORDER BY function_name
"""


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """One function.

    Attributes:
        name: as it is called.
        signature: its parameters as people read them, such as ``round(x, …)``.
        description: one line; empty where DuckDB has none.
        example: a call; empty where DuckDB has none.
        aggregates: whether it makes one value of many rows.
    """

    name: str
    signature: str
    description: str
    example: str
    aggregates: bool


@cache
def sql_functions() -> tuple[SqlFunction, ...]:
    """All functions by name. The first call takes 40 ms and more."""
    connection = sandbox(threads=1)
    try:
        rows = connection.execute(_QUERY).fetchall()
    finally:
        connection.close()
    return tuple(
        SqlFunction(
            name,
            f"{name}({', '.join([*(str(part) for part in parameters or ()), *(['…'] if more else [])])})",
            " ".join(str(description or "").split("\n")[0].replace("`", "").split()),
            str(example or ""),
            kind == "aggregate",
        )
        for name, kind, parameters, more, description, example in rows
    )
