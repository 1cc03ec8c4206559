"""What a source gave out, as bytes, so that it can give the same again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FIELDS = ("type", "message", "column", "line", "value", "row", "operation", "attempts")
_PROBLEMS = b"etl_studio.problems"


def to_bytes(emissions: Sequence[sdk.node.Emission]) -> bytes:
    """Batches and rejects, one behind the other, as Arrow IPC streams."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    for emission in emissions:
        if isinstance(emission, sdk.Rejected):
            problems = [{name: getattr(one, name) for name in _FIELDS} for one in emission.problems]
            text = json.dumps(problems, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")
            batch = emission.rows.replace_schema_metadata({_PROBLEMS: text})
        else:
            assert isinstance(emission, pa.RecordBatch)  # noqa: S101 - a source with one port
            batch = emission
        with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
            writer.write_batch(batch)
    return bytes(sink.getvalue())


def from_bytes(content: bytes) -> Iterator[sdk.node.Emission]:
    """The same batches and rejects, in order."""
    import pyarrow as pa

    source = pa.BufferReader(content)
    while source.tell() < source.size():
        with pa.ipc.open_stream(source) as reader:
            batch = reader.read_next_batch()
            # To the end of this stream, where the next one begins.
            for _ in reader:
                pass
        metadata = batch.schema.metadata or {}
        if (text := metadata.get(_PROBLEMS)) is None:
            yield batch
        else:
            problems = [sdk.Problem(**facts) for facts in json.loads(text)]
            yield sdk.Rejected(batch.replace_schema_metadata(None), problems)
