"""Milliseconds of a preview of the last of ten nodes: cold, known, and after a change of the last nodes only."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from etl_studio.app.previews import Previews
from etl_studio.app.studio import Studio
from etl_studio.engine.profile import profile

NODES = 9


def write(folder: Path) -> Path:
    """A source of 20,000 rows and nine nodes that each derive a column."""
    rows = "".join(f"{number},{number % 97},name {number % 13}\n" for number in range(20_000))
    (folder / "rows.csv").write_text("id,qty,name\n" + rows)
    nodes = "".join(f"  d{n}: {{type: derive, config: {{columns: {{c{n}: id + {n}}}}}}}\n" for n in range(NODES))
    wires = ["read -> d0", *(f"d{n} -> d{n + 1}" for n in range(NODES - 1))]
    file = folder / "ten.etl.yaml"
    file.write_text(
        "etl_studio: 1\nnodes:\n  read: {type: csv_source, config: {path: rows.csv}}\n"
        f"{nodes}wires: [{', '.join(wires)}]\n"
    )
    return file


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, Studio() as studio:
        file = write(Path(folder))
        pipeline, last = studio.load(file), f"d{NODES - 1}"
        Previews(studio).look(pipeline, last, file=file)  # loads the libraries
        previews = Previews(studio)

        def measure(what: str, rows: int = 200) -> None:
            cpu, wall = time.process_time(), time.perf_counter()
            found = previews.look(pipeline, last, file=file, rows=rows)
            cpu, wall = (time.process_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3
            print(f"{what:28} {len(found.computed):2} nodes ran {cpu:7.1f} ms CPU {wall:7.1f} ms")

        measure("cold, 200 rows")
        measure("known")
        pipeline.nodes[last].config["columns"] = {"x": "id * 2"}
        measure("nine of ten known")
        pipeline.nodes["d4"].config["columns"] = {"c4": "id * 3"}
        measure("five of ten known")
        measure("cold, 10,000 rows", 10_000)
        cpu = time.process_time()
        profile(previews.look(pipeline, last, file=file, rows=10_000).sample.ports["out"])
        print(f"{'profile of 10,000 rows':28} {'':12} {(time.process_time() - cpu) * 1e3:7.1f} ms CPU")


if __name__ == "__main__":
    main()
