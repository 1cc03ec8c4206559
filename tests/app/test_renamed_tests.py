"""The tests of a pipeline follow a node that gets another id."""

from __future__ import annotations

import pytest

from etl_studio.app.renamed_tests import make, renamed_tests
from etl_studio.app.studio import Studio
from etl_studio.errors import UsageError

SHOP = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  keep: {type: filter, config: {where: qty > 1}}
  keeper: {type: filter, config: {where: qty > 2}}
wires: [read -> keep, keep -> keeper]
"""
OUTER = """\
etl_studio: 1
nodes:
  clean: {type: sub_pipeline, config: {file: shop.etl.yaml}}
"""
OUTERMOST = OUTER.replace("clean:", "all:").replace("shop.etl", "outer.etl")
CASE = """\
# What the house orders.
any_order: [keep, "keeper"]   # both of them
ignore:
  keep: [id]  # a number
"""
ROWS = '{"rows": []}\n'


@pytest.fixture
def folder(tmp_path):
    for name, text in (("shop", SHOP), ("outer", OUTER), ("outermost", OUTERMOST)):
        (tmp_path / f"{name}.etl.yaml").write_text(text)
    for name in (
        "shop.tests/one/given/read.json", "shop.tests/one/given/keep.json", "shop.tests/one/given/keep.rejects.json",
        "shop.tests/one/expected/keeper.json", "shop.tests/two/expected/keep.csv",
        "outer.tests/one/expected/clean/keep.json", "outermost.tests/one/expected/all/clean/keep.json",
        "outermost.tests/one/given/keep.json",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ROWS)
    (tmp_path / "shop.tests/one/case.yaml").write_text(CASE)
    return tmp_path


@pytest.fixture
def rename(folder):
    with Studio() as studio:

        def rename(old, new, name="shop.etl.yaml"):
            changes = renamed_tests(folder / name, studio.sub_pipelines.load, old, new)
            make(changes)
            return changes

        yield rename


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_files_of_all_ports_and_the_settings_follow_and_everything_else_stays(folder, rename):
    rename("keep", "many")
    found = files(folder)
    assert [name for name in found if name.startswith("shop.tests")] == [
        "shop.tests/one/case.yaml", "shop.tests/one/expected/keeper.json", "shop.tests/one/given/many.json",
        "shop.tests/one/given/many.rejects.json", "shop.tests/one/given/read.json", "shop.tests/two/expected/many.csv",
    ]  # fmt: skip
    assert found["shop.tests/one/case.yaml"] == CASE.replace("[keep,", "[many,").replace("  keep:", "  many:")


def test_tests_of_pipelines_that_use_the_file_follow_however_deep_and_those_of_their_own_nodes_do_not(folder, rename):
    rename("keep", "many")
    found = files(folder)
    assert "outer.tests/one/expected/clean/many.json" in found
    assert "outermost.tests/one/expected/all/clean/many.json" in found
    assert "outermost.tests/one/given/keep.json" in found


def test_the_folder_of_a_sub_pipeline_follows_its_node(folder, rename):
    rename("clean", "tidy", "outer.etl.yaml")
    found = files(folder)
    assert "outer.tests/one/expected/tidy/keep.json" in found
    assert "outermost.tests/one/expected/all/tidy/keep.json" in found


def test_the_way_back_gives_the_same_bytes(folder, rename):
    before = files(folder)
    rename("keep", "many")
    assert files(folder) != before
    rename("many", "keep")
    assert files(folder) == before


def test_what_is_there_already_under_the_new_name_is_told_before_anything_changes(folder, rename):
    (folder / "shop.tests/two/expected/many.csv").write_text("id\n")
    before = files(folder)
    with pytest.raises(UsageError, match=r"many\.csv is there already"):
        rename("keep", "many")
    assert files(folder) == before


def test_what_cannot_be_renamed_to_its_end_is_taken_back(folder):
    with Studio() as studio:
        changes = renamed_tests(folder / "shop.etl.yaml", studio.sub_pipelines.load, "keep", "many")
    before = files(folder)
    (folder / "shop.tests/two/expected/keep.csv").unlink()  # another program, just now
    with pytest.raises(UsageError, match="The tests keep the old name"):
        make(changes)
    del before["shop.tests/two/expected/keep.csv"]
    assert files(folder) == before


def test_files_that_hold_each_other_end_the_search(folder, rename):
    (folder / "shop.etl.yaml").write_text(SHOP + "  # sub_pipeline\n")
    (folder / "outer.etl.yaml").write_text(OUTER.replace("shop.etl", "outermost.etl"))
    changes = rename("keep", "many")
    assert {change.test for change in changes} == {"shop: one", "shop: two"}
