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
    from etl_studio.engine.http_auth import SignIns

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


def masking(secrets: Iterable[str], sign_ins: SignIns | None = None) -> Callable[[Event], Event] | None:
    """A function that masks values; None when there can be none.

    Args:
        secrets: the values.
        sign_ins: knows values that come up in the run, such as access tokens.
    """
    fixed = {value for value in secrets if value}
    if not fixed and sign_ins is None:
        return None

    def mask(event: Event) -> Event:
        names = TEXTS.get(type(event), ())
        values = sorted(fixed.union(sign_ins.secrets if sign_ins else ()), key=len, reverse=True) if names else ()
        return replace(event, **{name: hidden(getattr(event, name), values) for name in names}) if values else event

    return mask


def hidden(value: Any, secrets: Iterable[str]) -> Any:
    """A text, or all texts in a JSON-ready value, without secrets."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {hidden(key, secrets): hidden(item, secrets) for key, item in value.items()}
    return [hidden(item, secrets) for item in value] if isinstance(value, list | tuple) else value
