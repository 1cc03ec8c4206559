"""What the results panel reads of the workspace; every call belongs in a thread."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from etl_studio.storage.results import Results, TableInfo
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.results.export_job import Export
    from etl_studio.ui.results.paged_model import FetchPage


NUMBERS = ("INT", "BIGINT", "REAL", "DOUBLE", "NUM", "DECIMAL", "FLOAT")
"""Beginnings of SQLite's types of columns that hold numbers."""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """One table: its name, its number of rows, the names of its columns, and which of them hold numbers."""

    name: str
    rows: int
    columns: tuple[str, ...]
    numeric: frozenset[str] = frozenset()


class ResultsReader:
    """Reads the tables of ``data.db``.

    Args:
        workspace: gives the workspace.
    """

    def __init__(self, workspace: Callable[[], Workspace]) -> None:
        self._workspace = workspace

    def tables(self) -> list[ResultTable]:
        """Every table, by name."""
        workspace = self._workspace()
        if not workspace.data_path.exists():
            return []
        with _opened(workspace) as results:
            return [_result_table(table) for table in results.tables()]

    def pages(self, table: ResultTable, order_by: str | None, *, descending: bool) -> FetchPage:
        """What fetches rows of a table, in the order of a column."""

        def fetch(offset: int, limit: int) -> Sequence[Sequence[Any]]:
            with _opened(self._workspace()) as results:
                return results.page(table.name, offset, limit, order_by=order_by, descending=descending)

        return fetch

    def exporter(self, table: ResultTable) -> Export:
        """What writes a table to a file."""

        def export(path: Path, progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> int:
            with _opened(self._workspace()) as results:
                return results.export(table.name, path, progress, cancelled)

        return export


def _result_table(table: TableInfo) -> ResultTable:
    numeric = frozenset(name for name, kind in table.columns.items() if kind.upper().startswith(NUMBERS))
    return ResultTable(table.name, table.rows, tuple(table.columns), numeric)


@contextmanager
def _opened(workspace: Workspace) -> Iterator[Results]:
    """The results; the thread's connection is closed at the end, since the thread ends too."""
    results = workspace.results
    try:
        yield results
    finally:
        results.release()
