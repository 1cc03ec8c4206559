"""Replays of dead letters, one after the other, in the thread of the run controller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.errors import EtlError
from etl_studio.ui.run.qt_workers import start_qt_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from etl_studio.app.replays import Replay
    from etl_studio.app.studio import Studio
    from etl_studio.engine.events import Listener, RunEnded
    from etl_studio.pipeline.model import Pipeline


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of dead letters that were replayed.

    Attributes:
        chosen, left: how many there were, and how many of them are still in the queue.
        ended: the reports of the runs.
        further: how many rows failed behind the node in which they had failed before; they are letters of their own.
        refused: why some could not be replayed.
    """

    chosen: int
    left: int
    ended: tuple[RunEnded, ...] = ()
    further: int = 0
    refused: tuple[EtlError, ...] = ()


def replay_letters(  # noqa: PLR0913 - a run is where everything meets
    studio: Studio,
    ids: Sequence[int],
    pipeline: Pipeline,
    file: Path | None,
    listener: Listener,
    began: Callable[[Replay], bool],
    *,
    whole: bool = False,
) -> Replayed:
    """Replay letters of the workspace that belongs to a file.

    Args:
        studio: prepares the runs.
        ids: numbers of the letters.
        pipeline: what is open.
        file: its file.
        listener: takes the events.
        began: told of each replay before it runs; False: no more of them.
        whole: give the rows out of their source.
    """
    from etl_studio.app.replays import Replay, replays
    from etl_studio.storage.letters import Selection

    ended: list[RunEnded] = []
    refused: list[EtlError] = []
    place = studio.workspace(studio.workspace_folder(file))
    try:
        letters = place.letters.find(Selection(ids=ids), None)
        for replay in replays(
            studio,
            place,
            letters,
            whole=whole,
            pipeline=pipeline,
            file=file,
            listeners=[listener],
            start_worker=start_qt_worker,
        ):
            stopped = isinstance(replay, Replay) and not began(replay)
            if stopped:
                replay.stop(hard=True)
            try:
                ended.append(replay.execute())
            except EtlError as error:
                refused.append(error)
            if stopped:
                break
        left = place.letters.count(Selection(ids=ids))
        further = sum(place.letters.count(Selection(run=one.run)) for one in ended)
    finally:
        place.release()
    return Replayed(len(ids), left, tuple(ended), further, tuple(refused))
