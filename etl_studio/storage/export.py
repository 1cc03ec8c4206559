"""Writes a table to a file in chunks: under a temporary name first, renamed when it is complete."""

from __future__ import annotations

import base64
import csv
import json
import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from etl_studio.errors import Cancelled, PermanentError, UsageError
from etl_studio.sdk import identifier, identifiers
from etl_studio.storage.failures import failures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from etl_studio.storage.databases import SqliteFile
    from etl_studio.storage.table_info import TableInfo

CHUNK = 5_000
"""Rows at a time: a longer call would hold the window's thread up."""
EXCEL_ROWS = 1_048_575
"""Rows of one sheet, the header apart."""
ARROW = {"INTEGER": pa.int64(), "BIGINT": pa.int64(), "REAL": pa.float64(), "DOUBLE": pa.float64(), "BLOB": pa.binary()}

Row = tuple[Any, ...]


class Writer(Protocol):
    """Writes rows to a file that is open."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def export_table(
    file: SqliteFile, table: TableInfo, to: Path, progress: Callable[[int, int], object], cancelled: Callable[[], bool]
) -> int:
    """Write a table; see ``Results.export``."""
    make = WRITERS.get(to.suffix.lower())
    if make is None:
        raise UsageError(
            f'No export is known for the ending "{to.suffix}".', hint=f"Use one of {', '.join(sorted(WRITERS))}."
        )
    if to.suffix.lower() == ".xlsx" and table.rows > EXCEL_ROWS:
        raise UsageError(
            f"The table {table.name} has {table.rows:,} rows; a sheet of Excel takes {EXCEL_ROWS:,}.",
            hint="Export it as .csv or .parquet.",
        )
    done = 0
    with _complete_or_absent(to) as part:
        writer = make(part, table)
        try:
            for rows in _chunks(file, table):
                if cancelled():
                    raise Cancelled("The export was cancelled.")
                writer.write(rows)
                done += len(rows)
                progress(done, max(done, table.rows))
        finally:
            writer.close()
    return done


def _chunks(file: SqliteFile, table: TableInfo) -> Iterator[list[Row]]:
    """All rows as of one moment."""
    with failures_of(file.path):
        cursor = file.peewee.execute_sql(f"SELECT {identifiers(table.columns)} FROM {identifier(table.name)}")  # noqa: S608
        while rows := _take(cursor):
            yield rows


def _take(cursor: Any) -> list[Row]:
    return [row for _, row in zip(range(CHUNK), cursor, strict=False)]


@contextmanager
def _complete_or_absent(to: Path) -> Iterator[Path]:
    part = to.with_name(f".{to.name}.part")
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(to)
    except OSError as error:
        raise PermanentError(
            f"{to} cannot be written: {error.strerror or error}.",
            hint="Check the folder, its permissions and the room.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


class CsvWriter:
    """CSV by RFC 4180, UTF-8, with a header."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(table.columns)

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        self._writer.writerows(tuple(_plain(value) for value in row) if _has_bytes(row) else row for row in rows)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class JsonLinesWriter:
    """One JSON object a line, UTF-8."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="\n")
        self._names = list(table.columns)

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        for row in rows:
            values = dict(zip(self._names, map(_plain, row), strict=True))
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class ParquetWriter:
    """Parquet with the types of the table; a column that holds other values than it declares becomes text."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        import pyarrow.parquet as pq

        self._schema = pa.schema([(name, ARROW.get(kind.upper(), pa.string())) for name, kind in table.columns.items()])
        self._writer = pq.ParquetWriter(path, self._schema)

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        columns = zip(*rows, strict=True)
        arrays = [self._array(field, values) for field, values in zip(self._schema, columns, strict=True)]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    @staticmethod
    def _array(field: pa.Field, values: Sequence[Any]) -> pa.Array:
        if pa.types.is_string(field.type):
            values = [value if value is None or isinstance(value, str) else str(_plain(value)) for value in values]
        try:
            return pa.array(values, field.type)
        except (pa.ArrowException, TypeError) as error:
            raise PermanentError(
                f'The column "{field.name}" holds values that are no {field.type}.',
                hint="Export it as .csv or .jsonl.",
                column=field.name,
            ) from error


class ExcelWriter:
    """One sheet with a bold header, kept small in memory."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        import xlsxwriter

        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._sheet = self._book.add_worksheet(table.name[:31])
        self._sheet.write_row(0, 0, list(table.columns), self._book.add_format({"bold": True}))
        self._sheet.freeze_panes(1, 0)
        self._next = 1

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        for row in rows:
            self._sheet.write_row(self._next, 0, [_plain(value) for value in row])
            self._next += 1

    def close(self) -> None:
        """Finish the file."""
        self._book.close()


def _has_bytes(row: Row) -> bool:
    return any(isinstance(value, bytes) for value in row)


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


WRITERS: dict[str, Callable[[Path, TableInfo], Writer]] = {
    ".csv": CsvWriter,
    ".jsonl": JsonLinesWriter,
    ".parquet": ParquetWriter,
    ".xlsx": ExcelWriter,
}
"""By the ending of the file."""
