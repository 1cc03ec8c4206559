"""From Arrow columns to the lines of a CSV file, a whole column at a time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

_FORMULA = r"^[=+\-@\t\r]"
"""What Excel takes for the beginning of a formula."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How values are written.

    Attributes:
        delimiter: one ASCII character between fields.
        null: text for a missing value; a real text that looks the same is put in quotes.
        excel: quote every text, guard what Excel would run as a formula, write times with a blank instead of T.
    """

    delimiter: str = ","
    null: str = ""
    excel: bool = False

    def header(self, names: list[str]) -> bytes:
        """The line with the names."""
        return self._text(pa.array([self.delimiter.join(self._texts(pa.array(names, pa.string())).to_pylist())]))

    def lines(self, batch: pa.RecordBatch) -> bytes:
        """The lines of a batch; each ends in a line feed."""
        import pyarrow.compute as pc

        if not batch.num_rows:
            return b""
        columns = [self._column(column) for column in batch.columns]
        if len(columns) == 1 and not self.null:
            # A blank line would be skipped by readers: the row would be lost.
            return self._text(pc.fill_null(columns[0], '""'))
        options = {"null_handling": "replace", "null_replacement": self.null}
        return self._text(pc.binary_join_element_wise(*columns, self.delimiter, **options))

    @staticmethod
    def _text(lines: pa.Array) -> bytes:
        import pyarrow.compute as pc

        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), "\n")
        return bytes(joined[0].as_buffer()) + b"\n"

    def _column(self, column: pa.Array) -> pa.Array:
        import pyarrow.compute as pc

        kind = column.type
        if pa.types.is_dictionary(kind):
            return self._column(column.dictionary_decode())
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return self._texts(pa.array([_as_json(value) for value in column.to_pylist()], pa.string()))
        if _is_text(kind):
            return self._texts(column.cast(pa.string()))
        text = column.cast(pa.string())
        if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
            # 10:00:00.000000 is written 10:00:00, 10:00:00.120000 as 10:00:00.12
            text = pc.replace_substring_regex(text, r"\.(\d*?)0+(Z|[+-]\d{4})?$", r".\1\2")
            text = pc.replace_substring_regex(text, r"\.(Z|[+-]\d{4})?$", r"\1")
            if pa.types.is_timestamp(kind) and not self.excel:
                text = pc.replace_substring(text, " ", "T", max_replacements=1)
        if self.null:
            text = pc.if_else(pc.equal(text, self.null), pc.binary_join_element_wise('"', text, '"', ""), text)
        return text

    def _texts(self, text: pa.Array) -> pa.Array:
        import pyarrow.compute as pc

        if self.excel:
            guarded = pc.binary_join_element_wise("'", text, "")
            text = pc.if_else(pc.match_substring_regex(text, _FORMULA), guarded, text)
            return _quoted(text)
        needs = pc.equal(text, self.null)
        if _holds_any(text, f'"\r\n{self.delimiter}'.encode()):
            needs = pc.or_(needs, pc.match_substring_regex(text, f'["\r\n{re.escape(self.delimiter)}]'))
        return pc.if_else(needs, _quoted(text), text) if pc.any(needs).as_py() else text


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _holds_any(text: pa.Array, signs: bytes) -> bool:
    """Whether any value holds one of the signs: one look at all their bytes, much cheaper than one at each value."""
    _, offsets, data = text.buffers()
    if data is None:
        return False
    places = memoryview(offsets).cast("i")
    used = bytes(data[places[text.offset] : places[text.offset + len(text)]])
    return any(sign in used for sign in signs)


def _quoted(text: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")


def _as_json(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=str)
