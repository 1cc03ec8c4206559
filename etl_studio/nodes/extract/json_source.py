"""Read a JSON or NDJSON file."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn

from pydantic import field_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._again import builder_of, records_again
from etl_studio.nodes.extract._input_file import (
    file_stamp,
    known_encoding,
    opened,
    refuse_other_kinds,
    skipped,
)
from etl_studio.sdk.json_path import find, lookup, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

PIECE = 1024 * 1024
CHUNK = 1_000
"""Records of a document that are taken at once."""
LONGEST_LINE = 64 * 1024 * 1024
_BLANK = re.compile(r"[ \t\r\n]*")


class JsonSource(sdk.Source):
    """Read a JSON document or NDJSON (one JSON object on each line).

    Each record (an object) becomes a row and each of its fields a column; a nested object or list becomes JSON text,
    which SQL takes apart (`supplier->>'name'`). The first 1,000 records decide about the columns, unless *Column types*
    name them.

    In a document, *Path of the records* leads to the list: `data.items` in `{"data": {"items": [...]}}`. Without a path
    the document itself is the list, or the only record.

    A line of NDJSON that is no JSON, and a record that is no object, is rejected with its line; the rest goes on. A
    document that is broken cannot be read at all: the message tells line and column.
    """

    type: ClassVar[str] = "json_source"
    title: ClassVar[str] = "JSON file"
    icon: ClassVar[str] = "braces"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("read", "import", "ndjson", "jsonl", "lines", "file")
    example: ClassVar[dict[str, Any]] = {"path": "orders.json", "items": "data.items"}
    local: ClassVar[bool] = True

    class Config(sdk.Config):
        """What to read and how."""

        path: str = sdk.setting(
            title="File", description="The file; relative to the pipeline file.", example="orders.json", editor="file"
        )
        items: str = sdk.setting(
            "",
            title="Path of the records",
            description="Keys with dots between them; empty: the document is the list itself.",
            example="data.items",
        )
        columns: dict[str, str] = sdk.setting(
            {},
            title="Column types",
            description="Types that win over those found: text, integer, number, boolean, date, time, timestamp, "
            "timestamptz, json or decimal(10,2).",
            example={"day": "date"},
            editor="type",
            keys="mentions",
        )
        format: Literal["auto", "json", "ndjson"] = sdk.setting(
            "auto", title="Format", description="auto: one object on each line is ndjson.", advanced=True
        )
        encoding: str = sdk.setting(
            "utf-8", title="Encoding", description="Such as utf-8, cp1252 or utf-16.", example="cp1252", advanced=True
        )

        _encoding = field_validator("encoding")(known_encoding)
        _types = field_validator("columns")(sdk.known_types)

        @field_validator("items")
        @classmethod
        def _dotted(cls, value: str) -> str:
            """``$.data.items[*]``, as other tools write it, means ``data.items``."""
            return re.sub(r"\[(\d+)\]", r".\1", value.strip().removesuffix("[*]")).removeprefix("$").removeprefix(".")

    config: Config

    @property
    def replays(self) -> bool:
        """A file is read again from any record."""
        return True

    def stamp(self, folder: Path) -> dict[str, Any]:
        """Size and time of the file."""
        return file_stamp(folder / self.config.path)

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield batches and rejects in the order of the file, with cursors between them."""
        path = context.path(self.config.path)
        with opened(path, self.config.encoding) as read:
            head = read(PIECE)
            if not head.strip():
                raise PermanentError(f"{path.name} is empty.", hint="Check what wrote it.")
            refuse_other_kinds(head, path, "JSON")
            if head.lstrip().startswith(b"<"):
                raise PermanentError(
                    f"{path.name} is no JSON file: it begins with <, as XML does.", hint="Check the path."
                )
            if self._is_ndjson(head, path):
                yield from _Lines(self.config, path).read(read, head, context)
            else:
                yield from self._document(read, head, path, context)

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Read records that a person has mended, or whose columns are now declared."""
        del context
        builder = builder_of(self.config.columns, schema)
        yield from records_again(tried, builder, self._records)

    def _records(self, text: str) -> list[Any]:
        """The records in the text of a dead letter: one of them, or a line that holds some."""
        value = _DECODER.decode(text)
        if self.config.items and isinstance(value, dict):
            found = lookup(value, self.config.items)
            if isinstance(found, list | dict):
                value = found
        return value if isinstance(value, list) else [value]

    def _is_ndjson(self, head: bytes, path: Path) -> bool:
        if self.config.format != "auto":
            return self.config.format == "ndjson"
        if path.suffix.lower() in {".ndjson", ".jsonl"}:
            return True
        first, _, others = head.lstrip().partition(b"\n")
        if not first.startswith(b"{") or not others.strip():
            return False
        try:
            return isinstance(json.loads(first), dict)
        except (ValueError, RecursionError):
            return False

    def _document(
        self, read: Callable[[int], bytes], head: bytes, path: Path, context: sdk.RunContext
    ) -> Iterator[sdk.node.SourceEmission]:
        text = _text(head + b"".join(iter(lambda: read(PIECE), b"")), path)
        builder = _builder(self.config, context)
        rejects = _Rejects()
        start = (context.resume or {}).get("records", 0)
        records: list[dict[str, Any]] = []
        lines: list[int] = []
        try:
            for number, (value, line) in enumerate(self._values(text, path), 1):
                if number <= start:
                    continue
                if isinstance(value, dict):
                    records.append(value)
                    lines.append(line)
                else:
                    rejects.add(
                        "no_object", f"The record is no object but a {type_of(value)}.", line, json.dumps(value)
                    )
                if len(records) == CHUNK:
                    yield from builder.add(records, lines=lines)
                    yield from rejects.take()
                    records, lines = [], []
                    if builder.columns is not None:
                        yield sdk.Cursor({"records": number, "columns": builder.columns})
                    if context.stopping.is_set():
                        break
        except json.JSONDecodeError as error:
            raise _broken(_placed(error, text), path) from None
        except ValueError:
            raise _broken(_too_long(text), path) from None
        except RecursionError:
            raise PermanentError(f"{path.name} is nested too deeply to be read.", hint="Check what wrote it.") from None
        yield from builder.add(records, lines=lines)
        yield from builder.finish()
        yield from rejects.take()

    def _values(self, text: str, path: Path) -> Iterator[tuple[Any, int]]:
        """The records and the lines they begin on; a list that is the whole document is read value by value."""
        start = _skip(text, 0)
        if not self.config.items and text.startswith("[", start):
            yield from _listed(text, start)
            return
        document = _DECODER.decode(text)
        found = find(document, self.config.items, setting="items", source=path.name) if self.config.items else document
        if not isinstance(found, list | dict):
            raise PermanentError(
                f"The records in {path.name} are no list but a {type_of(found)}.",
                hint="Write the path of the list of records.",
                column="items",
                value=self.config.items,
            )
        # Where a record of a parsed document began is not known any more: the line of the document has to do.
        line = 1 + text.count("\n", 0, start)
        for value in found if isinstance(found, list) else [found]:
            yield value, line


class _Lines:
    """Reads NDJSON: a fast way for pieces in which all is well, line by line for the others."""

    def __init__(self, config: JsonSource.Config, path: Path) -> None:
        self._items = config.items
        self._path = path
        self._config = config
        self._builder = sdk.RecordBuilder(config.columns)
        self._rejects = _Rejects()
        self._nested = bool(config.items) or any(text.strip().lower() == "json" for text in config.columns.values())

    def read(
        self, read: Callable[[int], bytes], head: bytes, context: sdk.RunContext
    ) -> Iterator[sdk.node.SourceEmission]:
        start = context.resume or {"offset": 0, "line": 1}
        self._builder = _builder(self._config, context)
        offset, line = start["offset"], start["line"]
        data, more = b"", skipped(read, head, offset) or read(PIECE)
        while more and not context.stopping.is_set():
            data, more = data + more, read(PIECE)
            end = data.rfind(b"\n") + 1 if more else len(data)
            piece, data = data[:end], data[end:]
            if len(data) > LONGEST_LINE:
                raise PermanentError(
                    f"A line of {self._path.name} is longer than {LONGEST_LINE // 2**20} MB.",
                    hint="If it is one JSON document, set the format to json.",
                    line=line,
                )
            table = self._fast(piece)
            if table is not None:
                yield from self._builder.finish()
                yield from table.to_batches()
            else:
                yield from self._slow(piece, line)
            line += piece.count(b"\n")
            offset += len(piece)
            if self._builder.columns is not None:
                yield sdk.Cursor({"offset": offset, "line": line, "columns": self._builder.columns})
        yield from self._builder.finish()

    def _fast(self, piece: bytes) -> pa.Table | None:
        """The piece by Arrow's reader, or None where it would not give the same as the slow way."""
        schema = self._builder.schema
        if self._nested or schema is None or not _is_flat(piece) or b"NaN" in piece or b"Infinity" in piece:
            return None
        import pyarrow as pa
        import pyarrow.json

        if not all(kind in (pa.string(), pa.int64(), pa.float64(), pa.bool_()) for kind in schema.types):
            return None
        read_options = pa.json.ReadOptions(use_threads=False, block_size=max(len(piece) + 1, 1024))
        parse_options = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
        try:
            piece.decode()
            table = pa.json.read_json(pa.py_buffer(piece), read_options, parse_options)
        except (UnicodeDecodeError, pa.ArrowInvalid):
            return None
        same = table.num_rows == _lines(piece) and table.schema == schema
        return table if same and not any(_may_be_rounded(column) for column in table.columns) else None

    def _slow(self, piece: bytes, line: int) -> Iterator[sdk.node.Emission]:
        records: list[dict[str, Any]] = []
        lines: list[int] = []
        for number, text in enumerate(piece.split(b"\n"), line):
            if not text.strip():
                continue
            for value in self._parsed(text, number):
                if isinstance(value, dict):
                    records.append(value)
                    lines.append(number)
                else:
                    message = f"The record is no object but a {type_of(value)}. Each line must be an object: {{...}}."
                    self._rejects.add("no_object", message, number, text.decode())
        self._nested = self._nested or any(
            isinstance(value, dict | list) for record in records[:CHUNK] for value in record.values()
        )
        yield from self._builder.add(records, lines=lines)
        if self._builder.schema is not None:
            yield from self._builder.finish()
        yield from self._rejects.take()

    def _parsed(self, text: bytes, line: int) -> list[Any]:
        shown = text.decode(errors="backslashreplace").rstrip("\r")
        try:
            value = _DECODER.decode(text.decode())
            if self._items:
                value = find(value, self._items, setting="items", source=f"line {line}")
                return value if isinstance(value, list) else [value]
        except json.JSONDecodeError as error:
            place = _placed(error, shown).pos + 1
            message = f"The line is no JSON: {error.msg} at character {place}. Mend the line."
            self._rejects.add("json", message, line, shown)
        except UnicodeDecodeError:
            message = (
                "The line is no UTF-8 text. If the file comes from an older program, set its encoding, such as cp1252."
            )
            self._rejects.add("encoding", message, line, shown)
        except ValueError:
            long = _too_long(shown)
            self._rejects.add("json", f"The line is no JSON: {long.msg} at character {long.pos + 1}.", line, shown)
        except RecursionError:
            self._rejects.add("json", "The line is nested too deeply to be read.", line, shown)
        except PermanentError as error:
            self._rejects.add("items", str(error), line, shown)
        else:
            return [value]
        return []


