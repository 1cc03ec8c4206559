"""The news of the demo shop: its newest products as RSS, Atom and JSON Feed."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from etl_studio.demo.answers import Address, Answer, json_answer

if TYPE_CHECKING:
    from etl_studio.demo.goods import Goods, Product

ENTRIES = 30
SITE = "https://shop.example"


class Feeds:
    """Answers the addresses below ``/feeds``."""

    def __init__(self, goods: Goods) -> None:
        newest = sorted(goods.products, key=lambda product: product.updated_at, reverse=True)
        self._products = newest[:ENTRIES]

    def answer(self, address: Address) -> Answer | None:
        """The answer to a request, or None where there is no such feed."""
        match address.path:
            case "/feeds/news.rss":
                return Answer(body=self._rss().encode(), content_type="application/rss+xml; charset=utf-8")
            case "/feeds/news.atom":
                return Answer(body=self._atom().encode(), content_type="application/atom+xml; charset=utf-8")
            case "/feeds/news.json":
                return json_answer(self._json())
        return None

    def _rss(self) -> str:
        items = "".join(
            f"<item><guid>{_address(each)}</guid><link>{_address(each)}</link><title>{escape(each.name)}</title>"
            f"<pubDate>{format_datetime(_changed(each))}</pubDate><category>{each.category}</category>"
            f"<dc:creator>{escape(each.supplier)}</dc:creator>"
            f"<description><![CDATA[<p>{escape(each.description)}</p>]]></description></item>\n"
            for each in self._products
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Demo shop news</title>'
            f"<link>{SITE}/</link><description>What is new.</description>\n{items}</channel></rss>"
        )

    def _atom(self) -> str:
        entries = "".join(
            f'<entry><id>{_address(each)}</id><link href="{_address(each)}"/><title>{escape(each.name)}</title>'
            f"<updated>{each.updated_at}</updated><published>{each.updated_at}</published>"
            f'<author><name>{escape(each.supplier)}</name></author><category term="{each.category}"/>'
            f'<summary type="html">{escape(escape(each.description))}</summary></entry>\n'
            for each in self._products
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
            f"<id>{SITE}/feed</id><title>Demo shop news</title>\n{entries}</feed>"
        )

    def _json(self) -> dict[str, Any]:
        items = [
            {
                "id": _address(each),
                "url": _address(each),
                "title": each.name,
                "content_text": each.description,
                "date_published": each.updated_at,
                "authors": [{"name": each.supplier}],
                "tags": [each.category, *each.tags],
            }
            for each in self._products
        ]
        return {"version": "https://jsonfeed.org/version/1.1", "title": "Demo shop news", "items": items}


def _address(product: Product) -> str:
    return f"{SITE}/product/{product.id}"


def _changed(product: Product) -> datetime:
    return datetime.fromisoformat(product.updated_at)
