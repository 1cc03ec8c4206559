"""``merge`` merges two versions of a pipeline, for people and for git."""

from __future__ import annotations

import json
import sys

import pytest

from etl_studio.pipeline.file_format import load


@pytest.fixture
def sides(pipeline_file):
    """``sides(ours, theirs)``: three files, made from the pipeline by replacing (old, new)."""

    def make(ours, theirs):
        paths = [pipeline_file]
        for name, (old, new) in (("ours.yaml", ours), ("theirs.yaml", theirs)):
            text = pipeline_file.read_text()
            assert old in text
            paths.append(pipeline_file.with_name(name))
            paths[-1].write_text(text.replace(old, new))
        return paths

    return make


def test_a_clean_merge_is_printed_and_ends_with_0(call, sides, pipeline_file):
    answer = call("merge", *sides(("default: 5", "default: 6"), ("path: kept", "path: new")))
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == pipeline_file.read_text().replace("default: 5", "default: 6").replace(
        "path: kept", "path: new"
    )


def test_a_conflict_is_told_and_ends_with_1_and_the_file_can_be_opened_and_mended(call, sides, tmp_path):
    out = tmp_path / "out.yaml"
    answer = call("merge", *sides(("default: 5", "default: 6"), ("default: 5", "default: 7")), "-o", out)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "CONFLICT parameters.minimum.default: both sides changed it; ours is kept.\n"
        "  base:   5\n"
        "  ours:   6\n"
        "  theirs: 7\n"
        "etl-studio: Merged with one conflict. Decide in the file and delete the comments that begin with CONFLICT.\n"
    )
    assert load(out).parameters["minimum"].default == 6
    assert "  #   theirs: 7\n" in out.read_text()
    assert call("validate", out).code == 0


def test_two_sides_that_do_not_go_together_end_with_1(call, sides):
    other = "nodes:\n  {name}:\n    type: filter\n    config: {{where: quantity > 1}}\n"
    added = [other.format(name=name) for name in ("one", "two")]
    paths = sides(("nodes:\n", added[0]), ("nodes:\n", added[1]))
    for path, name in zip(paths[1:], ("one", "two"), strict=True):
        path.write_text(path.read_text().replace("  - read -> keep\n", f"  - read -> {name}\n  - {name} -> keep\n"))
    answer = call("merge", *paths)
    assert answer.code == 1
    assert "The input keep.input has a wire already, from one." in answer.err
    assert "etl-studio: Merged, but the two sides do not go together." in answer.err


def test_for_programs_it_is_one_object(call, sides):
    paths = sides(("default: 5", "default: 6"), ("default: 5", "default: 7"))
    answer = call("merge", *paths, "--json")
    found = json.loads(answer.out)
    assert answer.code == 1
    assert found["clean"] is False
    assert found["conflicts"] == [
        {"path": ["parameters", "minimum", "default"], "base": 5, "ours": 6, "theirs": 7},
    ]
    assert "CONFLICT" in found["text"]


def test_where_a_side_is_of_a_newer_version_the_lines_are_merged_and_a_person_must_look(call, sides):
    base, ours, theirs = sides(("default: 5", "default: 6"), ("etl_studio: 1", "etl_studio: 9"))
    answer = call("merge", base, ours, theirs, "-o", ours)
    assert answer.code == 1
    assert "made by a newer ETL Studio (format 9)" in answer.err
    assert "So the lines were merged, and not nodes and settings. Look at the result." in answer.err
    text = base.read_text()
    assert ours.read_text() == text.replace("default: 5", "default: 6").replace("etl_studio: 1", "etl_studio: 9")


def test_where_a_side_is_no_pipeline_what_both_changed_stands_between_gits_marks(call, sides):
    base, ours, theirs = sides(("default: 5", "default: 6"), ("default: 5", "default: ["))
    answer = call("merge", base, ours, theirs, "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["clean"], found["clashes"]) == (1, False, 1)
    assert "theirs.yaml" in found["unread"]
    clash = found["text"].split("<<<<<<< ours\n")[1].split(">>>>>>> theirs\n")[0]
    mine, other = clash.split("=======\n")
    assert "default: 6" in mine
    assert "default: [" in other
    assert found["text"].replace(f"<<<<<<< ours\n{clash}>>>>>>> theirs\n", mine) == ours.read_text()


def test_a_side_that_is_no_text_is_refused_and_nothing_is_written(call, sides):
    base, ours, theirs = sides(("default: 5", "default: 6"), ("default: 5", "default: 7"))
    theirs.write_bytes(b"etl_studio: 1\nname: \xff\n")
    before = ours.read_text()
    answer = call("merge", base, ours, theirs, "-o", ours)
    assert answer.code == 2
    assert "not UTF-8" in answer.err
    assert ours.read_text() == before


class TestInGit:
    """Real git."""

    @pytest.fixture
    def git(self, repository, pipeline_file):
        repository("config", "merge.etl.driver", f"{sys.executable} -m etl_studio merge %O %A %B -o %A")
        (repository.folder / ".gitattributes").write_text("*.etl.yaml merge=etl\n")
        path = repository.path = repository.folder / "orders.etl.yaml"
        path.write_text("# What we sell\n" + pipeline_file.read_text() + "layout: {keep: [0, 0]}\n")
        repository("add", ".")
        repository("commit", "-qm", "begin")

        def branch(name, *replaced):
            repository("checkout", "-q", "-b", name, "main")
            text = path.read_text()
            for old, new in replaced:
                assert old in text
                text = text.replace(old, new)
            path.write_text(text)
            repository("commit", "-qam", name)

        repository.branch = branch
        return repository

    def test_two_branches_that_change_one_line_are_merged(self, git):
        git.branch("one", ("type: integer, default: 5", "type: integer, default: 6"), ("[0, 0]", "[1, 1]"))
        git.branch("two", ("default: 5}", "default: 5, description: At least}"), ("[0, 0]", "[2, 2]"))
        git("merge", "-q", "one")
        text = git.path.read_text()
        assert "minimum: {type: integer, default: 6, description: At least}" in text
        assert text.startswith("# What we sell\n")
        assert git("status", "--short") == ""

    def test_a_conflict_stops_the_merge_until_a_person_has_decided(self, git):
        git.branch("one", ("default: 5", "default: 6"))
        git.branch("two", ("default: 5", "default: 7"))
        assert "CONFLICT (content)" in git("merge", "-q", "one", code=1)
        assert git("status", "--short") == "UU orders.etl.yaml\n"
        assert "  # CONFLICT parameters.minimum.default" in git.path.read_text()
        assert load(git.path).parameters["minimum"].default == 7
