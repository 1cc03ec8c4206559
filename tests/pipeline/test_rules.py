"""What a pipeline must fulfil before it runs."""

from __future__ import annotations

import pytest

from etl_studio import sdk
from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.pipeline.rules import check, check_wire

GOOD = """\
etl_studio: 1
name: orders
nodes:
  read:
    type: numbers_source
    config: {path: a.csv}
  keep:
    type: keep
    config: {where: n > 5}
  save:
    type: table_sink
    config: {table: orders}
wires:
  - read -> keep
  - keep -> save
"""


@pytest.fixture
def problems(registry):
    def find(text, **options):
        return check(loads(text, registry=registry), registry, **options)

    return find


def only(found, **facts):
    """The single problem of a pipeline, checked for some of its facts."""
    assert len(found) == 1, found
    for name, value in facts.items():
        assert getattr(found[0], name) == value, found[0]
    return found[0]


def test_a_good_pipeline_has_no_problems(problems):
    assert problems(GOOD) == []


class TestNodes:
    def test_a_pipeline_without_nodes_is_an_error(self, problems):
        only(problems("etl_studio: 1\n"), message="The pipeline has no nodes.", severity="error")

    def test_an_unknown_type_is_an_error_with_the_nearest_name_and_its_position(self, problems):
        problem = only(problems(GOOD.replace("type: keep", "type: kepe")), node="keep", field="type", line=8, column=5)
        assert problem.message == 'There is no node type "kepe".'
        assert problem.hint == 'Did you mean "keep"?'

    def test_a_pipeline_without_a_sink_is_warned_about_once(self, problems):
        text = GOOD.replace("  save:\n    type: table_sink\n    config: {table: orders}\n", "").replace(
            "  - keep -> save\n", ""
        )
        only(problems(text), severity="warning", message="The pipeline has no sink: its rows are kept nowhere.")

    def test_a_name_that_is_no_identifier_is_an_error(self, registry):
        pipeline = Pipeline(nodes={"my node": NodeSpec("my node", "table_sink", {"table": "t"})})
        assert any("cannot be the name of a node" in problem.message for problem in check(pipeline, registry))

    def test_two_sinks_must_not_replace_the_same_table(self, problems):
        text = GOOD.replace("{table: orders}", "{table: orders, write_disposition: replace}").replace(
            "wires:",
            "  more:\n    type: table_sink\n    config: {table: Orders, write_disposition: replace}\n"
            "wires:\n  - keep -> more",
        )
        problem = only(problems(text), node="more", field="config.table", line=15)
        assert problem.message == 'more and save both replace the table "Orders".'
        assert problems(text.replace("replace}\nwires", "append}\nwires")) == []


class TestWires:
    def test_a_loop_is_named(self, problems):
        text = GOOD.replace(
            "  - read -> keep\n", "  - read -> both\n  - both -> keep\n  - keep.rejects -> both\n"
        ).replace("  save:", "  both: {type: together}\n  save:")
        problem = only(problems(text), severity="error")
        assert problem.message == "These nodes feed each other in a loop: both -> keep -> both."
        assert problem.line in (16, 17)

    def test_an_input_without_a_wire_is_an_error(self, problems):
        found = problems(GOOD.replace("  - read -> keep\n", ""))
        assert [(problem.severity, problem.message) for problem in found] == [
            ("error", "No wire ends at the input of keep."),
            ("warning", "The rows of read go nowhere: no wire begins at it."),
        ]
        assert found[0].line == 7

    def test_each_missing_input_of_a_node_with_two_is_named(self, problems):
        text = GOOD.replace("type: keep\n    config: {where: n > 5}", "type: pair").replace("-> keep", "-> keep.left")
        assert only(problems(text)).message == 'No wire ends at the input "right" of keep.'

    def test_a_wire_that_does_not_say_which_input_it_means_is_an_error(self, problems):
        text = GOOD.replace("type: keep\n    config: {where: n > 5}", "type: pair")
        problem = problems(text)[0]
        assert problem.message == "The wire read -> keep does not say which input of keep it means."
        assert problem.hint == "Say which: keep.left or keep.right."
        assert problem.line == 13

    @pytest.mark.parametrize(
        ("wire", "message"),
        [
            ("save -> keep", "save is a sink: it gives no rows."),
            ("keep -> read", "read is a source: it takes no rows."),
            ("keep.rejcts -> save", 'keep has no output "rejcts".'),
            ("keep -> save.inptu", 'save has no input "inptu".'),
            ("keep -> keep", "keep cannot feed itself."),
            ("keep -> save", "The wire keep.out -> save.input is there twice."),
            ("keep.rejects -> save", "The input save.input has a wire already, from keep."),
        ],
    )
    def test_a_wire_that_cannot_be_is_told_with_its_line(self, problems, wire, message):
        found = [
            problem
            for problem in problems(GOOD + f"  - {wire}\n")
            if problem.line == (15 if "twice" in message else 16)
        ]
        assert [problem.message for problem in found] == [message]
        assert found[0].hint

    def test_many_wires_may_end_at_a_union_and_at_named_inputs_of_a_query(self, problems):
        text = GOOD.replace("type: keep\n    config: {where: n > 5}", "type: together") + "  - read.rejects -> keep\n"
        assert problems(text) == []
        text = GOOD.replace("type: keep\n    config: {where: n > 5}", "type: query\n    config: {query: SELECT 1}")
        assert problems(text.replace("read -> keep", "read -> keep.orders")) == []

    def test_wires_of_unknown_types_are_left_alone(self, problems):
        text = GOOD.replace("type: keep", "type: of_a_plugin").replace("keep -> save", "keep.other -> save")
        only(problems(text), field="type")


