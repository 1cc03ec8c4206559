"""What differs in a test that failed, as lines of a table: one for each value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from etl_studio.ui.quantities import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.app.pipeline_tests import Checked, Outcome
    from etl_studio.engine.row_diff import RowDifference

MOST_LINES = 1_000
"""More than these nobody reads; the number of the others is told."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value, or the type of one column.

    Attributes:
        place: the node, or ``node.port``.
        row: its number from 1, or nothing where the line is about the whole column.
        kind: ``changed``, ``missing`` or ``unexpected``.
        expected, got: as in the files, so that an empty text is not nothing; empty where there is none.
    """

    place: str
    row: str
    kind: str
    column: str
    expected: str
    got: str


def lines(outcome: Outcome) -> list[Line]:
    """What differs, at most ``MOST_LINES``."""
    return list(islice((line for checked in outcome.checked for line in _of_place(checked)), MOST_LINES))


def summary(outcome: Outcome) -> list[str]:
    """``save: 2 rows differ (7 rows came)`` for each place, and what else there is to know."""
    texts = [_place_summary(checked) for checked in outcome.checked]
    if sum(len(row.cells) for one in outcome.checked for row in one.difference.rows) > MOST_LINES:
        texts.append(f"the first {MOST_LINES:,} values are shown")
    if outcome.dead_letters:
        texts.append(f"{rows(outcome.dead_letters)} refused")
    return texts


def _place_summary(checked: Checked) -> str:
    found = checked.difference
    if found.is_empty:
        return f"{checked.place}: {rows(checked.rows)} as expected"
    if found.only_order:
        return (
            f"{checked.place}: the right rows in another order (any_order: [{_node(checked)}] in case.yaml allows it)"
        )
    number = len(found.rows)
    parts = [f"{rows(number)} differ{'s' if number == 1 else ''}"] if number else []
    if found.columns:
        parts.append("1 column differs" if len(found.columns) == 1 else f"{len(found.columns)} columns differ")
    return f"{checked.place}: {', '.join(parts)} ({rows(checked.rows)} came)"


def _node(checked: Checked) -> str:
    return checked.place.partition(".")[0]


def _of_place(checked: Checked) -> Iterator[Line]:
    for column, expected, got in checked.difference.columns:
        kind = "missing" if got is None else "unexpected" if expected is None else "changed"
        yield Line(checked.place, "", f"column {kind}", column, expected or "", got or "")
    for row in checked.difference.rows:
        yield from _of_row(checked.place, row)


def _of_row(place: str, row: RowDifference) -> Iterator[Line]:
    number = str(row.expected_row or row.actual_row)
    for cell in row.cells:
        expected = "" if row.kind == "unexpected" else _value(cell.expected)
        got = "" if row.kind == "missing" else _value(cell.actual)
        yield Line(place, number, row.kind, cell.column, expected, got)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
