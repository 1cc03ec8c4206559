"""Dotted paths into JSON documents: ``data.items``, ``results.0.rows``."""

from __future__ import annotations

from typing import Any

from etl_studio.errors import PermanentError

KEYS_SHOWN = 12
MISSING = object()
"""What ``lookup`` gives where there is nothing."""


def lookup(document: Any, path: str) -> Any:
    """The value at a path, or ``MISSING``. Numbers count in lists from 0; an empty path is the document itself.

    A key that itself holds dots is found too when the whole rest of the path is that key. ``$.data.items[*]``, as other
    tools write it, means ``data.items``.
    """
    found, rest = document, _plain(path)
    while rest:
        if isinstance(found, dict) and rest in found:
            return found[rest]
        part, _, rest = rest.partition(".")
        found = _step(found, part)
        if found is MISSING:
            return MISSING
    return found


def find(document: Any, path: str, *, setting: str, source: str) -> Any:
    """The value at a path.

    Args:
        document: parsed JSON.
        path: such as ``data.items``.
        setting: the setting that holds the path, for the message.
        source: where the document came from, for the message.

    Raises:
        PermanentError: there is nothing; the message names the keys that are there.
    """
    found = lookup(document, path)
    if found is not MISSING:
        return found
    parts = _plain(path).split(".")
    reached = 0
    while reached < len(parts) and lookup(document, ".".join(parts[: reached + 1])) is not MISSING:
        reached += 1
    where = ".".join(parts[:reached])
    there = _contents(lookup(document, where))
    place = f'under "{where}" {"are" if there.startswith("the keys") else "is"}' if where else "it holds"
    raise PermanentError(
        f'There is no "{parts[reached]}" in the answer of {source}: {place} {there}.',
        hint="Write the path with dots between the keys, such as data.items.",
        column=setting,
        value=path,
    )


def _plain(path: str) -> str:
    return path.removeprefix("$").removeprefix(".").removesuffix("[*]")


def _step(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part, MISSING)
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return MISSING


def _contents(value: Any) -> str:
    if isinstance(value, dict):
        keys = list(value)
        more = f" and {len(keys) - KEYS_SHOWN} more" if len(keys) > KEYS_SHOWN else ""
        shown = ", ".join(map(str, keys[:KEYS_SHOWN])).encode("utf-8", "backslashreplace").decode()
        return f"the keys {shown}{more}" if keys else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)} values"
    return "nothing (null)" if value is None else f"the {type_of(value)} {str(value)[:40]!r}"


def type_of(value: Any) -> str:
    """What people call the kind of a JSON value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names = {dict: "object", list: "list", str: "text", type(None): "null"}
    return names.get(type(value), type(value).__name__)
