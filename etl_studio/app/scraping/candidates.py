"""Selectors that might find given elements, the robust ones first; nothing is tried out here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.app.scraping.robustness import COSTS, IN_CONTEXT, PLAIN_TAGS, is_generated, trait_of_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TELLING = (
    "itemprop",
    "data-testid",
    "data-test",
    "data-qa",
    "data-cy",
    "rel",
    "property",
    "name",
    "role",
    "aria-label",
)
"""Attributes whose values say what an element is."""
_VALUE = re.compile(r"[\w .:/-]{1,40}", re.ASCII)
_IDENT = re.compile(r"-?[a-zA-Z_][\w-]*", re.ASCII)
MOST_TESTS, MOST_OUTER = 10, 14
MOST_COMPARED = 60
"""Elements whose common traits are looked for; what others have in common with them shows when a selector is tried."""
MOST_SIBLINGS = 300
"""Elements among which one is found by its place; XPath takes square time for that."""
EVERY = "*"
"""What all elements are known by."""
LEVELS = 8
"""Elements around one that are looked at."""
INSIDE, CHILD = 5, 6
"""Costs of an element around another one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A selector with its cost.

    Attributes:
        css: the selector.
        cost: less is better.
        inner: what the element is known by.
        outer: what an element around it is known by; empty: none is named.
        child: whether that must be its parent.
        counts: whether it counts positions, too.
    """

    css: str
    cost: float
    inner: frozenset[str]
    outer: frozenset[str] = frozenset()
    child: bool = False
    counts: bool = False

    @property
    def holds_on_to(self) -> frozenset[str]:
        """What must stay so that it goes on to find what it finds; its tag is the least of that."""
        found = self.inner | self.outer
        telling = frozenset(test for test in found if not test.isalnum())
        return (telling or found) | ({"position"} if self.counts else frozenset())


def candidates(elements: Sequence[Any], scope: Any = None) -> list[Candidate]:
    """Selectors that match all given elements, and perhaps others; the least cost first.

    Args:
        elements: lxml elements; they must have something in common.
        scope: an element around all of them that the selectors are used inside of; None: the page.
    """
    if len(elements) > MOST_COMPARED:
        step = len(elements) // MOST_COMPARED
        elements = [*elements[::step], elements[-1]]
    own = compounds(elements, alone=len(elements) == 1, inside=scope is not None)
    found = {each.css: each for each in own}
    for inner in own[:MOST_TESTS]:
        for outer, child in _around(elements, scope):
            css = f"{outer.css} > {inner.css}" if child else f"{outer.css} {inner.css}"
            own_cost = IN_CONTEXT if inner.css in PLAIN_TAGS and outer.css not in PLAIN_TAGS else inner.cost
            cost = own_cost + outer.cost + (CHILD if child else INSIDE)
            if css not in found or found[css].cost > cost:
                counts = inner.counts or outer.counts
                found[css] = Candidate(css, cost, inner.inner, outer.inner, child, counts)
    return sorted(found.values(), key=lambda each: (each.cost, len(each.css)))


def compounds(elements: Sequence[Any], *, alone: bool = False, inside: bool = False) -> list[Candidate]:
    """Selectors of one element each that all given ones pass; the least cost first.

    Args:
        elements: lxml elements.
        alone: also by what is true of one of them only, such as the place among its siblings.
        inside: inside an item, of which there are many: not by the address of this one, and the like.
    """
    costs = _tests(elements[0], own=alone and not inside)
    for element in elements[1:]:
        theirs = _tests(element, own=False)
        costs = {test: cost for test, cost in costs.items() if test in theirs}
    tag = _tag(elements[0]) if len({element.tag for element in elements}) == 1 else ""
    of_tag = frozenset([tag] if tag else [])
    found: list[Candidate] = []
    for test, cost in costs.items():
        found.append(Candidate(test, cost, frozenset([test])))
        if tag:
            found.append(Candidate(tag + test, cost + 1.5, of_tag | {test}))
    classes = [test for test in costs if test.startswith(".")][:6]
    for number, first in enumerate(classes):
        found += [
            Candidate(first + second, max(costs[first], costs[second]) + 3, frozenset([first, second]))
            for second in classes[number + 1 :]
        ]
    if tag:
        found.append(Candidate(tag, COSTS["tags" if tag in PLAIN_TAGS else "telling"], of_tag))
    if alone and (place := _position(elements[0])):
        counting = [("", COSTS["tags"]), *sorted(costs.items(), key=lambda each: each[1])[:2]]
        found += [
            Candidate(
                tag + test + place[len(tag) :],
                cost + COSTS["position"],
                of_tag | ({test} if test else frozenset()) or frozenset([EVERY]),
                counts=True,
            )
            for test, cost in counting
        ]
    return sorted({each.css: each for each in found}.values(), key=lambda each: (each.cost, len(each.css)))


def known_by(element: Any) -> list[str]:
    """All that an element can be known by in candidates."""
    tag = _tag(element)
    return [*_tests(element, own=True), EVERY, *([tag] if tag else [])]


def full_path(element: Any, scope: Any = None) -> str:
    """An XPath that matches this element alone: always right, and always fragile."""
    steps = []
    while element is not None and element is not scope:
        before = sum(1 for each in element.itersiblings(preceding=True) if isinstance(each.tag, str))
        name, place = "*", before + 1
        if _IDENT.fullmatch(element.tag):
            name, place = element.tag, 1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))
        steps.append(f"{name}[{place}]")
        element = element.getparent()
    if scope is not None:
        return "./" + "/".join(reversed(steps)) if steps else "./self::*"
    return "/" + "/".join(reversed(steps))


def quoted(name: str) -> str:
    """The name of a class or id as it stands in CSS."""
    if _IDENT.fullmatch(name):
        return name
    found = "".join(each if re.match(r"[\w-]", each, re.ASCII) or ord(each) > 127 else f"\\{each}" for each in name)  # noqa: PLR2004 - ASCII
    if found[0].isdigit() and found[0].isascii():
        return f"\\3{found[0]} {found[1:]}"
    if found[0] == "-" and (len(found) == 1 or found[1].isdigit()):
        return "\\" + found
    return found


def _tests(element: Any, *, own: bool) -> dict[str, float]:
    """What an element is known by, with the cost of each; ``own``: also by values that others hardly share."""
    found: dict[str, float] = {}
    if name := (element.get("id") or "").strip():
        trait = trait_of_name(name)
        if not re.search(r"\s", name):
            found[f"#{quoted(name)}"] = (
                2 if trait == "named" and not any(map(str.isdigit, name)) else max(COSTS[trait], 20)
            )
    for name in (element.get("class") or "").split():
        found[f".{quoted(name)}"] = COSTS[trait_of_name(name)] + (1 if len(name) < 3 else 0)  # noqa: PLR2004 - says little
    for key in TELLING:
        value = element.get(key)
        if value and _VALUE.fullmatch(value) and value == value.strip():
            worse = is_generated(value) or any(map(str.isdigit, value))
            found[f'[{key}="{value}"]'] = COSTS["numbered"] if worse else 4 + TELLING.index(key) * 0.6
    for key, value in element.attrib.items():
        if not _IDENT.fullmatch(key) or key != key.lower() or is_generated(key):
            continue
        if key.startswith("data-") and key not in TELLING:
            found[f"[{key}]"] = 8
        if own and (key.startswith("data-") or key == "href") and _VALUE.fullmatch(value) and value == value.strip():
            found.setdefault(f'[{key}="{value}"]', COSTS["generated"] if is_generated(value) else 22)
    return found


def _tag(element: Any) -> str:
    return element.tag if _IDENT.fullmatch(element.tag) and element.tag == element.tag.lower() else ""


def _position(element: Any) -> str:
    parent = element.getparent()
    if parent is None or len(parent) > MOST_SIBLINGS:
        return ""
    if tag := _tag(element):
        return f"{tag}:nth-of-type({1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))})"
    before = sum(1 for each in element.itersiblings(preceding=True) if isinstance(each.tag, str))
    return f"*:nth-child({before + 1})"


def _around(elements: Sequence[Any], scope: Any) -> Iterator[tuple[Candidate, bool]]:
    """What stands around all of them, nearest first, and whether it is the parent of each."""
    parents = list(dict.fromkeys(element.getparent() for element in elements))
    if (scope is not None and any(parent is scope for parent in parents)) or None in parents:
        return
    given = 0
    child = True
    for _ in range(LEVELS):
        single = len(parents) == 1
        for each in compounds(parents, alone=single and len(elements) == 1, inside=scope is not None)[:4]:
            if each.css in ("html", "body", "div", "span"):
                continue
            yield each, False
            if child:
                yield each, True
            given += 1
        if given >= MOST_OUTER:
            return
        parents = list(dict.fromkeys(parent.getparent() for parent in parents))
        if None in parents or (scope is not None and any(parent is scope for parent in parents)):
            return
        child = False
