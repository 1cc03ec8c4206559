"""What a node is doing in a run, in words."""

from __future__ import annotations

from etl_studio.ui.translation import N_

STATE_WORDS = {
    "waiting": N_("waiting"),
    "running": N_("running"),
    "retrying": N_("retrying"),
    "open": N_("breaker open"),
    "done": N_("done"),
    "failed": N_("failed"),
    "stopped": N_("stopped"),
}
"""What a node is doing, by its state."""
