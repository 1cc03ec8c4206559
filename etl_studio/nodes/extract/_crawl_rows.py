"""From the columns of a crawl to what its source gives out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio import sdk
from etl_studio.sdk.records import MISFITS
from etl_studio.sdk.types import cast_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etl_studio.errors import EtlError


class CrawlRows:
    """Makes batches of one schema; rows with a value of the wrong type are rejected.

    Args:
        fields: names of the fields, all of them text before they are read as their type.
        types: types of those that are no text.
        typed, parents: whether there are the columns ``_type`` and ``_parent``.
    """

    def __init__(self, fields: Sequence[str], types: Mapping[str, str], *, typed: bool, parents: bool) -> None:
        self._types = {"_type": "text"} if typed else {}
        self._types |= {name: types.get(name, "text") for name in fields}
        self._types |= {"_url": "text", "_depth": "integer", "_fetched_at": "timestamptz"}
        if parents:
            self._types["_parent"] = "text"
        self._read = {name for name in fields if self._types[name].strip().lower() != "text"}
        self.schema = pa.schema([(name, sdk.column_type(text)[0]) for name, text in self._types.items()])

    def builder(self, wanted: int | None = None) -> sdk.RecordBuilder:
        """For records of dead letters, which come one by one."""
        return sdk.RecordBuilder(self._types, fixed=True, wanted=wanted)

    def empty(self) -> pa.RecordBatch:
        """A batch without rows, which tells the columns."""
        return pa.RecordBatch.from_pylist([], schema=self.schema)

    def emissions(self, columns: Mapping[str, Sequence[Any]]) -> Iterator[pa.RecordBatch | sdk.Rejected]:
        """The rows of columns of equal length."""
        if not columns["_url"]:
            return
        try:
            arrays = [self._array(field, columns[field.name]) for field in self.schema]
        except MISFITS:
            names = list(columns)
            records = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            builder = self.builder()
            yield from builder.add(records)
            yield from builder.finish()
        else:
            yield pa.record_batch(arrays, schema=self.schema)

    def _array(self, field: pa.Field, values: Sequence[Any]) -> pa.Array:
        if field.name not in self._read:
            return pa.array(values, field.type)
        texts = pa.array([(value.strip() or None) if value is not None else None for value in values], pa.string())
        return cast_texts(texts, field.type)


def refused_page(url: str, error: Exception, asks: Mapping[str, Any]) -> sdk.Rejected:
    """A page that could not be read, as a row with its address.

    Args:
        url: as it may be shown.
        error: why.
        asks: what a replay needs to ask again.
    """
    facts: EtlError | Any = error
    what, hint = getattr(facts, "what", str(error)), getattr(facts, "hint", "")
    status, attempts = getattr(facts, "status", None), getattr(facts, "attempts", None) or 1
    problem = sdk.Problem(
        "http" if status is not None or getattr(facts, "attempts", None) else "page",
        f"{what} {hint}" if hint else what,
        "_url",
        value=status,
        operation=asks,
        attempts=attempts,
    )
    return sdk.Rejected(pa.record_batch({"_url": pa.array([url], pa.string())}), [problem])
