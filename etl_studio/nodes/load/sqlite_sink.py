"""Load rows into a table of an SQLite database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class SqliteSink(sdk.Sink):
    """Load rows into a table of the workspace or of any SQLite file; the table is made if it is not there.

    Rows are staged while the run streams and appear all at once when they are committed. A reader sees the old rows or
    the new ones, never fewer, and a commit that fails changes nothing.

    - **append** adds the rows.
    - **replace** puts them in the place of all old ones, at the end of the run.
    - **merge** needs a *key*, and a *strategy* says what happens to a key that the table has:

      - *upsert* updates its row where a value differs. Columns that do not arrive stay as they are.
      - *insert_only* leaves its row alone.
      - *delete_insert* puts the rows of the load in the place of all old rows with that key. The key may come several
        times: an order with its lines, for instance.
      - *scd2* (slowly changing dimension, type 2) keeps every version: the old row gets the time of the load in
        *valid_to*, the new one has it in *valid_from* and nothing in *valid_to*. A key that does not come stays valid.

    The table gets a unique index on the key (with *scd2*, on the valid versions). A key column must not be empty; a row
    without its key is rejected. When a key comes twice in one load, the last row wins (with *insert_only* the first),
    or the one with the highest or lowest value in the column *dedup_sort*; the others are counted as superseded.

    A row with something in the column *hard_delete* deletes its key (or, with *scd2*, ends its version); that column is
    not stored. With *version*, a row that is older than the one in the table is left out and counted as stale. A key
    that was deleted has no version any more.

    *append*, *upsert* and *insert_only* commit at checkpoints too, so that a long run shows its rows early and can be
    resumed. All others need all rows and are committed at the end, as is a merge with *dedup_sort*, or with *version*
    and *hard_delete* together.

    Each table that is made here has a last column `_load_id`: the load that wrote the row. Exports leave it out.
    `etl-studio loads` lists the loads and `etl-studio undo LOAD` takes one back. A table that another program has made
    gets that by `ALTER TABLE orders ADD COLUMN _load_id INTEGER`.
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
        strategy: sdk.MergeStrategy = sdk.setting(
            "upsert",
            title="Strategy",
            description="What happens to keys that the table has: their row is updated, all their rows are exchanged, "
            "they are left alone, or every version is kept with its times.",
            advanced=True,
            only_when={"write_disposition": ["merge"]},
        )
        dedup_sort: str | None = sdk.setting(
            None,
            title="Keep by",
            description="Of the rows of a load with one key, the one with the highest (or lowest) value in this column "
            "stays, instead of the last one.",
            example="updated_at",
            editor="column",
            advanced=True,
            only_when={"write_disposition": ["merge", "replace"]},
        )
        dedup_keep: Literal["highest", "lowest"] = sdk.setting(
            "highest",
            title="Keep the",
            description="Which value of that column stays.",
            advanced=True,
            only_when={"write_disposition": ["merge", "replace"]},
        )
        hard_delete: str | None = sdk.setting(
            None,
            title="Deletes",
            description="Column of flags: a row in which it is true (or not empty, where it is no boolean) deletes its "
            "key. It is not stored.",
            example="deleted",
            editor="column",
            advanced=True,
            only_when={"write_disposition": ["merge"], "strategy": ["upsert", "delete_insert", "scd2"]},
        )
        version: str | None = sdk.setting(
            None,
            title="Version",
            description="A row with a lower value in this column than the table has is left out: rows may come in any "
            "order.",
            example="updated_at",
            editor="column",
            advanced=True,
            only_when={"write_disposition": ["merge"], "strategy": ["upsert", "scd2"]},
        )
        valid_from: str = sdk.setting(
            "valid_from",
            title="Valid from",
            description="Column for the time from which a version is valid.",
            min_length=1,
            advanced=True,
            only_when={"write_disposition": ["merge"], "strategy": ["scd2"]},
        )
        valid_to: str = sdk.setting(
            "valid_to",
            title="Valid to",
            description="Column for the time to which a version was valid; empty while it is.",
            min_length=1,
            advanced=True,
            only_when={"write_disposition": ["merge"], "strategy": ["scd2"]},
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
            guarded = self.write_disposition == "merge" and self.strategy in ("upsert", "scd2") and self.version
            if guarded and self.dedup_sort:
                raise ValueError("dedup_sort: version decides already which row of a key stays; leave one of them out")
            if self.valid_from.lower() == self.valid_to.lower():
                raise ValueError("valid_to: it must be another column than valid_from")
            return self

        @property
        def options(self) -> sdk.WriteOptions:
            """For storage."""
            return sdk.WriteOptions(
                strategy=self.strategy,
                dedup_sort=self.dedup_sort or None,
                dedup_keep=self.dedup_keep,
                hard_delete=self.hard_delete or None,
                version=self.version or None,
                valid_from=self.valid_from,
                valid_to=self.valid_to,
            )

    config: Config
    identity: ClassVar[tuple[str, ...]] = ("database", "table", "write_disposition", "strategy", "key")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._load: sdk.TableLoad | None = None

    @property
    def keeps_partial(self) -> bool:
        """A part of the rows may be appended or merged; to replace a table, or a key, by a part would lose rows."""
        config = self.config
        exchanges_keys = config.write_disposition == "merge" and config.strategy == "delete_insert"
        return config.write_disposition != "replace" and not exchanges_keys

    @property
    def empties(self) -> bool:
        """Replacing exchanges all rows."""
        return self.config.write_disposition == "replace"

    @property
    def commits_at_barriers(self) -> bool:
        """Rows are appended or merged at each barrier, unless it needs all of them to do right."""
        return not self.config.options.needs_all_rows(self.config.write_disposition)

    def adding(self) -> SqliteSink:
        """To replace a table, or the rows of a key, by a few rows would lose the others."""
        config = self.config
        if config.write_disposition == "replace":
            change = "merge" if config.key else "append"
        elif config.write_disposition == "merge" and config.strategy == "delete_insert":
            change = "append"
        else:
            return self
        return SqliteSink(config.model_copy(update={"write_disposition": change}))

    def open(self, schema: pa.Schema, context: sdk.RunContext) -> None:
        """Begin the load; rows that cannot fit the table are refused here, before any has been read in vain."""
        import pyarrow as pa

        config = self.config
        self._load = context.database(config.database).load_table(
            config.table, config.write_disposition, config.key, config.options, run=context.run, node=context.node
        )
        self._load.write(pa.record_batch([pa.array([], field.type) for field in schema], schema=schema))

    def write(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[sdk.Rejected]:
        """Stage a batch."""
        del context
        assert self._load is not None  # noqa: S101 - open comes first
        return self._load.write(batch)

    def last_mark(self, context: sdk.RunContext) -> sdk.Mark | None:
        """The last mark in the target."""
        return context.database(self.config.database).mark(context.run, context.node)

    def commit(self, context: sdk.RunContext, mark: sdk.Mark | None = None) -> sdk.Loaded:
        """Apply everything in one transaction; without any row yet, only the mark."""
        if self._load is None:
            if mark is not None:
                context.database(self.config.database).save_mark(mark)
            return sdk.Loaded()
        return self._load.commit(mark)

    def diff(self, context: sdk.RunContext, limit: int) -> sdk.Diff | None:
        """What the commit would do, found out in a transaction that is taken back."""
        del context
        return self._load.preview(limit) if self._load is not None else None

    def abort(self, context: sdk.RunContext) -> None:
        """Forget what is staged."""
        del context
        if self._load is not None:
            self._load.abort()
            self._load = None
