"""How often each selector matched, compared with the last run: a fall tells that a site has changed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio import sdk
    from etl_studio.nodes.extract._crawl_items import ItemType

FEWEST = 20
"""Items in both runs below which a share says nothing."""
FALL = 0.8
"""A field that is found in less than this part of the share of before is a warning."""


def compare_and_keep(kinds: Sequence[ItemType], starts: Sequence[str], context: sdk.RunContext) -> None:
    """Warn of fields that are found less often than in the last run with these selectors, and keep the rates.

    They are kept in the workspace under a hash of start addresses and selectors, and stand in
    the run's log.
    """
    memory = context.memory()
    for kind in kinds:
        rates = kind.rates()
        if not rates:
            continue
        asked = json.dumps([sorted(starts), kind.name, kind.item, kind.selectors], sort_keys=True)
        key = f"hit rates {hashlib.sha256(asked.encode()).hexdigest()}"
        before = memory.remembered(key)
        per_page = kind.items / kind.pages
        if before is not None:
            _compare(kind, rates, per_page, before, context)
        facts: dict[str, Any] = {"run": context.run, "items": kind.items, "per_page": per_page, "rates": rates}
        memory.remember(key, facts)
        context.log("debug", f"Fields found: {_shown(rates)}.", type=kind.name, **facts)


def _compare(
    kind: ItemType, rates: dict[str, float], per_page: float, before: dict[str, Any], context: sdk.RunContext
) -> None:
    if min(before["items"], kind.items) >= FEWEST:
        for name, rate in rates.items():
            earlier = before["rates"].get(name, 0.0)
            if rate < earlier * FALL:
                context.log(
                    "warning",
                    f'The field "{name}" ({kind.selectors[name]}) was found in {rate:.0%} of the items; in the last '
                    f"run ({before['run']}) it was in {earlier:.0%}. The site may have changed.",
                    column=name,
                )
    if before["items"] >= FEWEST and per_page < before["per_page"] * FALL / 2:
        context.log(
            "warning",
            f'The item selector "{kind.item}" found {per_page:.1f} items on a page; in the last run '
            f"({before['run']}) {before['per_page']:.1f}. The site may have changed.",
        )


def _shown(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {rate:.0%}" for name, rate in rates.items())
