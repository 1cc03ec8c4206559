"""What a node does to the rows of a sample: those that arrive matched with those that leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.engine.alignment import Alignment, aligned, side_by_side
from etl_studio.errors import Cancelled, EtlError
from etl_studio.sdk import REJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from etl_studio.engine.samples import Sample
    from etl_studio.sdk import Node

ROW = "etl_studio_row"
"""Column that carries the number of a row through a node."""


def compared(node_type: type[Node], arriving: pa.Table, plain: Sample, traced: Callable[[], Sample]) -> Alignment:
    """Match the rows that arrive at a node with those that leave it.

    A number is sent through the node beside each row. It counts only where the node gives the same rows without it:
    then nothing in the node depends on it. Where it does not come out, rows are matched by their place if the node
    gives one row for each in the same order.

    Args:
        node_type: of the node; it has one input.
        arriving: its rows.
        plain: what it gives.
        traced: what it gives when each row has its number in the column ``ROW``.
    """
    port = next(port.name for port in node_type.outputs if port is not REJECTS)
    leaving = plain.ports[port]
    try:
        found = traced()
    except Cancelled:
        raise
    except EtlError:
        return side_by_side(arriving, leaving, "this node takes these columns only")
    refused = _refused(found)
    if refused is None or len(refused) != _rows(plain, REJECTS.name):
        return side_by_side(arriving, leaving, "rows that are refused have no place among those that arrive")
    origins = _origins(found.ports[port], leaving)
    if origins is not None:
        return aligned(arriving, leaving, origins, refused)
    if node_type.rows == "same" and leaving.num_rows + len(refused) == arriving.num_rows:
        kept = [number for number in range(arriving.num_rows) if number not in refused]
        return aligned(arriving, leaving, kept, refused)
    return side_by_side(arriving, leaving, "its rows are made of several, or of none, of those that arrive")


def _origins(traced: pa.Table, plain: pa.Table) -> Sequence[int] | None:
    """The numbers that came out, if they tell the truth."""
    if ROW not in traced.column_names or not traced.drop_columns([ROW]).equals(plain):
        return None
    numbers: list[int | None] = traced.column(ROW).to_pylist()
    known = [number for number in numbers if number is not None]
    return known if len(set(known)) == len(numbers) else None


def _refused(traced: Sample) -> dict[int, str] | None:
    """Why rows were refused, by their number."""
    table = traced.ports.get(REJECTS.name)
    if table is None or not table.num_rows:
        return {}
    if ROW not in table.column_names:
        return None
    return dict(zip(table.column(ROW).to_pylist(), table.column("_error").to_pylist(), strict=True))


def _rows(sample: Sample, port: str) -> int:
    table = sample.ports.get(port)
    return 0 if table is None else table.num_rows
