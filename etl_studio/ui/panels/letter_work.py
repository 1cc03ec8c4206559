"""What the panel of dead letters asks of the workspace; all of it is called in threads."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from etl_studio.ui.quantities import count
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.errors import EtlError
    from etl_studio.storage.letters import DeadLetterRecord
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.run.replaying import Replayed

    WholeCheck = Callable[[Workspace, Sequence[DeadLetterRecord]], Mapping[int, EtlError]]
    """Why letters cannot be given out of their source, by their numbers."""

LIMIT = 10_000
"""The most dead letters that are read at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """Letters, the newest first.

    Attributes:
        letters: at most ``LIMIT``.
        total: how many there are.
        texts: what the filter looks in, by number.
    """

    letters: list[DeadLetterRecord] = field(default_factory=list)
    total: int = 0
    texts: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ways:
    """How letters may be replayed.

    Attributes:
        ids: all that were asked about.
        whole: those that can be given out of their source.
        why_not: why the others cannot; empty: all can.
    """

    ids: tuple[int, ...]
    whole: tuple[int, ...]
    why_not: str


@dataclass(frozen=True, slots=True)
class Done:
    """A change was made.

    Attributes:
        text: what to tell; empty: nothing.
        ids: letters that are no longer what they were.
        replay: they are to be replayed now; ``whole``: out of their source.
    """

    text: str = ""
    ids: tuple[int, ...] = ()
    replay: bool = False
    whole: bool = False


def whole_check(studio: Studio, document: PipelineDocument) -> WholeCheck:
    """What tells, in a thread, which letters cannot go through all of the pipeline as it is on the screen now."""
    from etl_studio.app.replays import why_not_whole

    return partial(why_not_whole, studio, pipeline=deepcopy(document.pipeline), file=document.path)


class LetterWork:
    """Reads and changes the letters of a workspace.

    Args:
        workspace: gives it.
    """

    def __init__(self, workspace: Callable[[], Workspace]) -> None:
        self._workspace = workspace

    def read(self, runs: Sequence[str]) -> Found:
        """The letters of some runs; of all, when none is named."""
        from etl_studio.engine import letter_rows  # noqa: F401 - loaded here, so that the window need not wait for it
        from etl_studio.storage.letters import Selection

        place = self._workspace()
        try:
            wanted = [Selection(run=run) for run in runs] or [Selection()]
            letters = [letter for one in wanted for letter in place.letters.find(one, LIMIT)]
            total = sum(place.letters.count(one) for one in wanted)
        finally:
            place.release()
        letters = sorted(letters, key=lambda letter: -letter.id)[:LIMIT]
        return Found(letters, total, {letter.id: _words(letter) for letter in letters})

    def ways(self, letters: Sequence[DeadLetterRecord], check: WholeCheck) -> Ways:
        """Whether letters can be given out of their source."""
        place = self._workspace()
        try:
            refused = check(place, letters)
        finally:
            place.release()
        # Their advice is for the terminal.
        reasons = list(dict.fromkeys(error.what for error in refused.values()))
        ids = [letter.id for letter in letters]
        return Ways(tuple(ids), tuple(number for number in ids if number not in refused), "\n".join(reasons))

    def save(
        self, changes: Mapping[int, Mapping[str, Any]], replay: Sequence[int] = (), *, whole: bool = False
    ) -> Done:
        """Give letters other values, as ``dead-letters edit`` does; ``replay``: those to be replayed then."""
        from etl_studio.engine.letter_rows import edited

        place = self._workspace()
        try:
            for number, values in changes.items():
                letter = place.letters.get(number)
                place.letters.edit(number, edited(letter.payload, letter.types, values))
        finally:
            place.release()
        if replay:
            return Done(ids=tuple(replay), replay=True, whole=whole)
        return Done(tr("Saved. A replay loads the row as it is now."), tuple(changes))

    def discard(self, ids: Sequence[int]) -> Done:
        """Remove letters for good."""
        place = self._workspace()
        try:
            gone = place.letters.discard(ids)
        finally:
            place.release()
        parts = [trn("{count} dead letter discarded.", "{count} dead letters discarded.", gone)]
        if gone < len(ids):
            parts.append(tr("{count} gone before or just being replayed.", count=count(len(ids) - gone)))
        return Done(" ".join(parts), tuple(ids))

    def export(self, letters: Sequence[DeadLetterRecord], path: Path) -> Done:
        """Write letters to a file."""
        from etl_studio.storage.letter_export import export_letters

        number = export_letters(letters, path)
        return Done(
            trn("{count} dead letter written to {file}", "{count} dead letters written to {file}", number, file=path)
        )


def replay_words(replayed: Replayed) -> tuple[str, bool]:
    """What became of letters that were replayed, and whether that is bad."""
    arrived = replayed.chosen - replayed.left
    chosen, left = count(replayed.chosen), count(replayed.left)
    parts = [tr("No dead letter arrived.")]
    if arrived:
        parts = [
            trn(
                "{count} dead letter of {chosen} left the queue.",
                "{count} dead letters of {chosen} left the queue.",
                arrived,
                chosen=chosen,
            )
        ]
    failed = [one.error for one in replayed.ended if one.error]
    if any(one.status == "stopped" for one in replayed.ended):
        parts.append(tr("The replay was stopped; {count} still wait.", count=left))
    elif replayed.left and not failed and not replayed.refused:
        parts.append(tr("{count} failed again, with the message that is shown now.", count=left))
    if replayed.further:
        parts.append(
            trn(
                "{count} dead letter came of rows that failed further down.",
                "{count} dead letters came of rows that failed further down.",
                replayed.further,
            )
        )
    parts += [str(error) for error in replayed.refused] + failed
    return " ".join(parts), bool(replayed.left or replayed.further)


def _words(letter: DeadLetterRecord) -> str:
    row = json.dumps(letter.operation or letter.payload, ensure_ascii=False, default=str)
    return f"{letter.error_type}\n{letter.node}\n{letter.message}\n{row}".lower()
