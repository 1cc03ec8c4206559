"""What a crawl in a browser is told, and what it says is missing; without a browser."""

from __future__ import annotations

import stat
import sys
from importlib.util import find_spec

import pytest
from pydantic import ValidationError

from etl_studio.errors import PermanentError
from etl_studio.nodes.extract import _browser_found
from etl_studio.nodes.extract._browser_found import find_browser, missing
from etl_studio.nodes.extract._browser_settings import BrowserSettings
from etl_studio.nodes.extract._crawl_settings import CrawlSettings
from etl_studio.nodes.extract.browser_source import BrowserSource
from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.rules import check
from etl_studio.sdk import Missing, Registry

START = {"start_urls": ["https://shop.example/"], "fields": {"name": "h1"}}
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="about programs on a path of Linux")


def refused(**settings):
    with pytest.raises(ValidationError) as refusal:
        BrowserSettings(**START, **settings)
    return str(refusal.value)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """``programs(names)`` are all that is on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_browser_found, "_usual_places", list)

    def install(*names):
        for name in names:
            path = tmp_path / name
            path.write_text("#!/bin/sh\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return tmp_path

    return install


@pytest.fixture
def packages(monkeypatch):
    """``packages(there)``: whether Crawlee and Playwright are installed."""
    return lambda there: monkeypatch.setattr(
        _browser_found, "find_spec", lambda name: find_spec("json") if there else None
    )


def test_it_takes_all_that_a_crawl_takes():
    assert set(CrawlSettings.model_fields) < set(BrowserSettings.model_fields)
    crawl = {
        "follow": [{"allow": ["/p/*"]}],
        "items": [],
        "max_depth": 2,
        "stay": "domain",
        "columns": {"name": "text"},
    }
    assert BrowserSettings(**START, **crawl).model_dump(include=set(crawl)) == CrawlSettings(
        **START, **crawl
    ).model_dump(include=set(crawl))


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"do": "click"}, "click needs the selector"),
        ({"do": "fill", "text": "x"}, "fill needs the selector"),
        ({"do": "press"}, "press needs a key"),
        ({"do": "select", "selector": "select"}, "select needs a text"),
        ({"do": "wait"}, "what to wait for"),
        ({"do": "jump"}, "Input should be"),
        ({"do": "click", "selector": "a", "times": 0}, "greater than or equal to 1"),
    ],
)
def test_an_action_that_says_too_little_is_refused(action, says):
    assert says in refused(actions=[action])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"viewport": "big"}, "pattern"),
        ({"locale": "deutsch, bitte"}, "pattern"),
        ({"sent_as": "a\nb"}, "one line"),
        ({"load": "scripts"}, "Input should be"),
        ({"timeout": 0}, "greater than 0"),
        ({"auth": {"kind": "api_key", "key": "k", "send_in": "query"}}, "in a header only"),
        ({"auth": {"kind": "digest", "username": "a", "password": "b"}}, "does not match any of the expected tags"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, says):
    assert says in refused(**settings)


@on_linux
def test_the_best_browser_on_the_path_is_found(programs):
    folder = programs("google-chrome", "chromium", "firefox")

    assert find_browser() == folder / "chromium"
    assert find_browser("google-chrome") == folder / "google-chrome"
    assert find_browser(str(folder / "google-chrome")) == folder / "google-chrome"
    assert find_browser("opera") is None


def test_packages_that_are_missing_are_named_with_the_command_that_installs_them(packages):
    packages(there=False)

    assert "Crawlee with Playwright" in missing().what
    assert "pip install etl-studio[browser]" in missing().hint


@on_linux
def test_a_browser_that_is_missing_is_named_with_the_command_that_installs_it(programs, packages):
    packages(there=True)
    programs("firefox")

    assert "no Chromium" in missing().what
    assert "apt install chromium" in missing().hint
    assert missing("chrom") == Missing('There is no browser "chrom".', missing().hint, "browser")
    programs("chromium")
    assert missing() is None


@pytest.mark.parametrize(("system", "command"), [("win32", "winget install"), ("darwin", "brew install")])
def test_each_system_has_its_command(system, command, packages, programs, monkeypatch):
    packages(there=True)
    programs()
    monkeypatch.setattr(_browser_found.sys, "platform", system)

    assert command in missing().hint


def test_a_check_of_the_pipeline_tells_what_is_missing_at_its_place(packages, programs):
    text = (
        "etl_studio: 1\nnodes:\n  pages:\n    type: browser_source\n    config:\n"
        "      start_urls: [https://shop.example/]\n      fields: {name: h1}\n      browser: opera\n"
    )
    registry = Registry([BrowserSource])
    packages(there=False)
    problems = [each for each in check(loads(text), registry) if each.severity == "error"]
    assert [(each.node, each.field, each.line) for each in problems] == [("pages", "config", 5)]
    assert "pip install" in problems[0].hint

    packages(there=True)
    programs()
    (problem,) = [each for each in check(loads(text), registry) if each.severity == "error"]
    assert (problem.field, problem.line) == ("config.browser", 8)


def test_a_run_says_the_same(packages):
    from etl_studio.nodes.extract._browser import Browser

    packages(there=False)
    with pytest.raises(PermanentError) as error:
        Browser(BrowserSettings(**START), None, None, None, "x")
    assert (error.value.what, error.value.hint) == (missing().what, missing().hint)
