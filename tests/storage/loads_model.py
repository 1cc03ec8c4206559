"""What each way to write does, in plain Python: the model that the real loads are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from etl_studio.sdk import Loaded, WriteOptions

SCHEMA = pa.schema([("k", pa.int64()), ("v", pa.string()), ("rank", pa.int64()), ("gone", pa.bool_())])
STORED = ("k", "v", "rank")

ROWS = st.builds(
    dict,
    k=st.integers(1, 4),
    v=st.sampled_from(["x", "y", None]),
    rank=st.integers(1, 3) | st.none(),
    gone=st.sampled_from([None, False, False, True]),
)
BATCHES = st.lists(st.lists(ROWS, max_size=5), min_size=1, max_size=3)


@dataclass(frozen=True)
class Way:
    """A way to write."""

    disposition: str
    options: WriteOptions = field(default_factory=WriteOptions)

    def __str__(self) -> str:
        named = (self.options.hard_delete and "hard_delete", self.options.version and "version")
        sort = self.options.dedup_sort and f"dedup_sort {self.options.dedup_keep}"
        strategy = self.options.strategy if self.disposition == "merge" else None
        return " ".join(part for part in (self.disposition, strategy, *named, sort) if part)

    @property
    def schema(self) -> pa.Schema:
        return SCHEMA if self.options.hard_delete else SCHEMA.remove(3)

    def begin(self, file: Any, **who: str) -> Any:
        """A load into the table t."""
        return file.load_table("t", self.disposition, ["k"], self.options, **who)

    def batch(self, rows: list[dict[str, Any]]) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist(
            [{name: row[name] for name in self.schema.names} for row in rows], self.schema
        )

    def load(self, file: Any, batches: list[list[dict[str, Any]]], **who: str) -> Loaded:
        """Write batches and commit them at once."""
        load = self.begin(file, **who)
        try:
            for rows in batches:
                assert list(load.write(self.batch(rows))) == []
            return load.commit()
        finally:
            load.abort()


def _options() -> list[WriteOptions]:
    found = []
    for strategy in ("upsert", "insert_only", "delete_insert", "scd2"):
        found += [WriteOptions(strategy), WriteOptions(strategy, dedup_sort="rank")]
        found.append(WriteOptions(strategy, dedup_sort="rank", dedup_keep="lowest"))
        if strategy != "insert_only":
            found.append(WriteOptions(strategy, hard_delete="gone"))
        if strategy in ("upsert", "scd2"):
            found += [
                WriteOptions(strategy, version="rank"),
                WriteOptions(strategy, version="rank", hard_delete="gone"),
            ]
    return found


MERGES = [Way("merge", options) for options in _options()]
WAYS = [Way("append"), Way("replace"), *MERGES]


@dataclass
class Version:
    """A row of the table; ``since`` and ``until`` number the loads, for scd2."""

    k: int
    v: str | None
    rank: int | None
    since: int | None = None
    until: int | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        return self.k, self.v, self.rank


class Model:
    """A table as a list of rows."""

    def __init__(self) -> None:
        self.rows: list[Version] = []
        self.loads = 0

    def load(self, way: Way, batches: list[list[dict[str, Any]]]) -> Loaded:
        """What a load does, and its counts."""
        self.loads += 1
        rows = [row for batch in batches for row in batch]
        if way.disposition == "append":
            self.rows += map(_version, rows)
            return Loaded(inserted=len(rows))
        if way.disposition == "merge" and way.options.strategy == "delete_insert":
            return self._delete_insert(way, rows)
        kept = _kept(way, rows)
        superseded = len(rows) - len(kept)
        if way.disposition == "replace":
            self.rows = [_version(row) for row in kept]
            return Loaded(inserted=len(kept), superseded=superseded)
        counts = dict.fromkeys(("inserted", "updated", "unchanged", "deleted", "stale"), 0)
        for row in kept:
            counts[self._merge(way, row)] += 1
        return Loaded(superseded=superseded, **counts)

    def _merge(self, way: Way, row: dict[str, Any]) -> str:
        options = way.options
        keeps_versions = options.strategy == "scd2"
        old = next((one for one in self.rows if one.k == row["k"] and one.until is None), None)
        gone = bool(options.hard_delete and row["gone"])
        if old is None:
            if gone:
                return "unchanged"
            self.rows.append(_version(row, self.loads if keeps_versions else None))
            return "inserted"
        if options.strategy == "insert_only":
            return "unchanged"
        if options.version and (row["rank"] or 0) < (old.rank or 0):
            return "stale"
        if not gone and old.values == _version(row).values:
            return "unchanged"
        if keeps_versions:
            old.until = self.loads
            if not gone:
                self.rows.append(_version(row, self.loads))
        elif gone:
            self.rows.remove(old)
        else:
            old.v, old.rank = row["v"], row["rank"]
        return "deleted" if gone else "updated"

    def _delete_insert(self, way: Way, rows: list[dict[str, Any]]) -> Loaded:
        kept = _kept(way, rows) if way.options.dedup_sort else rows
        known = {one.k for one in self.rows}
        keys = {row["k"] for row in kept}
        live = [row for row in kept if not (way.options.hard_delete and row["gone"])]
        gone = [row for row in kept if way.options.hard_delete and row["gone"]]
        self.rows = [one for one in self.rows if one.k not in keys] + [_version(row) for row in live]
        updated = sum(row["k"] in known for row in live)
        deleted = sum(row["k"] in known for row in gone)
        return Loaded(len(live) - updated, updated, len(gone) - deleted, len(rows) - len(kept), deleted)


def _version(row: dict[str, Any], since: int | None = None) -> Version:
    return Version(row["k"], row["v"], row["rank"], since)


def _kept(way: Way, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    options = way.options
    first = way.disposition == "merge" and options.strategy == "insert_only" and not options.dedup_sort
    kept: dict[int, dict[str, Any]] = {}
    for row in rows:
        old = kept.get(row["k"])
        if old is None or (not first and _wins(options, row, old)):
            kept[row["k"]] = row
    return list(kept.values())


def _wins(options: WriteOptions, new: dict[str, Any], old: dict[str, Any]) -> bool:
    if not (options.dedup_sort or options.version) or new["rank"] == old["rank"]:
        return True
    if None in (new["rank"], old["rank"]):
        return old["rank"] is None
    return (new["rank"] > old["rank"]) == (options.version is not None or options.dedup_keep == "highest")
