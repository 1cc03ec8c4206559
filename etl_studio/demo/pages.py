"""The web pages of the demo shop, some of them as broken as real ones."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from etl_studio.demo.answers import Address, Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.demo.goods import Goods, Product

CARDS = 20
"""Products on one list page."""

_STYLE = Path(__file__).with_name("shop.css").read_text(encoding="utf-8")
_HOME = Path(__file__).with_name("home.html").read_text(encoding="utf-8")


class Shop:
    """Answers the addresses of the web shop."""

    def __init__(self, goods: Goods) -> None:
        self._products = goods.products

    def answer(self, address: Address) -> Answer | None:
        """The page at an address, or None where there is none."""
        if address.path == "/":
            return _page("The Corner Shop", _HOME)
        if address.path == "/shop":
            return self._list(address)
        number = address.path.removeprefix("/product/")
        if number != address.path and number.isdecimal() and 1 <= int(number) <= len(self._products):
            return _page(self._products[int(number) - 1].name, _detail(self._products[int(number) - 1]))
        return None

    def _list(self, address: Address) -> Answer | None:
        try:
            page = address.number("page", 1)
        except ValueError as error:
            return Answer(400, str(error).encode(), "text/plain; charset=utf-8")
        last = max(1, -(-len(self._products) // CARDS))
        if page > last:
            return None
        cards = "\n".join(_card(product) for product in self._products[(page - 1) * CARDS : page * CARDS])
        links = [f"<span>Page {page} of {last}</span>"]
        if page > 1:
            links.insert(0, f'<a class="previous" href="{escape(address.with_query(page=page - 1))}">Previous</a>')
        if page < last:
            links.append(f'<a class="next" href="{escape(address.with_query(page=page + 1))}">Next</a>')
        body = f'<h1>All products</h1>\n<ol class="cards">\n{cards}\n</ol>\n<nav class="pages">{"".join(links)}</nav>'
        return _page(f"Shop, page {page}", body)


def missing(address: Address) -> Answer:
    """The page for an address that is not there."""
    page = _page("Not found", f"<h1>Not found</h1><p>There is nothing at <code>{escape(address.path)}</code>.")
    return Answer(404, page.body)


def _page(title: str, body: str) -> Answer:
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><header><div><a href=/>The Corner Shop</a></div></header>\n"
        f"<main>\n{body}\n</main>\n<footer>A demo of ETL Studio. Nothing here is for sale.</footer></body></html>\n"
    )
    return Answer(body=text.encode())


def _card(product: Product) -> str:
    none = "" if product.stock else " none"
    price = f'<p class="price">{product.price_text}</p>' if product.price_text else ""
    lines = [
        f'<li class="card" data-sku="{product.sku}">',
        f'<div class="picture" style="background:{_colour(product)}"></div>',
        f'<h2><a href="/product/{product.id}">{escape(product.name)}</a></h2>',
        price,
        f'<p class="stock{none}">\n      {product.stock_text}\n    </p>',
        f'<p class="rating" title="{product.rating} of 5">{_stars(product.rating)}</p>',
        "</li>",
    ]
    return "".join(_broken(product.id, lines))


def _broken(number: int, lines: Sequence[str]) -> list[str]:
    """Leave out end tags, quotes and escapes of some cards, as hand-written pages do."""
    if number % 5 == 0:
        return [line.replace("</p>", "").replace("</li>", "") for line in lines]
    if number % 7 == 0:
        return [
            line.replace('class="card"', "class=card").replace("&amp;", "&").replace("</li>", "</div>")
            for line in lines
        ]
    return list(lines)


def _detail(product: Product) -> str:
    facts = {
        "SKU": product.sku,
        "Category": product.category,
        "Supplier": product.supplier,
        "Country": product.country,
        "Tags": ", ".join(product.tags) or "none",
        "Updated": product.updated_at,
    }
    rows = "\n".join(f"<tr><th>{name}<td>{escape(text)}" for name, text in facts.items())
    price = f'<p class="price">{product.price_text}' if product.price_text else ""
    none = "" if product.stock else " none"
    return (
        f'<article class="product"><h1>{escape(product.name)}</h1>{price}\n'
        f'<p class="stock{none}">{product.stock_text}\n'
        f'<p class="rating" title="{product.rating} of 5">{_stars(product.rating)}\n'
        f'<p class="sku">{product.sku}\n<p class="description">{escape(product.description)}\n'
        f'<table class="facts">\n{rows}\n</table>\n</article>\n<p><a href="/shop">Back to all products</a>'
    )


def _stars(rating: int) -> str:
    return "★" * rating + "☆" * (5 - rating)


def _colour(product: Product) -> str:
    return f"hsl({product.id * 47 % 360} 45% 78%)"