def _is_flat(piece: bytes) -> bool:
    """Whether each line is one object and none is nested, as far as braces can tell.

    Arrow's reader does not care for line ends, and it ends the process where something else stands between objects
    (such as null).
    """
    lines = _lines(piece)
    return (
        piece.count(b"{") == piece.count(b"}") == lines
        and piece.startswith(b"{")
        and piece.count(b"\n{") == lines - 1
        and piece.count(b"}\n") + piece.count(b"}\r\n") + piece.endswith(b"}") == lines
    )


def _lines(piece: bytes) -> int:
    return piece.count(b"\n") + (not piece.endswith(b"\n"))


def _may_be_rounded(column: pa.ChunkedArray) -> bool:
    """Whether a column of floats holds what may have been an integer that a float cannot hold exactly."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type):
        return False
    largest = pc.max(pc.abs(column)).as_py()
    return largest is not None and largest >= 2**53


def _builder(config: JsonSource.Config, context: sdk.RunContext) -> sdk.RecordBuilder:
    """With the columns that a run had settled on before it broke off."""
    if context.resume is None:
        return sdk.RecordBuilder(config.columns)
    return sdk.RecordBuilder({**context.resume["columns"], **config.columns}, fixed=True)


class _Rejects:
    """Lines that could not be read, until they are given on."""

    def __init__(self) -> None:
        self._problems: list[sdk.Problem] = []
        self._texts: list[str] = []

    def add(self, kind: str, message: str, line: int, text: str) -> None:
        self._problems.append(sdk.Problem(kind, message, None, line, text))
        self._texts.append(text)

    def take(self) -> Iterator[sdk.Rejected]:
        import pyarrow as pa

        if self._problems:
            lines = pa.array([problem.line for problem in self._problems], pa.int64())
            rows = pa.record_batch({"line": lines, "record": pa.array(self._texts, pa.string())})
            yield sdk.Rejected(rows, self._problems)
            self._problems, self._texts = [], []


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON value", name, 0)


def _placed(error: json.JSONDecodeError, text: str) -> json.JSONDecodeError:
    """The error with its place in the text; the decoder tells none for NaN and the like."""
    return error if error.doc == text else json.JSONDecodeError(error.msg, text, max(text.find(error.doc), 0))


def _too_long(text: str) -> json.JSONDecodeError:
    """The error for what Python's decoder refuses without a place: a number of very many digits."""
    found = re.search(rf"\d{{{sys.get_int_max_str_digits() + 1}}}", text)
    return json.JSONDecodeError("a number has more digits than can be read", text, found.start() if found else 0)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _listed(text: str, start: int) -> Iterator[tuple[Any, int]]:
    """The values of a JSON list one by one, so that a large one neither fills the memory nor blocks other threads."""
    place, counted, line = _skip(text, start + 1), 0, 1
    closed = text.startswith("]", place)
    while not closed:
        line += text.count("\n", counted, place)
        counted = place
        value, place = _DECODER.raw_decode(text, place)
        yield value, line
        place = _skip(text, place)
        closed = text.startswith("]", place)
        if not closed:
            if not text.startswith(",", place):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
            place = _skip(text, place + 1)
    place = _skip(text, place + 1)
    if place != len(text):
        raise json.JSONDecodeError("Extra data", text, place)


def _skip(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank else place


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PermanentError(
            f"{path.name} is no UTF-8 text.",
            hint="Set its encoding; files of older Windows programs are mostly cp1252.",
            line=1 + content.count(b"\n", 0, error.start),
            value=content[error.start : error.start + 8].hex(" "),
        ) from None


def _broken(error: json.JSONDecodeError, path: Path) -> PermanentError:
    several = error.msg == "Extra data"
    return PermanentError(
        f"{path.name} is no valid JSON: {error.msg} at character {error.colno} of line {error.lineno}.",
        hint="If each line is a record of its own, set the format to ndjson." if several else "Mend the file there.",
        line=error.lineno,
        value=error.doc[error.pos : error.pos + 40] or None,
    )
