"""What runs of a pipeline some of whose nodes are disabled."""

from __future__ import annotations

import pytest

from etl_studio.pipeline.active import active, fed_by_only
from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.rules import check

FORK = """\
etl_studio: 1
nodes:
  read: {type: numbers_source, config: {path: a.csv}}
  other: {type: numbers_source, config: {path: b.csv}}
  keep: {type: keep, config: {where: n > 5}}
  more: {type: keep, config: {where: n > 6}}
  pair: {type: pair}
  save: {type: table_sink, config: {table: t}}
  bad: {type: table_sink, config: {table: bad}}
wires:
  - read -> keep
  - keep -> more
  - more -> pair.left
  - other -> pair.right
  - pair -> save
  - more.rejects -> bad
"""


@pytest.fixture
def running(registry):
    """``running("keep")`` gives what runs when these nodes are disabled."""

    def run(*disabled, text=FORK):
        pipeline = loads(text, registry=registry)
        for name in disabled:
            pipeline.nodes[name].disabled = True
        return active(pipeline, registry)

    return run


def wires(found):
    return [str(wire) for wire in found.pipeline.wires]


def test_a_pipeline_without_disabled_nodes_is_itself(registry):
    pipeline = loads(FORK, registry=registry)
    assert active(pipeline, registry).pipeline is pipeline


def test_rows_pass_a_disabled_transform_unchanged(running):
    found = running("keep")
    assert list(found.pipeline.nodes) == ["read", "other", "more", "pair", "save", "bad"]
    assert wires(found)[0] == "read.out -> more.input"
    assert (dict(found.passed), dict(found.left_out)) == ({"keep": ("read", "out")}, {})


def test_rows_pass_several_disabled_transforms_and_what_their_rejects_feed_is_left_out(running):
    found = running("keep", "more")
    assert wires(found) == ["read.out -> pair.left", "other.out -> pair.right", "pair.out -> save.input"]
    assert dict(found.passed) == {"keep": ("read", "out"), "more": ("read", "out")}
    assert dict(found.left_out) == {"bad": False}


def test_a_disabled_source_is_left_out_with_all_that_only_it_feeds(running):
    found = running("read")
    assert list(found.pipeline.nodes) == ["other", "pair", "save"]
    assert dict(found.left_out) == {"read": True, "keep": False, "more": False, "bad": False}


def test_a_disabled_sink_is_left_out_alone(running):
    found = running("save")
    assert list(found.pipeline.nodes) == ["read", "other", "keep", "more", "pair", "bad"]
    assert dict(found.left_out) == {"save": True}


def test_a_disabled_node_with_several_inputs_is_left_out_with_what_it_feeds(running):
    found = running("pair")
    assert dict(found.left_out) == {"pair": True, "save": False}


def test_a_disabled_node_with_one_of_its_inputs_wired_lets_the_rows_pass(running):
    found = running("pair", text=FORK.replace("  - other -> pair.right\n", ""))
    assert found.passed["pair"] == ("more", "out")
    assert "more.out -> save.input" in wires(found)


def test_a_disabled_transform_behind_a_disabled_source_is_left_out_too(running):
    found = running("read", "keep")
    assert not found.passed
    assert found.left_out["keep"] is True


def test_a_loop_is_left_to_the_rules(running):
    found = running("keep", text=FORK.replace("  - read -> keep\n", "  - pair -> keep\n"))
    assert "save" in found.pipeline.nodes


def test_a_branch_is_a_node_and_what_only_it_feeds(registry):
    pipeline = loads(FORK, registry=registry)
    assert fed_by_only(pipeline, ["keep"]) == ["keep", "more", "bad"]
    assert fed_by_only(pipeline, ["keep", "other"]) == ["other", "keep", "more", "pair", "save", "bad"]


class TestRules:
    """What is told about a pipeline with disabled nodes."""

    @pytest.fixture
    def problems(self, registry):
        def find(*disabled, text=FORK):
            pipeline = loads(text, registry=registry)
            for name in disabled:
                pipeline.nodes[name].disabled = True
            return [(one.severity, one.message, one.hint) for one in check(pipeline, registry)]

        return find

    def test_settings_and_types_of_disabled_nodes_may_be_wrong(self, problems):
        text = FORK.replace("where: n > 5", "wher: 5").replace("type: keep, config: {where: n > 6}", "type: gone")
        assert problems(text=text)
        assert problems("keep", "more", text=text) == []

    def test_what_only_they_feed_may_have_wrong_settings_too(self, problems):
        text = FORK.replace("table: bad", "tabel: bad")
        assert problems(text=text)
        assert problems("keep", "more", text=text) == []

    def test_a_pipeline_whose_sinks_are_disabled_is_warned_about_with_what_to_enable(self, problems):
        found = problems("save", "bad")
        assert found == [("warning", "No sink would run: the rows are kept nowhere.", "Enable save.")]

    def test_a_pipeline_of_disabled_nodes_is_an_error(self, problems):
        found = problems("read", "other")
        assert found == [("error", "Nothing would run: its nodes are disabled.", "Enable a source and a sink.")]

    def test_an_input_without_rows_says_that_what_feeds_it_is_disabled(self, problems):
        found = problems("other")
        message = 'No rows come to the input "right" of pair: what feeds it is disabled.'
        assert found == [("error", message, "Enable it, or disable pair.")]

    def test_rows_whose_target_is_disabled_are_warned_about(self, problems):
        found = problems("save")
        message = "The rows of pair go nowhere: what they go to is disabled."
        assert found == [("warning", message, "Enable it, or disable pair, too.")]

    def test_rows_that_would_come_twice_are_an_error(self, problems):
        text = FORK.replace("  pair: {type: pair}", "  pair: {type: together}").replace(
            "  - other -> pair.right\n", "  - other -> pair\n  - read -> pair\n"
        )
        text = text.replace("more -> pair.left", "more -> pair")
        assert problems(text=text) == []
        found = problems("keep", "more", text=text)
        message = "Past what is disabled, the rows of read come to pair twice."
        assert found == [("error", message, "Remove one of the ways, or enable a node on it.")]
