"""From the bytes of a CSV file to batches and rejects: every record becomes exactly one row or one reject.

Arrow's reader does the work as long as everything fits. Where it refuses a piece, the piece is cut smaller and what
is still refused is read record by record, so that each bad record is found with its line and its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.errors import ConservationError, PermanentError
from etl_studio.nodes.extract._csv_columns import FALSE, TRUE, convert, convert_fitting, to_texts
from etl_studio.nodes.extract._csv_dialect import Dialect, count_lines, likely_boundary, line_end
from etl_studio.sdk import Cursor, Problem, Rejected, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    Emissions = Generator[pa.RecordBatch | Rejected, None, int]

SMALL_PIECE = 64 * 1024
BATCH_ROWS = 65_536
REJECTED_ROWS = 10_000
LONGEST_RECORD = 16 * 1024 * 1024
SHOWN_RECORD = 1024 * 1024
"""Bytes of a bad record that a reject keeps."""


class CsvParser:
    """Turns the pieces of one file into rows of one schema.

    Args:
        schema: columns in the order of the file.
        dialect: the file's signs.
    """

    def __init__(self, schema: pa.Schema, dialect: Dialect) -> None:
        from pyarrow import csv

        self.schema = schema
        self.dialect = dialect
        self._convert = csv.ConvertOptions(
            column_types=schema,
            null_values=list(dialect.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=list(TRUE),
            false_values=list(FALSE),
            decimal_point=dialect.decimal,
        )
        self._raw = csv.ConvertOptions(
            column_types=dict.fromkeys(schema.names, pa.binary()),
            null_values=list(dialect.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        self._parse = csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote or False, newlines_in_values=bool(dialect.quote)
        )

    def parse(  # noqa: PLR0913 - where a file is read from
        self,
        read: Callable[[int], bytes],
        head: bytes,
        *,
        line: int,
        piece: int,
        stopping: Callable[[], bool],
        offset: int = 0,
    ) -> Iterator[pa.RecordBatch | Rejected | Cursor]:
        """Read to the end. After each piece comes a cursor: the bytes before it since the first record, and its line.

        Args:
            read: gives at most so many further bytes (UTF-8); none at the end.
            head: bytes that were read already; begins with a record.
            line: line number of its first byte.
            piece: bytes to parse at once.
            stopping: asked before each piece; True ends the reading.
            offset: bytes between the first record of the file and ``head``.
        """
        data = head
        while not stopping():
            more = read(piece)
            data += more
            if not more and data and not data.endswith((b"\n", b"\r")):
                data += b"\n"
            end = likely_boundary(data, self.dialect.quote) if more else len(data)
            if not end and len(data) > LONGEST_RECORD:
                raise PermanentError(
                    f"A line is longer than {LONGEST_RECORD // 2**20} MB.",
                    hint="Is this really a CSV file? If its lines end in another way, mend them first.",
                    line=line,
                )
            used = yield from self._piece(data[:end], line, last=not more or len(data) > LONGEST_RECORD)
            line += count_lines(data, 0, used)
            offset += used
            data = data[used:]
            yield Cursor({"offset": offset, "line": line})
            if not more:
                return

    def sample(self, data: bytes, *, whole: bool) -> pa.Table:
        """The good rows at the beginning of a file; ``whole``: it ends there."""
        if whole and data and not data.endswith((b"\n", b"\r")):
            data += b"\n"
        batches = [item for item in self._piece(data, 1, last=whole) if isinstance(item, pa.RecordBatch)]
        return pa.Table.from_batches(batches, self.schema).combine_chunks()

    def _piece(self, data: bytes, line: int, *, last: bool) -> Emissions:
        """Give the rows of a piece; returns how many bytes were used (a record at the end may lack its rest)."""
        table = self._typed(data) if data else None
        if table is not None:
            yield from _batches(table)
            return len(data)
        used, size = 0, SMALL_PIECE
        tables: list[pa.Table] = []
        rejects: list[tuple[str, Problem]] = []
        while used < len(data):
            whole = len(data) - used <= size
            length = len(data) - used if whole else likely_boundary(data[used : used + size], self.dialect.quote)
            part = data[used : used + length]
            table, taken = self._typed(part) if part else None, len(part)
            if table is None and part:
                table = self._converted(part)
            if table is None:
                table, found, taken = self._mend(part, line, last=last and whole)
                rejects += found
            if taken == 0 and whole:
                break
            size = SMALL_PIECE if taken else 2 * size
            tables.append(table)
            line += count_lines(part, 0, taken)
            used += taken
        if tables:
            yield from _batches(pa.concat_tables(tables).combine_chunks())
        yield from _rejections(rejects)
        return used

    def _typed(self, data: bytes) -> pa.Table | None:
        try:
            table = self._csv(data, self._convert)
        except pa.ArrowInvalid:
            return None
        return None if _open_at_end(table) else table

    def _csv(self, data: bytes, convert_options: pa.csv.ConvertOptions) -> pa.Table:
        from pyarrow import csv

        read_options = csv.ReadOptions(
            use_threads=False, column_names=self.schema.names, block_size=max(len(data) + 1, 1024)
        )
        return csv.read_csv(pa.py_buffer(data), read_options, self._parse, convert_options)

    def _fits(self, fields: int) -> bool:
        return fields == len(self.schema)

    def _mend(self, data: bytes, line: int, *, last: bool) -> tuple[pa.Table, list[tuple[str, Problem]], int]:
        """Rows, rejects and the bytes used of a piece that Arrow refuses."""
        good: list[tuple[bytes, int]] = []
        rejects: list[tuple[str, Problem]] = []
        used = 0
        while used < len(data):
            for record in self.dialect.records(data, used):
                text = data[record.start : record.end]
                if not record.closed:
                    break
                if self._fits(record.fields):
                    good.append((text, line))
                elif record.fields:
                    rejects.append((_shown(text), self._wrong_count(text, record.fields, line)))
                used = record.end
                line += count_lines(text)
            if used == len(data) or not last:
                break
            # The quote is never closed: only its own line is lost, not the rest of the file.
            end = line_end(data, used)
            rejects.append((_shown(data[used:end]), _open_quote(line)))
            used, line = end, line + 1
        table, found = self._rows(good)
        return table, rejects + found, used

    def _converted(self, data: bytes) -> pa.Table | None:
        """The rows of a piece in which all is well but what Arrow's own conversion refuses (such as quoted nothing)."""
        try:
            raw = self._csv(data, self._raw)
            arrays = [
                convert(raw[field.name].combine_chunks().cast(pa.string()), field.type, self.dialect)
                for field in self.schema
            ]
        except pa.ArrowInvalid:
            return None
        table = pa.table(arrays, schema=self.schema)
        return None if _open_at_end(table) else table

    def _rows(self, records: list[tuple[bytes, int]]) -> tuple[pa.Table, list[tuple[str, Problem]]]:
        data = b"".join(text for text, _ in records)
        raw = (
            self._csv(data, self._raw)
            if data
            else pa.table({name: pa.array([], pa.binary()) for name in self.schema.names})
        )
        if raw.num_rows != len(records):
            raise ConservationError(f"{len(records)} lines gave {raw.num_rows} rows.", line=records[0][1])
        table, misfits = self._values(raw)
        refused: dict[int, list[Problem]] = {}
        for row, field, value in misfits:
            make = _no_utf8 if value is None else _misfit
            refused.setdefault(row, []).append(make(field, value, records[row][1]))
        if not refused:
            return table, []
        keep = [row for row in range(len(records)) if row not in refused]
        rejects = [(_shown(records[row][0]), _joined(refused[row])) for row in sorted(refused)]
        return table.take(pa.array(keep, pa.int64())), rejects

    def _values(self, raw: pa.Table) -> tuple[pa.Table, list[tuple[int, pa.Field, str | None]]]:
        """Typed columns, and the misfits: row, column, value (None: it is no UTF-8)."""
        arrays, misfits = [], []
        for field in self.schema:
            texts, undecodable = to_texts(raw[field.name].combine_chunks())
            array, unfit = convert_fitting(texts, field.type, self.dialect)
            arrays.append(array)
            for wrong in (undecodable, unfit):
                misfits += [(row, field, texts[row].as_py()) for row in _where(wrong)]
        return pa.table(arrays, schema=self.schema), misfits

    def _wrong_count(self, text: bytes, fields: int, line: int) -> Problem:
        wanted = len(self.schema)
        if fields > wanted:
            first = self.dialect.fields(text)[wanted].decode(errors="backslashreplace")
            message = (
                f"The line has {fields} fields where {wanted} are expected. "
                f"Put quotes around a field that holds {_named(self.dialect.delimiter)}."
            )
            return Problem("too_many_fields", message, None, line, first)
        missing = self.schema.names[fields]
        message = (
            f'The line has {fields} fields where {wanted} are expected: "{missing}" is missing. Complete the line.'
        )
        return Problem("too_few_fields", message, missing, line)


