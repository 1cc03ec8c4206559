"""What a probe found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.ui import quantities
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.app.probing import Probed, ProbedPage


def summary(seen: Probed) -> str:
    """``3 pages · 300 rows · 14 columns``."""
    parts = [
        trn("{count} page", "{count} pages", len(seen.pages)),
        quantities.rows(seen.rows),
        trn("{count} column", "{count} columns", len(seen.columns)),
    ]
    return " · ".join(parts)


def page_words(page: ProbedPage) -> str:
    """``Page 2 · 200 · 10 items``."""
    return " · ".join((title(page), str(page.status), items(page)))


def title(page: ProbedPage) -> str:
    """``Page 2``."""
    return tr("Page {number}", number=page.number)


def items(page: ProbedPage) -> str:
    """``10 items``."""
    return trn("{count} item", "{count} items", page.items)


def facts(page: ProbedPage) -> str:
    """``553 ms · 2 KB · 10 items``."""
    return " · ".join((quantities.latency(page.seconds), quantities.size(page.size), items(page)))


def next_words(page: ProbedPage) -> str:
    """How it goes on behind a page."""
    if page.following:
        return tr("Next page: {following}", following=page.following)
    return tr("No page follows.")


def found_words(settings: Mapping[str, Any]) -> str:
    """What was found out, as the settings would say it."""
    pagination = settings.get("pagination", {})
    details = ", ".join(f"{name}: {value}" for name, value in pagination.items() if name != "kind")
    words = tr("Pages found: {kind}", kind=str(pagination.get("kind", "")))
    words += f" ({details})" if details else ""
    path = settings.get("items")
    return f"{words}\n{tr('Items in: {path}', path=path)}" if path else words
