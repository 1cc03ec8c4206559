"""A run is stopped and paused from another process."""

from __future__ import annotations

import json

import pytest

from etl_studio.engine.conservation import sum_line


@pytest.fixture
def endless(tmp_path):
    path = tmp_path / "endless.yaml"
    path.write_text(
        "etl_studio: 1\nnodes:\n"
        "  make: {type: generate_source, config: {rows: 1000000000, columns: {n: i}, rows_per_second: 1000}}\n"
        "  save: {type: sqlite_sink, config: {table: numbers}}\n"
        "wires: [make -> save]\n"
    )
    return path


@pytest.fixture
def going(start, endless):
    process = start("run", endless, "--json")
    for line in process.stderr:
        if line.startswith("rows: make ") and not line.startswith("rows: make 0"):
            break
    return process


def wait_for_line(process, text):
    for line in process.stderr:
        if line.rstrip() == text:
            return
    raise AssertionError(f"the run ended without saying {text}")


def stored(call, folder):
    facts = json.loads(call("tables", "--workspace", folder, "--json").out)
    return facts[0]["rows"]


def test_stop_ends_a_run_of_another_process_with_its_rows_loaded(call, going, endless):
    folder = endless.parent / ".etl_studio"
    answer = call("stop", "--workspace", folder)
    assert answer.code == 0
    assert "is asked to stop" in answer.out
    out, err = going.communicate(timeout=60)
    report = json.loads(out.splitlines()[-1])
    assert report["status"] == "stopped", err
    assert stored(call, folder) == report["rows_out"] > 0


def test_a_paused_run_waits_until_it_is_continued(call, going, endless):
    folder = endless.parent / ".etl_studio"
    assert call("pause", "--workspace", folder).code == 0
    wait_for_line(going, "paused")
    assert call("continue", "--workspace", folder).code == 0
    wait_for_line(going, "going on")
    assert call("stop", "--now", "--workspace", folder).code == 0
    out, _ = going.communicate(timeout=60)
    assert json.loads(out.splitlines()[-1])["status"] == "stopped"


def test_without_a_run_there_is_nothing_to_stop(call, endless):
    (endless.parent / ".etl_studio").mkdir()
    answer = call("stop", "--workspace", endless.parent / ".etl_studio")
    assert answer.code == 2
    assert "No run is going on" in answer.err


def test_the_sum_of_a_node_names_where_its_rows_went():
    counts = {"rows_in": 1000, "rows_out": 950, "inserted": 700, "unchanged": 250, "rejected": 50}
    assert sum_line(counts) == "1,000 read = 700 inserted + 250 unchanged + 50 rejected"
    assert sum_line({"rows_in": 5, "rows_out": 3, "filtered": 2}) == "5 read = 3 given out + 2 filtered"


def test_where_rows_are_combined_or_given_up_no_sum_is_claimed():
    assert sum_line({"rows_in": 1000, "rows_out": 12}) == "1,000 read; 12 given out"
    assert sum_line({"rows_in": 10, "rows_out": 0}) == "10 read; nothing given out"
    assert sum_line({}) == "0 read"
