"""``diff`` tells what changed, to people, to programs and to git."""

from __future__ import annotations

import json
import sys

import pytest


@pytest.fixture
def changed(pipeline_file):
    """A later version of the pipeline file."""
    path = pipeline_file.with_name("changed.yaml")
    text = pipeline_file.read_text()
    text = text.replace("default: 5", "default: 6").replace("  save:", "  kept:").replace("-> save", "-> kept")
    text = text.replace("wires:\n", "  bad:\n    type: csv_sink\n    config: {path: bad.csv}\nwires:\n")
    path.write_text(
        text.replace('>= ${minimum}"', '> ${minimum}"') + "  - keep.rejects -> bad\nlayout: {keep: [1, 2]}\n"
    )
    return path


def test_equal_files_end_with_0(call, pipeline_file):
    answer = call("diff", pipeline_file, pipeline_file)
    assert (answer.code, answer.err) == (0, "")
    assert "No difference in what it does." in answer.out


def test_differences_are_told_by_node_and_setting_and_end_with_1(call, pipeline_file, changed):
    answer = call("diff", pipeline_file, changed)
    assert answer.code == 1
    assert answer.out == (
        f"{changed}\n"
        "~ parameter minimum (integer)\n"
        "    default: 5 -> 6\n"
        "~ node keep (filter)\n"
        '    config.where: "quantity >= ${minimum}" -> "quantity > ${minimum}"\n'
        "> node save is now kept (csv_sink)\n"
        "+ node bad (csv_sink)\n"
        "    + config.path: bad.csv\n"
        "+ wire keep.rejects -> bad.input\n"
        "  Layout: moved keep.\n"
    )


def test_a_moved_node_and_a_comment_are_no_difference(call, pipeline_file):
    moved = pipeline_file.with_name("moved.yaml")
    moved.write_text("# mine\n" + pipeline_file.read_text() + "layout: {keep: [1, 2]}\n")
    answer = call("diff", pipeline_file, moved)
    assert answer.code == 0
    assert "Layout: moved keep." in answer.out


def test_a_long_query_is_compared_line_by_line(call, tmp_path):
    before, after = tmp_path / "a.yaml", tmp_path / "b.yaml"
    text = "etl_studio: 1\nnodes:\n  q:\n    type: sql\n    config:\n      query: |\n"
    text += "        SELECT a\n        FROM input\n"
    before.write_text(text)
    after.write_text(text.replace("SELECT a\n", "SELECT b\n"))
    assert "config.query:\n      - SELECT a\n      + SELECT b\n        FROM input\n" in call("diff", before, after).out


def test_a_list_that_grew_is_compared_item_by_item(call, tmp_path):
    before, after = tmp_path / "a.yaml", tmp_path / "b.yaml"
    text = "etl_studio: 1\nnodes:\n  v:\n    type: validate\n    config:\n      rules:\n"
    text += "".join(f"        - {{column: column_{number}, rule: unique}}\n" for number in range(3))
    before.write_text(text)
    after.write_text(text + "        - {column: new, rule: unique}\n")
    out = call("diff", before, after).out
    assert "      + " in out
    assert "column: new" in out
    assert "column_0" not in out


def test_for_programs_it_is_one_object(call, pipeline_file, changed):
    answer = call("diff", pipeline_file, changed, "--json")
    found = json.loads(answer.out)
    assert answer.code == 1
    assert found["same"] is False
    assert found["parameters"][0]["changes"] == [{"path": ["default"], "before": 5, "after": 6}]
    assert found["nodes"][1] == {"kind": "renamed", "id": "kept", "type": "csv_sink", "old_id": "save", "changes": []}
    assert found["wires_added"] == ["keep.rejects -> bad.input"]
    assert found["moved"] == {"keep": {"before": None, "after": [1.0, 2.0]}}


def test_a_file_of_a_newer_program_is_refused(call, pipeline_file):
    newer = pipeline_file.with_name("newer.yaml")
    newer.write_text(pipeline_file.read_text().replace("etl_studio: 1", "etl_studio: 2"))
    answer = call("diff", pipeline_file, newer)
    assert answer.code == 2
    assert "made by a newer ETL Studio (format 2)" in answer.err


def test_one_file_more_or_less_is_a_wrong_call(call, pipeline_file):
    answer = call("diff", *[pipeline_file] * 3)
    assert (answer.code, answer.err) == (
        2,
        "etl-studio: diff compares two files. Write: etl-studio diff BEFORE AFTER.\n",
    )


def test_what_a_terminal_would_obey_is_written_out(call, tmp_path):
    before, after = tmp_path / "a.yaml", tmp_path / "b.yaml"
    before.write_text('etl_studio: 1\nnodes: {n: {type: t, config: {a: "x"}}}\n')
    after.write_text('etl_studio: 1\nnodes: {n: {type: t, config: {a: "\\e[2J\\nb"}}}\n')
    assert "\x1b" not in call("diff", before, after).out


class TestInGit:
    """Real git."""

    @pytest.fixture
    def git(self, repository):
        repository("config", "diff.etl.command", f"{sys.executable} -m etl_studio diff")
        (repository.folder / ".gitattributes").write_text("*.etl.yaml diff=etl\n")
        return repository

    def test_git_diff_shows_the_meaning(self, git, pipeline_file, changed):
        path = git.folder / "orders.etl.yaml"
        path.write_text(pipeline_file.read_text())
        git("add", ".")
        git("commit", "-qm", "one")
        path.write_text(changed.read_text())

        assert "> node save is now kept (csv_sink)\n" in git("diff")
        assert "\x1b[" in git("diff", GIT_PAGER_IN_USE="true", TERM="xterm-256color")

        git("add", ".")
        git("commit", "-qm", "two")
        path.unlink()
        assert "- node keep (filter)\n" in git("diff")
        assert "- node read (csv_source)\n" in git("log", "-p", "--ext-diff", "--reverse", "-R")

    def test_a_file_that_git_finds_renamed_is_compared_with_what_it_was(self, git, pipeline_file):
        (git.folder / "orders.etl.yaml").write_text(pipeline_file.read_text())
        git("add", ".")
        git("commit", "-qm", "one")
        git("mv", "orders.etl.yaml", "sales.etl.yaml")
        (git.folder / "sales.etl.yaml").write_text(pipeline_file.read_text().replace("default: 5", "default: 6"))
        git("add", ".")
        assert "    default: 5 -> 6\n" in git("diff", "--cached", "-M")


def test_groups_notes_and_their_layout_are_told(call, pipeline_file):
    changed = pipeline_file.with_name("changed.yaml")
    text = pipeline_file.read_text()
    changed.write_text(
        text + "groups: {all: {nodes: [keep]}}\nnotes: {why: {text: Because}}\nlayout: {why: [1, 2, 3, 4]}\n"
    )
    answer = call("diff", pipeline_file, changed)
    assert answer.code == 1
    assert answer.out.split("\n", 1)[1] == (
        "+ group all\n    + nodes: [keep]\n+ note why\n    + text: Because\n  Layout: moved why.\n"
    )
    facts = json.loads(call("diff", pipeline_file, changed, "--json").out)
    assert (facts["groups"][0]["id"], facts["notes"][0]["kind"]) == ("all", "added")
