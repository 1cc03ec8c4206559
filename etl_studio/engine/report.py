"""What a run's report says beside its numbers: what of the pipeline ran, how often it began, what it promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def notes(document: Mapping[str, Any], attempt: int = 1, resumed_after: int | None = None) -> list[str]:
    """Lines for people; none for a whole run that began once and loads each row once.

    Args:
        document: that of the run (``app.resuming.document``).
        attempt: how often it was begun.
        resumed_after: number of the checkpoint that it last went on after; 0: from the beginning.
    """
    found = []
    if trial := document.get("trial"):
        found.append(_trial_text(trial))
    elif part := document.get("part"):
        left_out = f"; not run: {', '.join(names)}" if (names := document.get("left_out")) else ""
        found.append(f"run to here: only {', '.join(part)} of {document['of']} nodes{left_out}")
    disabled = document.get("disabled") or {}
    if passed := disabled.get("passed"):
        found.append(f"disabled, rows pass unchanged: {', '.join(passed)}")
    if gone := disabled.get("left_out"):
        found.append(f"left out, since they or all that feeds them are disabled: {', '.join(gone)}")
    if attempt > 1:
        found.append(attempt_text(attempt, resumed_after))
    if document.get("debugged"):
        found.append("debugged: a person could halt it and change rows; the log names each change")
    if why := document.get("at_least_once"):
        found.append(f"at least once: {why}, so rows may be loaded again where the run breaks off")
    return found


def _trial_text(trial: Mapping[str, Any]) -> str:
    """``a trial from keep: 200 rows of each source; given: 12 pinned rows in the place of read``."""
    given = [
        f"{facts['rows']:,} {'pinned' if facts['pinned'] else 'sample'} rows in the place of {node}"
        for node, facts in trial["given"].items()
    ]
    start = f" from {trial['start']}" if trial["start"] else ""
    return f"a trial{start}: at most {trial['rows']:,} rows of each source{'; ' if given else ''}{', '.join(given)}"


def attempt_text(attempt: int, resumed_after: int | None) -> str:
    """``attempt 3, resumed after checkpoint 7``."""
    return f"attempt {attempt}, " + (
        f"resumed after checkpoint {resumed_after}" if resumed_after else "from the beginning"
    )
