"""What the columns of a table hold: missing and different values, their range and spread, the most frequent ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl_studio.sdk import type_name

BINS = 20
TOP = 20
HALF = 32
"""Bits of Arrow's shorter dates and times."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How values are spread over equal parts of their range.

    Attributes:
        low, high: the ends: numbers, dates or moments as they are in the column.
        counts: values in each part; the last one includes ``high``.
    """

    low: Any
    high: Any
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Facts about the values of one column.

    Attributes:
        type: as people write it, such as ``integer``.
        rows: of the table.
        nulls: missing values.
        distinct: different values, the missing one left out.
        low, high: the smallest and the largest value; of texts the first and the last one in the order of letters.
        mean, median: of numbers.
        shortest, longest: signs of a text; None for other types.
        top: the most frequent values with their counts; where values are equally frequent, in the order of the rows.
        histogram: of numbers, dates and moments, where they differ.
    """

    name: str
    type: str
    rows: int
    nulls: int
    distinct: int
    low: Any = None
    high: Any = None
    mean: float | None = None
    median: float | None = None
    shortest: int | None = None
    longest: int | None = None
    top: tuple[tuple[Any, int], ...] = ()
    histogram: Histogram | None = None

    @property
    def values(self) -> int:
        """Values that are there."""
        return self.rows - self.nulls


def profile(table: pa.Table) -> tuple[ColumnProfile, ...]:
    """The facts about each column of a table of some ten thousand rows at the most."""
    return tuple(_column(field.name, field.type, table.column(at)) for at, field in enumerate(table.schema))


def _column(name: str, kind: pa.DataType, column: pa.ChunkedArray) -> ColumnProfile:
    values = pa.concat_arrays([pa.array([], kind), *column.drop_null().chunks])
    facts: dict[str, Any] = {}
    if pa.types.is_nested(kind):
        texts = [json.dumps(value, ensure_ascii=False, default=str) for value in values.to_pylist()]
        values = pa.array(texts, pa.string())
    elif len(values):
        facts = _text_facts(values) if type_name(kind) == "text" else _number_facts(values)
    counted = pc.value_counts(values)
    found, counts = counted.field("values"), counted.field("counts").to_numpy()
    often = (-counts).argsort(kind="stable")[:TOP]
    return ColumnProfile(
        name,
        type_name(kind),
        len(column),
        column.null_count,
        len(counted),
        top=tuple((found[int(at)].as_py(), int(counts[at])) for at in often),
        **facts,
    )


def _text_facts(values: pa.Array) -> dict[str, Any]:
    ends, lengths = pc.min_max(values), pc.min_max(pc.utf8_length(values))
    return {
        "low": ends["min"].as_py(),
        "high": ends["max"].as_py(),
        "shortest": lengths["min"].as_py(),
        "longest": lengths["max"].as_py(),
    }


def _number_facts(values: pa.Array) -> dict[str, Any]:
    """Facts about numbers, dates and times of day; none about other types, and none about infinities."""
    kind = values.type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not is_number and not pa.types.is_temporal(kind):
        return {}
    if pa.types.is_floating(kind):
        values = values.filter(pc.is_finite(values))
        if not len(values):
            return {}
    whole = pa.int32() if kind.bit_width == HALF else pa.int64()
    numbers = values.cast(pa.float64()) if is_number else values.cast(whole).cast(pa.float64(), safe=False)
    ends = pc.min_max(values)
    facts = {"low": ends["min"].as_py(), "high": ends["max"].as_py()}
    if is_number:
        facts |= {"mean": pc.mean(numbers).as_py(), "median": pc.quantile(numbers, 0.5)[0].as_py()}
    counts = _spread(numbers, steps=pa.types.is_integer(kind) or pa.types.is_date(kind))
    if counts:
        facts["histogram"] = Histogram(facts["low"], facts["high"], counts)
    return facts


def _spread(numbers: pa.Array, *, steps: bool) -> tuple[int, ...]:
    """How many numbers are in each part of their range; empty where they are all the same.

    Args:
        numbers: all finite.
        steps: there is nothing between two neighbours, such as integers: a part for each where these are few.
    """
    import numpy as np

    ends = pc.min_max(numbers)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low == high:
        return ()
    bins = min(BINS, int(high - low) + 1) if steps else BINS
    counts, _ = np.histogram(numbers.to_numpy(), bins, (low, high))
    return tuple(int(count) for count in counts)
