"""Requests that are made of rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.sdk.row_template import AddressTemplate, JsonTemplate, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from etl_studio.nodes.load._push_settings import PushSettings

_CONTENT_TYPES = {"json": "application/json", "ndjson": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Made:
    """What goes to the site for some rows: where to, and the bytes of the body; None: no body."""

    url: str
    content: bytes | None

    @property
    def hash(self) -> bytes:
        """The same for two requests that are the same but for their key."""
        return sha256(self.url.encode() + b"\0" + (self.content or b"")).digest()


class RequestMaker:
    """Turns rows into requests; the same rows always give the same one.

    Args:
        config: of the sink.

    Attributes:
        columns: those that address and body name, by setting.
        by_row: each row has an address of its own.
    """

    def __init__(self, config: PushSettings) -> None:
        self._config = config
        self._address = AddressTemplate(config.url)
        self._row = None if config.row is None else JsonTemplate(config.row)
        self.columns = {"url": self._address.columns, "row": self._row.columns if self._row is not None else ()}
        self.by_row = bool(self._address.columns)

    def why_not(self, row: Mapping[str, Any]) -> str | None:
        """Why there is no address for a row; None: there is one."""
        try:
            return None if self._address.address(row) is not None else "a value of its address is empty"
        except ValueError as error:
            return str(error)

    def texts(self, rows: pa.RecordBatch) -> list[str]:
        """Each row as JSON."""
        found = rows.to_pylist()
        values = [as_json(row) for row in found] if self._row is None else map(self._row.value, found)
        return [json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values]

    def cut(self, rows: pa.RecordBatch, *, whole: bool) -> tuple[list[pa.RecordBatch], pa.RecordBatch | None]:
        """The rows of full requests, and those that do not fill one.

        Args:
            rows: in order.
            whole: the last request need not be full.
        """
        most, limit = self._config.rows_per_request, self._config.bytes_per_request
        sizes = None if limit is None else [len(text.encode("utf-8", "replace")) + 1 for text in self.texts(rows)]
        parts, start = [], 0
        while start < rows.num_rows:
            count = min(most, rows.num_rows - start)
            if sizes is not None and limit is not None:
                together = accumulate(sizes[start : start + count])
                count = max(1, sum(size <= limit for size in together))
            if not whole and count < most and start + count == rows.num_rows:
                break
            parts.append(rows.slice(start, count))
            start += count
        return parts, rows.slice(start) if start < rows.num_rows else None

    def made(self, rows: pa.RecordBatch) -> Made:
        """The request for some rows."""
        config = self._config
        url = self._address.address(rows.slice(0, 1).select(list(self._address.columns)).to_pylist()[0])
        assert url is not None  # noqa: S101 - rows without an address are refused before
        if config.method == "DELETE" and config.row is None:
            return Made(url, None)
        texts = self.texts(rows)
        if config.format == "ndjson":
            text = "".join(f"{line}\n" for line in texts)
        elif config.rows_per_request == 1:
            text = texts[0]
        else:
            text = f"[{','.join(texts)}]"
        if config.wrap:
            beside = "".join(f"{json.dumps(name)}:{json.dumps(value)}," for name, value in config.envelope.items())
            text = f"{{{beside}{json.dumps(config.wrap)}:{text}}}"
        return Made(url, text.encode("utf-8", "replace"))

    def request(self, made: Made, key: str, accepted: frozenset[int]) -> sdk.HttpRequest:
        """The request as it is sent.

        Args:
            made: what goes to the site.
            key: its idempotency key.
            accepted: statuses from 400 that are answers.
        """
        config = self._config
        headers = dict(config.headers)
        if made.content is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = _CONTENT_TYPES[config.format]
        if config.key_header:
            headers[config.key_header] = key
        return sdk.HttpRequest(
            made.url,
            config.method,
            headers=headers,
            content=made.content,
            auth=config.auth,
            accept=lambda response: response.status in accepted,
            from_data=self._address.site_from_row,
            follow_redirects=False,
        )


def to_bytes(rows: pa.RecordBatch) -> bytes:
    """Rows with their columns, as an Arrow IPC stream."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    return bytes(sink.getvalue())


def from_bytes(content: bytes) -> pa.RecordBatch:
    """The same rows."""
    import pyarrow as pa

    with pa.ipc.open_stream(pa.BufferReader(content)) as reader:
        return reader.read_next_batch()
