"""How a CSV file is cut into records and fields, as Python's csv module and Arrow's reader do it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DELIMITERS = (",", ";", "\t", "|")
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
LOOK_AT = 200
"""Records that decide about the delimiter."""


class Record(NamedTuple):
    """One record in a piece of a file: ``data[start:end]``, its line end included.

    Attributes:
        fields: how many it has; 0: the line is blank.
        closed: False: a quote was opened and not closed before the end of the data.
    """

    start: int
    end: int
    fields: int
    closed: bool


@dataclass(frozen=True)
class Dialect:
    """The signs that a file uses.

    Attributes:
        delimiter: between fields; one ASCII character.
        quote: around fields, doubled inside them; empty: quotes mean nothing.
        nulls: unquoted texts that stand for a missing value.
        decimal: between a number's integer and its fraction.
    """

    delimiter: str = ","
    quote: str = '"'
    nulls: tuple[str, ...] = field(default=("",))
    decimal: str = "."

    @cached_property
    def _plain(self) -> re.Pattern[bytes]:
        quote = re.escape(self.quote).encode()
        return re.compile(rb"[^\r\n" + quote + rb"]*+(?:\r\n|\r|\n|\Z)")

    @cached_property
    def _field(self) -> re.Pattern[bytes]:
        delimiter, quote = re.escape(self.delimiter).encode(), re.escape(self.quote).encode()
        quoted = (
            rb"(?:Q(?P<quoted>(?:[^Q]++|QQ)*+)(?:Q|(?P<open>\Z)))?+".replace(b"Q", quote)
            if quote
            else b"(?P<quoted>(?!))?(?P<open>(?!))?"
        )
        return re.compile(
            quoted + rb"(?P<rest>[^" + delimiter + rb"\r\n]*+)(?P<stop>" + delimiter + rb"|\r\n|\r|\n|\Z)"
        )

    def records(self, data: bytes, start: int = 0) -> Iterator[Record]:
        """Cut ``data`` from a record's first byte on."""
        delimiter = self.delimiter.encode()
        while start < len(data):
            plain = self._plain.match(data, start)
            if plain:
                end = plain.end()
                blank = data[start:end] in {b"\n", b"\r\n", b"\r"}
                yield Record(start, end, 0 if blank else data.count(delimiter, start, end) + 1, closed=True)
            else:
                fields, end, closed = 0, start, True
                for match in self._field.finditer(data, start):
                    fields, end = fields + 1, match.end()
                    closed = match["open"] is None
                    if match["stop"] != delimiter:
                        break
                yield Record(start, end, fields, closed)
            start = end

    def fields(self, record: bytes) -> list[bytes]:
        """The values of one record, quotes undone."""
        values = []
        quote = self.quote.encode()
        for match in self._field.finditer(record):
            quoted = match["quoted"]
            values.append((quoted.replace(quote + quote, quote) if quoted is not None else b"") + match["rest"])
            if match["stop"] != self.delimiter.encode():
                break
        return values


def find_delimiter(sample: bytes, quote: str) -> str:
    """The delimiter that cuts the first 200 records most evenly into more than one field; a comma where none does."""
    possible = [delimiter for delimiter in DELIMITERS if delimiter != quote]
    best, most = possible[0], (0.0, 0)
    for delimiter in possible:
        counts: Counter[int] = Counter()
        for record in Dialect(delimiter, quote).records(sample):
            if record.fields and record.closed:
                counts[record.fields] += 1
            if counts.total() == LOOK_AT:
                break
        fields, times = max(counts.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        if fields > 1:
            best, most = max(
                (best, most), (delimiter, (round(times / counts.total(), 1), fields)), key=lambda item: item[1]
            )
    return best


def line_end(data: bytes, start: int = 0) -> int:
    """Where the physical line ends that begins at ``start``, quotes or not."""
    line = _LINE.match(data, start)
    return line.end() if line else len(data)


def count_lines(data: bytes, start: int = 0, end: int | None = None) -> int:
    r"""How many line ends (``\n``, ``\r\n`` or ``\r``) there are."""
    end = len(data) if end is None else end
    lines = data.count(b"\n", start, end)
    if data.find(b"\r", start, end) >= 0:
        lines += data.count(b"\r", start, end) - data.count(b"\r\n", start, end)
    return lines


def likely_boundary(data: bytes, quote: str, *, at_most: int | None = None) -> int:
    """Where a record probably ends near the end of ``data`` (or of its first ``at_most`` bytes); 0: nowhere.

    Only a guess, for stray quotes are possible: who parses the piece must see when its last field is still open.
    """
    limit = len(data) if at_most is None else min(at_most, len(data))
    line_end = b"\n" if data.find(b"\n", 0, limit) >= 0 else b"\r"
    last = end = data.rfind(line_end, 0, limit if line_end == b"\n" else max(limit - 1, 0)) + 1
    mark = quote.encode()
    if not mark:
        return end
    odd = data.count(mark, 0, end) % 2
    for _ in range(LOOK_AT):
        if not odd:
            return end
        before = data.rfind(line_end, 0, end - 1) + 1
        if before <= 0:
            break
        odd ^= data.count(mark, before, end) % 2
        end = before
    return last
