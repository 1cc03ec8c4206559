from __future__ import annotations

from typing import Literal

import pytest

from etl_studio import sdk
from etl_studio.app.catalogue import full_registry
from etl_studio.ui.forms.editors import build_editor
from etl_studio.ui.forms.models import ModelEditor
from etl_studio.ui.forms.reference import reference
from etl_studio.ui.forms.setting import settings_of

TYPES = list(full_registry())


@pytest.mark.parametrize("node_type", TYPES, ids=lambda node_type: node_type.type)
def test_every_node_has_a_form_that_gives_back_its_example(qtbot, context, node_type):
    form = ModelEditor(node_type.Config, build_editor, context)
    qtbot.addWidget(form)
    form.set_value(node_type.example)

    assert node_type.Config(**form.value()) == node_type.Config(**node_type.example)
    assert {setting.key for setting in settings_of(node_type.Config)} == set(form.fields)


@pytest.mark.parametrize("node_type", TYPES, ids=lambda node_type: node_type.type)
def test_every_editor_accepts_a_parameter_and_keeps_it(qtbot, context, node_type):
    form = ModelEditor(node_type.Config, build_editor, context)
    qtbot.addWidget(form)
    values = dict.fromkeys(form.fields, "${minimum}")
    form.set_value(values)

    assert form.value() == values


@pytest.mark.parametrize("node_type", TYPES, ids=lambda node_type: node_type.type)
def test_the_documentation_names_every_port_and_setting(node_type):
    text = reference(node_type)

    for name in [port.name for port in (*node_type.inputs, *node_type.outputs)]:
        assert f"`{name}`" in text
    for setting in settings_of(node_type.Config):
        assert f"#### {setting.title} `{setting.key}`" in text


def test_a_type_that_no_editor_knows_is_an_error(qtbot, context):
    class Strange(sdk.Config):
        """Holds what no form can show."""

        when: complex = sdk.setting(0j, title="When", description="Odd.")

    with pytest.raises(TypeError, match="when"):
        ModelEditor(Strange, build_editor, context)


def test_a_setting_with_an_alias_is_written_under_it(qtbot, context):
    class Aliased(sdk.Config):
        """One field with another name in the file."""

        following: str | None = sdk.setting(None, title="Next", description="Link.", alias="next")
        how: Literal["a", "b"] | None = sdk.setting(None, title="How", description="Way.")

    form = ModelEditor(Aliased, build_editor, context)
    qtbot.addWidget(form)
    form.set_value({"next": "a.next", "how": "b"})
    assert form.value() == {"next": "a.next", "how": "b"}

    form.set_value({"following": "a.more"})
    assert form.value() == {"next": "a.more"}
