"""Rows that a person has kept at a node: previews, and tests made of them, use them in its place; a run never does.

Beside ``shop.etl.yaml`` stands ``shop.pins/NODE.json`` with the rows of the node's first output, and
``NODE.PORT.json`` for another one that gave rows. The files are as those of tests (``engine.golden_rows``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.engine.golden_rows import batch_from, read_rows, rows_of, write_rows
from etl_studio.engine.letter_rows import read_text
from etl_studio.engine.samples import Sample
from etl_studio.engine.stand_ins import default_port
from etl_studio.errors import UsageError
from etl_studio.pipeline.file_format import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.sdk import Node

FOLDER_ENDING, ENDING = ".pins", ".json"
NULL = "null"


class Pins:
    """The pinned rows beside one pipeline file; there are none while it has no file.

    Args:
        file: the pipeline file.
    """

    def __init__(self, file: Path | None) -> None:
        self.folder = None if file is None else file.with_name(name_of(file) + FOLDER_ENDING)

    def nodes(self) -> frozenset[str]:
        """Ids of the nodes with pinned rows; some may be of nodes that are gone."""
        if self.folder is None or not self.folder.is_dir():
            return frozenset()
        return frozenset(path.stem for path in self.folder.glob(f"*{ENDING}") if "." not in path.stem)

    def stamp(self, node: str) -> list[tuple[str, int, int]]:
        """Facts that tell whether the rows are still the same."""
        facts = [(path.name, path.stat()) for path in self._files(node)]
        return [(name, found.st_size, found.st_mtime_ns) for name, found in facts]

    def read(self, node: str, node_type: type[Node]) -> Sample:
        """The rows of a node.

        Raises:
            UsageError: a file holds no rows; tells the file.
        """
        ports = {}
        for path in self._files(node):
            port = path.stem.partition(".")[2] or default_port(node_type)
            ports[port] = pa.Table.from_batches([batch_from(read_rows(path))])
        return Sample({port.name: ports[port.name] for port in node_type.outputs if port.name in ports}, pinned=True)

    def write(self, node: str, node_type: type[Node], sample: Sample) -> None:
        """Pin the rows of a sample.

        Raises:
            UsageError: the pipeline has no file yet, the node gives no rows out, or they cannot be written.
        """
        if self.folder is None:
            raise UsageError("Rows are pinned in a file beside the pipeline.", hint="Save the pipeline first.")
        if not node_type.outputs or default_port(node_type) not in sample.ports:
            raise UsageError("Only rows that leave a node can be pinned.", hint="Pin them at the node before.")
        first = default_port(node_type)
        self.remove(node)
        # The first port last: without it the node is not pinned.
        for port in sorted(sample.ports, key=first.__eq__):
            table = sample.ports[port]
            if port == first or table.num_rows:
                write_rows(rows_of(table), self.folder / f"{node if port == first else f'{node}.{port}'}{ENDING}")

    def edit(self, node: str, row: int, column: str, text: str) -> None:
        """Change one value of the first output, as a person types it; ``null`` is a missing value.

        Raises:
            UsageError: it is no value of the column's type, or cannot be written.
        """
        assert self.folder is not None  # noqa: S101 - there are rows to edit
        path = self.folder / f"{node}{ENDING}"
        golden = read_rows(path)
        value = None if text.strip() == NULL else read_text(column, text, golden.types[column])
        rows = [dict(one) for one in golden.rows]
        rows[row][column] = value
        write_rows(type(golden)(golden.types, golden.columns, rows), path)

    def remove(self, node: str) -> None:
        """Unpin a node.

        Raises:
            UsageError: its file cannot be removed.
        """
        try:
            for path in self._files(node):
                path.unlink(missing_ok=True)
            if self.folder is not None and self.folder.is_dir() and not any(self.folder.iterdir()):
                self.folder.rmdir()
        except OSError as error:
            raise UsageError(
                f"The rows of {node} stay pinned: {error.strerror}.", hint="Close other programs."
            ) from None

    def rename(self, old: str, new: str) -> None:
        """The rows follow their node.

        Raises:
            UsageError: a file cannot be renamed.
        """
        try:
            for path in self._files(old):
                path.replace(path.with_name(new + path.name.removeprefix(old)))
        except OSError as error:
            raise UsageError(f"The pinned rows of {old} keep its name: {error.strerror}.") from None

    def _files(self, node: str) -> list[Path]:
        if self.folder is None:
            return []
        found = sorted(self.folder.glob(f"{node}.*{ENDING}"))
        first = self.folder / f"{node}{ENDING}"
        return [*found, first] if first.is_file() else found
