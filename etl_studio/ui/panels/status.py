"""How states of runs are named and coloured."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from etl_studio.ui.theme.tokens import Tokens

WORDS = {
    "running": N_("running"),
    "done": N_("done"),
    "done_with_dead_letters": N_("done, with dead letters"),
    "failed": N_("failed"),
    "stopped": N_("stopped"),
    "interrupted": N_("interrupted"),
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
    if then.date() == today:
        return tr("today {time}", time=f"{then:%H:%M:%S}")
    return f"{then:%Y-%m-%d %H:%M:%S}"
