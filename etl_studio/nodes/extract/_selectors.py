"""Selectors as scrapers write them (CSS with ``::text`` and ``::attr()``, or XPath), compiled once."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from etl_studio.errors import PermanentError

_LINK = re.compile(r"(?:::attr\(\s*(?:href|src)\s*\)|@(?:href|src))\s*$")
_NAMESPACES = {"re": "http://exslt.org/regular-expressions", "set": "http://exslt.org/sets"}
MOST_NESTED = 100


class Selector:
    """One compiled selector.

    Args:
        text: CSS; or XPath when it begins with ``/``, ``./`` or ``(``.

    Attributes:
        text: as given.
        link: whether it gives an address (href or src), which is then made absolute.

    Raises:
        ValueError: it is no selector; the text quotes it.
    """

    def __init__(self, text: str) -> None:
        from lxml import etree

        self.text = text
        self._error = etree.XPathError
        self.link = _LINK.search(text) is not None
        kind = "XPath" if text.startswith(("/", "./", "(")) else "CSS"
        try:
            path = text if kind == "XPath" else _to_xpath(text)
            self._find = etree.XPath(path, namespaces=_NAMESPACES, smart_strings=False)
            self._content = etree.XPath("string()", smart_strings=False)
        except (etree.XPathError, ValueError, SyntaxError, RecursionError) as error:
            reason = str(error).strip().rstrip(".") or type(error).__name__
            hint = "" if kind == "XPath" else " XPath begins with /, ./ or (."
            raise ValueError(f'"{text}" is no valid {kind} selector: {reason}.{hint}') from None

    def elements(self, node: Any) -> list[Any]:
        """The elements that match below (or are) ``node``, in the order of the page."""
        found = self._evaluate(node)
        return [each for each in found if hasattr(each, "iter")] if isinstance(found, list) else []

    def texts(self, node: Any) -> list[str]:
        """All matches that are texts or attributes, as they are written, in the order of the page."""
        found = self._evaluate(node)
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []

    def first(self, node: Any, base: str) -> str | None:
        """The first match that is not blank, as text with single blanks; None if there is none.

        Args:
            node: an lxml element.
            base: address that relative links start at.
        """
        found = self._evaluate(node)
        for each in found if isinstance(found, list) else [found]:
            text = each if isinstance(each, str) else self._content(each) if hasattr(each, "iter") else str(each)
            if value := " ".join(text.split()):
                return resolved(base, value) if self.link else value
        return None

    def content(self, element: Any) -> str:
        """The whole text of an element."""
        text: str = self._content(element)
        return text

    def _evaluate(self, node: Any) -> Any:
        try:
            return self._find(node)
        except self._error as error:  # such as a function that does not exist: seen only when it is called
            raise PermanentError(f'The selector "{self.text}" cannot be used: {error}.', hint="Correct it.") from None


def is_nested(items: list[Any]) -> bool:
    """Whether items stand in each other deeper than any page means it; to look in each takes square time then."""
    depths: dict[Any, int] = {}
    for item in items:
        depths[item] = 1 + next((depths[outer] for outer in item.iterancestors() if outer in depths), 0)
        if depths[item] > MOST_NESTED:
            return True
    return False


def resolved(base: str, link: str) -> str:
    """An absolute address; a link that cannot be read stays as it is."""
    if link[:1] == "/" and link[1:2] not in {"/", "\\"} and "/." not in link:
        return _origin(base) + link  # most links; urljoin takes twenty times as long for them
    try:
        return urljoin(base, link)
    except ValueError:
        return link


@lru_cache(maxsize=256)
def _origin(base: str) -> str:
    try:
        return urljoin(base, "/").removesuffix("/")
    except ValueError:
        return ""


def _to_xpath(css: str) -> str:
    from parsel.csstranslator import HTMLTranslator

    try:
        path: str = HTMLTranslator().css_to_xpath(css)
    except (SyntaxError, RuntimeError) as error:  # the two kinds of cssselect's SelectorError
        raise ValueError(str(error)) from None
    return path
