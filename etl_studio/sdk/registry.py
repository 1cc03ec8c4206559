"""The catalogue of node types: built-in ones and those of plug-ins, found by entry points."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from etl_studio.sdk.node import Node

ENTRY_POINTS = "etl_studio.nodes"


@dataclass(frozen=True, slots=True)
class FailedPlugin:
    """A plug-in that could not be loaded; the others work on."""

    name: str
    error: str


class Registry:
    """Node types by name."""

    def __init__(self, types: Iterable[type[Node]] = ()) -> None:
        self._types: dict[str, type[Node]] = {}
        self.failed: list[FailedPlugin] = []
        for node_type in types:
            self.add(node_type)

    def add(self, node_type: type[Node]) -> None:
        """Add a type.

        Raises:
            UsageError: the name is taken by another class.
        """
        taken = self._types.setdefault(node_type.type, node_type)
        if taken is not node_type:
            raise UsageError(f'Two node types are called "{node_type.type}".', hint="Rename one of them.")

    def add_plugins(self) -> None:
        """Add the types of installed packages (entry points ``etl_studio.nodes``, each a Node class)."""
        for point in entry_points(group=ENTRY_POINTS):
            try:
                self.add(point.load())
            except Exception as error:  # noqa: BLE001 - a broken plug-in must not stop the studio
                self.failed.append(FailedPlugin(point.name, f"{type(error).__name__}: {error}"))

    def get(self, name: str) -> type[Node] | None:
        """The type of that name, or None."""
        return self._types.get(name)

    def near(self, name: str) -> str | None:
        """The most similar name, for "did you mean"."""
        return next(iter(get_close_matches(name, self._types, n=1)), None)

    def __iter__(self) -> Iterator[type[Node]]:
        return iter(self._types.values())

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __len__(self) -> int:
        return len(self._types)
