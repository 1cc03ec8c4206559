"""References in settings and values of parameters."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.errors import UsageError
from etl_studio.pipeline.model import NodeSpec, Parameter, Pipeline
from etl_studio.pipeline.parameters import parameter_values, read_value, resolve


def pipeline(config, node_type="numbers_source", **parameters):
    made = Pipeline(name="p", nodes={"a": NodeSpec("a", node_type, config)})
    for name, value in parameters.items():
        made.parameters[name] = value if isinstance(value, Parameter) else Parameter(name, "text", value)
    return made


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def config_of(registry):
    def find(document, given=None, secrets=lambda name: None):
        return resolve(document, registry, given or {}, secrets).settings["a"][0]

    return find


def test_a_setting_that_is_one_reference_gets_the_typed_value(config_of):
    document = pipeline(
        {"limit": "${n}", "deep": [{"x": "${on}"}]}, n=Parameter("n", "integer", 5), on=Parameter("on", "boolean", "no")
    )
    assert config_of(document) == {"limit": 5, "deep": [{"x": False}]}


def test_inside_a_text_the_value_is_written_out(config_of):
    document = pipeline(
        {"path": "a_${n}_${on}_$${n}.csv"}, n=Parameter("n", "integer", 5), on=Parameter("on", "boolean", True)
    )
    assert config_of(document) == {"path": "a_5_true_${n}.csv"}


def test_a_value_given_wins_over_the_default(config_of):
    assert config_of(pipeline({"path": "${p}"}, p="a.csv"), {"p": "b.csv"}) == {"path": "b.csv"}


def test_the_document_itself_is_not_changed(config_of):
    document = pipeline({"path": ["${p}"]}, p="a")
    config_of(document)
    assert document.nodes["a"].config == {"path": ["${p}"]}


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("name = ${t}", "name = 'it''s'"),
        ("name = '${t}'", "name = 'it''s'"),
        ("name LIKE '%${t}%'", "name LIKE '%it''s%'"),
        ('"${t}" > ${n}', '"it\'s" > 5'),
        ("${n}", "5"),
        ("a -- not ${t} here", "a -- not ${t} here"),
        ("a /* ' ${t} */ > ${n}", "a /* ' ${t} */ > 5"),
        ("'$${n}' || $${n}", "'${n}' || ${n}"),
        ("ok = ${b}", "ok = TRUE"),
    ],
)
def test_in_sql_a_value_becomes_a_literal_or_is_escaped_for_its_quotes(config_of, written, becomes):
    parameters = {"t": "it's", "n": Parameter("n", "integer", 5), "b": Parameter("b", "boolean", True)}
    assert config_of(pipeline({"where": written}, "keep", **parameters)) == {"where": becomes}
    assert config_of(pipeline({"columns": {"x": written}}, "pair", **parameters)) == {"columns": {"x": becomes}}
    assert config_of(pipeline({"query": written}, "query", **parameters)) == {"query": becomes}


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_no_value_can_leave_its_literal(registry, duck, value):
    document = pipeline({"query": "SELECT ${t} AS one, '${t}' AS two"}, "query", t=value)
    query = resolve(document, registry, {}).settings["a"][0]["query"]
    assert duck.execute(query).fetchall() == [(value, value)]


def test_a_secret_is_put_in_and_reported_for_masking(registry):
    document = pipeline({"path": "https://${secret:shop}@host"})
    resolved = resolve(document, registry, {}, {"shop": "hush"}.get)
    assert resolved.settings["a"][0] == {"path": "https://hush@host"}
    assert resolved.secrets == {"hush"}
    assert resolved.shown == {}


def test_a_missing_secret_tells_where_to_set_it(config_of):
    with pytest.raises(UsageError, match=r'p > a: The secret "my-shop" is not set\. Set ETL_STUDIO_SECRET_MY_SHOP'):
        config_of(pipeline({"path": "${secret:my-shop}"}))


def test_variables_of_the_environment_are_refused_with_the_way_to_do_it(config_of):
    with pytest.raises(UsageError, match=r"env:HOME.*cannot be read directly.*-p NAME=VALUE"):
        config_of(pipeline({"path": "${env:HOME}"}))


def test_an_unknown_name_and_a_missing_value_are_told():
    document = pipeline({}, day=Parameter("day", "date"))
    with pytest.raises(UsageError, match='has no parameter "dya"') as caught:
        parameter_values(document, {"dya": "x"})
    assert caught.value.hint == 'Did you mean "day"?'
    with pytest.raises(UsageError, match=r'The parameter "day" has no value\. Give it: -p day=VALUE'):
        parameter_values(document, {})
    with pytest.raises(UsageError, match=r'"day" must be a date such as 2026-01-31 .*31\.1'):
        parameter_values(document, {"day": "31.1.2026"})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "5", "5"), ("integer", " -5 ", -5), ("number", "1e3", 1000.0), ("boolean", "Yes", True),
        ("boolean", "0", False), ("date", "2026-01-31", "2026-01-31"), ("choice", "b", "b"), ("text", True, "true"),
    ],
)  # fmt: skip
def test_values_are_read_as_their_type(kind, text, value):
    assert read_value(Parameter("x", kind, extra={"choices": ["a", "b"]}), text) == value


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("integer", "1.5", "must be a whole number."), ("number", "nan", "must be a number."),
        ("boolean", "maybe", "must be true or false."), ("date", "2026-02-30", "must be a date"),
        ("choice", "c", "must be one of: a, b."), ("colour", "red", "has no type that exists"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(kind, text, message):
    with pytest.raises(ValueError, match=message):
        read_value(Parameter("x", kind, extra={"choices": ["a", "b"]}), text)
