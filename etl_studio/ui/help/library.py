"""All pages of the help: topics from ``resources/help``, and one page for each node type, made from its class."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from itertools import pairwise
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel

from etl_studio.app.resources import resource
from etl_studio.sdk.policy import Policy
from etl_studio.ui.forms.reference import ports_text, setting_text
from etl_studio.ui.forms.setting import settings_of, without_none
from etl_studio.ui.node_search import GROUPS, first_line, group_order
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from etl_studio.sdk import Node, Registry
    from etl_studio.ui.forms.setting import Setting

TOPICS = {
    "overview": N_("Overview"),
    "pipelines": N_("Pipelines"),
    "policies": N_("Policies"),
    "delivery": N_("Delivery"),
    "crawling": N_("Crawling"),
    "selectors": N_("Selector workshop"),
    "keyboard": N_("Keyboard"),
}
OVERVIEW = "topic:overview"
_HEADING = re.compile(r"^###+ (.+)$", re.MULTILINE)
_MARKS = re.compile(r"[*`]|\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under a heading.

    Attributes:
        title: the heading; empty for what stands above the first one.
        markdown: the text, with its heading.
        key: address of a setting, such as ``config.where``; empty elsewhere.
    """

    title: str
    markdown: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One page.

    Attributes:
        address: ``topic:NAME`` or ``node:TYPE``.
        title: above the text.
        group: ``topics``, or the section of the palette.
        sections: in order.
        words: further words that it is found by.
    """

    address: str
    title: str
    group: str
    sections: tuple[Section, ...]
    words: str = ""

    @property
    def markdown(self) -> str:
        """The whole text."""
        return "\n\n".join(section.markdown for section in self.sections)


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that a search has found.

    Attributes:
        page: the page.
        section: its part; the first one for the page itself.
        score: the higher, the better.
    """

    page: HelpPage
    section: Section
    score: int


class Library:
    """The pages by address.

    Args:
        registry: the node types.
        shortcuts: title of a group and its keys with what they do; listed on the page about the keyboard.
    """

    def __init__(self, registry: Registry, shortcuts: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()) -> None:
        topics = [_topic(name, tr(title), shortcuts) for name, title in TOPICS.items()]
        nodes = [_node_page(node_type) for node_type in sorted(registry, key=group_order)]
        self.pages = {page.address: page for page in (*topics, *nodes)}

    def groups(self) -> Iterator[tuple[str, list[HelpPage]]]:
        """Title of each group with its pages."""
        for group in ("topics", *GROUPS):
            if pages := [page for page in self.pages.values() if page.group == group]:
                yield (tr("Topics") if group == "topics" else tr(group.capitalize())), pages
        others = [page for page in self.pages.values() if page.group not in ("topics", *GROUPS)]
        if others:
            yield tr("Others"), others

    def search(self, query: str) -> list[Hit]:
        """Pages and parts that hold every word of a query, best first; at most one part of each page beside itself."""
        words = query.casefold().split()
        hits = [hit for page in self.pages.values() for hit in _hits(page, words)] if words else []
        return sorted(hits, key=lambda hit: -hit.score)


def plain_text(markdown: str) -> str:
    """Markdown without its marks, on one line."""
    return " ".join(_MARKS.sub(lambda match: match.group(1) or "", markdown).split())


