"""Fixtures about installations."""

from __future__ import annotations

import sys

import pytest

from tests.app.plugin import install_plugin


@pytest.fixture
def plugin_site(tmp_path, monkeypatch):
    """A folder on the import path with the plug-in installed."""
    site = tmp_path / "site"
    site.mkdir()
    install_plugin(site)
    monkeypatch.syspath_prepend(str(site))
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "loud"]:
        del sys.modules[name]
