"""Hides secret values in every event of a run before any listener sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etl_studio.engine.events import (
    DeadLettered,
    LogWritten,
    NodeChanged,
    RetryScheduled,
    RunEnded,
    RunStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from etl_studio.engine.events import Event

MASK = "••••••"

TEXTS: dict[type, tuple[str, ...]] = {
    RunStarted: ("parameters",),
    NodeChanged: ("detail",),
    RetryScheduled: ("error",),
    DeadLettered: ("message", "payload", "cursor", "operation"),
    LogWritten: ("message", "facts"),
    RunEnded: ("error",),
}
"""Fields that can hold text from outside, by event."""


def masking(secrets: Iterable[str]) -> Callable[[Event], Event] | None:
    """A function that masks the given values; None when there are none."""
    values = sorted((value for value in secrets if value), key=len, reverse=True)
    if not values:
        return None

    def hide(value: Any) -> Any:
        if isinstance(value, str):
            for secret in values:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, dict):
            return {hide(key): hide(item) for key, item in value.items()}
        return [hide(item) for item in value] if isinstance(value, list | tuple) else value

    def mask(event: Event) -> Event:
        shown = {name: hide(getattr(event, name)) for name in TEXTS.get(type(event), ())}
        return replace(event, **shown) if shown else event

    return mask
