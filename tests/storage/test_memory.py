"""What runs leave for later ones."""

from __future__ import annotations

from etl_studio.storage.databases import Databases


def test_runs_know_what_earlier_ones_remembered(tmp_path):
    with Databases() as first:
        first.memory(tmp_path).remember("rates", {"name": 1.0})
    with Databases() as later:
        memory = later.memory(tmp_path)
        assert memory.remembered("rates") == {"name": 1.0}
        memory.remember("rates", {"name": 0.5})
        assert later.memory(tmp_path).remembered("rates") == {"name": 0.5}
        assert memory.remembered("others") is None
