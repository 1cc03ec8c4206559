"""What the workshop answers when a person chooses an element or types selectors; called in threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.app.scraping.proposals import alternatives, for_alike, for_elements, for_field
from etl_studio.app.scraping.repeated import fields_of, repeated_items
from etl_studio.app.scraping.trial import try_out
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.app.scraping.index import Index
    from etl_studio.app.scraping.page import WorkshopPage
    from etl_studio.app.scraping.proposals import Proposal
    from etl_studio.app.scraping.trial import Trial

NEXT_LINKS = ('a[rel~="next"][href]', "a.next[href]", ".next a[href]", 'a[class*="next"][href]')
"""How sites mark the link to the next page."""
LEVELS_UP = 6
"""Elements around the chosen one that may be an item."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The selectors of a node while a person works on them.

    Attributes:
        item: selector of what becomes a row; empty: the page.
        fields: names and selectors.
        next: selector of the following page; empty: none.
    """

    item: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    next: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a draft gives on a page.

    Attributes:
        others: other selectors that find the same items.
    """

    draft: Draft
    trial: Trial
    others: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """Selectors for an element.

    Attributes:
        number: the element.
        fields: of its values, inside the items of the draft.
        alike: that find it among others like it.
        around: that find a repeated element around it.
        alone: that find it alone.
        link: that find it as the link to the next page.
    """

    number: int
    fields: tuple[Proposal, ...]
    alike: tuple[Proposal, ...]
    around: tuple[Proposal, ...]
    alone: tuple[Proposal, ...]
    link: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class FoundList:
    """A list on a page, with the draft that reads it."""

    proposal: Proposal
    draft: Draft


def tried(page: WorkshopPage, draft: Draft) -> Tried:
    """Try a draft out."""
    trial = try_out(page, draft.item, draft.fields, draft.next)
    others = alternatives(page.index, draft.item) if draft.item and trial.found else []
    return Tried(draft, trial, tuple(others))


def offer(page: WorkshopPage, number: int, item: str, *, follows: bool) -> Offer:
    """Selectors for an element.

    Args:
        page: the page.
        number: the element.
        item: selector of the items of the draft.
        follows: whether the node follows links to next pages.
    """
    root, element = page.root, page.dom.element(number)
    items = _items(page, item)
    fields = for_field(items, element, page.html.base) if items else []
    if fields or element in set(items):
        return Offer(number, tuple(fields), tuple(for_alike(page.index, element)), (), (), ())
    alone = for_elements(page.index, [element])
    link = [each for each in alone if each.judgement.level != "fragile"] or alone[:1]
    is_link = follows and element.tag == "a" and bool(element.get("href"))
    around: list[Proposal] = []
    if not item:
        fields = for_field([root], element, page.html.base)
        around = _around(page.index, element)
    return Offer(
        number,
        tuple(fields),
        tuple(for_alike(page.index, element)),
        tuple(around),
        tuple(alone),
        tuple(link) if is_link else (),
    )


def lists_of(page: WorkshopPage) -> list[FoundList]:
    """The lists of a page, each with the fields that most of its items have, and the link to the next page."""
    found, follow = [], _next_link(page)
    for each in repeated_items(page.index):
        fields = tuple((field.name, field.selector) for field in fields_of(each.elements, page.html.base))
        found.append(FoundList(each.proposal, Draft(each.proposal.selector, fields, follow)))
    return found


def found_by(page: WorkshopPage, selector: str) -> list[int]:
    """The numbers of the elements that a selector finds in a page; empty where it is none."""
    try:
        return [page.dom.number_of(each) for each in Selector(selector).elements(page.root)]
    except (ValueError, PermanentError):
        return []


def _next_link(page: WorkshopPage) -> str:
    """A selector of the link to the next page, where the page calls one so; empty: it does not."""
    for css in NEXT_LINKS:
        for element in Selector(css).elements(page.root):
            best = for_elements(page.index, [element], 1)[0]
            if best.judgement.level != "fragile":
                return f"{best.selector}::attr(href)"
    return ""


def _items(page: WorkshopPage, item: str) -> list[Any]:
    if not item:
        return []
    try:
        return Selector(item).elements(page.root)
    except (ValueError, PermanentError):
        return []


def _around(index: Index, element: Any) -> list[Proposal]:
    """The best selector of the nearest repeated elements around one."""
    found: list[Proposal] = []
    known: set[str] = set()
    for outer in _ancestors(element):
        for each in for_alike(index, outer, 1):
            if each.selector not in known and each.judgement.level != "fragile":
                known.add(each.selector)
                found.append(each)
    return found[:3]


def _ancestors(element: Any) -> Sequence[Any]:
    return [outer for outer in element.iterancestors() if outer.tag not in ("html", "body")][:LEVELS_UP]
