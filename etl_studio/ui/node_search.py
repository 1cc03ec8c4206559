"""Fuzzy search over node types: what a person types against title, type and keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from etl_studio.sdk import Node

GROUPS = ("extract", "transform", "quality", "load")
"""Sections of the palette, in the order of the work."""


def group_order(node_type: type[Node]) -> tuple[int, str]:
    """Sorts types by section, then by title."""
    place = GROUPS.index(node_type.group) if node_type.group in GROUPS else len(GROUPS)
    return place, tr(node_type.title).casefold()


def search(
    query: str, types: Iterable[type[Node]], rank: Callable[[type[Node]], int] = lambda _: 0
) -> list[type[Node]]:
    """The types that match every word of a query, best first; all for an empty one.

    Args:
        query: what was typed.
        types: those to choose from.
        rank: decides between types that match equally well, the smallest first; then the section does.
    """
    words = query.casefold().split()
    scored = [(sum(scores), node_type) for node_type in types if all(scores := [_score(w, node_type) for w in words])]
    scored.sort(key=lambda pair: (-pair[0], rank(pair[1]), *group_order(pair[1])))
    return [node_type for _, node_type in scored]


def first_line(node_type: type[Node]) -> str:
    """The first line of a node type's documentation."""
    return next(iter((node_type.__doc__ or node_type.title).strip().splitlines()), "").rstrip(".")


def _score(word: str, node_type: type[Node]) -> int:
    """How well one word fits: 0 not at all; its very name is best."""
    title, english = tr(node_type.title).casefold(), node_type.title.casefold()
    names = [*title.split(), *english.split(), *node_type.type.split("_")]
    keywords = [keyword.casefold() for keyword in node_type.keywords]
    if word in (title, english, node_type.type):
        return 120
    if title.startswith(word) or english.startswith(word):
        return 100
    if any(name.startswith(word) for name in names):
        return 80
    if any(keyword.startswith(word) for keyword in keywords):
        return 60
    if word in title or word in english or word in node_type.type:
        return 40
    if any(word in keyword for keyword in keywords):
        return 30
    return 10 if len(word) > 1 and any(_in_order(word, text) for text in (title, english, node_type.type)) else 0


def _in_order(word: str, text: str) -> bool:
    """Whether the letters of a word occur in a text in their order: ``sqs`` in ``sqlite_sink``."""
    letters = iter(text)
    return text[:1] == word[:1] and all(letter in letters for letter in word)
