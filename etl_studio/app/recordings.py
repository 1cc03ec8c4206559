"""Recorded runs: opened again without running anything, moment by moment (``engine.recording`` writes them)."""

from __future__ import annotations

import json
import shutil
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.engine.plan import Plan
    from etl_studio.engine.recording import Recording

FOLDER = "recordings"
KEEP_DAYS, KEEP_BYTES = 14, 2 * 2**30
"""Recordings go when they are older, or when all together are larger."""
KEYFRAME = 256
"""Moments between two states that are kept in memory."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened.

    Attributes:
        number: in the order of the run, from 1.
        at: seconds since the epoch.
        what: ``gave``, ``took``, ``state`` or ``end``.
        wires: texts of the wires that it was on.
        rows: how many; 0 for a state.
    """

    number: int
    at: float
    what: str
    node: str
    wires: tuple[str, ...] = ()
    rows: int = 0
    port: str = ""


@dataclass(slots=True)
class Scene:
    """How everything stood after a moment.

    Attributes:
        nodes: counts (as in ``NodeCounts``) and ``state`` by node.
        wires: rows given and rows taken by wire.
    """

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    wires: dict[str, tuple[int, int]] = field(default_factory=dict)

    def copy(self) -> Scene:
        """Another one that may be changed."""
        return Scene({name: dict(node) for name, node in self.nodes.items()}, dict(self.wires))


class RecordedRun:
    """A recording, read.

    Args:
        folder: of the recording.

    Attributes:
        run: id.
        facts: ``pipeline``, ``file``, ``kind``, ``began``, ``nodes``, ``wires``.
        moments: in order; where the budget was used up, some in the middle are missing.

    Raises:
        UsageError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.run = folder.name
        self.moments: list[Moment] = []
        self._lines: list[dict[str, Any]] = []
        self._parts: list[str] = []
        self._keyframes: list[tuple[int, Scene]] = []
        try:
            self.facts: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
            self._read()
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"The recording of the run {folder.name} cannot be read: {error}.") from None

    @property
    def missing(self) -> int:
        """How many moments in the middle were not kept."""
        return self.moments[-1].number - len(self.moments) if self.moments else 0

    def scene(self, position: int) -> Scene:
        """How everything stood after so many of the moments; 0: before the first."""
        if position <= 0 or not self.moments:
            nodes = {name: {"state": "waiting"} for name in self.facts["nodes"]}
            return Scene(nodes, dict.fromkeys(self.facts["wires"], (0, 0)))
        position = min(position, len(self.moments))
        index, base = self._keyframes[bisect_right(self._keyframes, position - 1, key=_index) - 1]
        found = base.copy()
        for line in self._lines[index:position]:
            _apply(found, line)
        return found

    def batch(self, position: int, *, wire: str = "", node: str = "") -> pa.RecordBatch | None:
        """The batch that was last on a wire, or that a node gave out last, after so many moments; None: none yet."""
        import pyarrow as pa

        for index in range(min(position, len(self._lines)) - 1, -1, -1):
            line = self._lines[index]
            if "offset" in line and (wire in line["wires"] if wire else line["node"] == node):
                with pa.OSFile(str(self._folder / f"{self._parts[index]}.rows"), "rb") as file:
                    file.seek(line["offset"])
                    with pa.ipc.open_stream(file) as stream:
                        return stream.read_next_batch()
        return None

    def position_at(self, at: float) -> int:
        """How many moments had been by a time."""
        return bisect_right([moment.at for moment in self.moments], at)

    def _read(self) -> None:
        scene = Scene()
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open(encoding="utf-8") as file:
                first = json.loads(next(file, "null"))
                if first is None:
                    continue
                scene = Scene(first["nodes"], {wire: tuple(rows) for wire, rows in first["wires"].items()})
                began = len(self._lines)
                for text in file:
                    if not text.endswith("\n"):
                        break  # its program was killed while it wrote
                    line = json.loads(text)
                    if (len(self._lines) - began) % KEYFRAME == 0:
                        self._keyframes.append((len(self._lines), scene.copy()))
                    self._lines.append(line)
                    self._parts.append(path.stem)
                    _apply(scene, line)
                    self.moments.append(
                        Moment(
                            line["n"], line["at"], line["what"], line["node"], tuple(line.get("wires", ())),
                            line.get("rows", 0), line.get("port", ""),
                        )
                    )  # fmt: skip


def recordings(workspace: Path) -> list[str]:
    """Runs of a workspace that were recorded, the newest first."""
    folder = workspace / FOLDER
    return sorted((path.name for path in folder.glob("*") if (path / "run.json").is_file()), reverse=True)


def open_recording(workspace: Path, run: str) -> RecordedRun:
    """Read a recording.

    Raises:
        UsageError: there is none of that run, or it cannot be read.
    """
    folder = workspace / FOLDER / run
    if not folder.is_dir():
        raise UsageError(f"The run {run} was not recorded.", hint='Choose "Record runs" and run it again.')
    return RecordedRun(folder)


def prune(workspace: Path, *, days: float = KEEP_DAYS, size: int = KEEP_BYTES) -> int:
    """Delete recordings that are too old or too many; how many went."""
    gone, held = 0, 0
    for run in recordings(workspace):
        folder = workspace / FOLDER / run
        held += sum(path.stat().st_size for path in folder.iterdir())
        if held > size or time.time() - (folder / "run.json").stat().st_mtime > days * 86_400:
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def new_recording(workspace: Path, run: str, plan: Plan, facts: Mapping[str, Any]) -> Recording:
    """Begin to record a run; older recordings make room.

    Raises:
        UsageError: its folder cannot be made.
    """
    from etl_studio.engine.recording import Recording

    prune(workspace)
    try:
        return Recording(workspace / FOLDER / run, plan, dict(facts))
    except OSError as error:
        raise UsageError(f"The run cannot be recorded: {error.strerror}.", hint="Run it without recording.") from None


def _index(keyframe: tuple[int, Scene]) -> int:
    return keyframe[0]


def _apply(scene: Scene, line: Mapping[str, Any]) -> None:
    if line["what"] == "end":
        scene.nodes.update(line["all"])
    else:
        scene.nodes[line["node"]] = line["counts"]
    for wire, (given, taken) in line.get("passed", {}).items():
        scene.wires[wire] = (given, taken)
