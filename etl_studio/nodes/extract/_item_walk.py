"""The fields of an item in one walk over its elements.

Most selectors of scrapers are simple: a tag, a class, perhaps inside another one. XPath looks at each element of an
item once for each field; one walk for all fields together takes a fifth of that. Whatever is not that simple is left
to XPath, and both give the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from etl_studio.nodes.extract._selectors import Selector, resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    Field: TypeAlias = tuple[int, "SimpleSelector", Selector]

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

    def has(self, tag: Any, classes: str | None) -> bool:
        """Whether an element with this tag and attribute ``class`` may be so; its id is not looked at."""
        if self.tag and tag != self.tag:
            return False
        padded = f" {(classes or '').translate(_BLANKS)} "
        return all(f" {name} " in padded for name in self.classes)

    def fits(self, element: Any) -> bool:
        """Whether an element is so."""
        return self.has(element.tag, element.get("class")) and (not self.id or element.get("id") == self.id)


@dataclass(frozen=True)
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

    @cached_property
    def id_or_outer(self) -> bool:
        """Whether tag and class of the element are not all."""
        return bool(self.outer or self.last.id)

    def stands(self, element: Any, item: Any) -> bool:
        """Whether an element of the right tag and class has its id, and stands in what it must inside the item."""
        if self.last.id and element.get("id") != self.last.id:
            return False
        outer = iter(self.outer)
        wanted = next(outer, None)
        while wanted is not None:
            if element is item:
                return False
            element = element.getparent()
            if element is None:
                return False
            if wanted.fits(element):
                wanted = next(outer, None)
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

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self._known: dict[tuple[Any, str | None], tuple[Field, ...]] = {}

    def fill(self, values: list[str | None], item: Any, base: str) -> None:
        """Put the values of an item where they go; what does not match stays None."""
        missing = len(self._fields)
        known = self._known
        for element in item.iter():
            kind = (element.tag, element.get("class"))
            candidates = known.get(kind)
            if candidates is None:
                candidates = self._candidates(element, kind)
            for field in candidates:
                at, wanted, selector = field
                if values[at] is not None or (wanted.id_or_outer and not wanted.stands(element, item)):
                    continue
                if (value := _value(element, item, base, wanted, selector)) is not None:
                    values[at] = value
                    missing -= 1
                    if not missing:
                        return

    def _candidates(self, element: Any, kind: tuple[Any, str | None]) -> tuple[Field, ...]:
        """The fields that an element of this tag and class may be."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        found = tuple(field for field in self._fields if field[1].last.has(kind[0], kind[1]))
        if not isinstance(element.tag, str):  # a comment
            found = ()
        self._known[kind] = found
        return found


def _value(element: Any, item: Any, base: str, wanted: SimpleSelector, selector: Selector) -> str | None:
    if wanted.takes == "attribute":
        written = element.get(wanted.attribute)
    elif wanted.takes == "text":
        written = element.text
        if (not written or written.isspace()) and len(element):
            # Further texts stand between its children, which may match themselves: only XPath has their order.
            return selector.first(item, base)
    else:
        written = selector.content(element) if len(element) else element.text
    text = " ".join(written.split()) if written else ""
    if not text:
        return None
    return resolved(base, text) if selector.link else text