def snippet(section: Section, query: str, length: int = 90) -> str:
    """The words of a section around the first that matches."""
    text = plain_text(_HEADING.sub("", section.markdown))
    places = [at for word in query.casefold().split() if (at := text.casefold().find(word)) >= 0]
    start = max(0, min(places, default=0) - length // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    return ("…" if start else "") + text[start : start + length].strip() + ("…" if start + length < len(text) else "")


def _hits(page: HelpPage, words: Sequence[str]) -> Iterator[Hit]:
    name = f"{page.title} {page.words}".casefold()
    if all(word in name for word in words):
        yield Hit(page, page.sections[0], 100 if page.title.casefold().startswith(words[0]) else 80)
    best = None
    for section in page.sections:
        title, text = f"{section.title} {section.key}".casefold(), section.markdown.casefold()
        if all(word in title for word in words):
            score = 60
        elif all(word in text or word in name for word in words) and any(word in text for word in words):
            score = 20
        else:
            continue
        if best is None or score > best.score:
            best = Hit(page, section, score)
    if best is not None:
        yield best


def _topic(name: str, title: str, shortcuts: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> HelpPage:
    sections = _split(resource("help", f"{name}.md").read_text(encoding="utf-8"))
    if name == "keyboard":
        sections += [_headed(group, _key_list(keys)) for group, keys in shortcuts]
    if name == "policies":
        sections += _setting_sections(settings_of(Policy), "policy")
    return HelpPage(f"topic:{name}", title, "topics", tuple(sections))


def _key_list(keys: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- **{key}** {text}" for key, text in keys)


def _split(text: str) -> list[Section]:
    """Cut a text above each of its headings."""
    starts = [match.start() for match in _HEADING.finditer(text)]
    cuts = [0, *(start for start in starts if start), len(text)]
    parts = [text[start:end].strip() for start, end in pairwise(cuts)]
    titles = [match.group(1) if (match := _HEADING.match(part)) else "" for part in parts]
    return [Section(title, part) for title, part in zip(titles, parts, strict=True)]


def _node_page(node_type: type[Node]) -> HelpPage:
    title, about = tr(node_type.title), first_line(node_type)
    text = (inspect.getdoc(node_type) or title).replace(about, tr(about), 1)
    sections = [Section("", text), _headed(tr("Ports"), *ports_text(node_type))]
    if settings := settings_of(node_type.Config):
        sections += [_headed(tr("Settings")), *_setting_sections(settings, "config")]
    sections.append(_headed(tr("Policy"), policy_text(Policy()), key="policy"))
    words = " ".join((node_type.type, node_type.title, *node_type.keywords))
    return HelpPage(f"node:{node_type.type}", title, node_type.group, tuple(sections), words)


def _headed(title: str, *paragraphs: str, key: str = "") -> Section:
    return Section(title, "\n\n".join((f"### {title}", *paragraphs)), key)


def _setting_sections(settings: Iterable[Setting], part: str) -> list[Section]:
    return [
        Section(
            tr(setting.title),
            "\n\n".join((*setting_text(setting), *_inner(setting.annotation))),
            f"{part}.{setting.key}",
        )
        for setting in settings
    ]


def _inner(annotation: Any) -> Iterator[str]:
    """The settings inside a setting, as lists; one for each kind where there are several."""
    models = list(dict.fromkeys(_models(annotation)))
    for model in models:
        about = (inspect.getdoc(model) or "").partition("\n")[0] if len(models) > 1 else ""
        lines = [
            f"- **{tr(one.title)}** `{one.key}`: {tr(one.description)}" for one in settings_of(model) if one.description
        ]  # what has no description only tells the kinds apart
        yield "\n\n".join(filter(None, (f"*{about}*" if about else "", "\n".join(lines))))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    annotation, _ = without_none(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType, list, dict, tuple):
        for argument in get_args(annotation):
            yield from _models(argument)


def policy_text(policy: Policy) -> str:
    """What a policy does, as a list; ``Policy()`` tells what holds where nobody has changed anything."""
    retry, breaker = policy.retry, policy.breaker
    again = tr(
        "A call that fails for a reason that may pass is made up to {attempts} times in all, first after "
        "{delay} s, then later and later, up to {longest} s.",
        attempts=retry.attempts,
        delay=f"{retry.delay:g}",
        longest=f"{retry.max_delay:g}",
    )
    opens = tr(
        "The circuit breaker opens when {rate} % of the last {calls} calls have "
        "failed, and lets trial calls through after {seconds} s.",
        rate=f"{breaker.failure_rate:g}",
        calls=breaker.window_size,
        seconds=f"{breaker.open_for:g}",
    )
    rows = tr("A row that fails leaves by the port rejects; where no wire leaves it, it becomes a dead letter.")
    listed = "\n".join(f"- {line}" for line in (again, opens, rows))
    head, more = tr("Unless you change it:"), tr("Each of its settings: [Policies](topic:policies).")
    return f"{head}\n\n{listed}\n\n{more}"
