"""What a probe found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.ui import quantities
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
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


def found_words(seen: Probed) -> str:
    """What was found out about pages and items; empty: nothing was."""
    if not seen.settings:
        return ""
    why = next((page.why for page in seen.pages if page.following), "")
    words = tr("Pages found: {kind}", kind=str(seen.settings["pagination"]["kind"]))
    words += f" ({why})" if why else ""
    path = seen.settings.get("items")
    return f"{words}\n{tr('Items in: {path}', path=path)}" if path else words
