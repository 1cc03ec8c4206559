"""Where a run stands: cursors of sources, barriers, and the marks that sinks commit together with their rows.

A source gives a ``Cursor`` wherever it could start again. Now and then the engine turns one into a barrier, which flows
through every node behind the rows that came before it (Carbone et al., "Lightweight Asynchronous Snapshots for
Distributed Dataflows", 2015). When all sinks hold it, each commits its rows and a ``Mark`` in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Cursor:
    """All that a source gave out before this can be left out when it starts again from ``value``.

    Attributes:
        value: JSON-ready; only the source knows what it means.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a source has read for good: its next run begins there (``RunContext.bookmark``). Its last emission.

    It is kept when every sink has loaded what the run read, and not otherwise; dry runs and previews keep none.

    Attributes:
        of: what was read, such as an address with its parameters; reading something else begins anew.
        value: JSON-ready; only the source knows what it means. It holds no secret.
        shown: where it stands, for people.
    """

    of: str
    value: Any
    shown: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a sink commits with its rows, so that a resumed run knows what is in the target.

    Attributes:
        run: id of the run; a resumed run keeps its id.
        node: id of the sink.
        epoch: number of the barrier, from 1.
        final: whether the run's last rows are in.
        facts: JSON-ready: the engine's ``cursors`` and ``counts``, and what the sink itself wants back.
    """

    run: str
    node: str
    epoch: int
    final: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
