"""What a node keeps when it gets another type: the real catalogue."""

from __future__ import annotations

import pytest

from etl_studio.app.catalogue import full_registry
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.pipeline.replacing import replacement


@pytest.fixture(scope="module")
def registry():
    return full_registry()


def one_node(node_type, config=None, *wires):
    """A pipeline around a node called ``n``."""
    spec = NodeSpec("n", node_type, config or {}, {"retry": {"attempts": 3}}, "Mine")
    return Pipeline(nodes={"n": spec}, wires=list(wires))


def test_a_source_of_another_kind_keeps_the_settings_that_mean_the_same(registry):
    config = {"path": "a.csv", "delimiter": ";", "columns": {"price": "integer"}, "encoding": "cp1252"}

    made = replacement(one_node("csv_source", config), "n", registry.get("json_source"), registry)

    assert made.spec.config == {"path": "a.csv", "columns": {"price": "integer"}, "encoding": "cp1252"}
    assert made.lost_settings == ("delimiter",)
    assert (made.spec.id, made.spec.title, made.spec.policy) == ("n", "Mine", {"retry": {"attempts": 3}})


def test_a_file_that_was_read_does_not_become_a_file_that_is_written(registry):
    made = replacement(one_node("csv_source", {"path": "a.csv"}), "n", registry.get("csv_sink"), registry)

    assert made.spec.config == {}
    assert made.lost_settings == ("path",)


def test_a_setting_of_the_same_name_with_a_value_that_does_not_fit_is_lost(registry):
    made = replacement(one_node("select", {"columns": ["a"]}), "n", registry.get("csv_source"), registry)

    assert made.lost_settings == ("columns",)


def test_a_parameter_in_a_setting_is_kept(registry):
    made = replacement(one_node("csv_source", {"path": "${file}"}), "n", registry.get("json_source"), registry)

    assert made.spec.config == {"path": "${file}"}


def test_a_node_of_an_unknown_type_keeps_what_the_new_type_can_read(registry):
    made = replacement(one_node("gone", {"where": "a > 1", "foo": 1}), "n", registry.get("filter"), registry)

    assert made.spec.config == {"where": "a > 1"}
    assert made.lost_settings == ("foo",)


def test_wires_stay_where_the_new_type_has_their_ports(registry):
    wires = Wire("a", "out", "n", "input"), Wire("n", "out", "b", "input"), Wire("n", "rejects", "c", "input")

    made = replacement(one_node("filter", {}, *wires), "n", registry.get("derive"), registry)

    assert made.wires == {wire: wire for wire in wires}
    assert made.lost_wires == ()


def test_wires_of_a_missing_port_are_lost(registry):
    into, out, bad = Wire("a", "out", "n", "input"), Wire("n", "out", "b", "input"), Wire("n", "rejects", "c", "input")

    sink = replacement(one_node("filter", {}, into, out, bad), "n", registry.get("sqlite_sink"), registry)
    aggregate = replacement(one_node("filter", {}, into, out, bad), "n", registry.get("aggregate"), registry)

    assert sink.lost_wires == (out,)
    assert aggregate.lost_wires == (bad,)


def test_the_first_input_takes_the_wire_of_an_input_that_is_missing_and_the_other_is_lost(registry):
    left, right = Wire("a", "out", "n", "left"), Wire("b", "out", "n", "right")

    to_filter = replacement(one_node("join", {}, left, right), "n", registry.get("filter"), registry)
    back = replacement(one_node("filter", {}, Wire("a", "out", "n", "input")), "n", registry.get("join"), registry)

    assert to_filter.wires == {left: Wire("a", "out", "n", "input")}
    assert to_filter.lost_wires == (right,)
    assert list(back.wires.values()) == [Wire("a", "out", "n", "left")]


def test_an_input_for_many_wires_takes_all_of_them_but_none_twice(registry):
    left, right = Wire("a", "out", "n", "left"), Wire("b", "out", "n", "right")
    same = Wire("a", "out", "n", "right")

    two = replacement(one_node("join", {}, left, right), "n", registry.get("union"), registry)
    one = replacement(one_node("join", {}, left, same), "n", registry.get("union"), registry)

    assert list(two.wires.values()) == [Wire("a", "out", "n", "input"), Wire("b", "out", "n", "input")]
    assert (list(one.wires), one.lost_wires) == ([left], (same,))


def test_inputs_with_free_names_keep_the_names(registry):
    left = Wire("a", "out", "n", "left")

    assert replacement(one_node("join", {}, left), "n", registry.get("sql"), registry).wires == {left: left}
