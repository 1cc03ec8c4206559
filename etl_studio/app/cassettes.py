"""Cassettes for people: what sites answered in a run, kept in a file, and runs that are answered from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.engine.cassette_tapes import CassettePlayer, CassetteRecorder

ENDING = ".cassette.jsonl"


def recorder(path: Path, pipeline: str) -> CassetteRecorder:
    """What keeps the answers of a run, to be saved at ``path``.

    Raises:
        UsageError: something else is there.
    """
    from etl_studio.engine.cassette import is_cassette
    from etl_studio.engine.cassette_tapes import CassetteRecorder

    if path.is_dir() or (path.exists() and not is_cassette(path)):
        hint = f"Choose another name, such as {path.with_suffix('').name}{ENDING}."
        raise UsageError(f"{path} is there, and is no cassette.", hint=hint)
    return CassetteRecorder(pipeline)


def player(path: Path) -> CassettePlayer:
    """What answers one run.

    Raises:
        UsageError: there is no cassette, or it is damaged.
    """
    from etl_studio.engine.cassette import read
    from etl_studio.engine.cassette_tapes import CassettePlayer

    return CassettePlayer(read(path), path.name)


def save(tape: CassetteRecorder, path: Path) -> str:
    """Write what a run has recorded; what became of it, for people.

    Raises:
        UsageError: it cannot be written.
    """
    from etl_studio.engine.cassette import write

    cassette = tape.cassette()
    write(cassette, path)
    number = len(cassette.exchanges)
    told = f"Recorded {number} answer{'s' if number != 1 else ''} to {path} ({path.stat().st_size / 1000:,.0f} kB)."
    return f"{told} The rest was left out: a cassette holds 64 MB." if cassette.full else told


def with_stand_ins(secrets: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Secrets for a run that asks nobody: one that is not set here has a stand-in."""
    return lambda name: secrets(name) or f"no-secret-{name}"
