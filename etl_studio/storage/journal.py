"""The journal of unsaved pipelines: what is on the screen outlives the program.

Each document that is open and unsaved has one file, written whole or not at all. It names the process that wrote it, so
that two programs with one pipeline do not take each other's work: only what a dead process has left is offered.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from etl_studio.errors import UsageError
from etl_studio.pipeline.file_format import write_text
from etl_studio.storage.processes import is_alive, this_process

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = ".json"


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A document as it was when it was last written to the journal.

    Attributes:
        id: names its file in the journal.
        path: its pipeline file, absolute; None where it has none yet.
        name: of the pipeline.
        base: the text of the file that it began as; None where it has none.
        text: the text that a save would have written.
        at: seconds since the epoch.
    """

    id: str
    path: Path | None
    name: str
    base: str | None
    text: str
    at: float

    @property
    def title(self) -> str:
        """What people call it: the file's name, or the pipeline's."""
        return self.path.name if self.path else self.name


class Journal:
    """The unsaved documents of all programs of one person.

    Args:
        folder: made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def new_id() -> str:
        """For a document that was not in the journal before."""
        return uuid4().hex

    def write(self, unsaved: Unsaved) -> None:
        """Keep a document in the place of what was kept under its id; it is on the disk when this returns.

        Raises:
            UsageError: it cannot be written.
        """
        process, started = this_process()
        facts = asdict(unsaved) | {"path": str(unsaved.path.resolve()) if unsaved.path else None}
        text = json.dumps(facts | {"process": process, "process_started": started})
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.folder} cannot be made: {error.strerror}.", hint="Free some space.") from error
        write_text(text, self._file(unsaved.id))

    def remove(self, unsaved_id: str) -> None:
        """Forget a document: it is saved, or nobody wants it."""
        with suppress(OSError):  # what cannot be removed is offered once more, which loses nothing
            self._file(unsaved_id).unlink(missing_ok=True)

    def left_behind(self) -> list[Unsaved]:
        """What programs that are dead had not saved, the newest first. What the file has already is not told."""
        found = [unsaved for unsaved, process in self._all() if not is_alive(*process) and not _is_saved(unsaved)]
        return sorted(found, key=lambda unsaved: unsaved.at, reverse=True)

    def _all(self) -> Iterator[tuple[Unsaved, tuple[int, float]]]:
        for file in self.folder.glob(f"*{ENDING}") if self.folder.is_dir() else ():
            with suppress(OSError, ValueError, KeyError, TypeError):  # removed in this moment, or not written by us
                facts = json.loads(file.read_text("utf-8"))
                process = int(facts.pop("process")), float(facts.pop("process_started"))
                path = Path(facts["path"]) if facts["path"] else None
                yield Unsaved(**facts | {"id": file.name.removesuffix(ENDING), "path": path}), process

    def _file(self, unsaved_id: str) -> Path:
        return self.folder / (unsaved_id + ENDING)


def _is_saved(unsaved: Unsaved) -> bool:
    """Whether the file says the same: the program died between the save and the end of its entry."""
    if unsaved.path is None:
        return False
    try:
        return unsaved.path.read_bytes() == unsaved.text.encode()
    except OSError:
        return False
