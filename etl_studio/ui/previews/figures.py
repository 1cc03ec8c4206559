"""Facts about a column in few words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from etl_studio.ui.quantities import count, percent
from etl_studio.ui.tables.cells import cell_text
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from etl_studio.engine.profile import ColumnProfile

DIGITS = 4
LARGE = 10**6
TO = "\N{EN DASH}"


def figure(value: Any) -> str:
    """A value as it stands in a card: numbers with at most four digits behind what is needed, days without time."""
    if isinstance(value, bool) or value is None:
        return cell_text(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float | Decimal):
        if value and (abs(value) >= LARGE or abs(value) < 10**-DIGITS):
            return f"{value:.{DIGITS}g}"
        return f"{value:,.{DIGITS}f}".rstrip("0").rstrip(".")
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return cell_text(value)


def nulls(profile: ColumnProfile) -> str:
    """``8 % null``; empty where no value is missing."""
    if not profile.nulls:
        return ""
    share = profile.nulls / profile.rows
    shown = "<1 %" if share < 0.005 else percent(share)  # noqa: PLR2004 - what is rounded to nothing
    return tr("{share} null", share=shown)


def spread(profile: ColumnProfile) -> str:
    """What the chart of a column shows: the ends of its range, or how many different values there are."""
    if not profile.values:
        return tr("no values")
    if profile.histogram is not None:
        low, high = (end.date() if isinstance(end, dt.datetime) else end for end in (profile.low, profile.high))
        return f"{figure(low)} {TO} {figure(high)}" if low != high else tr("on {value}", value=low)
    if profile.distinct == 1:
        return tr("only {value}", value=figure(profile.top[0][0]))
    if profile.distinct == profile.values:
        return tr("all different")
    return trn("{count} value", "{count} values", profile.distinct)


def facts(profile: ColumnProfile) -> list[tuple[str, str]]:
    """All that is known of a column, by name."""
    found = [
        (tr("Rows"), count(profile.rows)),
        (tr("Missing"), f"{count(profile.nulls)} ({percent(profile.nulls / max(profile.rows, 1))})"),
        (tr("Different"), count(profile.distinct)),
    ]
    if profile.low is not None:
        text = profile.shortest is not None
        found += [
            (tr("First") if text else tr("Smallest"), figure(profile.low)),
            (tr("Last") if text else tr("Largest"), figure(profile.high)),
        ]
    if profile.mean is not None and profile.median is not None:
        found += [(tr("Mean"), figure(profile.mean)), (tr("Median"), figure(profile.median))]
    if profile.shortest is not None and profile.longest is not None:
        found.append((tr("Length"), tr("{low} to {high}", low=count(profile.shortest), high=count(profile.longest))))
    return found


def as_text(profile: ColumnProfile, scope: str) -> str:
    """Everything as text for the clipboard, one fact in each line, divided by tabs."""
    lines = [f"{profile.name}\t{profile.type}", tr("Of") + f"\t{scope}"]
    lines += ["\t".join(pair) for pair in facts(profile)]
    lines += [f"{cell_text(value)}\t{number}" for value, number in profile.top]
    return "\n".join(lines)
