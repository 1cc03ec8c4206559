"""While an outer pipeline runs, the tab of its sub-pipeline shows what its nodes do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.engine.events import (
    BreakerChanged,
    Event,
    NodeChanged,
    PauseChanged,
    RetryScheduled,
    RunEnded,
    RunStarted,
    Sampled,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.ui.run.controller import RunController


class OuterRun(QObject):
    """Gives on the events of an outer run that are about one of its sub-pipelines, as if that ran by itself.

    Args:
        outer: runs the outer pipeline.
        prefix: of the ids of its nodes there, such as ``clean/`` or ``clean/prices/``.
        inner: runs the inner pipeline by itself; while it does, nothing is given on.
        tell: takes the events.
        parent: its parent.
    """

    def __init__(
        self,
        outer: RunController,
        prefix: str,
        inner: RunController,
        tell: Callable[[Event], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._prefix, self._inner, self._tell = prefix, inner, tell
        outer.event.connect(self._take)

    def _take(self, event: Event) -> None:
        if not self._inner.is_running and (told := inner_event(event, self._prefix)) is not None:
            self._tell(told)


def inner_event(event: Event, prefix: str) -> Event | None:
    """An event of a run as a sub-pipeline in it would tell it; None: it is not about it.

    Args:
        event: of the outer run.
        prefix: of the ids of its nodes, such as ``clean/``.
    """
    if isinstance(event, Sampled):
        nodes = {name.removeprefix(prefix): one for name, one in event.nodes.items() if name.startswith(prefix)}
        ends = {text: text.split(" -> ") for text in event.wires}
        wires = {
            f"{source.removeprefix(prefix)} -> {target.removeprefix(prefix)}": event.wires[text]
            for text, (source, target) in ends.items()
            if source.startswith(prefix) and target.startswith(prefix)
        }
        return replace(event, nodes=nodes, wires=wires)
    if isinstance(event, NodeChanged | RetryScheduled | BreakerChanged):
        inside = event.node.startswith(prefix)
        return replace(event, node=event.node.removeprefix(prefix)) if inside else None
    return event if isinstance(event, RunStarted | RunEnded | PauseChanged) else None
