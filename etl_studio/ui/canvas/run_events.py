"""What the canvas shows of the events of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from etl_studio.engine.events import (
    BreakerChanged,
    NodeChanged,
    PauseChanged,
    RetryScheduled,
    RunEnded,
    RunStarted,
    Sampled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.engine.events import Event
    from etl_studio.ui.canvas.live import LiveNode
    from etl_studio.ui.canvas.scene import PipelineScene


def show_event(scene: PipelineScene, event: Event) -> None:
    """Show an event on a canvas; most tell nothing about nodes and wires."""
    if isinstance(event, Sampled):
        scene.show_sample(event)
    elif isinstance(event, NodeChanged):
        scene.show_state(event)
    elif isinstance(event, RetryScheduled):
        scene.show_retry(event)
    elif isinstance(event, BreakerChanged):
        scene.show_breaker(event)
    elif isinstance(event, PauseChanged):
        scene.show_pause(event)
    elif isinstance(event, RunStarted):
        scene.clear_run(dry=event.kind == "dry_run")
    elif isinstance(event, RunEnded):
        scene.end_run()


def show_known(scene: PipelineScene, nodes: Mapping[str, LiveNode]) -> None:
    """Show what is known of a run that is shown elsewhere, too."""
    for name, live in nodes.items():
        scene.live.nodes[name] = replace(live, breakers=dict(live.breakers))
    for name in nodes:
        scene.show_live(name)
