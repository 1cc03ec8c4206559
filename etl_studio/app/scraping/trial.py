"""Tries selectors out on a page, by the code of the nodes."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._crawl_items import JSON_LD, MICRODATA, ItemType, PageFacts, Rows, field_of, item_of
from etl_studio.nodes.extract._selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etl_studio.app.scraping.page import WorkshopPage

MOST_ROWS = 200
"""Rows that are given."""
MOST_MARKED = 2_000
"""Items whose fields are marked in the page."""
_GOT = re.compile(r"got <\w+(?: '(?P<got>[^']*)')? at (?P<at>\d+)>")
_CSS_END = re.compile(r"::(?:text|attr\([^)]*\))\s*$")
_XPATH_END = re.compile(r"/{1,2}(?:text\(\)|@[\w:-]+)\s*$")


@dataclass(frozen=True, slots=True)
class SelectorProblem:
    """What is wrong with a selector.

    Attributes:
        message: for people.
        place: the character that is wrong, from 0; None: it is not known.
    """

    message: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class FieldTrial:
    """What a field gives.

    Attributes:
        hits: items in which it finds a value.
        sample: its first value, or None.
        found: numbers of the elements whose values it takes, in the order of the page.
        problem: why it gives nothing at all.
    """

    hits: int = 0
    sample: str | None = None
    found: tuple[int, ...] = ()
    problem: SelectorProblem | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What selectors give on a page.

    Attributes:
        items: how many items there are.
        found: numbers of their elements.
        fields: what each field gives, in the order given.
        names: of the columns.
        rows: the first ones.
        next: what the selector of the next page gives; None: there is no such selector.
        problem: why the item selector gives nothing.
    """

    items: int
    found: tuple[int, ...]
    fields: tuple[FieldTrial, ...]
    names: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    next: FieldTrial | None = None
    problem: SelectorProblem | None = None


def try_out(page: WorkshopPage, item: str, fields: Sequence[tuple[str, str]], follow: str = "") -> Trial:
    """Evaluate selectors on a page.

    Args:
        page: the page.
        item: selector of the items; empty: the page is one.
        fields: names and selectors; those without a selector give nothing.
        follow: selector of the next page; empty: none.
    """
    facts = PageFacts(page.html, 0, dt.datetime.now(dt.UTC), None)
    next_page = _try_next(page, follow) if follow else None
    try:
        items = item_of(item)(facts)
    except (ValueError, PermanentError) as error:
        return Trial(0, (), tuple(FieldTrial() for _ in fields), next=next_page, problem=problem_of(item, error))
    usable, problems = _usable(fields, items, facts)
    names = tuple(name for name, _ in usable.values())
    kind = ItemType("", "", item, {str(number): text for number, (_, text) in usable.items()})
    rows = Rows([str(number) for number in usable], typed=False, parents=False)
    try:
        kind.take(facts, rows)
    except PermanentError as error:
        return Trial(
            len(items), (), tuple(FieldTrial() for _ in fields), next=next_page, problem=SelectorProblem(str(error))
        )
    taken = rows.taken()
    columns = [taken[str(number)] for number in usable]
    elements = [each for each in items if hasattr(each, "iter")]
    found = []
    for number, (_, text) in enumerate(fields):
        if number not in usable:
            found.append(FieldTrial(problem=problems.get(number)))
            continue
        values = [value for value in taken[str(number)] if value is not None]
        marked = _marked(text, elements[:MOST_MARKED], page)
        found.append(FieldTrial(len(values), values[0] if values else None, marked))
    return Trial(
        kind.items if item else 1,
        tuple(page.dom.number_of(each) for each in elements) if item else (),
        tuple(found),
        names,
        tuple(zip(*(column[:MOST_ROWS] for column in columns), strict=True)),
        next_page,
    )


def problem_of(text: str, error: Exception) -> SelectorProblem:
    """What is wrong with a selector, and where."""
    what = error.what if isinstance(error, PermanentError) else str(error)
    found = _GOT.search(what)
    if found is None:
        return SelectorProblem(what)
    place = int(found["at"])
    got = f'"{found["got"]}"' if found["got"] else "nothing more"
    return SelectorProblem(f"{what[: found.start()]}got {got}{what[found.end() :]}", min(place, len(text)))


def element_part(selector: str) -> str:
    """A selector without what it takes of an element; empty: the element itself."""
    if selector.startswith(("/", "./", "(")):
        return _XPATH_END.sub("", selector)
    return _CSS_END.sub("", selector).strip()


def _usable(
    fields: Sequence[tuple[str, str]], items: Sequence[Any], facts: PageFacts
) -> tuple[Mapping[int, tuple[str, str]], Mapping[int, SelectorProblem]]:
    """The fields that can be evaluated, by number, and what is wrong with others."""
    usable: dict[int, tuple[str, str]] = {}
    problems: dict[int, SelectorProblem] = {}
    for number, (name, text) in enumerate(fields):
        if not text.strip():
            continue
        try:
            find = field_of(text)
            for each in items[:1]:
                find(each, facts)
        except (ValueError, PermanentError) as error:
            problems[number] = problem_of(text, error)
        else:
            usable[number] = (name, text)
    return usable, problems


def _try_next(page: WorkshopPage, text: str) -> FieldTrial:
    try:
        find = Selector(text)
        elements = find.elements(page.root)
        sample = next((each.get("href") for each in elements if each.get("href")), None)
        sample = find.first(page.root, page.html.base) if sample is None else sample
        marked = Selector(element_part(text) or text).elements(page.root)
    except (ValueError, PermanentError) as error:
        return FieldTrial(problem=problem_of(text, error))
    from etl_studio.nodes.extract._selectors import resolved

    address = None if sample is None else resolved(page.html.base, sample.strip())
    return FieldTrial(len(marked), address, tuple(page.dom.number_of(each) for each in marked))


def _marked(text: str, items: Sequence[Any], page: WorkshopPage) -> tuple[int, ...]:
    """The elements whose values a field takes: in each item the first one that has a value."""
    if text.startswith((JSON_LD, MICRODATA)):
        return ()
    part = element_part(text)
    taking = text[len(part) :] if text.startswith(("/", "./", "(")) else _xpath_of_end(text)
    try:
        elements, has_value = Selector(part or "./self::*").elements, Selector(f"./self::*{taking}").first
        found = []
        for item in items:
            first = next((each for each in elements(item) if has_value(each, "") is not None), None)
            if first is not None:
                found.append(page.dom.number_of(first))
    except (ValueError, PermanentError, KeyError):  # what is marked is a help; the rows do not depend on it
        return ()
    return tuple(dict.fromkeys(found))


def _xpath_of_end(css: str) -> str:
    end = _CSS_END.search(css)
    if end is None:
        return ""
    name = end[0].strip().removeprefix("::")
    return "/text()" if name == "text" else "/@" + name.removeprefix("attr(").removesuffix(")").strip()
