"""Keep one row of those that have the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa


class Deduplicate(sdk.SqlTransform):
    """Keeps one row of those that have the same values in the key columns.

    Without keys, rows count as the same when all their columns are. Empty values (NULL) count as equal.
    The rows that stay keep their order; the others are counted as filtered.

    - **first** gives each row on at once, and remembers 16 bytes for each key (an MD5 of its values)
      until the run ends. A run that broke off goes on with what it remembers.
    - **last** waits for all rows, spills to disk when they do not fit into memory, and then gives its result.

    It compares the rows of one run. To keep one row of each key over many runs, merge into a table by that key.
    Dead letters that are replayed through it are compared with each other only.
    """

    type = "deduplicate"
    title = "Deduplicate"
    icon = "copy-minus"
    group = "transform"
    keywords = ("distinct", "unique", "duplicates", "first", "last")
    outputs = (sdk.OUT,)
    rows = "fewer"
    single_pass = True
    example: ClassVar = {"keys": ["id"], "keep": "last"}
    keeps_columns = True

    class Config(sdk.Config):
        """The key."""

        keys: list[str] = sdk.setting(
            [],
            title="Key columns",
            description="Rows with the same values here are the same. Empty: all columns.",
            example=["id"],
            editor="columns",
        )
        keep: Literal["first", "last"] = sdk.setting(
            "first", title="Keep", description="Which of them stays, in the order in which they arrive."
        )

    config: Config

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.blocking = config.keep == "last"
        self._seen: sdk.SeenKeys | None = None

    @property
    def holds_rows(self) -> bool:
        """The first row of a key is only known by those before."""
        return not self.blocking

    def snapshot(self) -> bytes:
        """The keys that are new since the last snapshot."""
        return b"" if self._seen is None else self._seen.snapshot()

    def restore(self, snapshots: Sequence[bytes]) -> None:
        """Remember the keys of a run that broke off."""
        self._seen = sdk.SeenKeys()
        self._seen.restore(snapshots)

    def takes_part(self, port: str) -> bool:
        """In a replay it looks at the replayed rows only; a sink that merges by key finds the others."""
        del port
        return True

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """The last row of each key, in the order of arrival; or each row, with the fingerprint of its key."""
        schema = inputs["input"]
        columns = schema.names
        sdk.require_columns(self.config.keys, columns, setting="keys")
        keys = self.config.keys or columns
        if not self.blocking:
            key = sdk.identifier(sdk.unused("fingerprint", columns))
            return f"SELECT *, {sdk.fingerprint(schema.field(name) for name in keys)} AS {key} FROM input"
        number = sdk.identifier(sdk.unused("row_number", columns))
        return (
            f"SELECT * EXCLUDE ({number}) FROM (SELECT *, row_number() OVER () AS {number} FROM input) "
            f"QUALIFY row_number() OVER (PARTITION BY {sdk.identifiers(keys)} ORDER BY {number} DESC) = 1 "
            f"ORDER BY {number}"
        )

    def remember(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Leave out rows whose key has come before."""
        if self._seen is None:
            self._seen = sdk.SeenKeys()
        if not rows.num_columns:
            return rows
        key = rows.num_columns - 1
        return rows.remove_column(key).filter(self._seen.first(rows.column(key)))
