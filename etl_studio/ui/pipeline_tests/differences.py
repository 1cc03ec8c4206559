"""What differs in a test that failed, as lines of a table: one for each value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from etl_studio.ui.quantities import count, rows
from etl_studio.ui.translation import N_, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.app.pipeline_tests import Checked, Outcome
    from etl_studio.engine.row_diff import RowDifference

MOST_LINES = 1_000
"""More than these nobody reads; the number of the others is told."""
KINDS = {
    "changed": N_("changed"),
    "missing": N_("missing"),
    "unexpected": N_("unexpected"),
    "column changed": N_("column changed"),
    "column missing": N_("column missing"),
    "column unexpected": N_("column unexpected"),
}
"""How the kinds of differences are called."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value, or the type of one column.

    Attributes:
        place: the node, or ``node.port``.
        row: its number from 1, or nothing where the line is about the whole column.
        kind: one of ``KINDS``.
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
        texts.append(tr("the first {count} values are shown", count=count(MOST_LINES)))
    if outcome.dead_letters:
        texts.append(trn("{count} row refused", "{count} rows refused", outcome.dead_letters))
    return texts


def _place_summary(checked: Checked) -> str:
    found = checked.difference
    if found.is_empty:
        return tr("{place}: {rows} as expected", place=checked.place, rows=rows(checked.rows))
    if found.only_order:
        return tr(
            "{place}: the right rows in another order (any_order: [{node}] in case.yaml allows it)",
            place=checked.place,
            node=_node(checked),
        )
    number = len(found.rows)
    parts = [trn("{count} row differs", "{count} rows differ", number)] if number else []
    if found.columns:
        parts.append(trn("{count} column differs", "{count} columns differ", len(found.columns)))
    return tr(
        "{place}: {differences} ({rows} came)",
        place=checked.place,
        differences=", ".join(parts),
        rows=rows(checked.rows),
    )


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
