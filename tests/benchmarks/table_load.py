"""CPU seconds of a staged merge into SQLite beside a direct upsert by ``executemany``: ``python table_load.py [ROWS]``.

Both write the same rows by the same library. The direct way shows readers half a load, counts nothing and keeps the
lock from the first row to the last; what the staged way costs more is the price of not doing so.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import apsw
import pyarrow as pa

from etl_studio.storage.databases import Databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BATCH = 65_536
REPEATS = 3
CREATE = "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer TEXT, quantity INTEGER, price REAL, total REAL)"
UPSERT = (
    "INSERT INTO orders VALUES (?, ?, ?, ?, ?) ON CONFLICT (order_id) DO UPDATE SET customer = excluded.customer, "
    "quantity = excluded.quantity, price = excluded.price, total = excluded.total"
)


def orders(rows: int) -> list[pa.RecordBatch]:
    """Batches as a node gives them."""
    batches = []
    for start in range(0, rows, BATCH):
        ids = range(start, min(start + BATCH, rows))
        columns = {
            "order_id": list(ids),
            "customer": [f"customer {number % 50_000}" for number in ids],
            "quantity": [number % 13 for number in ids],
            "price": [number * 0.5 for number in ids],
            "total": [number * 1.5 for number in ids],
        }
        batches.append(pa.RecordBatch.from_pydict(columns))
    return batches


def staged(folder: Path) -> tuple[Callable[[Sequence[pa.RecordBatch]], object], Callable[[], object]]:
    """The studio's load and what closes its file."""
    databases = Databases()
    file = databases.open(folder / "staged.db")

    def load(batches: Sequence[pa.RecordBatch]) -> None:
        merge = file.load_table("orders", "merge", ["order_id"])
        for batch in batches:
            merge.write(batch)
        merge.commit()
        merge.abort()

    return load, databases.close


def direct(folder: Path) -> tuple[Callable[[Sequence[pa.RecordBatch]], object], Callable[[], object]]:
    """One transaction over the table itself."""
    connection = apsw.Connection(str(folder / "direct.db"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute(CREATE)

    def load(batches: Sequence[pa.RecordBatch]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for batch in batches:
            connection.executemany(UPSERT, _rows(batch))
        connection.execute("COMMIT")

    return load, connection.close


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[object, ...]]:
    for start in range(0, batch.num_rows, 10_000):
        yield from zip(*(column.slice(start, 10_000).to_pylist() for column in batch.columns), strict=True)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), perf_counter()
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, perf_counter() - started


def main(rows: int) -> None:
    """Print the best of some repeats of each way, first load and rerun."""
    batches = orders(rows)
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for _ in range(REPEATS):
        for name, make in (("staged merge", staged), ("direct upsert", direct)):
            with tempfile.TemporaryDirectory() as folder:
                load, close = make(Path(folder))
                for turn in ("first load", "rerun"):
                    taken = seconds(lambda load=load: load(batches))
                    best[name, turn] = min(best.get((name, turn), taken), taken)
                close()
    print(f"{rows:,} rows of 5 columns; best of {REPEATS}; CPU / wall seconds")
    for turn in ("first load", "rerun"):
        ours, theirs = best["staged merge", turn], best["direct upsert", turn]
        print(
            f"{turn:<10}  staged merge {ours[0]:5.2f} / {ours[1]:5.2f}   direct upsert {theirs[0]:5.2f} / "
            f"{theirs[1]:5.2f}   ratio of CPU {ours[0] / theirs[0]:.2f}"
        )
    print(f"peak memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 691_072)
