"""What runs leave for later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Memory(Protocol):
    """Facts under keys, in the workspace; for what may be lost, such as how often a field was found."""

    def remembered(self, key: str) -> dict[str, Any] | None:
        """What an earlier run kept under a key."""
        ...

    def remember(self, key: str, facts: Mapping[str, Any]) -> None:
        """Keep facts, as JSON, for later runs."""
        ...
