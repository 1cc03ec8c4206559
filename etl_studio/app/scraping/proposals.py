"""Selectors for what a person points at, each tried out by the code of the nodes: it finds just what was asked for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.app.scraping.candidates import Candidate, candidates, compounds, full_path
from etl_studio.app.scraping.robustness import Robustness, robustness
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etl_studio.app.scraping.index import Index

MOST = 5
"""Selectors that are proposed for one thing."""
LEAST_TRIED, MOST_TRIED = 6, 90
"""Candidates that are tried out for it; fewer on larger pages."""
TRIES_TIMES_ELEMENTS = 300_000
NESTED_LOOKED_AT = 500
"""Elements of which is looked whether they stand in each other."""
MOST_ITEMS = 200
"""Items in which a field is tried out."""
_SPECIAL = {"a": ("href",), "img": ("src", "alt"), "time": ("datetime",), "meta": ("content",), "link": ("href",)}
_NAMES = {"href": "link", "src": "image", "datetime": "date", "content": "value"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A selector that finds what was asked for.

    Attributes:
        selector: CSS or XPath.
        matches: how many elements it finds; of a field: in how many items it finds a value.
        of: how many items there are; 0: it is not about items.
        judgement: how well it is likely to last.
        sample: of a field: its value in the item that was pointed at.
        takes: of a field: ``text``, or the name of an attribute.
        name: of a field: how its column might be called.
    """

    selector: str
    matches: int
    judgement: Robustness
    of: int = 0
    sample: str = ""
    takes: str = ""
    name: str = ""


def for_elements(index: Index, elements: Sequence[Any], most: int = MOST) -> list[Proposal]:
    """Selectors that find exactly these elements in a page, each independent of those before it.

    Args:
        index: the page.
        elements: in any order.
        most: how many at most.
    """
    wanted = set(elements)
    index.check()
    possible = [each for each in candidates(list(elements)) if index.may_be(each, wanted)]
    found = [
        Proposal(each.css, len(wanted), robustness(each.css))
        for each in _independent(possible[: tries(index)], most, lambda css: set(_found(css, index)) == wanted)
    ]
    if not found and len(wanted) == 1:
        found.append(_by_path(full_path(elements[0])))
    return sorted(found, key=lambda each: each.judgement.cost)


def for_alike(index: Index, element: Any, most: int = MOST) -> list[Proposal]:
    """Selectors that find an element together with others that are like it: of the same tag, none inside another.

    Those come first that find whole lists: elements of one parent, or parents, that hold nothing else of their kind.
    """
    groups: dict[frozenset[Any], Candidate] = {}
    shared = [each for each in candidates([element]) if not each.counts and not each.css.startswith("#")]
    for each in shared[:MOST_TRIED]:
        index.check()
        matched = frozenset(index.found_by(each))
        if len(matched) > 1 and matched not in groups and all(other.tag == element.tag for other in matched):
            groups[matched] = each
    ranked = sorted(groups.items(), key=lambda group: group[1].cost + _spread(group[0]))
    found: list[Proposal] = []
    for members, best in ranked:
        if not _any_inside(members) and set(_found(best.css, index)) == members:
            found.append(Proposal(best.css, len(members), robustness(best.css)))
        if len(found) == most:
            break
    return found


def alternatives(index: Index, selector: str) -> list[Proposal]:
    """Other selectors that find the same elements as one that a person has typed; empty where it finds none."""
    elements = _elements(selector, index.root)
    if not elements or len({each.tag for each in elements}) > 1:
        return []
    return [each for each in for_elements(index, elements) if each.selector != selector]


def for_field(items: Sequence[Any], element: Any, base: str, most: int = MOST) -> list[Proposal]:
    """Selectors of what an element holds (its text, its link, ...), looked for inside the items.

    Args:
        items: lxml elements; one of them is the element or stands around it.
        element: what was pointed at.
        base: address that relative links start at.
        most: how many at most for each thing that it holds.
    """
    among = set(items)
    item = next((each for each in (element, *element.iterancestors()) if each in among), None)
    if item is None:
        return []
    sampled = items[:MOST_ITEMS]
    found = []
    for takes in things_in(element):
        wanted = value_of(element, takes, base)
        ways = []
        for each in _independent(
            _within(element, item)[: tries_in(item)],
            most,
            lambda css: next(iter(_elements(css, item)), None) is element,
        ):
            selector = each.css + suffix(takes)
            if Selector(selector).first(item, base) == wanted:
                ways.append(selector)
        for selector in ways or [_path_to(element, item, takes)]:
            find = Selector(selector)
            if find.first(item, base) != wanted:
                continue
            hits = sum(find.first(other, base) is not None for other in sampled)
            judged = robustness(selector)
            found.append(Proposal(selector, hits, judged, len(sampled), wanted or "", takes, name_of(element, takes)))
    ordered = sorted(found, key=lambda each: each.judgement.cost + 30 * (1 - each.matches / max(each.of, 1)))
    lasting = {each.takes for each in ordered if each.judgement.level != "fragile"}
    return [each for each in ordered if each.judgement.level != "fragile" or each.takes not in lasting]


