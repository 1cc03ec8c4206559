"""Records of dead letters, tried again: as JSON text that a person may have mended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa


def builder_of(columns: Mapping[str, str], schema: pa.Schema | None) -> sdk.RecordBuilder:
    """A builder that gives the columns which the source gave before; without any it settles on its own."""
    builder = sdk.RecordBuilder(columns)
    if schema is not None and len(schema):
        builder.schema = builder.declared(schema)
    return builder


def records_again(
    tried: Iterable[Mapping[str, Any]],
    builder: sdk.RecordBuilder,
    parsed: Callable[[str], Iterable[Any]],
    prepared: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list,
) -> Iterator[sdk.node.Emission]:
    """Give the rows of records; those that still fail are rejected as they came.

    Args:
        tried: rows with the text of a record in ``record``, and its ``line`` where known.
        builder: makes rows.
        parsed: the values in a text. Raises ``json.JSONDecodeError`` for one that is no JSON.
        prepared: does with records what the source does.
    """
    refused: list[tuple[Mapping[str, Any], sdk.Problem]] = []
    for item in tried:
        text, line = str(item.get("record", "")), item.get("line")
        records, problem = _parsed(text, line, parsed)
        if problem is None:
            records = prepared(records)
            problem = next((found for record in records if (found := builder.check(record, line))), None)
        if problem is not None:
            refused.append((item, problem))
        else:
            yield from builder.add(records)
    yield from builder.finish()
    if refused:
        yield rejected(refused)


def rejected(refused: Sequence[tuple[Mapping[str, Any], sdk.Problem]]) -> sdk.Rejected:
    """What was tried, as it came, with what is wrong with it now."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for item, _ in refused for name in item))
    kinds = {"line": pa.int64()}
    rows = pa.record_batch(
        [pa.array([item.get(name) for item, _ in refused], kinds.get(name, pa.string())) for name in names], names=names
    )
    return sdk.Rejected(rows, [problem for _, problem in refused])


def _parsed(
    text: str, line: int | None, parsed: Callable[[str], Iterable[Any]]
) -> tuple[list[dict[str, Any]], sdk.Problem | None]:
    try:
        values = list(parsed(text))
    except json.JSONDecodeError as error:
        message = f"The record is no JSON: {error.msg} at character {error.pos + 1}. Mend the record."
        return [], sdk.Problem("json", message, "record", line, text)
    except RecursionError:
        return [], sdk.Problem("json", "The record is nested too deeply to be read.", "record", line)
    if not values or not all(isinstance(value, dict) for value in values):
        return [], sdk.Problem("no_object", "The record is no object. Write it as {...}.", "record", line, text)
    return values, None
