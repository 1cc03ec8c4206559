"""Which settings of a node are selectors of a page, so that the workshop can fill them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl_studio.sdk.config import editor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.sdk import Node

ITEM, FIELDS, NEXT = "item", "fields", "next"
ADDRESSES = ("urls", "start_urls")


@dataclass(frozen=True, slots=True)
class ScraperSettings:
    """What a node that reads pages calls its settings.

    Attributes:
        addresses: the list of pages.
        item: the selector of items.
        fields: the map of names to selectors.
        next: the selector of the following page; None: it has none.
    """

    addresses: str
    item: str = ITEM
    fields: str = FIELDS
    next: str | None = None

    def probe(self, config: Mapping[str, Any], url: str) -> dict[str, Any]:
        """Settings that ask for one page, whatever is still missing in the others."""
        about_columns = ("columns", "items")
        kept = {name: value for name, value in config.items() if name not in about_columns}
        kept |= {self.addresses: [url], self.item: "", self.fields: {"page": "html"}}
        return kept | ({self.next: ""} if self.next else {})


def scraper_settings(node_type: type[Node] | None) -> ScraperSettings | None:
    """What the node calls its settings; None: it does not read pages by selectors, or not one at a time."""
    if node_type is None or not hasattr(node_type, "first_page"):
        return None
    fields = node_type.Config.model_fields
    addresses = next((name for name in ADDRESSES if name in fields), None)
    if addresses is None or any(name not in fields or editor_of(fields[name]) != "selector" for name in (ITEM, FIELDS)):
        return None
    return ScraperSettings(addresses, next=NEXT if NEXT in fields else None)
