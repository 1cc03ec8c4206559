"""Numbers as people read them: counts, rates, durations."""

from __future__ import annotations

from etl_studio.ui.translation import digits, tr, trn

MINUTE, HOUR = 60, 3600
KILO = 1024


def count(value: int | None) -> str:
    """``1,234,567``; of what is not known nothing."""
    return "" if value is None else digits(f"{value:,}")


def rows(value: int) -> str:
    """``1 row``, ``1,234 rows``."""
    return trn("{count} row", "{count} rows", value)


def short(value: float) -> str:
    """``0.4``, ``12``, ``3.4k``, ``34k``, ``1.2M``: at most four characters."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit * 0.9995:  # 999,600 is 1M, not 1000k
            scaled = value / limit
            return digits(f"{scaled:.1f}".removesuffix(".0")) + unit if scaled < 10 else f"{scaled:.0f}{unit}"  # noqa: PLR2004 - two digits are read at a glance
    if value and value < 10:  # noqa: PLR2004 - two digits are read at a glance
        return digits(f"{value:.1f}".removesuffix(".0"))
    return f"{value:.0f}"


def size(value: int) -> str:
    """``512 B``, ``12 KB``, ``3.4 MB`` of bytes."""
    if value < KILO:
        return f"{value} B"
    if value < KILO * KILO:
        return f"{value / KILO:.0f} KB"
    return f"{value / KILO / KILO:.1f}".removesuffix(".0") + " MB"


def rate(value: float) -> str:
    """``34k rows/s``."""
    return tr("{rate} rows/s", rate=short(value))


def latency(seconds: float) -> str:
    """``0.4 ms``, ``12 ms``, ``1.5 s``."""
    if seconds >= 1:
        return digits(f"{seconds:.1f}".removesuffix(".0")) + " s"
    milliseconds = seconds * 1000
    if milliseconds >= 10 or milliseconds == 0:  # noqa: PLR2004 - two digits are read at a glance
        return f"{milliseconds:.0f} ms"
    return digits(f"{milliseconds:.1f}".removesuffix(".0")) + " ms"


def latencies(low: float, high: float) -> str:
    """``12 / 40 ms``: two latencies in one unit, that of the higher one."""
    first, second = latency(low), latency(high)
    if first.endswith(" ms") and second.endswith(" s"):
        first = digits(f"{low:.1f}") + " s"
    return f"{first.split()[0]} / {second}"


def percent(share: float) -> str:
    """``87 %`` of a share between 0 and 1."""
    return f"{share * 100:.0f} %"


def duration(seconds: float) -> str:
    """``4.2 s``, ``3:07``, ``1:02:03``."""
    if seconds < MINUTE:
        return digits(f"{seconds:.1f}") + " s"
    return clock(seconds)


def clock(seconds: float) -> str:
    """``0:07``, ``3:07``, ``1:02:03``."""
    whole = int(seconds)
    hours, rest = divmod(whole, HOUR)
    minutes, left = divmod(rest, MINUTE)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