class TestWiresWhileDragging:
    @pytest.mark.parametrize(
        ("wire", "part"),
        [
            (Wire("keep", "out", "keep", "input"), "cannot feed itself"),
            (Wire("save", "out", "keep", "input"), "is a sink"),
            (Wire("keep", "out", "read", "input"), "is a source"),
            (Wire("keep", "no", "save", "input"), 'has no output "no"'),
            (Wire("read", "out", "keep", "input"), "is there already"),
            (Wire("read", "rejects", "keep", "input"), "has a wire already, from read"),
            (Wire("gone", "out", "keep", "input"), '"gone" that is not there'),
            (Wire("keep", "rejects", "both", "input"), "would close a loop: both -> keep -> both."),
        ],
    )
    def test_a_wire_is_refused_with_a_reason(self, registry, wire, part):
        text = GOOD.replace("  save:", "  both: {type: together}\n  save:").replace("read -> keep", "both -> keep")
        if "loop" not in part:
            text = GOOD
        problem = check_wire(loads(text, registry=registry), wire, registry)
        assert problem is not None
        assert part in problem.message

    def test_a_wire_between_ports_of_other_kinds_is_refused(self, registry):
        source = registry.get("numbers_source")
        files = type("FilesSource", (source,), {"type": "files_source", "outputs": (sdk.Port("out", kind="files"),)})
        other = sdk.Registry([*registry, files])
        pipeline = Pipeline(nodes={"a": NodeSpec("a", "files_source"), "b": NodeSpec("b", "keep")})
        problem = check_wire(pipeline, Wire("a", "out", "b", "input"), other)
        assert problem.message == "a.out gives files, b.input takes rows."

    def test_a_wire_that_fits_is_taken(self, registry):
        pipeline = loads(GOOD, registry=registry)
        pipeline.nodes["more"] = NodeSpec("more", "table_sink")
        assert check_wire(pipeline, Wire("keep", "rejects", "more", "input"), registry) is None


class TestSettings:
    @pytest.mark.parametrize(
        ("config", "field", "message", "hint"),
        [
            ("{}", "config.path", 'The setting "path" is missing.', "For example path: numbers.csv."),
            (
                "{path: a, delimeter: x}",
                "config.delimeter",
                'There is no setting "delimeter".',
                'Did you mean "delimiter"?',
            ),
            ("{path: a, limit: ten}", "config.limit", '"limit" must be a whole number. It is ten.', ""),
            ("{path: a, limit: -1}", "config.limit", '"limit" must be at least 0. It is -1.', ""),
            (
                "{path: a, delimiter: ab}",
                "config.delimiter",
                '"delimiter" must have at most 1 characters. It is ab.',
                "",
            ),
            ("{path: [a]}", "config.path", '"path" must be a text.', "For example path: numbers.csv."),
            ("{path: a, page: {size: 0}}", "config.page.size", '"page.size" must be at least 1. It is 0.', ""),
            (
                "{path: a, page: {sise: 1}}",
                "config.page.sise",
                'There is no setting "page.sise".',
                'Did you mean "size"?',
            ),
        ],
    )
    def test_a_wrong_setting_is_told_as_a_sentence(self, problems, config, field, message, hint):
        found = problems(GOOD.replace("{path: a.csv}", config))
        only(found, severity="error", node="read", field=field, message=message, hint=hint, line=6)

    def test_a_misspelt_setting_is_not_told_as_missing_too(self, problems):
        only(problems(GOOD.replace("where:", "wehre:")), field="config.wehre", hint='Did you mean "where"?')

    def test_a_wrong_choice_names_the_choices_and_the_nearest(self, problems):
        problem = only(problems(GOOD.replace("{table: orders}", "{table: orders, write_disposition: mrge}")))
        assert problem.message == '"write_disposition" must be one of: append, replace, merge. It is mrge.'
        assert problem.hint == 'Did you mean "merge"?'

    def test_a_wrong_policy_is_told_with_its_path(self, problems):
        found = problems(GOOD.replace("{table: orders}", "{table: orders}\n    policy: {retry: {attempts: 0}}"))
        only(found, field="policy.retry.attempts", message='"retry.attempts" must be at least 1. It is 0.', line=13)

    def test_sql_is_checked_by_the_checker_that_is_given(self, problems):
        asked = []

        def checker(text, editor):
            asked.append((text, editor))
            return "there is a ( too many"

        problem = only(problems(GOOD, check_sql=checker), node="keep", field="config.where", line=9, column=14)
        assert problem.message == "there is a ( too many"
        assert asked == [("n > 5", "sql")]


