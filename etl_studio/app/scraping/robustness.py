"""How well a selector is likely to survive changes of a site, judged by what it holds on to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Level: TypeAlias = Literal["robust", "fair", "fragile"]
Trait: TypeAlias = Literal[
    "named", "telling", "position", "generated", "numbered", "styling", "state", "tags", "deep", "text"
]

PLAIN_TAGS = frozenset(
    ("a", "b", "div", "em", "i", "li", "p", "span", "strong", "td", "th", "tr", "ul", "ol", "section")
)
"""Tags that say nothing of what is in them; others, such as ``h2`` or ``time``, do."""
IN_CONTEXT = 6
"""Cost of a plain tag inside something that says more."""
COSTS: dict[Trait, int] = {
    "named": 3,
    "telling": 12,
    "position": 50,
    "generated": 45,
    "numbered": 40,
    "styling": 24,
    "state": 24,
    "tags": 26,
    "deep": 8,
    "text": 40,
}
"""What each thing that a selector holds on to costs; less is better."""
ROBUST, FAIR = 22, 40
"""Costs below which a selector is robust, and fair."""
SHORT_CHAIN = 3
"""Elements named in a selector, above which it is deep."""

_FRAMEWORK = re.compile(r"^(?:css|sc|jsx|jss|emotion|styled|svelte|astro|data-v|_ng\w*|ng)-+[\w-]*[\dA-Z][\w-]*$")
_HASH_END = re.compile(r"(?:__|--|_|-)(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])([A-Za-z0-9]{5,})$")
_NUMBER = re.compile(r"(?<!\d)\d{3,}(?!\d)")
_HEX = re.compile(r"^(?=[a-f]*\d)[0-9a-f]{6,}$|[0-9a-f]{8}-[0-9a-f]{4}-")
_STYLING = re.compile(
    r"^-?(?:[mp][trblxyse]?-\S+|(?:flex|grid|block|inline|hidden|row|col|cols|container|clearfix|d|w|h|text|bg|border|"
    r"rounded|shadow|font|items|justify|gap|space|float|align|pull|relative|absolute|fixed|sticky|overflow|max|min|"
    r"leading|tracking|z|order|basis|grow|shrink|span|fw|fs|opacity|transition|cursor)(?:-\S+)?)$"
)
_STATE = re.compile(
    r"^(?:is-|has-|js-)|^(?:active|selected|open|opened|closed|current|first|last|odd|even|hover|focus|disabled|"
    r"enabled|visible|hidden|show|shown|loaded|loading|lazy|lazyload|lazyloaded|collapsed|expanded|checked)$"
)


@dataclass(frozen=True, slots=True)
class Robustness:
    """A judgement.

    Attributes:
        cost: 0 and more; less is better.
        traits: what the selector holds on to that makes it worse, the worst first.
    """

    cost: int
    traits: tuple[Trait, ...] = ()

    @property
    def level(self) -> Level:
        """In one word."""
        return "robust" if self.cost < ROBUST else "fair" if self.cost < FAIR else "fragile"


@lru_cache(maxsize=20_000)
def trait_of_name(name: str) -> Trait:
    """What the name of a class, or an id, tells: whether a person has given it to say what the element is."""
    if is_generated(name):
        return "generated"
    if _STATE.match(name):
        return "state"
    if ":" in name or _STYLING.match(name):
        return "styling"
    return "numbered" if _NUMBER.search(name) else "named"


@lru_cache(maxsize=20_000)
def is_generated(name: str) -> bool:
    """Whether a program has made a name up, such as ``css-1x2ab9`` or ``sc-bdVaJa``; it changes with each release."""
    if _FRAMEWORK.match(name) or _HEX.search(name):
        return True
    if (end := _HASH_END.search(name)) is not None and _is_mixed(end[1]):
        return True
    return any(len(part) > 4 and _is_mixed(part) for part in re.split(r"[-_]+", name))  # noqa: PLR2004 - a short part tells nothing


def _is_mixed(part: str) -> bool:
    """Whether letters, digits and capitals change as they do in no word."""
    if part.isdigit() or (part.isalpha() and part == part.lower()):
        return False
    pieces = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", part)
    digits = sum(piece.isdigit() for piece in pieces)
    if digits and not part[0].isdigit() and len(pieces) == 2 and pieces[1].isdigit():  # noqa: PLR2004 - column12
        return False
    return len(pieces) > 1 and len(part) / len(pieces) < 2.5  # noqa: PLR2004 - words of fewer letters are none


@lru_cache(maxsize=2_000)
def robustness(selector: str) -> Robustness:
    """Judge a selector that is valid; of several with commas between, the worst part counts.

    Args:
        selector: CSS or XPath, as the nodes take them.
    """
    if selector.startswith(("jsonld:", "microdata:")):
        return Robustness(COSTS["named"])
    if selector.startswith(("/", "./", "(")):
        return _of_traits(_xpath_traits(selector), len(re.findall(r"[\w*\]]+/", selector)))
    from cssselect import parse
    from cssselect.parser import SelectorError

    try:
        parts = parse(selector)
    except (SelectorError, ValueError, RecursionError):
        return Robustness(COSTS["position"])
    return max((_of_css(part.parsed_tree) for part in parts), key=lambda found: found.cost)


def _of_css(tree: Any) -> Robustness:
    compounds = [_css_traits(compound) for compound in _compounds(tree)]
    return _of_traits([trait for traits in compounds for trait in traits], len(compounds))


def _of_traits(traits: Iterable[Trait], elements: int) -> Robustness:
    found = list(traits)
    if elements > SHORT_CHAIN:
        found += ["deep"] * (elements - SHORT_CHAIN)
    plain = found.count("tags")
    if plain and len(found) > plain:  # a plain tag inside something that says more
        found = [trait for trait in found if trait != "tags"]
    cost = (
        sum(COSTS[trait] for trait in found) + 2 * (elements - 1) + (IN_CONTEXT * plain if "tags" not in found else 0)
    )
    worse = sorted({trait for trait in found if trait not in ("named", "telling")}, key=lambda trait: -COSTS[trait])
    return Robustness(cost, tuple(worse))


def _compounds(tree: Any) -> Iterator[Any]:
    from cssselect.parser import CombinedSelector

    if isinstance(tree, CombinedSelector):
        yield from _compounds(tree.selector)
        yield from _compounds(tree.subselector)
    else:
        yield tree


def _css_traits(tree: Any) -> list[Trait]:
    """What one element of a selector is known by; its tag counts where there is nothing else."""
    from cssselect.parser import Attrib, Class, Element, Function, Hash, Pseudo

    found: list[Trait] = []
    while not isinstance(tree, Element):
        if isinstance(tree, Class):
            found.append(trait_of_name(tree.class_name))
        elif isinstance(tree, Hash):
            found.append(trait_of_name(tree.id))
        elif isinstance(tree, Attrib):
            found.append(_trait_of_attribute(tree.attrib, "" if tree.value is None else str(tree.value.value)))
        elif isinstance(tree, Function):
            found.append("position" if tree.name.startswith("nth") else "text" if tree.name == "contains" else "state")
        elif isinstance(tree, Pseudo):
            found.append("position" if tree.ident.endswith(("-child", "-of-type")) else "state")
        tree = getattr(tree, "selector", None)
        if tree is None:
            break
    if found or tree is None:
        return found
    return ["tags"] if not tree.element or tree.element.lower() in PLAIN_TAGS else ["telling"]


def _trait_of_attribute(name: str, value: str) -> Trait:
    if value and name in ("href", "src"):
        return "text"
    return "generated" if value and is_generated(value) else "numbered" if _NUMBER.search(value) else "named"


def _xpath_traits(path: str) -> list[Trait]:
    found: list[Trait] = []
    found += ["position"] * len(re.findall(r"\[\s*(?:\d+|last\(\)|position\(\))", path))
    names = re.findall(r"@(?:class|id|itemprop|data-[\w-]+)\s*(?:=|,)\s*[\"']([^\"']+)[\"']", path)
    found += [trait_of_name(name.strip()) for name in names]
    found += ["text"] * len(re.findall(r"(?:text\(\)|\.)\s*(?:=|,)\s*[\"']", path))
    return found or ["tags"]
