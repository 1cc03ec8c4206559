"""Texts, addresses and JSON that take values from a row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from etl_studio.sdk.row_template import AddressTemplate, JsonTemplate, RowTemplate

ROW = {
    "id": 7, "name": "Ada Lovelace", "none": None, "nan": float("nan"), "up": "..", "slash": "a/../b?x=1#y",
    "day": dt.date(2024, 2, 29), "price": Decimal("1.10"), "yes": True, "tags": ["a", None],
    "url": " https://other.example/a/b ", "first name": "Ada",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{id}: {name}", "7: Ada Lovelace"),
        ("{first name}!", "Ada!"),
        ("{{id}} is {id}", "{id} is 7"),
        ("query { customer(id: 7) { name }}", "query { customer(id: 7) { name }}"),
        ('{"a": 1}', '{"a": 1}'),
        ("{day} {price} {yes} {tags}", '2024-02-29 1.10 true ["a", null]'),
        ("{id} {none}", None),
        ("{nan}", None),
        ("${id}", "${id}"),
        ("", ""),
    ],
)
def test_a_text_takes_the_values_of_columns_in_braces(text, filled):
    assert RowTemplate(text).text(ROW) == filled


def test_json_keeps_the_kind_of_a_value_that_stands_alone():
    template = JsonTemplate({"id": "{id}", "text": "no. {id}", "tags": "{tags}", "in": [{"price": "{price}"}, 3, None]})
    assert template.value(ROW) == {"id": 7, "text": "no. 7", "tags": ["a", None], "in": [{"price": 1.1}, 3, None]}
    assert template.columns == ("id", "tags", "price")


def test_what_is_empty_becomes_null_in_json():
    assert JsonTemplate({"a": "{none}", "b": "{nan}", "c": "x{none}"}).value(ROW) == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://a.example/c/{id}/x", "https://a.example/c/7/x"),
        ("https://a.example/c/{slash}", "https://a.example/c/a%2F..%2Fb%3Fx%3D1%23y"),
        ("https://a.example/?q={name}", "https://a.example/?q=Ada%20Lovelace"),
        ("https://a.example/?q={up}", "https://a.example/?q=.."),
        ("{url}", "https://other.example/a/b"),
        ("{url}/{id}", "https://other.example/a/b/7"),
        ("https://a.example/{none}", None),
        ("{none}/{id}", None),
    ],
)
def test_values_in_an_address_are_quoted(text, address):
    assert AddressTemplate(text).address(ROW) == address


@pytest.mark.parametrize("text", ["https://a.example/c/{up}", "https://a.example/{up}/x", "https://a.example/.{dot}?"])
def test_no_value_leads_to_another_folder_of_a_site(text):
    with pytest.raises(ValueError, match="another folder"):
        AddressTemplate(text).address({**ROW, "dot": "."})


@pytest.mark.parametrize(
    ("text", "from_row"),
    [
        ("https://a.example/{id}", False),
        ("https://a.example?x={id}", False),
        ("{url}", True),
        ("{url}/x", True),
        ("https://{name}.example/x", True),
        ("{id}://a.example/", True),
    ],
)
def test_it_is_known_whether_the_row_says_which_site_is_asked(text, from_row):
    assert AddressTemplate(text).site_from_row is from_row