def things_in(element: Any) -> list[str]:
    """What can be taken of an element: ``own text`` and ``text`` (with that of the elements in it), attributes."""
    own = any(each.strip() for each in (element.text or "", *(child.tail or "" for child in element)))
    whole = bool("".join(element.itertext()).strip())
    found = (["own text"] if own else []) + (["text"] if whole and (len(element) or not own) else [])
    preferred = _SPECIAL.get(element.tag, ())
    found += [key for key in preferred if (element.get(key) or "").strip()]
    for key, value in element.attrib.items():
        if (key.startswith("data-") or key in ("title", "content", "datetime", "value")) and key not in found:
            found += [key] if value.strip() and re.fullmatch(r"[a-z][\w-]*", key, re.ASCII) else []
    return found


def value_of(element: Any, takes: str, base: str) -> str | None:
    """What ``takes`` means for an element, as the nodes give it."""
    here = Selector("./self::*" + {"own text": "/text()", "text": ""}.get(takes, f"/@{takes}"))
    return here.first(element, base)


def suffix(takes: str) -> str:
    """What stands behind a CSS selector so that it gives that."""
    return {"own text": "::text", "text": ""}.get(takes, f"::attr({takes})")


def name_of(element: Any, takes: str) -> str:
    """A name for the column: by what the page calls it, else by what it is."""
    if takes in ("href", "src"):
        return _NAMES[takes]
    said = [element.get("itemprop"), *(element.get("class") or "").split(), element.get("data-testid")]
    for name in said:
        if name and robustness(f'[itemprop="{name}"]' if '"' not in name else "a").level == "robust":
            words = re.findall(r"[A-Za-z][a-z]*|\d+", name)
            if words and len(name) <= 30:  # noqa: PLR2004 - a column's name is short
                return "_".join(words[-2:] if len(words) > 3 else words).lower()  # noqa: PLR2004 - as above
    if takes in _NAMES:
        return _NAMES[takes]
    if takes not in ("own text", "text"):
        return takes.removeprefix("data-").replace("-", "_")
    if re.fullmatch(r"h[1-6]", element.tag) or any(re.fullmatch(r"h[1-6]", each.tag) for each in _near(element)):
        return "title"
    return {"a": "title", "time": "date", "img": "image", "p": "text"}.get(element.tag, "text")


def _near(element: Any) -> list[Any]:
    parent = element.getparent()
    return [parent] if parent is not None and isinstance(parent.tag, str) else []


def _within(element: Any, item: Any) -> list[Candidate]:
    if element is item:
        return compounds([element])
    return candidates([element], item)


def _path_to(element: Any, item: Any, takes: str) -> str:
    return full_path(element, item) + {"own text": "/text()", "text": ""}.get(takes, f"/@{takes}")


def _independent(ordered: Sequence[Candidate], most: int, finds: Any) -> Iterator[Candidate]:
    """The candidates that find what is wanted, without those that hold on to what an earlier one holds on to."""
    taken: list[frozenset[str]] = []
    for each in ordered:
        if any(held <= each.holds_on_to for held in taken) or not finds(each.css):
            continue
        taken.append(each.holds_on_to)
        yield each
        if len(taken) == most:
            return


def tries(index: Index) -> int:
    """How many candidates are tried out on a page, so that it takes a moment on one of any size."""
    return max(LEAST_TRIED, min(MOST_TRIED, TRIES_TIMES_ELEMENTS // max(index.elements, 1)))


def tries_in(item: Any) -> int:
    """How many candidates are tried out in an item."""
    return max(LEAST_TRIED, min(MOST_TRIED, TRIES_TIMES_ELEMENTS // sum(1 for _ in item.iter())))


def _found(css: str, index: Index) -> list[Any]:
    index.check()
    return _elements(css, index.root)


def _elements(css: str, node: Any) -> list[Any]:
    """What a selector finds, by the code that finds items in a run."""
    try:
        return Selector(css).elements(node)
    except (ValueError, PermanentError):
        return []


def _by_path(path: str) -> Proposal:
    return Proposal(path, 1, robustness(path))


def _any_inside(elements: frozenset[Any]) -> bool:
    """Whether elements stand in each other; of many some are looked at."""
    step = max(1, len(elements) // NESTED_LOOKED_AT)
    return any(outer in elements for element in list(elements)[::step] for outer in element.iterancestors())


def _spread(members: frozenset[Any]) -> float:
    """How unlike the members are: they should stand beside each other, and be all of their kind there."""
    parents = Counter(element.getparent() for element in members)
    alone = sum(1 for parent, count in parents.items() if count < 2) / len(parents)  # noqa: PLR2004 - beside each other
    return 6 * alone + (2 if len(members) < 3 else 0)  # noqa: PLR2004 - two may be a chance
