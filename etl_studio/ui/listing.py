"""Several names in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence


def listed(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; empty for none."""
    if len(parts) <= 1:
        return "".join(parts)
    return tr("{first} and {last}", first=tr(", ").join(parts[:-1]), last=parts[-1])
