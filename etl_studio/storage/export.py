"""Writes a table to a file in chunks: under a temporary name first, renamed when it is complete."""

from __future__ import annotations

import base64
import csv
import json
import math
import os
import re
from collections.abc import Sequence
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from etl_studio.errors import Cancelled, PermanentError, UsageError
from etl_studio.sdk import identifier, identifiers
from etl_studio.storage.row_order import order_sql, stored_order
from etl_studio.storage.table_schema import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from etl_studio.storage.open_file import OpenFile
    from etl_studio.storage.table_info import TableInfo

CHUNK = 5_000
"""Rows at a time: a longer call would hold the window's thread up."""
EXCEL_ROWS = 1_048_575
"""Rows of one sheet, the header apart."""
EXCEL_TEXT = 32_767
EXACT_IN_EXCEL = 10**15
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Values = Sequence[Any]
"""Values of one column."""


class Writer(Protocol):
    """Writes rows to a new file."""

    def write(self, columns: Sequence[Values]) -> None:
        """Write some rows, given as columns of the same length."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def export_table(  # noqa: PLR0913 - what an export is about
    file: OpenFile,
    table: TableInfo,
    to: Path,
    progress: Callable[[int, int], object],
    cancelled: Callable[[], bool],
    *,
    guard_formulas: bool = False,
) -> int:
    """Write a table; see ``Results.export``."""
    make = WRITERS.get(to.suffix.lower())
    if make is None:
        raise UsageError(
            f'No export is known for the ending "{to.suffix}".', hint=f"Use one of {', '.join(sorted(WRITERS))}."
        )
    if make is ExcelWriter and table.rows > EXCEL_ROWS:
        raise UsageError(
            f'The table "{table.name}" has {table.rows:,} rows; a sheet of Excel takes {EXCEL_ROWS:,}.',
            hint="Export it as .csv or .parquet.",
        )
    done = 0
    order = order_sql(stored_order(file, table.name))
    sql = f"SELECT {identifiers(table.columns)} FROM main.{identifier(table.name)}{order}"  # noqa: S608 - quoted
    flags = [_is_boolean(kind) for kind in table.columns.values()]
    texts = [Column(name, kind).affinity in ("TEXT", "BLOB") for name, kind in table.columns.items()]
    with _complete_or_absent(to) as part, closing(file.stream(sql, rows=CHUNK)) as chunks:
        writer = make(part, table)
        try:
            for rows in chunks:
                if cancelled():
                    raise Cancelled("The export was cancelled.")
                columns = [
                    _booleans(values) if is_flag else values
                    for values, is_flag in zip(zip(*rows, strict=True), flags, strict=True)
                ]
                if guard_formulas and make is CsvWriter:
                    columns = [
                        _guarded(values) if text else values for values, text in zip(columns, texts, strict=True)
                    ]
                writer.write(columns)
                done += len(rows)
                progress(done, max(done, table.rows))
        finally:
            writer.close()
    return done


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
    """CSV by RFC 4180, UTF-8, with a header. NULL and an empty text are both an empty field."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        # With "\n" alone, the csv module would leave a lone "\r" in a text unquoted.
        self._writer = csv.writer(_LineFeeds(self._file), lineterminator="\r\n")
        self._writer.writerow(table.columns)

    def write(self, columns: Sequence[Values]) -> None:
        """Write some rows."""
        shown = [_spelt(_plain(values)) for values in columns]
        self._writer.writerows(zip(*shown, strict=True))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class _LineFeeds:
    """Ends each line with a line feed only."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, line: str) -> int:
        """Write one line that ends with CR LF."""
        return self._file.write(f"{line[:-2]}\n")


class JsonLinesWriter:
    """One JSON object a line, UTF-8."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="\n")
        self._names = list(table.columns)

    def write(self, columns: Sequence[Values]) -> None:
        """Write some rows."""
        for row in zip(*(_finite(_plain(values)) for values in columns), strict=True):
            self._file.write(json.dumps(dict(zip(self._names, row, strict=True)), ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class ParquetWriter:
    """Parquet with the types that the table declares."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        import pyarrow.parquet as pq

        self._schema = pa.schema([(name, _arrow_type(name, kind)) for name, kind in table.columns.items()])
        self._writer = pq.ParquetWriter(path, self._schema)

    def write(self, columns: Sequence[Values]) -> None:
        """Write some rows.

        Raises:
            PermanentError: a column holds values of another type than it declares.
        """
        arrays = [self._array(field, values) for field, values in zip(self._schema, columns, strict=True)]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    @staticmethod
    def _array(field: pa.Field, values: Values) -> pa.Array:
        if pa.types.is_string(field.type):
            values = [value if value is None or isinstance(value, str) else str(value) for value in _plain(values)]
        try:
            return pa.array(values, field.type)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise PermanentError(
                f'The column "{field.name}" holds values that are no {field.type}.',
                hint="Export it as .csv or .jsonl.",
                column=field.name,
            ) from error


class ExcelWriter:
    """One sheet with a bold header, kept small in memory."""

    def __init__(self, path: Path, table: TableInfo) -> None:
        import xlsxwriter

        path.touch()  # before the library has begun temporary files that it leaves behind when this fails
        self._scratch = TemporaryDirectory(prefix="etl-studio-")
        options = {
            "constant_memory": True,
            "tmpdir": self._scratch.name,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        # A sheet's name may hold none of these and 31 characters.
        self._sheet = self._book.add_worksheet(re.sub(r"[\[\]:*?/\\']", "_", table.name)[:31])
        self._sheet.write_row(0, 0, list(table.columns), self._book.add_format({"bold": True}))
        self._sheet.freeze_panes(1, 0)
        self._next = 1

    def write(self, columns: Sequence[Values]) -> None:
        """Write some rows.

        Raises:
            PermanentError: a sheet has no room for one.
        """
        for row in zip(*(_cells(_finite(_plain(values))) for values in columns), strict=True):
            if self._sheet.write_row(self._next, 0, row) != 0:
                raise PermanentError(
                    "A sheet of Excel has no room for this row: it takes "
                    f"{EXCEL_ROWS:,} rows and texts of {EXCEL_TEXT:,} characters.",
                    hint="Export the table as .csv or .parquet.",
                    row=self._next,
                )
            self._next += 1

    def close(self) -> None:
        """Finish the file.

        Raises:
            OSError: it cannot be written.
        """
        from xlsxwriter.exceptions import XlsxWriterException

        try:
            self._book.close()
        except XlsxWriterException as error:
            raise OSError(str(error)) from error
        finally:
            self._scratch.cleanup()


def _is_boolean(kind: str) -> bool:
    return kind.upper() in ("BOOLEAN", "BOOL")


def _arrow_type(name: str, kind: str) -> pa.DataType:
    if _is_boolean(kind):
        return pa.bool_()
    kinds = {"INTEGER": pa.int64(), "REAL": pa.float64(), "BLOB": pa.binary() if kind else pa.string()}
    return kinds.get(Column(name, kind).affinity, pa.string())


def _booleans(values: Values) -> Values:
    known = {0: False, 1: True}
    return [known.get(value, value) if isinstance(value, int) else value for value in values]


def _plain(values: Values) -> Values:
    """Bytes as base64; nearly always there are none."""
    if bytes not in set(map(type, values)):
        return values
    return [base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in values]


def _spelt(values: Values) -> Values:
    """Booleans as other programs write them."""
    if bool not in set(map(type, values)):
        return values
    return [str(value).lower() if isinstance(value, bool) else value for value in values]


def _cells(values: Values) -> Values:
    """A sheet's numbers have 15 digits: longer ones become text."""
    if int not in set(map(type, values)):
        return values
    return [str(value) if type(value) is int and abs(value) > EXACT_IN_EXCEL else value for value in values]


def _finite(values: Values) -> Values:
    """JSON and Excel know no infinity: it becomes text."""
    if float not in set(map(type, values)):
        return values
    return [str(value) if type(value) is float and not math.isfinite(value) else value for value in values]


def _guarded(values: Values) -> Values:
    return [f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value for value in values]


WRITERS: dict[str, Callable[[Path, TableInfo], Writer]] = {
    ".csv": CsvWriter,
    ".jsonl": JsonLinesWriter,
    ".parquet": ParquetWriter,
    ".xlsx": ExcelWriter,
}
"""By the ending of the file."""
