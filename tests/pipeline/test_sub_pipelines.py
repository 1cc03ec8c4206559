"""Sub-pipelines give way to the nodes of their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl_studio.app.catalogue import full_registry
from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline.active import active
from etl_studio.pipeline.file_format import loads, position
from etl_studio.pipeline.flat import leaving, nodes_of
from etl_studio.pipeline.interfaces import interface_of
from etl_studio.pipeline.model import Wire
from etl_studio.pipeline.parameters import Kept, exchange, resolve
from etl_studio.pipeline.rules import check, check_wire
from etl_studio.pipeline.sub_pipelines import DEPTH, flatten

REGISTRY = full_registry()
CLEAN = """\
etl_studio: 1
name: clean
parameters:
  minimum: {type: integer, default: 1}
  label: {type: text, default: good}
nodes:
  rows:
    type: pipeline_input
    config: {port: orders, columns: {quantity: integer}}
  keep:
    type: filter
    config: {where: "quantity >= ${minimum} -- at least ${minimum}"}
    policy: {on_error: dead_letter}
  mark: {type: derive, config: {columns: {label: "'${label}' || ' $${'"}}}
  done: {type: pipeline_output, config: {port: clean}}
  bad: {type: csv_sink, config: {path: bad.csv}}
wires: [rows -> keep, keep -> mark, mark -> done, keep.rejects -> bad]
"""
SHOP = """\
etl_studio: 1
name: shop
parameters:
  least: {type: integer, default: 5}
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  tidy:
    type: sub_pipeline
    config: {file: parts/clean.yaml, parameters: {minimum: "${least}"}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [read -> tidy.orders, tidy.clean -> save]
"""
FOLDER = Path("/shop").resolve()


@pytest.fixture
def files():
    """Pipeline files by path, and how they are read."""

    class Files(dict):
        def load(self, path):
            text = self.get(path.relative_to(FOLDER).as_posix())
            if text is None:
                raise UsageError(f"There is no file {path.name}.", hint="Check the name.")
            return loads(text, registry=REGISTRY, name=path.stem)

        def flat(self, text=SHOP, **given):
            return flatten(loads(text, registry=REGISTRY), REGISTRY, self.load, file=FOLDER / "shop.yaml", given=given)

        def problem(self, text):
            with pytest.raises(PipelineError) as caught:
                self.flat(text)
            return caught.value.problems[0]

    return Files({"parts/clean.yaml": CLEAN})


def settings(flat, **given):
    return {name: config for name, (config, _) in resolve(flat, REGISTRY, given).settings.items()}


def test_the_nodes_of_a_file_stand_in_the_place_of_the_node(files):
    flat = files.flat()

    assert list(flat.nodes) == ["read", "tidy/rows", "tidy/keep", "tidy/mark", "tidy/done", "tidy/bad", "save"]
    assert Wire("read", "out", "tidy/rows", "input") in flat.wires
    assert Wire("tidy/done", "out", "save", "input") in flat.wires
    assert Wire("tidy/keep", "rejects", "tidy/bad", "input") in flat.wires
    assert flat.nodes["tidy/keep"].policy == {"on_error": "dead_letter"}
    assert [problem for problem in check(flat, REGISTRY) if problem.severity == "error"] == []


def test_the_document_itself_stays_as_it_is(files):
    document = loads(SHOP, registry=REGISTRY)
    flatten(document, REGISTRY, files.load, file=FOLDER / "shop.yaml")

    assert document == loads(SHOP, registry=REGISTRY)


def test_a_parameter_of_the_file_has_the_value_that_it_is_given_and_else_its_default(files):
    found = settings(files.flat())
    assert found["tidy/keep"]["where"].startswith("quantity >= 5 ")
    assert found["tidy/mark"]["columns"] == {"label": "'good' || ' ${'"}

    assert settings(files.flat(least="8"), least="8")["tidy/keep"]["where"].startswith("quantity >= 8 ")


def test_two_nodes_of_one_file_have_values_of_their_own(files):
    text = SHOP.replace("  save:", "  again: {type: sub_pipeline, config: {file: parts/clean.yaml}}\n  save:", 1)
    text = text.replace("tidy.clean -> save", "tidy.clean -> again.orders, again.clean -> save")
    found = settings(files.flat(text))

    assert found["tidy/keep"]["where"].startswith("quantity >= 5 ")
    assert found["again/keep"]["where"].startswith("quantity >= 1 ")


@pytest.mark.parametrize(
    ("given", "sql"),
    [
        ("it''s", "'it''''s' || ' ${'"),
        ("a ${least} b", "'a 5 b' || ' ${'"),
        ("$${least}", "'${least}' || ' ${'"),
        ("'; DROP TABLE x --", "'''; DROP TABLE x --' || ' ${'"),
    ],
)
def test_a_value_cannot_change_the_sql_around_it(files, given, sql):
    text = SHOP.replace('{minimum: "${least}"}', f'{{label: "{given}"}}')

    assert settings(files.flat(text))["tidy/mark"]["columns"] == {"label": sql}


def test_a_secret_is_handed_on_by_its_name(files):
    text = SHOP.replace('{minimum: "${least}"}', '{label: "${secret:shop}"}')
    flat = files.flat(text)

    assert flat.nodes["tidy/mark"].config["columns"]["label"] == "'${secret:shop}' || ' $${'"
    found = resolve(flat, REGISTRY, {}, {"shop": "hush"}.get)
    assert found.settings["tidy/mark"][0]["columns"]["label"] == "'hush' || ' ${'"
    assert "hush" not in str(found.shown)


def test_a_secret_among_other_text_is_refused(files):
    problem = files.problem(SHOP.replace('{minimum: "${least}"}', '{label: "a ${secret:shop}"}'))

    assert problem.field == "config.parameters.label"
    assert "holds a secret among other text" in problem.message


def test_paths_in_a_file_start_at_its_own_folder(files):
    assert files.flat().nodes["tidy/bad"].config == {"path": "parts/bad.csv"}

    files["parts/clean.yaml"] = CLEAN.replace("path: bad.csv", "path: /elsewhere/bad.csv")
    assert files.flat().nodes["tidy/bad"].config == {"path": "/elsewhere/bad.csv"}


def test_a_path_that_a_parameter_makes_absolute_stays_so(files):
    files["parts/clean.yaml"] = CLEAN.replace("path: bad.csv", 'path: "${label}/bad.csv"')
    text = SHOP.replace('{minimum: "${least}"}', "{label: /elsewhere}")

    assert settings(files.flat(text))["tidy/bad"] == {"path": "/elsewhere/bad.csv"}
    assert settings(files.flat())["tidy/bad"] == {"path": "parts/good/bad.csv"}


def nested(depth):
    """Files that use each other, and the last one CLEAN."""
    found = {}
    for number in range(depth):
        inner = f"level{number + 1}.yaml" if number + 1 < depth else "clean.yaml"
        found[f"parts/level{number}.yaml"] = (
            "etl_studio: 1\nparameters: {minimum: {type: integer}}\nnodes:\n"
            "  a: {type: pipeline_input, config: {port: orders}}\n"
            f"  n: {{type: sub_pipeline, config: {{file: {inner}, parameters: {{minimum: '${{minimum}}'}}}}}}\n"
            "  z: {type: pipeline_output, config: {port: clean}}\n"
            "wires: [a -> n.orders, n.clean -> z]\n"
        )
    return found


def test_files_may_use_files_to_a_depth_of_sixteen(files):
    files.update(nested(DEPTH - 1))
    flat = files.flat(SHOP.replace("clean.yaml", "level0.yaml"))

    deepest = "tidy" + "/n" * (DEPTH - 1)
    assert f"{deepest}/keep" in flat.nodes
    assert settings(flat)[f"{deepest}/keep"]["where"].startswith("quantity >= 5 ")
    assert settings(flat)[f"{deepest}/bad"] == {"path": "parts/bad.csv"}


def test_more_than_sixteen_are_refused(files):
    files.update(nested(DEPTH))
    problem = files.problem(SHOP.replace("clean.yaml", "level0.yaml"))

    assert problem.message.startswith(
        "There are more than 16 sub-pipelines within each other: shop.yaml -> level0.yaml"
    )


def test_a_file_that_holds_itself_is_refused_with_the_chain_of_files(files):
    files["parts/clean.yaml"] = nested(1)["parts/level0.yaml"].replace("clean.yaml", "../other.yaml")
    files["other.yaml"] = nested(1)["parts/level0.yaml"].replace("clean.yaml", "parts/clean.yaml")
    problem = files.problem(SHOP)

    assert problem.node == "tidy/n/n"
    assert problem.message == ("The file clean.yaml holds itself: shop.yaml -> clean.yaml -> other.yaml -> clean.yaml.")
    assert (problem.file, problem.line) == ("other.yaml", 5)


def test_a_file_that_is_missing_is_told_with_its_node(files):
    problem = files.problem(SHOP.replace("clean.yaml", "gone.yaml"))

    assert (problem.node, problem.field) == ("tidy", "config.file")
    assert problem.message == "There is no file gone.yaml."


def test_a_file_whose_name_holds_a_parameter_is_refused(files):
    assert (
        "must be known beforehand" in files.problem(SHOP.replace("parts/clean.yaml", '"parts/${least}.yaml"')).message
    )


def test_a_wire_to_a_port_that_the_file_does_not_have_is_told(files):
    assert files.problem(SHOP.replace("tidy.orders", "tidy.rows")).message == 'tidy has no input "rows".'


def test_a_value_that_does_not_fit_is_told(files):
    problem = files.problem(SHOP.replace('"${least}"', "many"))

    assert (problem.node, problem.field) == ("tidy", "config.parameters.minimum")
    assert problem.message == 'The parameter "minimum" of the file must be a whole number.'


def test_a_problem_of_an_inner_node_has_its_place_in_the_inner_file(files):
    files["parts/clean.yaml"] = CLEAN.replace("{where:", "{wear:")
    flat = files.flat()

    assert position(flat, "nodes", "tidy/keep", "config", "wear") == (12, 14)
    assert position(flat, "nodes", "save", "config", "path") == position(
        loads(SHOP, registry=REGISTRY), "nodes", "save", "config", "path"
    )


def test_a_sub_pipeline_is_all_its_nodes_and_its_rows_leave_by_its_ends(files):
    flat = files.flat()

    assert nodes_of(flat, "tidy")[0] == "tidy/rows"
    assert nodes_of(flat, "read") == ["read"]
    assert leaving(flat, "tidy", None) == ("tidy/done", "out")
    assert leaving(flat, "tidy", "clean") == ("tidy/done", "out")
    assert leaving(flat, "save", "x") == ("save", "x")
    with pytest.raises(UsageError, match='tidy has no output "dirty"'):
        leaving(flat, "tidy", "dirty")


# -- rules ----------------------------------------------------------------------------------------------------


@pytest.fixture
def interfaces():
    return {"parts/clean.yaml": interface_of(loads(CLEAN, registry=REGISTRY))}


def problems(text, interfaces):
    return [str(problem) for problem in check(loads(text, registry=REGISTRY), REGISTRY, interfaces=interfaces)]


def test_wires_go_to_the_ports_of_the_file(interfaces):
    assert problems(SHOP, interfaces) == []
    (found,) = [one for one in problems(SHOP.replace("tidy.orders", "tidy.order"), interfaces) if "Did you" in one]
    assert 'tidy has no input "order". Did you mean "orders"?' in found


def test_each_input_of_the_file_needs_a_wire(interfaces):
    text = SHOP.replace("read -> tidy.orders, ", "")

    assert any("No wire ends at the input of tidy." in one for one in problems(text, interfaces))


def test_of_a_file_that_is_not_known_yet_any_port_may_be():
    assert problems(SHOP, {}) == []
    document = loads(SHOP, registry=REGISTRY)
    assert check_wire(document, Wire("tidy", "anything", "save", "input"), REGISTRY).message.startswith(
        "The input save"
    )
    assert check_wire(document, Wire("read", "out", "tidy", "more"), REGISTRY) is None


def test_a_wire_that_is_drawn_is_checked_against_the_file(interfaces):
    document = loads(SHOP, registry=REGISTRY)

    refused = check_wire(document, Wire("read", "out", "tidy", "more"), REGISTRY, interfaces)
    assert refused.message == 'tidy has no input "more".'
    assert check_wire(document, Wire("read", "out", "tidy", "orders"), REGISTRY, interfaces).message == (
        "This wire is there already."
    )


def test_a_parameter_that_the_file_does_not_have_is_told(interfaces):
    (found,) = problems(SHOP.replace("minimum:", "minimun:"), interfaces)

    assert 'The file has no parameter "minimun". Did you mean "minimum"?' in found


def test_a_parameter_without_a_default_must_be_given():
    text = CLEAN.replace("{type: integer, default: 1}", "{type: integer}")
    known = {"parts/clean.yaml": interface_of(loads(text, registry=REGISTRY))}
    (found,) = problems(SHOP.replace(', parameters: {minimum: "${least}"}', "").replace("least:", "x:"), known)[:1]

    assert 'The file needs a value for its parameter "minimum".' in found


def test_a_policy_of_a_sub_pipeline_does_nothing_and_that_is_said(interfaces):
    text = SHOP.replace("  save:", "    policy: {on_error: skip}\n  save:")

    assert any("The policy of tidy does nothing" in one for one in problems(text, interfaces))


def test_two_ends_of_a_file_cannot_have_one_port():
    text = CLEAN.replace("port: clean", "port: clean}}\n  more: {type: pipeline_output, config: {port: clean").replace(
        "mark -> done", "mark -> done, mark -> more"
    )

    assert any('done and more are both the output "clean".' in one for one in problems(text, {}))


def test_references_that_are_exchanged_leave_all_others_alone():
    models = (REGISTRY.get("filter").Config,)
    before = {"where": "a > ${x} AND b = '${x} ${y} $${x}' -- ${x}"}

    assert exchange(before, models, {"x": Kept("${z}")}) == {"where": "a > ${z} AND b = '${z} ${y} $${x}' -- ${z}"}
    assert exchange(before, models, {"x": "it's"}) == {"where": "a > 'it''s' AND b = 'it''s ${y} $${x}' -- it's"}
    assert exchange({"n": "${x}"}, (), {"x": 5}) == {"n": 5}


def test_a_disabled_sub_pipeline_is_left_out_and_its_file_is_not_read(files):
    del files["parts/clean.yaml"]
    text = SHOP.replace("type: sub_pipeline", "type: sub_pipeline\n    disabled: true")
    flat = files.flat(text)

    assert list(flat.nodes) == ["read", "tidy", "save"]
    assert list(active(flat, REGISTRY).left_out) == ["tidy", "save"]


def test_a_disabled_node_inside_lets_its_rows_pass(files):
    files["parts/clean.yaml"] = CLEAN.replace("{type: derive,", "{type: derive, disabled: true,")
    part = active(files.flat(), REGISTRY).pipeline

    assert Wire("tidy/keep", "out", "tidy/done", "input") in part.wires
