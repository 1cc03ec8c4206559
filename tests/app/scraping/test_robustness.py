"""What a selector holds on to decides how long it is likely to last."""

from __future__ import annotations

import pytest

from etl_studio.app.scraping.robustness import is_generated, robustness


@pytest.mark.parametrize(
    "selector", [".card", "#results", "h2 a::text", ".price::text", '[itemprop="price"]', "[data-testid=price]",
                 "article.product h2", "jsonld:offers.price", "//h1/text()", "h2"],
)  # fmt: skip
def test_names_that_say_what_an_element_is_are_robust(selector):
    assert robustness(selector).level in ("robust", "fair")
    assert not set(robustness(selector).traits) & {"position", "generated", "numbered"}


@pytest.mark.parametrize(
    ("selector", "trait"),
    [
        ("div:nth-child(3) a", "position"),
        ("li:first-child", "position"),
        ("//ul/li[2]", "position"),
        (".css-1q2w3e4", "generated"),
        ("//*[@class='sc-bdVaJa']", "generated"),
        ("#item-48213", "numbered"),
        ('[href="/p/1"]', "text"),
        ("a, .css-1q2w3e4", "generated"),
    ],
)
def test_what_changes_with_the_next_release_or_page_is_fragile(selector, trait):
    judged = robustness(selector)
    assert (judged.level, judged.traits[0]) == ("fragile", trait)


@pytest.mark.parametrize(
    ("selector", "trait"), [("p", "tags"), (".mt-4", "styling"), (".is-active", "state"), (".md\\:flex", "styling")]
)
def test_what_says_little_is_fair(selector, trait):
    judged = robustness(selector)
    assert (judged.level, judged.traits[0]) == ("fair", trait)


def test_a_longer_chain_is_worse_than_a_short_one():
    assert robustness(".card").cost < robustness(".list .card").cost < robustness("main .a .list .card").cost


@pytest.mark.parametrize(
    "name", ["css-1x2ab9", "sc-bdVaJa", "jsx-3415512", "Button_root__x7Yt2", "a1b2c3d4", "_3fKz1q", "e1f0c2ab"]
)
def test_names_made_by_a_program_are_known(name):
    assert is_generated(name)


@pytest.mark.parametrize(
    "name",
    ["card", "product-card", "productCard", "price", "col-md-6", "h1", "item-4711", "ProductTile", "page2",
     "btn-primary", "column12", "sku", "www", "iPhone", "section--featured", "facade", "decade"],
)  # fmt: skip
def test_words_are_not_taken_for_such_names(name):
    assert not is_generated(name)
