"""Read a CSV file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._input_file import (
    file_stamp,
    known_encoding,
    opened,
    refuse_other_kinds,
    skipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.nodes.extract._csv_dialect import Record

SAMPLE = 1024 * 1024
"""Bytes at the beginning that decide about delimiter and types."""
LEAST_PIECE, MOST_PIECE = 256 * 1024, 4 * 1024 * 1024
MOST_COLUMNS = 4_000
"""More are a file whose lines end in another way, or none that a table can take."""
_SEPARATOR = re.compile(rb"(?i:sep=)[\t\x20-\x7e][\r\n]")


class CsvSource(sdk.Source):
    """Read a CSV file: delimiter and column types are found by themselves.

    Every record becomes a row or a reject. A record is rejected, with its line, column and value, when it has too many
    or too few fields, when a value does not fit its column's type or is no text in the file's encoding, or when a quote
    is never closed. Blank lines are skipped. An empty field is a missing value; `""` is an empty text.

    The first megabyte decides about the types. A column is a number, date, time or boolean when at most 1 % of its
    values there (or one) do not fit. Numbers with leading zeros stay text, and so do dates that are not written like
    `2026-11-23`: a later Derive turns them into dates, such as `strptime(day, '%d.%m.%Y')::DATE`.
    Name a column in *Column types* to decide yourself.

    Files ending in `.gz`, `.bz2` or `.xz` are unpacked while reading.
    """

    type: ClassVar[str] = "csv_source"
    title: ClassVar[str] = "CSV file"
    icon: ClassVar[str] = "file-csv"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("read", "import", "text", "tsv", "excel", "delimited", "file")
    example: ClassVar[dict[str, Any]] = {"path": "orders.csv"}
    local: ClassVar[bool] = True

    class Config(sdk.Config):
        """What to read and how."""

        path: str = sdk.setting(
            title="File",
            description="The CSV file; relative to the pipeline file.",
            example="orders.csv",
            editor="file",
        )
        delimiter: str | None = sdk.setting(
            None, title="Delimiter", description="The sign between fields, or tab; empty: found by itself.", example=";"
        )
        columns: dict[str, str] = sdk.setting(
            {},
            title="Column types",
            description="Types that win over those found: text, integer, number, boolean, date, time, timestamp, "
            "timestamptz, json or decimal(10,2).",
            example={"postcode": "text"},
            editor="type",
            keys="mentions",
        )
        header: bool = sdk.setting(
            True,
            title="First line holds the names",
            description="Off: columns are called column_1, column_2, ...",
            advanced=True,
        )
        encoding: str = sdk.setting(
            "utf-8",
            title="Encoding",
            description="Such as utf-8, cp1252, latin-1 or utf-16.",
            example="cp1252",
            advanced=True,
        )
        quote: str = sdk.setting(
            '"',
            title="Quote",
            description="The sign around fields that hold delimiters; empty: none.",
            max_length=1,
            advanced=True,
        )
        decimal: str = sdk.setting(
            ".",
            title="Decimal sign",
            description="Between integer and fraction of a number.",
            pattern="^[.,]$",
            advanced=True,
        )
        null_texts: list[str] = sdk.setting(
            [""],
            title="Missing values",
            description="Texts, without quotes, that mean that a value is missing.",
            example=["", "NA", "NULL"],
            advanced=True,
        )
        skip_lines: int = sdk.setting(
            0, title="Skip lines", description="Lines at the top to leave out.", ge=0, advanced=True
        )

        @field_validator("delimiter", "quote")
        @classmethod
        def _one_sign(cls, value: str | None) -> str | None:
            value = {"tab": "\t", "\\t": "\t"}.get(value or "", value)
            if value and (len(value) > 1 or not value.isascii() or value in "\r\n"):
                raise ValueError("must be one sign such as ; or the word tab")
            return value

        _encoding = field_validator("encoding")(known_encoding)
        _types = field_validator("columns")(sdk.known_types)

        @model_validator(mode="after")
        def _signs_differ(self) -> Self:
            if self.delimiter and self.delimiter == self.quote:
                raise ValueError(f"quote: {self.quote} is the delimiter already; choose another sign")
            return self

    config: Config

    @property
    def replays(self) -> bool:
        """A file is read again from any record."""
        return True

    def stamp(self, folder: Path) -> dict[str, Any]:
        """Size and time of the file."""
        return file_stamp(folder / self.config.path)

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield batches and rejects in the order of the file, with a cursor behind each piece."""
        import pyarrow as pa

        path = context.path(self.config.path)
        with opened(path, self.config.encoding) as read:
            layout = self._layout(read, path, context)
            for warning in layout.warnings:
                context.log("warning", warning)
            given = False
            start = context.resume or {"offset": 0, "line": layout.line}
            rest = skipped(read, layout.rest, start["offset"])
            for emission in layout.parser.parse(
                read,
                rest,
                line=start["line"],
                piece=layout.piece,
                stopping=context.stopping.is_set,
                offset=start["offset"],
            ):
                given = given or isinstance(emission, pa.RecordBatch)
                yield emission
            if not given:
                yield pa.RecordBatch.from_pylist([], schema=layout.parser.schema)

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Read lines that a person has mended, or whose columns have other types now."""
        import pyarrow as pa

        from etl_studio.nodes.extract._csv_again import lines_again
        from etl_studio.nodes.extract._csv_parser import CsvParser

        path = context.path(self.config.path)
        with opened(path, self.config.encoding) as read:
            parser = self._layout(read, path, context).parser
        if schema is not None and schema.names == parser.schema.names:
            # As the run found them, for the file may have other lines by now; what is declared wins.
            declared = {name: sdk.column_type(text)[0] for name, text in self.config.columns.items()}
            columns = [(field.name, declared.get(field.name, field.type)) for field in schema]
            parser = CsvParser(pa.schema(columns), parser.dialect)
        yield from lines_again(tried, parser)

    def _layout(self, read: Callable[[int], bytes], path: Path, context: sdk.RunContext) -> _Layout:
        """Look at the beginning: delimiter, names, types."""
        import pyarrow as pa

        from etl_studio.nodes.extract._csv_columns import infer
        from etl_studio.nodes.extract._csv_dialect import Dialect, count_lines, find_delimiter, likely_boundary
        from etl_studio.nodes.extract._csv_parser import CsvParser

        head, line, delimiter = self._head(read, path)
        whole = len(head) < SAMPLE
        quote = self.config.quote
        sample = head if whole else head[: likely_boundary(head, quote) or len(head)]
        delimiter = self.config.delimiter or delimiter or find_delimiter(sample, quote)
        dialect = Dialect(delimiter, quote, tuple(self.config.null_texts), self.config.decimal)
        records = (record for record in dialect.records(sample) if record.fields)
        first = next(records, None)
        if first is None:
            raise PermanentError(f"{path.name} holds no line to read.", hint="Check what wrote it.")
        self._check_first(first, sample, path, line, whole=whole)
        values = [
            value.decode(errors="replace").strip() for value in dialect.fields(sample[: first.end][first.start :])
        ]
        warnings: list[str] = []
        if self.config.header:
            names = _unique(values, warnings)
            line += count_lines(head, 0, first.end)
            head, sample = head[first.end :], sample[first.end :]
        else:
            names = [f"column_{number}" for number in range(1, len(values) + 1)]
        sdk.require_columns(self.config.columns, names, setting="columns")
        as_text = CsvParser(pa.schema([(name, pa.string()) for name in names]), dialect)
        texts = as_text.sample(sample, whole=whole)
        found = {name: infer(texts[name].combine_chunks(), dialect, whole=whole) for name in names}
        found |= {name: sdk.column_type(text)[0] for name, text in self.config.columns.items()}
        rows = max(texts.num_rows, 1)
        piece = min(max(65_536 * max(len(sample), 1) // rows, LEAST_PIECE), MOST_PIECE)
        context.log(
            "debug",
            f"{path.name}: delimiter {delimiter!r}, {len(names)} columns",
            types={n: sdk.type_name(t) for n, t in found.items()},
        )
        return _Layout(CsvParser(pa.schema(list(found.items())), dialect), head, line, piece, warnings)

    def _head(self, read: Callable[[int], bytes], path: Path) -> tuple[bytes, int, str | None]:
        """The beginning of the file after what is to be skipped, its line number, and a delimiter that it names."""
        from etl_studio.nodes.extract._csv_dialect import count_lines, line_end

        head = read(SAMPLE)
        if not head:
            raise PermanentError(
                f"{path.name} is empty: it has not even a line with names.", hint="Check what wrote it."
            )
        refuse_other_kinds(head, path, "CSV")
        head, skipped = _without_lines(read, head, self.config.skip_lines)
        line, delimiter = 1 + skipped, None
        if _SEPARATOR.match(head) and head[4:5] != self.config.quote.encode():
            delimiter, head, line = chr(head[4]), head[line_end(head) :], line + 1
        stripped = head.lstrip(b"\r\n")
        line += count_lines(head[: len(head) - len(stripped)])
        return stripped + read(max(SAMPLE - len(stripped), 0)), line, delimiter

    def _check_first(self, first: Record, sample: bytes, path: Path, line: int, *, whole: bool) -> None:
        """Refuse a first record that does not end, or that no table can take."""
        what = "line with the names" if self.config.header else "first line"
        if not first.closed and (self.config.header or not whole):
            raise PermanentError(
                f"The {what} in {path.name} opens a quote that is never closed.", hint="Close or double it.", line=line
            )
        if not whole and not sample[: first.end].endswith((b"\n", b"\r")):
            raise PermanentError(
                f"The {what} in {path.name} is longer than {SAMPLE:,} bytes.",
                hint="Is this really a CSV file? If its lines end in another way, mend them first.",
                line=line,
            )
        if first.fields > MOST_COLUMNS:
            raise PermanentError(
                f"The {what} in {path.name} has {first.fields:,} fields; at most {MOST_COLUMNS:,} are read.",
                hint="Check the delimiter, and how the lines end.",
                line=line,
            )


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the beginning of a file tells: how to go on and where."""

    parser: Any
    rest: bytes
    line: int
    piece: int
    warnings: list[str]


def _without_lines(read: Callable[[int], bytes], head: bytes, lines: int) -> tuple[bytes, int]:
    """The head without its first lines, read on where they are longer than it; and how many there were."""
    from etl_studio.nodes.extract._csv_dialect import line_end

    start = skipped = 0
    while skipped < lines and start < len(head):
        end = line_end(head, start)
        # A line that ends with the head may go on, or its line end may.
        while end == len(head) and (more := read(SAMPLE)):
            head, start = head[-1:] + more, 0
            end = line_end(head)
        start, skipped = end, skipped + 1
    return head[start:], skipped


def _unique(values: list[str], warnings: list[str]) -> list[str]:
    """Names that are not empty and differ even without regard to case (as SQL needs them)."""
    names: list[str] = []
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for number, value in enumerate(values, 1):
        wanted = value or f"column_{number}"
        name, count = wanted, counts.get(wanted.lower(), 1)
        while name.lower() in taken:
            count += 1
            name = f"{wanted}_{count}"
        counts[wanted.lower()] = count
        if value and name != value:
            warnings.append(f'The column "{value}" is there twice: column {number} is called "{name}".')
        names.append(name)
        taken.add(name.lower())
    return names
