"""A page is kept as a file, or as a test in which the node reads it without the site."""

from __future__ import annotations

import json

import pytest

from etl_studio.app.pipeline_tests import run_case
from etl_studio.app.scraping.asking import Draft
from etl_studio.app.scraping.fixtures import make_test, save_page
from etl_studio.app.scraping.loading import load_page
from etl_studio.app.scraping.page import page_of_file, page_of_text
from etl_studio.app.scraping.settings import scraper_settings
from etl_studio.app.studio import Studio
from etl_studio.demo import DemoSite
from etl_studio.errors import UsageError
from etl_studio.pipeline.file_format import loads

PIPELINE = """
etl_studio: 1
nodes:
  read:
    type: web_page_source
    config:
      urls: ["{url}/shop", "{url}/shop?page=9"]
      item: .card
      fields: {{name: "h2 a::text", link: "a::attr(href)"}}
      next: "a.next::attr(href)"
"""
DRAFT = Draft(".card", (("name", "h2 a::text"), ("link", "a::attr(href)")), "a.next::attr(href)")


@pytest.fixture
def studio():
    with Studio() as opened:
        yield opened


@pytest.fixture
def make(studio, tmp_path):
    """Makes a test of a page with the selectors of a draft; gives its folder, and what it says when it runs again."""

    def made(text, page, draft=DRAFT):
        file = tmp_path / "shop.etl.yaml"
        file.write_text(text)
        pipeline = loads(text, registry=studio.registry)
        settings = scraper_settings(studio.registry.get("web_page_source"))
        folder = make_test(studio, pipeline, "read", page, draft, settings, file=file)
        return folder, lambda: run_case(studio, loads(file.read_text(), registry=studio.registry), folder, file=file)

    return made


def test_a_test_reads_the_page_when_the_site_is_gone(studio, make):
    with DemoSite() as site:
        text = PIPELINE.format(url=site.url)
        pipeline = loads(text, registry=studio.registry)
        page = load_page(studio, pipeline, "read", f"{site.url}/shop", file=None)
    folder, run = make(text, page)
    expected = json.loads((folder / "expected" / "read.json").read_text())
    rows = expected["rows"] if isinstance(expected, dict) else expected
    assert len(rows) == 20
    assert run().status == "passed"


def test_it_fails_when_the_selectors_no_longer_fit(studio, make, tmp_path):
    with DemoSite() as site:
        text = PIPELINE.format(url=site.url)
        page = load_page(studio, loads(text, registry=studio.registry), "read", f"{site.url}/shop", file=None)
    _, run = make(text, page)
    (tmp_path / "shop.etl.yaml").write_text(text.replace("h2 a::text", "h3::text"))
    assert run().status == "failed"


def test_a_page_of_another_address_stands_in_for_that_of_the_node(make):
    page = page_of_text("<p class=card><h2><a href=x>Y</a></h2></p>", "http://other.example/dir/page")
    folder, run = make(PIPELINE.format(url="http://shop.example"), page, Draft("h2", DRAFT.fields))
    assert "http://other.example/dir/x" in (folder / "expected" / "read.json").read_text()
    assert run().status == "failed"  # the node still has its own selectors


def test_without_a_file_or_rows_there_is_no_test(studio, make, tmp_path):
    settings = scraper_settings(studio.registry.get("web_page_source"))
    text = PIPELINE.format(url="http://shop.example")
    page = page_of_text("<p>nothing</p>", "http://shop.example/shop")
    with pytest.raises(UsageError, match="Save the pipeline"):
        make_test(studio, loads(text, registry=studio.registry), "read", page, DRAFT, settings, file=None)
    with pytest.raises(UsageError, match="matched nothing"):
        make(text, page)
    assert not list(tmp_path.glob("*/read page*"))


def test_a_saved_page_knows_its_address_and_keeps_its_letters(tmp_path):
    page = page_of_text("<p>café</p><a href=x>x</a>", "http://a.example/dir/?token=hunter2")
    save_page(page, tmp_path / "page.html")
    again = page_of_file(tmp_path / "page.html", "")
    assert again.links[0].address == "http://a.example/dir/x"
    assert "café" in again.text[0]
    assert b"hunter2" not in (tmp_path / "page.html").read_bytes()
    with pytest.raises(UsageError):
        save_page(page, tmp_path / "none" / "page.html")