class TestParametersInRules:
    def with_parameter(self, parameter, where):
        text = GOOD.replace("nodes:", f"parameters: {{{parameter}}}\nnodes:", 1)
        return text.replace("{where: n > 5}", f"{{where: '{where}'}}")

    def test_an_unknown_parameter_is_told_with_the_nearest(self, problems):
        found = problems(self.with_parameter("minimum: {default: 5}", "n > ${minimun}"))
        assert found[0].message == 'There is no parameter "minimun".'
        assert found[0].hint == "Did you mean ${minimum}?"
        assert (found[0].node, found[0].field, found[0].line) == ("keep", "config.where", 10)
        assert found[1].message == 'Nothing uses the parameter "minimum".'
        assert found[1].severity == "warning"

    def test_a_default_that_does_not_fit_is_told(self, problems):
        found = problems(self.with_parameter("m: {type: integer, default: ten}", "n > ${m}"))
        only(found, message="The default 'ten' of the parameter \"m\" must be a whole number.", line=3)

    def test_an_unknown_parameter_type_is_told(self, problems):
        found = problems(self.with_parameter("m: {type: integr, default: 1}", "n > ${m}"))
        only(found, hint='Did you mean "integer"?')

    @pytest.mark.parametrize("wrong", ["${env:HOME}", "${}", "${a b}", "${m"])
    def test_a_reference_that_is_none_is_told(self, problems, wrong):
        found = problems(self.with_parameter("m: {default: 1}", f"n > {wrong} and ${{m}}"))
        only(found, field="config.where", severity="error")

    def test_a_parameter_without_a_default_is_left_to_the_run(self, problems):
        text = self.with_parameter("m: {type: integer}", "n > 5").replace(
            "{path: a.csv}", "{path: a.csv, limit: '${m}'}"
        )
        assert problems(text) == []
        assert only(problems(text, parameters={"m": "-3"})).message == '"limit" must be at least 0. It is -3.'

    def test_a_number_may_be_part_of_a_text_setting(self, problems):
        text = self.with_parameter("m: {type: integer, default: 2026}", "n > 5").replace(
            "table: orders", "table: '${m}'"
        )
        assert problems(text) == []


class TestLargePipelines:
    COUNT = 10_000

    def pipeline(self, *, close):
        pipeline = Pipeline(name="large")
        pipeline.nodes["n0"] = NodeSpec("n0", "numbers_source", {"path": "a"})
        for number in range(1, self.COUNT):
            pipeline.nodes[f"n{number}"] = NodeSpec(f"n{number}", "keep", {"where": "n > 1"})
            pipeline.wires.append(Wire(f"n{number - 1}", "out", f"n{number}", "input"))
        if close:
            pipeline.wires[0] = Wire(f"n{self.COUNT - 1}", "out", "n1", "input")
        return pipeline

    def test_ten_thousand_nodes_are_checked_without_recursion(self, registry):
        pipeline = self.pipeline(close=False)
        found = check(pipeline, registry)
        assert [problem.severity for problem in found] == ["warning"]

    def test_a_loop_of_ten_thousand_nodes_is_found_without_recursion(self, registry):
        found = check(self.pipeline(close=True), registry)
        assert found[0].message == (
            "These nodes feed each other in a loop: n9999 -> n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> ... -> n9998 -> n9999."
        )
        problem = check_wire(self.pipeline(close=False), Wire("n9999", "rejects", "n0", "input"), registry)
        assert problem.message == "n0 is a source: it takes no rows."


