"""Compares the rows that came with those that were expected."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

from etl_studio.engine.golden_rows import GoldenRows, type_label
from etl_studio.engine.letter_rows import read_text, read_value
from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

DIGITS = 12
"""Digits in which two numbers must agree: sums of floats depend on their order."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value that differs."""

    column: str
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row.

    Attributes:
        expected_row, actual_row: its number, from 1, where it is there.
        cells: what differs in it; of a row that is missing or was not expected, all of it (the other value is None).
    """

    kind: Literal["changed", "missing", "unexpected"]
    expected_row: int | None
    actual_row: int | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What differs between two sets of rows.

    Attributes:
        columns: names with expected and actual type; None where the column is not there.
        rows: the rows that differ.
        only_order: whether the rows are the same ones in another order.
    """

    columns: tuple[tuple[str, str | None, str | None], ...]
    rows: tuple[RowDifference, ...]
    only_order: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""
        return not self.columns and not self.rows


def compare(
    expected: GoldenRows, actual: GoldenRows, *, any_order: bool = False, ignore: Collection[str] = ()
) -> TableDifference:
    """Compare rows.

    Args:
        expected: types that it does not tell are not compared.
        actual: with all types.
        any_order: whether the order of the rows means nothing.
        ignore: columns that are not compared.

    Raises:
        UsageError: a value that was expected does not fit the type written for its column.
    """
    columns = _columns(expected, actual, ignore)
    # Where one side tells no columns it has no rows, and those of the other one are told whole.
    known = [set(side.columns) for side in (expected, actual) if side.columns or side.rows]
    both = set.intersection(*known) if known else set()
    names = [name for name in expected.columns or actual.columns if name in both and name not in ignore]
    wanted = [{name: _as_type(name, row.get(name), expected, actual) for name in names} for row in expected.rows]
    came = [{name: row.get(name) for name in names} for row in actual.rows]
    keys, other_keys = ([_key(row) for row in rows] for rows in (wanted, came))
    same_rows = Counter(keys) == Counter(other_keys)
    if keys == other_keys or (any_order and same_rows):
        return TableDifference(columns, ())
    pairs = _in_any_order(keys, other_keys) if any_order else _in_order(keys, other_keys)
    rows = tuple(_difference(wanted, came, *pair) for pair in pairs)
    return TableDifference(columns, rows, only_order=same_rows)


def _columns(
    expected: GoldenRows, actual: GoldenRows, ignore: Collection[str]
) -> tuple[tuple[str, str | None, str | None], ...]:
    if not expected.columns and not expected.rows:
        return ()  # an empty list of rows tells no columns
    if not actual.columns and not actual.rows:
        return ()  # nor does a port that nothing came by
    found = []
    for name in dict.fromkeys([*expected.columns, *actual.columns]):
        if name in ignore:
            continue
        wanted = type_label(expected.types[name]) if name in expected.types else None
        came = type_label(actual.types[name]) if name in actual.columns else None
        if name not in expected.columns or came is None:
            found.append((name, wanted or ("any" if name in expected.columns else None), came))
        elif wanted is not None and wanted != came:
            found.append((name, wanted, came))
    return tuple(found)


def _as_type(name: str, value: Any, expected: GoldenRows, actual: GoldenRows) -> Any:
    """An expected value as the engine tells it: in its own type, or else in that of the column that came."""
    if value is None:
        return None
    if name in expected.types:
        return read_value(name, value, expected.types[name])
    if name not in actual.types:
        return value
    words = actual.types[name]
    try:
        return read_value(name, value, words)
    except UsageError:
        pass
    try:
        return read_text(name, value, words) if isinstance(value, str) else value
    except UsageError:
        return value


def _key(row: Mapping[str, Any]) -> str:
    return json.dumps([_rounded(value) for value in row.values()], sort_keys=True)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return {"number": f"{value + 0.0:.{DIGITS}g}"}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value


def _in_order(expected: Sequence[str], actual: Sequence[str]) -> list[tuple[int | None, int | None]]:
    pairs: list[tuple[int | None, int | None]] = []
    for what, low, high, new_low, new_high in SequenceMatcher(None, expected, actual, autojunk=False).get_opcodes():
        if what != "equal":
            pairs += _side_by_side(list(range(low, high)), list(range(new_low, new_high)))
    return pairs


def _in_any_order(expected: Sequence[str], actual: Sequence[str]) -> list[tuple[int | None, int | None]]:
    missing, unexpected = Counter(expected) - Counter(actual), Counter(actual) - Counter(expected)
    return _side_by_side(_take(expected, missing), _take(actual, unexpected))


def _take(keys: Sequence[str], wanted: Counter[str]) -> list[int]:
    found = []
    for number, key in enumerate(keys):
        if wanted[key]:
            wanted[key] -= 1
            found.append(number)
    return found


def _side_by_side(one: list[int], other: list[int]) -> list[tuple[int | None, int | None]]:
    both: list[tuple[int | None, int | None]] = list(zip(one, other, strict=False))
    return both + [(at, None) for at in one[len(both) :]] + [(None, at) for at in other[len(both) :]]


def _difference(
    wanted: Sequence[Mapping[str, Any]], came: Sequence[Mapping[str, Any]], at: int | None, actual_at: int | None
) -> RowDifference:
    expected = {} if at is None else wanted[at]
    actual = {} if actual_at is None else came[actual_at]
    both = at is not None and actual_at is not None
    cells = tuple(
        Cell(name, expected.get(name), actual.get(name))
        for name in {**expected, **actual}
        if not both or _key({name: expected[name]}) != _key({name: actual[name]})
    )
    kind: Literal["changed", "missing", "unexpected"] = (
        "changed" if both else "missing" if actual_at is None else "unexpected"
    )
    return RowDifference(kind, None if at is None else at + 1, None if actual_at is None else actual_at + 1, cells)
