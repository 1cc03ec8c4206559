"""Finds lists in a page: elements that repeat, and the fields in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, TypeAlias

from etl_studio.app.scraping.proposals import Proposal, for_elements, for_field, things_in
from etl_studio.app.scraping.robustness import trait_of_name
from etl_studio.nodes.extract._selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.app.scraping.index import Index

Kind: TypeAlias = tuple[str, frozenset[str]]

FEWEST = 3
"""Elements that make a list."""
MOST_LISTS = 6
SAMPLE = 12
"""Items that are looked into."""
MOST_FIELDS = 8
_OFF = {"script", "style", "noscript", "template", "option", "br", "td", "th", "svg", "path", "head", "meta", "link"}


@dataclass(frozen=True, slots=True)
class RepeatedItems:
    """A list on a page.

    Attributes:
        proposal: the best selector that finds just these items.
        elements: the lxml elements, in the order of the page.
        score: how likely a person wants it; more is better.
    """

    proposal: Proposal
    elements: tuple[Any, ...]
    score: float


def repeated_items(index: Index, most: int = MOST_LISTS) -> list[RepeatedItems]:
    """The lists of a page, what looks most like data first."""
    root = index.root
    often = Counter(name for each in root.iter() if isinstance(each.tag, str) for name in _names(each))
    kinds: dict[tuple[str, str], Kind] = {}

    def kind(element: Any) -> Kind:
        key = element.tag, element.get("class") or ""
        if key not in kinds:
            kinds[key] = _kind(*key, often)
        return kinds[key]

    groups: dict[tuple[Kind, Kind], list[Any]] = {}
    for parent in root.iter():
        if not isinstance(parent.tag, str) or parent.tag in _OFF or len(parent) < 1:
            continue
        own = kind(parent)
        for child in parent:
            if isinstance(child.tag, str) and child.tag not in _OFF:
                groups.setdefault((own, kind(child)), []).append(child)
    ranked = sorted(
        ((_score(members), members) for members in groups.values() if len(members) >= FEWEST),
        key=lambda one: -one[0],
    )
    found: list[RepeatedItems] = []
    for score, members in ranked[: 3 * most]:
        if score <= 0 or any(_overlap(members, other.elements) for other in found):
            continue
        among = set(members)
        found += [
            RepeatedItems(proposal, tuple(each for each in root.iter() if each in among), score)
            for proposal in for_elements(index, members, 1)
        ]
        if len(found) == most:
            break
    return found


def fields_of(items: Sequence[Any], base: str, most: int = MOST_FIELDS) -> list[Proposal]:
    """Fields that most items have, in the order in which they stand in an item; none says the same as another."""
    found: list[Proposal] = []
    told: set[tuple[str, ...]] = set()
    names: Counter[str] = Counter()
    fullest = max(items[:SAMPLE], key=lambda item: sum(1 for _ in item.iter()), default=None)
    for element in fullest.iter() if fullest is not None else ():
        if not isinstance(element.tag, str) or element.tag in ("script", "style", "noscript", "template"):
            continue
        things = [thing for thing in things_in(element) if thing in ("own text", "href", "src", "datetime")]
        proposals = for_field(items, element, base, 1) if things else []
        for takes in things:
            best = next((each for each in proposals if each.takes == takes), None)
            if best is None or best.matches < best.of / 2 or best.judgement.level == "fragile":
                continue
            values = _values(best.selector, items, base)
            if values in told:
                continue
            told.add(values)
            names[best.name] += 1
            name = best.name if names[best.name] == 1 else f"{best.name}_{names[best.name]}"
            found.append(Proposal(best.selector, best.matches, best.judgement, best.of, best.sample, best.takes, name))
            if len(found) == most:
                return found
    return found


def _values(selector: str, items: Sequence[Any], base: str) -> tuple[str, ...]:
    find = Selector(selector)
    return tuple(find.first(item, base) or "" for item in items[:SAMPLE])


def _names(element: Any) -> list[str]:
    return (element.get("class") or "").split()


def _kind(tag: str, classes: str, often: Counter[str]) -> Kind:
    """Tag and classes of an element, but for those that differ from one to the next."""
    lasting = [name for name in classes.split() if often[name] >= FEWEST or trait_of_name(name) == "named"]
    return tag, frozenset(name for name in lasting if trait_of_name(name) in ("named", "generated"))


def _score(members: Sequence[Any]) -> float:
    """How much data is in the members: how many there are, and how many different texts and links in each."""
    sample = members[:SAMPLE]
    amounts = [_amount(member) for member in sample]
    texts = {" ".join("".join(member.itertext()).split()) for member in sample}
    if len(texts) < max(2, len(sample) // 2) or median(amounts) < 1:
        return 0
    shapes = Counter(frozenset(each.tag for each in member.iter() if isinstance(each.tag, str)) for member in sample)
    alike = shapes.most_common(1)[0][1] / len(sample)
    around = {each.tag for each in members[0].iterancestors()} & {"nav", "header", "footer", "aside"}
    score: float = min(len(members), 40) ** 0.5 * min(float(median(amounts)), 12.0) * (0.4 + 0.6 * alike)
    return score * (0.3 if around else 1.0)


def _amount(member: Any) -> int:
    found = 0
    for element in member.iter():
        if isinstance(element.tag, str) and element.tag not in _OFF - {"td", "th"}:
            found += bool((element.text or "").strip()) + (element.tag in ("a", "img"))
    return found


def _overlap(members: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether one list is a part of another: parts of its items, or boxes around them."""
    among = set(others)
    first = members[0]
    if any(outer in among for outer in (first, *first.iterancestors())):
        return True
    own = set(members)
    return any(outer in own for outer in others[0].iterancestors())
