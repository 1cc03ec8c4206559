"""A node type with a setting of every kind, and a form of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import Field
from PySide6.QtWidgets import QWidget

from etl_studio import sdk
from etl_studio.sdk import Registry
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.forms.editor import FormContext
from etl_studio.ui.forms.form import SettingsForm

if TYPE_CHECKING:
    from collections.abc import Iterator


class NoPages(sdk.Config):
    """One page."""

    kind: Literal["none"] = "none"


class NumberedPages(sdk.Config):
    """Pages by number."""

    kind: Literal["page"] = "page"
    parameter: str = sdk.setting("page", title="Parameter", description="Its name.")
    size: int | None = sdk.setting(None, title="Size", description="Rows on a page.")


class Key(sdk.Config):
    """One sort key."""

    column: str = sdk.setting(title="Column", description="Which.", editor="column")
    descending: bool = sdk.setting(False, title="Descending", description="From large to small.")


class Rule(sdk.Config):
    """One rule."""

    column: str = sdk.setting(title="Column", description="Which.", editor="column")
    rule: Literal["not_null", "range"] = sdk.setting("not_null", title="Rule", description="What must hold.")
    minimum: float | str | None = sdk.setting(
        None, title="Minimum", description="Least value.", only_when={"rule": ["range"]}
    )
    note: str = sdk.setting("", title="Note", description="Why.", advanced=True)


class Everything(sdk.SqlTransform):
    """A setting of every kind.

    For the tests of *forms*.
    """

    type, title, icon, group = "everything", "Everything", "filter", "transform"

    class Config(sdk.Config):
        """Settings."""

        where: str = sdk.setting(title="Condition", description="SQL.", example="quantity > 1", editor="sql")
        path: str = sdk.setting("", title="File", description="The file.", editor="file")
        limit: int | None = sdk.setting(None, title="Limit", description="Most rows.", ge=1)
        share: float = sdk.setting(0.5, title="Share", description="Part.", gt=0)
        mode: Literal["fast", "exact"] = sdk.setting("fast", title="Mode", description="How.")
        header: bool = sdk.setting(True, title="Header", description="Names in the first row.")
        columns: dict[str, str] = sdk.setting({}, title="Columns", description="New ones.", editor="sql")
        rename: dict[str, str] = sdk.setting({}, title="Rename", description="Old to new.")
        keys: list[str] = sdk.setting([], title="Keys", description="Columns.", editor="columns")
        urls: list[str] = sdk.setting([], title="Pages", description="Addresses.")
        by: list[Key] = sdk.setting([], title="Sort keys", description="In order.")
        rules: list[Rule] = sdk.setting([], title="Rules", description="Checked.")
        pages: Annotated[NoPages | NumberedPages, Field(discriminator="kind")] = sdk.setting(
            NoPages(), title="Pagination", description="How pages follow."
        )
        limits: sdk.RateLimit | None = sdk.setting(None, title="Rate limit", description="Calls.")
        body: Any = sdk.setting(None, title="Body", description="JSON.", advanced=True)
        statuses: list[int] = sdk.setting([500], title="Statuses", description="Codes.", advanced=True)
        delay: float = sdk.setting(0, title="Delay", description="Seconds.", section="Politeness")

    def query(self, inputs):
        return "SELECT * FROM input"


@pytest.fixture
def registry() -> Registry:
    return Registry([Everything])


@pytest.fixture
def document(qapp, registry) -> PipelineDocument:
    document = PipelineDocument(registry)
    document.add_node("everything", 0, 0)
    document.undo_stack.clear()
    return document


@pytest.fixture
def context(theme) -> FormContext:
    return FormContext(theme, lambda: ["quantity", "price", "name"], lambda: ["minimum"])


@pytest.fixture
def form(qtbot, document, context) -> Iterator[SettingsForm]:
    # a window with a layout has a least size, of which the offscreen platform warns
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(360, 2000)
    form = SettingsForm(document, "everything", Everything, context, window)
    form.resize(340, 2000)
    with qtbot.waitExposed(window):
        window.show()
    yield form
    window.close()


@pytest.fixture
def config(document):
    """The settings as the document has them."""
    return lambda: document.pipeline.nodes["everything"].config


@pytest.fixture
def editor(form):
    """The editor of a setting, without its guard."""
    return lambda key: getattr(form.content.fields[key].editor, "inner", form.content.fields[key].editor)