def _open_at_end(table: pa.Table) -> bool:
    """Whether the last field swallowed the line end of the piece: then a quote is open there."""
    if table.num_rows == 0 or not pa.types.is_string(table.schema[-1].type):
        return False
    value = table.column(table.num_columns - 1)[-1].as_py()
    return value is not None and value.endswith(("\n", "\r"))


def _batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        if batch.num_rows:
            yield batch


def _rejections(rejects: list[tuple[str, Problem]]) -> Iterator[Rejected]:
    rejects.sort(key=lambda reject: reject[1].line or 0)
    for start in range(0, len(rejects), REJECTED_ROWS):
        part = rejects[start : start + REJECTED_ROWS]
        lines = pa.array([problem.line for _, problem in part], pa.int64())
        rows = pa.record_batch({"line": lines, "record": pa.array([text for text, _ in part], pa.string())})
        yield Rejected(rows, [problem for _, problem in part])


def _where(wrong: pa.Array | None) -> Iterable[int]:
    import pyarrow.compute as pc

    return () if wrong is None else pc.indices_nonzero(wrong).to_pylist()


def _misfit(field: pa.Field, value: str | None, line: int) -> Problem:
    message = (
        f'"{value}" in the column "{field.name}" is no {type_name(field.type)}. '
        f"Mend the value or read the column as text: columns: {{{field.name}: text}}."
    )
    return Problem("cast", message, field.name, line, value)


def _no_utf8(field: pa.Field, value: str | None, line: int) -> Problem:
    message = (
        f'The value in the column "{field.name}" is no UTF-8 text. '
        "If the file comes from an older program, set its encoding, such as cp1252."
    )
    return Problem("encoding", message, field.name, line, value)


def _open_quote(line: int) -> Problem:
    return Problem("open_quote", "A quote is opened on this line and never closed. Close or double it.", None, line)


def _joined(problems: list[Problem]) -> Problem:
    first = problems[0]
    return Problem(first.type, " ".join(problem.message for problem in problems), first.column, first.line, first.value)


def _named(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else f'"{delimiter}"'


def _shown(text: bytes) -> str:
    shown = text.rstrip(b"\r\n")
    if len(shown) > SHOWN_RECORD:
        return shown[:SHOWN_RECORD].decode(errors="backslashreplace") + "…"
    return shown.decode(errors="backslashreplace")
