"""Rows kept in files beside a pipeline, for its tests: JSON or CSV that people can read and write, types preserved.

JSON is ``{"columns": {name: type}, "rows": [{...}, ...]}``, or the list of rows alone. CSV has ``name:type`` in its
first line; an empty field is NULL, ``""`` is an empty text. A type is written as everywhere (``integer``,
``decimal(10,2)``); those that have no such name, such as lists, by Arrow's, in JSON only.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv

from etl_studio.engine.json_values import json_rows
from etl_studio.engine.letter_rows import arrow_type, batch_of, read_text, type_words
from etl_studio.errors import EtlError, PermanentError, UsageError
from etl_studio.pipeline.file_format import write_text
from etl_studio.sdk import RecordBuilder, Rejected, column_type, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ENDINGS = (".json", ".csv")


@dataclass(frozen=True, slots=True)
class GoldenRows:
    """Rows of one port.

    Attributes:
        types: Arrow's word (see ``letter_rows.type_words``) for each column whose type is written down.
        columns: names of all columns.
        rows: JSON-ready values by column; of a CSV file without types, texts.
        typed: whether all columns have a type.
    """

    types: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]

    @property
    def typed(self) -> bool:
        """Whether all columns have a type."""
        return set(self.types) == set(self.columns)


def type_label(words: Any) -> str:
    """A type for people."""
    return type_name(arrow_type(words))


def rows_of(table: pa.Table) -> GoldenRows:
    """The rows of a table."""
    types = type_words(table.schema)
    rows = [row for batch in table.to_batches() for row in json_rows(batch)]
    return GoldenRows(types, tuple(table.schema.names), rows)


def batch_from(golden: GoldenRows) -> pa.RecordBatch:
    """The rows as one batch; types that are not written down are found as in a JSON file.

    Raises:
        UsageError: a value does not fit its column.
    """
    if golden.typed and golden.columns:
        return batch_of(golden.rows, pa.schema([(name, arrow_type(golden.types[name])) for name in golden.columns]))
    builder = RecordBuilder({name: type_label(words) for name, words in golden.types.items()})
    given = [*builder.add([dict(row) for row in golden.rows]), *builder.finish()]
    for emission in given:
        if isinstance(emission, Rejected) and emission.problems:
            raise UsageError(emission.problems[0].message)
    batches = [emission for emission in given if isinstance(emission, pa.RecordBatch)]
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0] if golden.rows else batches[0]


def read_rows(path: Path) -> GoldenRows:
    """Read a file.

    Raises:
        UsageError: it holds no rows; tells the file.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")  # a text mode would take a lone CR for the end of a line
        return _from_csv(text) if path.suffix == ".csv" else _from_json(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from None
    except EtlError as error:
        raise UsageError(f"{path}: {error}") from None
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(f"{path} holds no rows: {error}.", hint='Write {"columns": {...}, "rows": [...]}.') from None


def write_rows(golden: GoldenRows, path: Path) -> None:
    """Write a file that is read back as the same rows, all or nothing.

    Raises:
        UsageError: it cannot be written, or not in that format.
    """
    text = _csv(golden, path) if path.suffix == ".csv" else _json(golden)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Check its permissions.") from None
    write_text(text, path)


def _from_json(text: str) -> GoldenRows:
    found = json.loads(text)
    types: dict[str, Any] = {}
    if isinstance(found, dict):
        if not isinstance(found.get("rows"), list) or not found.keys() <= {"columns", "rows"}:
            raise ValueError("an object has the keys columns and rows")
        types = {name: _words(words) for name, words in (found.get("columns") or {}).items()}
        found = found["rows"]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError("each row is an object")
    columns = dict.fromkeys([*types, *(name for row in found for name in row)])
    return GoldenRows(types, tuple(columns), found)


def _json(golden: GoldenRows) -> str:
    columns = {name: _written(words) for name, words in golden.types.items()}
    rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in golden.rows)
    head = f'{{\n  "columns": {json.dumps(columns, ensure_ascii=False)},\n  "rows": ['
    return f"{head}\n{rows}\n  ]\n}}\n" if rows else f"{head}]\n}}\n"


def _from_csv(text: str) -> GoldenRows:
    header = csv.read_csv(io.BytesIO(text.encode()), csv.ReadOptions(autogenerate_column_names=True, block_size=2**24))
    names = [str(column[0].as_py()) for column in header.columns]
    table = csv.read_csv(
        io.BytesIO(text.encode()),
        csv.ReadOptions(column_names=names, skip_rows=1, block_size=2**24),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    types: dict[str, Any] = {}
    columns = []
    for name in names:
        column, colon, word = name.rpartition(":")
        columns.append(column if colon else name)
        if colon:
            types[column] = _words(word)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]
    typed = [
        {
            name: text if text is None or name not in types else read_text(name, text, types[name])
            for name, text in row.items()
        }
        for row in rows
    ]
    return GoldenRows(types, tuple(columns), typed)


def _csv(golden: GoldenRows, path: Path) -> str:
    for name, words in golden.types.items():
        if not isinstance(_written(words), str):
            raise UsageError(
                f'The column "{name}" holds nested values, which {path.name} cannot keep.',
                hint=f"Rename it {path.stem}.json.",
            )
    header = [f"{name}:{_written(golden.types[name])}" if name in golden.types else name for name in golden.columns]
    lines: list[list[Any]] = [header, *([row.get(name) for name in golden.columns] for row in golden.rows)]
    return "".join(",".join(_field(value) for value in line) + "\n" for line in lines)


def _field(value: Any) -> str:
    if value is None:
        return ""
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if not text or set(text) & set(',"\r\n') else text


def _words(written: Any) -> Any:
    """Arrow's words for a type as it is written."""
    if isinstance(written, str):
        try:
            return str(column_type(written)[0])
        except PermanentError as error:
            try:
                arrow_type(written)
            except (ValueError, KeyError):
                raise error from None
            return written
    arrow_type(written)
    return written


def _written(words: Any) -> Any:
    """The name of a type, where it has one that says all."""
    if not isinstance(words, str):
        return words
    name = type_name(arrow_type(words))
    try:
        return name if str(column_type(name)[0]) == words else words
    except PermanentError:
        return words
