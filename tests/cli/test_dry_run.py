"""``run --dry-run`` tells what a run would do, and does it not."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "goods.csv").write_text("id,price\n1,10\n2,20\n3,30\n")
    path = tmp_path / "shop.yaml"
    path.write_text(
        "etl_studio: 1\nnodes:\n"
        "  read: {type: csv_source, config: {path: goods.csv}}\n"
        "  save: {type: sqlite_sink, config: {table: goods, write_disposition: merge, key: [id]}}\n"
        "  file: {type: csv_sink, config: {path: copy.csv}}\n"
        "wires: [read -> save, read -> file]\n"
    )
    return path


def test_before_the_first_run_nothing_at_all_is_made(call, shop):
    answer = call("run", shop, "--dry-run")
    assert answer.code == 0
    assert 'save: the table "goods" would be made; 3 inserted; then it has 3 rows.' in answer.out
    assert "+ id: 1, price: 10" in answer.out
    assert "file: would write 3 rows." in answer.out
    assert sorted(path.name for path in shop.parent.iterdir()) == ["goods.csv", "shop.yaml"]


def test_later_it_shows_old_and_new_values_and_the_run_then_does_just_that(call, shop):
    assert call("run", shop).code == 0
    shop.with_name("goods.csv").write_text("id,price\n1,10\n2,25\n4,40\n")
    before = (shop.parent / ".etl_studio" / "data.db").read_bytes()

    answer = call("run", shop, "--dry-run", "--json")

    assert "1 inserted, 1 updated, 1 unchanged" in answer.out
    assert "~ id: 2, price: 20 -> 25" in answer.out
    assert (shop.parent / ".etl_studio" / "data.db").read_bytes() == before
    promised = json.loads(answer.out.splitlines()[-1])["sinks"]["save"]["diff"]["loaded"]
    done = json.loads(call("run", shop, "--json").out.splitlines()[-1])["nodes"]["save"]
    assert {name: done[name] for name in promised} == promised


def test_a_dry_run_to_a_node_tells_of_its_part_only(call, shop):
    answer = call("run", shop, "--dry-run", "--to", "save", "--json")
    assert answer.code == 0
    assert "Not run: file." in answer.out
    facts = json.loads(answer.out.splitlines()[-1])
    assert list(facts["sinks"]) == ["save"]
    assert facts["not_run"] == ["file"]


def test_a_source_that_fails_fails_the_dry_run(call, shop):
    shop.with_name("goods.csv").unlink()
    answer = call("run", shop, "--dry-run")
    assert answer.code == 1
    assert "There is no file" in answer.err
