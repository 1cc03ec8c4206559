"""What a run was tried on, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.ui.quantities import count
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def trial_words(facts: Mapping[str, Any], title: Callable[[str], str]) -> str:
    """What a run was tried on, as ``engine.trial.Trial.facts`` tells it.

    Args:
        facts: of the trial.
        title: what a node is called, by its id.
    """
    rows = trn("at most {count} row of each source", "at most {count} rows of each source", facts["rows"])
    start = facts["start"]
    parts = [tr("trial from {node}: {rows}", node=title(start), rows=rows) if start else tr("trial: {rows}", rows=rows)]
    for node, one in facts["given"].items():
        number = {"number": count(one["rows"]), "node": title(node)}
        parts.append(
            tr("{number} pinned rows for {node}", **number)
            if one["pinned"]
            else tr("{number} sample rows of {node}", **number)
        )
    return ", ".join(parts)