@pytest.mark.parametrize(
    ("node", "fallback", "message"),
    [
        ("read", "last_good", "read asks no site for rows"),
        ("keep", "last_good", "keep asks no site for rows"),
        ("read", "branch", "read works on no batches"),
    ],
)
def test_a_fallback_must_have_something_to_fall_back_to(problems, node, fallback, message):
    text = GOOD.replace(f"  {node}:\n", f"  {node}:\n    policy: {{fallback: {fallback}}}\n", 1)

    found = [problem for problem in problems(text) if problem.severity == "error"]

    assert [(one.node, one.field, one.line) for one in found] == [
        (node, "policy.fallback", text[: text.index("fallback")].count("\n") + 1)
    ]
    assert message in found[0].message


@pytest.mark.parametrize("node", ["keep", "save"])
def test_a_node_with_an_input_and_rejects_may_fall_back_to_a_branch(problems, node):
    assert problems(GOOD.replace(f"  {node}:\n", f"  {node}:\n    policy: {{fallback: branch}}\n", 1)) == []


@pytest.mark.parametrize(
    ("node", "policy", "severity", "field", "message"),
    [
        ("read", "{workers: 4}", "warning", "workers", "read always has one worker."),
        ("save", "{workers: 0}", "warning", "workers", "save always has one worker."),
        ("save", "{partition_by: [n]}", "warning", "partition_by", "save always has one worker."),
        ("keep", "{partition_by: [n]}", "warning", "partition_by",
         "keep has one worker, so partition_by does nothing."),
        ("keep", "{workers: 2, partition_by: [n], keep_order: true}", "error", "keep_order",
         "keep cannot keep the order of all rows: partition_by keeps that of rows with the same values."),
    ],
)  # fmt: skip
def test_settings_of_workers_that_cannot_do_what_they_say_are_told(problems, node, policy, severity, field, message):
    text = GOOD.replace(f"  {node}:\n", f"  {node}:\n    policy: {policy}\n", 1)
    line = text[: text.index("policy:")].count("\n") + 1
    only(problems(text), severity=severity, field=f"policy.{field}", message=message, node=node, line=line)


@pytest.mark.parametrize(
    "policy",
    [
        "{workers: 0}",
        "{workers: 2, keep_order: true}",
        "{workers: 2, partition_by: [n]}",
        "{workers: 0, partition_by: [n], keep_order: false}",
        "{workers: 1, keep_order: false}",
    ],
)
def test_settings_of_workers_that_fit_are_no_problem(problems, policy):
    assert problems(GOOD.replace("  keep:\n", f"  keep:\n    policy: {policy}\n", 1)) == []


def test_of_nodes_that_all_feed_each_other_no_node_is_told_in_two_loops(problems):
    names = [f"n{number}" for number in range(30)]
    nodes = "".join(f"  {name}: {{type: keep, config: {{where: n > 5}}}}\n" for name in names)
    wires = "".join(f"  - {one} -> {other}\n" for one in names for other in names if one != other)
    found = problems(f"etl_studio: 1\nnodes:\n{nodes}wires:\n{wires}")
    loops = [problem for problem in found if "loop" in problem.message]
    assert 0 < len(loops) <= 15
    assert all(problem.line for problem in loops)


def test_two_loops_that_do_not_touch_are_both_told(problems):
    nodes = "".join(f"  {name}: {{type: keep, config: {{where: n > 5}}}}\n" for name in "abcd")
    found = problems(f"etl_studio: 1\nnodes:\n{nodes}wires: [a -> b, b -> a, c -> d, d -> c]\n")
    assert sorted(problem.message for problem in found if "loop" in problem.message) == [
        "These nodes feed each other in a loop: a -> b -> a.",
        "These nodes feed each other in a loop: c -> d -> c.",
    ]


class TestGroups:
    def test_a_member_that_is_not_there_is_warned_about_with_the_nearest_name(self, problems):
        problem = only(problems(GOOD + "groups:\n  first:\n    title: First\n    nodes: [read, kepe]\n"), line=19)
        assert (problem.severity, problem.hint) == ("warning", 'Did you mean "keep"?')
        assert problem.message == 'The group "First" names a node "kepe" that is not there.'

    def test_a_node_in_two_groups_is_warned_about(self, problems):
        problem = only(problems(GOOD + "groups: {one: {nodes: [read]}, two: {nodes: [keep, read]}}\n"))
        assert (problem.severity, problem.message) == ("warning", "read is in two groups: one and two.")
