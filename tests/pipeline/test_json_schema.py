"""The JSON Schema of pipeline files."""

from __future__ import annotations

import json

from etl_studio.pipeline.json_schema import schema


def _config(made, node_type):
    rules = made["properties"]["nodes"]["additionalProperties"]["allOf"]
    return next(rule["then"] for rule in rules if rule["if"]["properties"]["type"]["const"] == node_type)


def test_each_type_has_its_settings_with_titles_and_required_ones(registry):
    then = _config(schema(registry), "numbers_source")
    config = then["properties"]["config"]
    assert then["required"] == ["config"]
    assert config["required"] == ["path"]
    assert config["additionalProperties"] is False
    assert config["properties"]["path"]["title"] == "File"


def test_a_setting_that_is_no_text_may_be_a_reference(registry):
    limit = _config(schema(registry), "numbers_source")["properties"]["config"]["properties"]["limit"]
    assert {"type": "string", "pattern": r"\$\{"}.items() <= limit["anyOf"][-1].items()


def test_every_reference_inside_the_schema_leads_somewhere(registry):
    made = schema(registry)
    text = json.dumps(made)
    names = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert names
    assert names <= made["$defs"].keys()
    assert '"editor"' not in text
