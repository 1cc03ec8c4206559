"""Facts about a column in few words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from etl_studio.ui.quantities import count, percent
from etl_studio.ui.tables.cells import cell_text

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
    return f"{'<1 %' if share < 0.005 else percent(share)} null"  # noqa: PLR2004 - what is rounded to nothing


def spread(profile: ColumnProfile) -> str:
    """What the chart of a column shows: the ends of its range, or how many different values there are."""
    if not profile.values:
        return "no values"
    if profile.histogram is not None:
        low, high = (end.date() if isinstance(end, dt.datetime) else end for end in (profile.low, profile.high))
        return f"{figure(low)} {TO} {figure(high)}" if low != high else f"on {low}"
    if profile.distinct == 1:
        return f"only {figure(profile.top[0][0])}"
    if profile.distinct == profile.values:
        return "all different"
    return f"{count(profile.distinct)} values"


def facts(profile: ColumnProfile) -> list[tuple[str, str]]:
    """All that is known of a column, by name."""
    found = [
        ("Rows", count(profile.rows)),
        ("Missing", f"{count(profile.nulls)} ({percent(profile.nulls / max(profile.rows, 1))})"),
        ("Different", count(profile.distinct)),
    ]
    if profile.low is not None:
        text = profile.shortest is not None
        found += [
            ("First" if text else "Smallest", figure(profile.low)),
            ("Last" if text else "Largest", figure(profile.high)),
        ]
    if profile.mean is not None and profile.median is not None:
        found += [("Mean", figure(profile.mean)), ("Median", figure(profile.median))]
    if profile.shortest is not None and profile.longest is not None:
        found.append(("Length", f"{count(profile.shortest)} to {count(profile.longest)}"))
    return found


def as_text(profile: ColumnProfile, scope: str) -> str:
    """Everything as text for the clipboard, one fact in each line, divided by tabs."""
    lines = [f"{profile.name}\t{profile.type}", f"Of\t{scope}"]
    lines += ["\t".join(pair) for pair in facts(profile)]
    lines += [f"{cell_text(value)}\t{number}" for value, number in profile.top]
    return "\n".join(lines)
