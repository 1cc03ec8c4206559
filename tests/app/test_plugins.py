"""Another package brings a node: it stands in the catalogue, the terminal knows it, a pipeline runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from etl_studio.app.catalogue import full_registry
from tests.app.plugin import install_plugin

PIPELINE = """\
etl_studio: 1
name: loud
nodes:
  read: {type: csv_source, config: {path: names.csv}}
  loud: {type: shout, config: {column: name}}
  save: {type: csv_sink, config: {path: out.csv}}
wires:
  - read -> loud
  - loud -> save
"""


def studio(site, folder, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, "-m", "etl_studio", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_catalogue_finds_an_installed_plugin(plugin_site):
    assert full_registry().get("shout").title == "Shout"


def test_the_terminal_lists_a_plugin_and_runs_it(plugin_site, tmp_path):
    (tmp_path / "names.csv").write_text("name\nada\n")
    (tmp_path / "loud.etl.yaml").write_text(PIPELINE)

    listed = studio(plugin_site, tmp_path, "nodes", "--json")
    ran = studio(plugin_site, tmp_path, "run", "loud.etl.yaml")

    assert "shout" in [node["type"] for node in json.loads(listed.stdout)]
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out.csv").read_text().splitlines() == ["name", "ADA"]


def test_a_broken_plugin_is_named_and_stops_nothing(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    install_plugin(site, broken=True)
    monkeypatch.syspath_prepend(str(site))

    registry = full_registry()

    assert registry.get("filter") is not None
    assert [failed.name for failed in registry.failed] == ["shout"]
    assert "no_such_module" in registry.failed[0].error
