"""How states of runs are named and coloured."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl_studio.ui.theme.tokens import Tokens

WORDS = {
    "running": "running",
    "done": "done",
    "done_with_dead_letters": "done, with dead letters",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
}


def status_colour(status: str, tokens: Tokens) -> str:
    """The colour of a run's status."""
    colours = {
        "running": tokens.accent,
        "done": tokens.success,
        "done_with_dead_letters": tokens.warning,
        "failed": tokens.danger,
        "interrupted": tokens.danger,
    }
    return colours.get(status, tokens.text_muted)


def moment(at: float, now: float) -> str:
    """A time as people read it: of today by its clock, else with its date."""
    then = datetime.fromtimestamp(at).astimezone()
    today = datetime.fromtimestamp(now).astimezone().date()
    return then.strftime("today %H:%M:%S" if then.date() == today else "%Y-%m-%d %H:%M:%S")


def count(number: int | None) -> str:
    """A number of rows with thousands apart."""
    return "" if number is None else f"{number:,}".replace(",", "\u202f")
