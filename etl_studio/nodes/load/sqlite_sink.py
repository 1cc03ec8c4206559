"""Load rows into a table of an SQLite database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import model_validator

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class SqliteSink(sdk.Sink):
    """Load rows into a table of the workspace or of any SQLite file; the table is made if it is not there.

    Rows are staged while the run streams and appear all at once at its end: a run that fails changes nothing, and
    readers never see a half table.

    - **append** adds the rows.
    - **replace** puts them in the place of all old ones.
    - **merge** needs a *key*: a row whose key is there is updated, the others are inserted. The key columns must not be
      empty; a row without its key is rejected. When a key comes twice in one load, the last row wins.

    The report tells how many rows were inserted, updated and unchanged.
    """

    type: ClassVar[str] = "sqlite_sink"
    title: ClassVar[str] = "SQLite table"
    icon: ClassVar[str] = "database"
    group: ClassVar[sdk.node.Group] = "load"
    keywords: ClassVar[tuple[str, ...]] = ("save", "table", "database", "store", "upsert", "merge", "load")
    example: ClassVar[dict[str, Any]] = {"table": "orders", "write_disposition": "merge", "key": ["order_id"]}

    class Config(sdk.Config):
        """Where to and how."""

        table: str = sdk.setting(title="Table", description="Name of the table.", example="orders", min_length=1)
        write_disposition: sdk.WriteDisposition = sdk.setting(
            "append",
            title="Write",
            description="append adds rows, replace exchanges all rows, merge inserts or updates by key.",
        )
        key: list[str] = sdk.setting(
            [],
            title="Key",
            description="Columns that identify a row: needed to merge; with replace, the last row of each key stays.",
            example=["order_id"],
            editor="columns",
        )
        database: str | None = sdk.setting(
            None,
            title="Database",
            description="SQLite file, relative to the pipeline file; empty: the workspace's own.",
            example="results.db",
            editor="save_file",
            advanced=True,
        )

        @model_validator(mode="after")
        def _merge_needs_a_key(self) -> Self:
            if self.write_disposition == "merge" and not self.key:
                raise ValueError("key: merge needs at least one key column, such as [id]")
            return self

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._load: sdk.TableLoad | None = None

    @property
    def keeps_partial(self) -> bool:
        """A part of the rows may be appended or merged; to replace a table by a part would lose rows."""
        return self.config.write_disposition != "replace"

    def open(self, schema: pa.Schema, context: sdk.RunContext) -> None:
        """Begin the load; rows that cannot fit the table are refused here, before any has been read in vain."""
        import pyarrow as pa

        config = self.config
        self._load = context.database(config.database).load_table(config.table, config.write_disposition, config.key)
        self._load.write(pa.record_batch([pa.array([], field.type) for field in schema], schema=schema))

    def write(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[sdk.Rejected]:
        """Stage a batch."""
        del context
        assert self._load is not None  # noqa: S101 - open comes first
        return self._load.write(batch)

    def commit(self, context: sdk.RunContext) -> sdk.Loaded:
        """Apply everything in one transaction."""
        del context
        assert self._load is not None  # noqa: S101 - open comes first
        return self._load.commit()

    def abort(self, context: sdk.RunContext) -> None:
        """Forget what is staged."""
        del context
        if self._load is not None:
            self._load.abort()
