"""The catalogue of node types: built-in ones and those of plug-ins, each loaded when somebody asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from etl_studio.errors import UsageError
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from etl_studio.sdk.node import Node

    Load = Callable[[], type[Node] | None]

ENTRY_POINTS = "etl_studio.nodes"


@dataclass(frozen=True, slots=True)
class FailedPlugin:
    """A plug-in that could not be loaded; the others work on."""

    name: str
    error: str


class Registry:
    """Node types by name.

    Args:
        types: those to begin with.
        lazy: functions that load further types, by the name under which they are expected; one may give None.
        plugins: whether installed packages are asked too (entry points ``etl_studio.nodes``, each a Node class).
    """

    def __init__(
        self, types: Iterable[type[Node]] = (), lazy: Mapping[str, Load] | None = None, *, plugins: bool = False
    ) -> None:
        self._types: dict[str, type[Node]] = {}
        self._lazy = dict(lazy or {})
        self._plugins = plugins
        self._failed: list[FailedPlugin] = []
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

    @property
    def failed(self) -> tuple[FailedPlugin, ...]:
        """Plug-ins that could not be loaded."""
        self.load_all()
        return tuple(self._failed)

    def load_all(self) -> None:
        """Load every type that was not asked for yet; a broken plug-in is kept apart."""
        while self._lazy:
            self._load(next(iter(self._lazy)))
        if self._plugins:
            self._plugins = False
            for point in entry_points(group=ENTRY_POINTS):
                try:
                    self.add(point.load())
                except Exception as error:  # noqa: BLE001 - a broken plug-in must not stop the studio
                    self._failed.append(FailedPlugin(point.name, f"{type(error).__name__}: {error}"))

    def get(self, name: str) -> type[Node] | None:
        """The type of that name, or None."""
        if name not in self._types:
            self._load(name)
        if name not in self._types:
            self.load_all()
        return self._types.get(name)

    def near(self, name: str) -> str | None:
        """The most similar name, for "did you mean"."""
        return closest(name, [node_type.type for node_type in self])

    def __iter__(self) -> Iterator[type[Node]]:
        """Those that a person may add, by name."""
        self.load_all()
        offered = [node_type for node_type in self._types.values() if node_type.offered]
        return iter(sorted(offered, key=lambda node_type: node_type.type))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __bool__(self) -> bool:
        return True  # by its length, "if registry" would load every type

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _load(self, name: str) -> None:
        load = self._lazy.pop(name, None)
        if load is not None and (node_type := load()) is not None:
            self.add(node_type)
