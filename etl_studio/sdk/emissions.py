"""What a node gives out besides plain batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one row was refused.

    Attributes:
        type: short name of the kind of problem, such as ``cast`` or ``not_null``.
        message: one sentence for people: which value, and what to do.
        column: the column at fault, where known.
        line: line in the source file, counted from 1, where known.
        row: number of the row in the source, counted from 1, where known.
        operation: JSON-ready: what a source tried, where no row came of it, such as a page to fetch. A replay gives it
            to ``Source.read_again``. It names secrets and never holds them.
        attempts: how often it was tried.
    """

    type: str
    message: str
    column: str | None = None
    line: int | None = None
    value: Any = None
    row: int | None = None
    operation: Mapping[str, Any] | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows that could not be processed: ``problems[i]`` tells about row ``i`` of ``rows``."""

    rows: pa.RecordBatch
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Output:
    """A batch for another port than the first."""

    port: str
    batch: pa.RecordBatch
