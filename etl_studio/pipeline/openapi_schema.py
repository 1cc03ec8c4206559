"""The JSON Schemas of an API's description: references, parts, and what an answer holds."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any

CHAIN = 40
"""References that are followed one after another, at most."""
DEEPEST = 4
MOST_PROPERTIES = 1000
"""Properties of one answer that are looked at: a schema may refer to itself."""
_COMPOSED = ("allOf", "oneOf", "anyOf")
_LISTS = ("items", "data", "results", "records", "value", "values", "rows", "entries", "docs", "content", "list")


def as_object(value: Any) -> dict[str, Any]:
    """The value where it is an object, else an empty one: descriptions may hold anything anywhere."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


class Schemas:
    """Looks things up in one description.

    Args:
        document: the description.

    Attributes:
        elsewhere: a reference led into another file, which is not read.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.elsewhere = False

    def resolved(self, value: Any) -> Any:
        """What references lead to; None where they lead nowhere, in a circle, or into another file."""
        for _ in range(CHAIN):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                return value
            self.elsewhere = self.elsewhere or not reference.startswith("#")
            value = self._document if reference.startswith("#/") else None
            for key in reference.removeprefix("#/").split("/"):
                name = key.replace("~1", "/").replace("~0", "~")
                value = value.get(name) if isinstance(value, dict) else None
        return None

    def object(self, value: Any) -> dict[str, Any]:
        """An object behind references; an empty one where there is none."""
        return as_object(self.resolved(value))

    def schema(self, value: Any) -> dict[str, Any]:
        """A schema whose parts (allOf; the first of oneOf and anyOf) are put together."""
        found = self.object(value)
        if not any(isinstance(found.get(word), list) for word in _COMPOSED):
            return found
        merged = {key: inner for key, inner in found.items() if key not in _COMPOSED}
        properties = dict(as_object(merged.get("properties")))
        for word in _COMPOSED:
            parts = [self.object(one) for one in as_list(found.get(word))]
            parts = [one for one in parts if one.get("type") != "null"]
            for part in parts if word == "allOf" else parts[:1]:
                inner = {} if any(word in part for word in _COMPOSED) else part
                for nested in as_list(part.get("allOf")):
                    inner = {**self.object(nested), **inner}
                    properties |= as_object(self.object(nested).get("properties"))
                properties |= as_object(part.get("properties"))
                merged = {**inner, **merged}
        return {**merged, "properties": properties} if properties else merged

    def leaves(self, value: Any) -> list[tuple[str, dict[str, Any]]]:
        """Each property of an answer with its path, those near the top first; lists are not entered."""
        found: list[tuple[str, dict[str, Any]]] = []
        pending, left = deque([("", self.schema(value))]), MOST_PROPERTIES
        while pending:
            path, schema = pending.popleft()
            properties = as_object(schema.get("properties"))
            if not properties or is_type(schema, "array"):
                found.append((path, schema))
            elif path.count(".") < DEEPEST:
                inner = list(islice(properties.items(), left))
                left -= len(inner)
                pending += [(f"{path}.{name}" if path else str(name), self.schema(one)) for name, one in inner]
        return found

    def items_path(self, leaves: list[tuple[str, dict[str, Any]]], *, of_one: bool) -> str | None:
        """Where an answer holds its list of objects; empty: it is the list; None: it has none.

        Args:
            leaves: what it holds.
            of_one: one object is asked for, whose lists are parts of it.
        """
        lists = [
            path
            for path, schema in leaves
            if is_type(schema, "array")
            and (is_type(items := self.schema(schema.get("items")), "object") or items.get("properties"))
        ]
        lists = [path for path in lists if "${" not in path]  # that would be a reference
        if of_one:
            lists = [path for path in lists if not path or path.lower() in _LISTS]
        return min(
            lists, key=lambda path: (path.rpartition(".")[2].lower() not in _LISTS, path.count(".")), default=None
        )


def is_type(schema: dict[str, Any], name: str) -> bool:
    """Whether a schema is of a type, also where it may be null besides (OpenAPI 3.1)."""
    kind = schema.get("type")
    return name in kind if isinstance(kind, list) else kind == name
