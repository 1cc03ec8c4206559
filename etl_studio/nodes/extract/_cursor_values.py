"""Values that grow, such as the time of a change, as they are compared, sent and kept."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

Format: TypeAlias = Literal["timestamp", "date", "epoch", "epoch_ms", "number", "text"]
Comparable: TypeAlias = int | Decimal | str
"""Of times the nanoseconds since 1970 in UTC, of numbers the number itself."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 10**9
_FRACTION = re.compile(r"[.,](\d+)")
_PER_UNIT = {"epoch": _SECOND, "epoch_ms": 10**6}
_TIMES = ("timestamp", "date", "epoch", "epoch_ms")


def comparable(raw: Any, form: Format) -> Comparable:
    """A value of an item, ready to be compared.

    Raises:
        ValueError: it is none of that form; the message continues "... ".
    """
    try:
        match form:
            case "timestamp" | "date" if isinstance(raw, str):
                return _nanoseconds(raw)
            case "epoch" | "epoch_ms" if not isinstance(raw, bool):
                return int(_finite(raw) * _PER_UNIT[form])
            case "number" if not isinstance(raw, bool):
                return _finite(raw)
            case "text" if isinstance(raw, str):
                return raw
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        pass
    wanted = {"timestamp": "time such as 2026-11-25T10:00:00Z", "date": "date such as 2026-11-25", "text": "text"}
    raise ValueError(f"is no {wanted.get(form, 'number')}")


def minus(value: Comparable, lag: float) -> Comparable:
    """A value, so much smaller: seconds of a time, or a number. A text stays as it is."""
    if not lag or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return value - Decimal(str(lag))
    return value - int(Decimal(str(lag)) * _SECOND)


def written(value: Comparable, form: Format) -> Any:
    """A value as an API wants it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal) or form not in _TIMES:
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)
    if form in _PER_UNIT:
        whole, rest = divmod(value, _PER_UNIT[form])
        return whole if not rest else float(Decimal(value) / _PER_UNIT[form])
    seconds, rest = divmod(value, _SECOND)
    moment = _EPOCH + timedelta(seconds=seconds)
    if form == "date":
        return moment.date().isoformat()
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def packed(value: Comparable) -> int | str:
    """A value as JSON keeps it."""
    return str(value) if isinstance(value, Decimal) else value


def unpacked(kept: Any, form: Format) -> Comparable:
    """A value that was kept."""
    if form == "number":
        return Decimal(str(kept))
    return str(kept) if form == "text" else int(kept)


def _finite(raw: Any) -> Decimal:
    number = Decimal(str(raw))
    if not number.is_finite():
        raise ValueError
    return number


def _nanoseconds(text: str) -> int:
    """Of a date or a time; one without a zone is in UTC. Any number of digits behind the second counts."""
    text = text.strip()
    if len(text) == len("2026-11-25"):
        found = date.fromisoformat(text)
        return (found - _EPOCH.date()).days * 86_400 * _SECOND
    fraction = _FRACTION.search(text)
    moment = datetime.fromisoformat(_FRACTION.sub("", text, count=1))
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    since = moment - _EPOCH
    behind = int(fraction[1][:9].ljust(9, "0")) if fraction else 0
    return (since.days * 86_400 + since.seconds) * _SECOND + behind
