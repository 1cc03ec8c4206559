"""An HTTP answer as data, and the address it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, body and headers beside those that each answer has."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Address:
    """The path of a request and its query; a name given twice keeps its last value."""

    path: str
    query: dict[str, str]

    @classmethod
    def parse(cls, target: str) -> Address:
        """Split the target of a request line."""
        parts = urlsplit(target)
        return cls(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)))

    def number(self, name: str, default: int, *, least: int = 1, most: int = 1_000_000_000) -> int:
        """A whole number of the query.

        Raises:
            ValueError: it is something else or out of range.
        """
        text = self.query.get(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"{name} must be a whole number from {least} to {most}.")
        return int(text)

    def with_query(self, **changes: object) -> str:
        """The same target with some parameters changed; the others, such as ``fail_first``, stay."""
        return f"{self.path}?{urlencode({**self.query, **changes})}"


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer that holds JSON; a header ``Retry_After`` is sent as ``Retry-After``."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value, ensure_ascii=False).encode(), "application/json", names)
