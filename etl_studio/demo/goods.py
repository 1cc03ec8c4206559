"""What the demo shop sells and who bought it: the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

NO_PRICE_EVERY = 41
"""Each 41st product has no price: real shops have such gaps."""

_STYLES = (
    "Oak",
    "Linen",
    "Copper",
    "Cobalt",
    "Amber",
    "Slate",
    "Cork",
    "Ivory",
    "Juniper",
    "Saffron",
    "Walnut",
    "Fern",
)
_THINGS = {
    "Kitchen": ("Mug", "Teapot", "Bread Board", "Salad Bowl", "Whisk", "Pepper Mill"),
    "Desk": ("Notebook", "Pen Tray", "Lamp", "Letter Opener", "Bookend", "Paperweight"),
    "Garden": ("Trowel", "Planter", "Watering Can", "Bird Feeder", "Dibber", "Twine & Tin"),
    "Travel": ("Rucksack", "Flask", "Wash Bag", "Map Case", "Umbrella", "Luggage Tag"),
}
_SUPPLIERS = (
    ("Ash & Sons", "GB"), ("Nordlys", "NO"), ("Casa Verde", "ES"), ("Müller Werkstatt", "DE"), ("Atelier Été", "FR"),
    ("Kyoto Kobo", "JP"), ("Tideline", "IE"), ("Blue Heron", "CA"),
)  # fmt: skip
_TAGS = ("new", "gift", "handmade", "recycled", "bestseller", "last chance")
_FIRST = ("Ada", "Björn", "Chloé", "Dev", "Emeka", "Fatima", "Grace", "Hiro", "Inés", "Jonas", "Kateryna", "Liang")
_LAST = ("Abbott", "Berg", "Costa", "Dubois", "Eze", "Fischer", "García", "Hughes", "Ito", "Jensen", "Kovalenko", "Li")
_CITIES = ("Leeds", "Oslo", "Sevilla", "Köln", "Lyon", "Kyoto", "Cork", "Halifax")
_EPOCH = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Product:
    """One article. ``price`` is in pounds, None where the shop forgot it; ``rating`` is 1 to 5."""

    id: int
    sku: str
    name: str
    category: str
    price: float | None
    stock: int
    rating: int
    description: str
    supplier: str
    country: str
    tags: tuple[str, ...]
    updated_at: str

    @property
    def price_text(self) -> str | None:
        """``£12.50``, as the shop shows it."""
        return None if self.price is None else f"£{self.price:.2f}"

    @property
    def stock_text(self) -> str:
        """``In stock (3)`` or ``Out of stock``, as the shop shows it."""
        return f"In stock ({self.stock})" if self.stock else "Out of stock"

    def as_json(self) -> dict[str, Any]:
        """The product as the API gives it, with a nested supplier."""
        email = "".join(letter for letter in self.supplier.lower() if letter.isascii() and letter.isalpha())
        return {
            "id": self.id,
            "sku": self.sku,
            "name": self.name,
            "category": self.category,
            "price": self.price,
            "currency": "GBP",
            "stock": self.stock,
            "rating": self.rating,
            "description": self.description,
            "supplier": {"name": self.supplier, "country": self.country, "email": f"sales@{email}.example"},
            "tags": list(self.tags),
            "updated_at": self.updated_at,
        }


@dataclass(frozen=True, slots=True)
class Goods:
    """The whole stock: products by id from 1 upwards, and orders as the API gives them."""

    products: tuple[Product, ...]
    orders: tuple[dict[str, Any], ...]


def make_goods(seed: int, count: int) -> Goods:
    """Make ``count`` products and twice as many orders, the same for the same arguments."""
    rng = random.Random(seed)  # noqa: S311 - the same goods for the same seed, no secret
    products = tuple(_product(rng, number) for number in range(1, count + 1))
    orders = tuple(_order(rng, number, rng.choice(products)) for number in range(1, 2 * count + 1)) if products else ()
    return Goods(products, orders)


def _product(rng: random.Random, number: int) -> Product:
    category = rng.choice(tuple(_THINGS))
    thing = rng.choice(_THINGS[category])
    style = rng.choice(_STYLES)
    supplier, country = rng.choice(_SUPPLIERS)
    price = round(rng.uniform(2, 120), 2)
    stock = rng.choice((0, *range(1, 7))) * rng.randint(1, 4)
    when = _EPOCH + timedelta(minutes=rng.randrange(300 * 24 * 60))
    return Product(
        id=number,
        sku=f"{category[:3].upper()}-{number:05d}",
        name=f"{style} {thing}",
        category=category,
        price=None if number % NO_PRICE_EVERY == 0 else price,
        stock=stock,
        rating=rng.randint(1, 5),
        description=f"A {thing.lower()} in {style.lower()} for the {category.lower()}, made by {supplier}.",
        supplier=supplier,
        country=country,
        tags=tuple(sorted(rng.sample(_TAGS, rng.randint(0, 3)))),
        updated_at=when.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _order(rng: random.Random, number: int, product: Product) -> dict[str, Any]:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    when = _EPOCH + timedelta(minutes=rng.randrange(300 * 24 * 60))
    return {
        "order_id": number,
        "product_id": product.id,
        "sku": product.sku,
        "quantity": rng.randint(1, 9),
        "unit_price": product.price,
        "customer": {"name": f"{first} {last}", "email": f"customer{number}@mail.example", "city": rng.choice(_CITIES)},
        "status": rng.choice(("paid", "paid", "paid", "shipped", "returned")),
        "ordered_at": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
