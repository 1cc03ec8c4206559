"""Several wires into one port: their rows get one set of columns, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.errors import PermanentError
from etl_studio.sdk import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etl_studio.pipeline.model import Wire

HELD_BYTES = 64 * 1024 * 1024


class Unifier:
    """Holds batches until the columns of every wire are known, then gives them with all columns.

    A column that one wire lacks is NULL there; integers and numbers become numbers. What is held beyond 64 MB goes to a
    file, so that a wire that starts late cannot fill the memory.

    Args:
        wires: the wires of the port.
        scratch: folder for the file.
    """

    def __init__(self, wires: list[Wire], scratch: Path) -> None:
        self._schemas: dict[Wire, pa.Schema | None] = dict.fromkeys(wires)
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._scratch = scratch
        self._files: list[Path] = []
        self.schema: pa.Schema | None = None

    @property
    def holds(self) -> bool:
        """Whether rows wait here."""
        return bool(self._held or self._files)

    def add(self, wire: Wire, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take a batch; give what can go on.

        Raises:
            PermanentError: two wires have a column of one name and of types that do not go together.
        """
        if self.schema is not None:
            yield self._fit(batch)
            return
        self._schemas[wire] = self._schemas[wire] or batch.schema
        self._hold(batch)
        if all(schema is not None for schema in self._schemas.values()):
            self.schema = self._unified()
            for held in self._release():
                yield self._fit(held)

    def _hold(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        if self._held_bytes > HELD_BYTES:
            for held in self._held:
                path = self._scratch / f"held-{id(self)}-{len(self._files)}.arrow"
                with pa.ipc.new_file(path, held.schema) as file:
                    file.write_batch(held)
                self._files.append(path)
            self._held, self._held_bytes = [], 0

    def _release(self) -> Iterator[pa.RecordBatch]:
        for path in self._files:
            with pa.ipc.open_file(path) as file:
                yield file.get_batch(0)
            path.unlink()
        yield from self._held
        self._held, self._files = [], []

    def _unified(self) -> pa.Schema:
        schemas = [schema for schema in self._schemas.values() if schema is not None]
        try:
            return pa.unify_schemas(schemas, promote_options="permissive")
        except pa.ArrowException:
            types: dict[str, pa.DataType] = {}
            for wire, schema in self._schemas.items():
                for column in schema or ():
                    if pa.types.is_null(column.type):
                        continue
                    first = types.setdefault(column.name, column.type)
                    if first != column.type:
                        raise PermanentError(
                            f'The column "{column.name}" is {type_name(first)} on one wire and '
                            f"{type_name(column.type)} on the wire from {wire.source}.",
                            hint="Cast one of them with a Select node.",
                            column=column.name,
                        ) from None
            raise

    def _fit(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema = self.schema
        assert schema is not None  # noqa: S101 - set before
        arrays = [
            batch.column(column.name).cast(column.type)
            if column.name in batch.schema.names
            else pa.nulls(batch.num_rows, column.type)
            for column in schema
        ]
        return pa.record_batch(arrays, schema=schema) if arrays else batch
