"""Whole jobs from the terminal beside hand-written scripts, in one run: CPU seconds, wall seconds, peak memory.

    python tests/benchmarks/jobs.py                 the 1M-row job, its rerun over a full table, and the 100-row job
    python tests/benchmarks/jobs.py --rows 200000   a shorter form
    python tests/benchmarks/jobs.py --repeat 5      more rounds; the table shows medians

The job: CSV -> filter -> derive -> merge into SQLite. The reference is what an expert would write by hand for just this
job with the same libraries: one DuckDB query, one upsert by APSW in one transaction. Both start from a cold process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read:
    type: csv_source
    config: {path: orders.csv}
  keep:
    type: filter
    config: {where: quantity >= 5}
  total:
    type: derive
    config: {columns: {total: "quantity * price"}}
  save:
    type: sqlite_sink
    config: {table: orders, database: out.db, write_disposition: merge, key: [order_id]}
wires:
  - read -> keep
  - keep -> total
  - total -> save
"""

REFERENCE = """\
import apsw, duckdb
target = apsw.Connection("out.db")
target.execute("PRAGMA journal_mode=WAL")
target.execute("CREATE TABLE IF NOT EXISTS orders (order_id INTEGER NOT NULL, customer TEXT, quantity INTEGER, "
               "price REAL, ordered_at TEXT, total REAL, UNIQUE (order_id))")
rows = duckdb.sql("SELECT order_id, customer, quantity, price, strftime(ordered_at, '%Y-%m-%d') AS ordered_at, "
                  "quantity * price AS total FROM read_csv('orders.csv') WHERE quantity >= 5").to_arrow_reader(65536)
upsert = ("INSERT INTO orders VALUES (?,?,?,?,?,?) ON CONFLICT (order_id) DO UPDATE SET customer=excluded.customer, "
          "quantity=excluded.quantity, price=excluded.price, ordered_at=excluded.ordered_at, total=excluded.total")
target.execute("BEGIN IMMEDIATE")
for batch in rows:
    target.executemany(upsert, zip(*[column.to_pylist() for column in batch.columns]))
target.execute("COMMIT")
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one whole process: seconds and megabytes."""

    cpu: float
    wall: float
    memory: float


def make_orders(path: Path, rows: int) -> None:
    """Write the input; the same for the same number of rows."""
    import duckdb

    duckdb.sql(
        f"""COPY (SELECT i AS order_id, 'customer ' || (hash(i) % 50000) AS customer,
        CAST(hash(i * 7) % 13 AS INTEGER) AS quantity, round((hash(i * 3) % 100000) / 100.0, 2) AS price,
        DATE '2024-01-01' + CAST(i % 700 AS INTEGER) AS ordered_at FROM range({rows}) t(i))
        TO '{path}' (HEADER, DELIMITER ',')"""
    )


def measure(command: list[str], folder: Path) -> Figures:
    """Run a command as a whole process."""
    # As where the program is installed: with its modules compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {process.stderr.read().decode()}")
    process.stderr.close()
    return Figures(usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024)


def rounds(rows: int, repeat: int, *, rerun: bool) -> dict[str, list[Figures]]:
    """Studio and script in turn, ``repeat`` times; a target of its own for each."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_orders(root / "orders.csv", rows)
        commands = {
            "studio": [sys.executable, "-m", "etl_studio", "run", "job.etl.yaml"],
            "script": [sys.executable, "script.py"],
        }
        found: dict[str, list[Figures]] = {name: [] for name in commands}
        for _ in range(repeat):
            for kind, command in commands.items():
                folder = root / kind
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                (folder / "orders.csv").symlink_to(root / "orders.csv")
                (folder / "job.etl.yaml").write_text(PIPELINE)
                (folder / "script.py").write_text(REFERENCE)
                if rerun:
                    measure(command, folder)
                found[kind].append(measure(command, folder))
        require_same_rows(root)
        return found


def require_same_rows(root: Path) -> None:
    """Both must have loaded the same table."""
    import apsw

    sums = []
    for kind in ("studio", "script"):
        with apsw.Connection(str(root / kind / "out.db")) as database:
            query = "SELECT count(*), sum(order_id), sum(quantity), round(sum(total)), max(ordered_at) FROM orders"
            sums.append(list(database.execute(query)))
    if sums[0] != sums[1]:
        raise SystemExit(f"The two tables differ: {sums}")


def show(title: str, found: dict[str, list[Figures]]) -> None:
    """Print medians and the ratio."""
    medians = {
        kind: Figures(*(statistics.median(getattr(f, field) for f in figures) for field in ("cpu", "wall", "memory")))
        for kind, figures in found.items()
    }
    studio, script = medians["studio"], medians["script"]
    for kind, figures in medians.items():
        print(f"{title:28} {kind:8} {figures.cpu:8.2f} {figures.wall:8.2f} {figures.memory:10.0f}")
    print(
        f"{title:28} {'ratio':8} {studio.cpu / script.cpu:8.2f} {studio.wall / script.wall:8.2f} "
        f"{studio.memory / script.memory:10.2f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"{'job':28} {'who':8} {'CPU s':>8} {'wall s':>8} {'memory MB':>10}")
    show(f"{options.rows:,} rows, first load", rounds(options.rows, options.repeat, rerun=False))
    show(f"{options.rows:,} rows, rerun", rounds(options.rows, options.repeat, rerun=True))
    show("100 rows", rounds(100, options.repeat, rerun=False))


if __name__ == "__main__":
    main()
