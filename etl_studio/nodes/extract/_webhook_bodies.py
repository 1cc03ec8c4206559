"""What the bodies of deliveries hold."""

from __future__ import annotations

import json
from typing import Any, NoReturn
from urllib.parse import parse_qs

KINDS = {
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/x-www-form-urlencoded": "form",
}
MOST_FIELDS = 1_000
"""Fields of a form."""


def kind_of(content_type: str) -> str | None:
    """How a body is read, by its content type; None: not at all."""
    name = content_type.partition(";")[0].strip().lower()
    return KINDS.get(name) or ("json" if name.endswith("+json") else None)


def values(kind: str, body: bytes) -> list[Any]:
    """What a body holds: the JSON, that of each line, or the fields of a form as one object.

    Raises:
        ValueError: it is no such body; the text says why.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValueError("the body is no UTF-8") from None
    if kind == "form":
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        return [{name: found[0] if len(found) == 1 else found for name, found in fields.items()}]
    try:
        if kind == "json":
            return [json.loads(text, parse_constant=_no_number)]
        # Not at other ends of lines, which may stand in a text.
        return [json.loads(line, parse_constant=_no_number) for line in text.split("\n") if line.strip()]
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is no JSON: {error.msg} (line {error.lineno}, character {error.colno})") from None
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
