"""The fields of an item in one walk over its elements.

Most selectors of scrapers are simple: a tag, a class, perhaps inside another one. XPath looks at each element of an
item once for each field; one walk for all fields together takes a fifth of that. Whatever is not that simple is left
to XPath, and both give the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from etl_studio.nodes.extract._selectors import Selector, resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    Place: TypeAlias = tuple["SimpleSelector | None", list[tuple[int, str, str, Selector]]]
    """What an element must stand in, and the fields that are taken of it: where to, what, attribute, selector."""

MOST_KNOWN = 1_000
"""Pairs of tag and class that are remembered; pages may make up new ones without end."""
_BLANKS = str.maketrans("\t\r\n", "   ")


@dataclass(frozen=True, slots=True)
class Compound:
    """What one element must be.

    Attributes:
        tag: its name; empty: any.
        classes: those that it has.
        id: its id; empty: any.
    """

    tag: str = ""
    classes: tuple[str, ...] = ()
    id: str = ""
    _known: dict[tuple[Any, str | None], bool] = field(default_factory=dict, init=False, compare=False, repr=False)

    def has(self, tag: Any, classes: str | None) -> bool:
        """Whether an element with this tag and attribute ``class`` may be so; its id is not looked at."""
        if self.tag and tag != self.tag:
            return False
        padded = f" {(classes or '').translate(_BLANKS)} "
        return all(f" {name} " in padded for name in self.classes)

    def fits(self, element: Any) -> bool:
        """Whether an element is so."""
        kind = (element.tag, element.get("class"))
        known = self._known.get(kind)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[kind] = self.has(*kind)
        return known and (not self.id or element.get("id") == self.id)


@dataclass(frozen=True, slots=True)
class SimpleSelector:
    """Compounds inside each other, and what is taken of the innermost.

    Attributes:
        last: the element.
        outer: what stands around it, the innermost first.
        takes: ``text`` of the element itself, ``attribute``, or its whole ``content``.
        attribute: name of the attribute.
    """

    last: Compound
    outer: tuple[Compound, ...]
    takes: Literal["text", "attribute", "content"]
    attribute: str = ""

    def stands(self, element: Any, item: Any) -> bool:
        """Whether an element of the right tag and class has its id, and stands in what it must inside the item."""
        if self.last.id and element.get("id") != self.last.id:
            return False
        for wanted in self.outer:
            while True:
                if element is item or (element := element.getparent()) is None:
                    return False
                if wanted.fits(element):
                    break
        return True


def simple(css: str) -> SimpleSelector | None:
    """A selector as a simple one; None: it is not."""
    from cssselect import parse
    from cssselect.parser import FunctionalPseudoElement, SelectorError

    if css.startswith(("/", "./", "(")):
        return None
    try:
        parsed = parse(css)
    except (SelectorError, ValueError, RecursionError):
        return None
    if len(parsed) != 1:
        return None
    compounds = _compounds(parsed[0].parsed_tree)
    if compounds is None:
        return None
    pseudo = parsed[0].pseudo_element
    last, outer = compounds[-1], tuple(reversed(compounds[:-1]))
    if pseudo is None:
        return SimpleSelector(last, outer, "content")
    if pseudo == "text":
        return SimpleSelector(last, outer, "text")
    if isinstance(pseudo, FunctionalPseudoElement) and pseudo.name == "attr" and len(pseudo.arguments) == 1:
        return SimpleSelector(last, outer, "attribute", str(pseudo.arguments[0].value))
    return None


def _compounds(tree: Any) -> list[Compound] | None:
    from cssselect.parser import Class, CombinedSelector, Element, Hash

    if isinstance(tree, CombinedSelector):
        if tree.combinator != " ":
            return None
        outer, inner = _compounds(tree.selector), _compounds(tree.subselector)
        return None if outer is None or inner is None else outer + inner
    if isinstance(tree, Element):
        return None if tree.namespace else [Compound((tree.element or "").lower())]
    if isinstance(tree, Class | Hash):
        found = _compounds(tree.selector)
        if found is None or len(found) != 1:
            return None
        one = found[0]
        if isinstance(tree, Class):
            return [Compound(one.tag, (*one.classes, tree.class_name), one.id)]
        return None if one.id else [Compound(one.tag, one.classes, tree.id)]
    return None


class ItemWalk:
    """Finds the first values of simple fields inside an item.

    Args:
        fields: selectors, with where their values go in a row.
    """

    def __init__(self, fields: Sequence[tuple[int, SimpleSelector, Selector]]) -> None:
        self._count = len(fields)
        places: dict[tuple[Compound, tuple[Compound, ...]], Place] = {}
        for at, wanted, selector in fields:
            placed = wanted if wanted.outer or wanted.last.id else None
            _, taken = places.setdefault((wanted.last, wanted.outer), (placed, []))
            taken.append((at, wanted.takes, wanted.attribute, selector))
        self._places = [(last, place) for (last, _), place in places.items()]
        self._known: dict[tuple[Any, str | None], tuple[Place, ...]] = {}

    def fill(self, values: list[str | None], item: Any, base: str) -> None:
        """Put the values of an item where they go; what does not match stays None."""
        missing, known = self._count, self._known
        for element in item.iter():
            kind = (element.tag, element.get("class"))
            candidates = known.get(kind)
            if candidates is None:
                candidates = self._learn(kind)
            for placed, fields in candidates:
                if placed is not None and not placed.stands(element, item):
                    continue
                for at, takes, attribute, selector in fields:
                    if values[at] is None:
                        written = element.get(attribute) if takes == "attribute" else element.text
                        if takes != "attribute" and len(element):
                            written = _mixed(element, item, takes, selector, base)
                        if written and (parts := written.split()):
                            text = parts[0] if len(parts) == 1 else " ".join(parts)
                            values[at] = resolved(base, text) if selector.link else text
                            missing -= 1
            if not missing:
                return

    def _learn(self, kind: tuple[Any, str | None]) -> tuple[Place, ...]:
        """The places for which elements of a tag and class may count, looked up once for each such pair."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        is_element = isinstance(kind[0], str)  # and no comment
        found = tuple(one for compound, one in self._places if is_element and compound.has(*kind))
        self._known[kind] = found
        return found


def _mixed(element: Any, item: Any, takes: str, selector: Selector, base: str) -> str | None:
    """The text of an element that has children."""
    if takes == "content":
        return selector.content(element)
    text: str | None = element.text
    # Further texts stand between its children, which may match themselves: XPath has their order.
    return text if text and not text.isspace() else selector.first(item, base)
