"""What the canvas shows of the events of a run."""

from __future__ import annotations

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
    from etl_studio.engine.events import Event
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
