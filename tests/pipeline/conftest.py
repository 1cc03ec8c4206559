"""Node types for the tests of documents: one of each shape, none of them ever runs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest

from etl_studio import sdk


class NumbersSource(sdk.Source):
    """Gives numbers."""

    type = "numbers_source"
    title = "Numbers"
    icon = "numbers"
    group = "extract"

    class Page(sdk.Config):
        size: int = sdk.setting(10, title="Size", description="Rows of a page.", ge=1)

    class Config(sdk.Config):
        path: str = sdk.setting(title="File", description="What to read.", example="numbers.csv")
        delimiter: str = sdk.setting(",", title="Delimiter", description="One character.", max_length=1)
        limit: int | None = sdk.setting(None, title="Limit", description="Rows at most.", ge=0)
        page: NumbersSource.Page | None = sdk.setting(None, title="Page", description="How it is cut.")

    def read(self, context):
        return ()


NumbersSource.Config.model_rebuild(_types_namespace={"NumbersSource": NumbersSource})


class Keep(sdk.SqlTransform):
    """Keeps rows."""

    type = "keep"
    title = "Keep"
    icon = "keep"
    group = "transform"

    class Config(sdk.Config):
        where: str = sdk.setting(title="Keep rows where", description="A condition.", example="n > 5", editor="sql")

    def query(self, inputs):
        return "SELECT * FROM input"


class Pair(Keep):
    """Two inputs."""

    type = "pair"
    title = "Pair"
    inputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.Port("left"), sdk.Port("right"))
    outputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.OUT,)

    class Config(sdk.Config):
        how: Literal["inner", "left"] = sdk.setting("inner", title="How", description="Which rows stay.")
        columns: dict[str, str] = sdk.setting({}, title="Columns", description="New columns.", editor="sql")


class Together(Keep):
    """Many wires into one input."""

    type = "together"
    title = "Together"
    inputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.Port("input", many=True),)
    outputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.OUT,)

    class Config(sdk.Config):
        """No settings."""


class Query(Keep):
    """Inputs by any name."""

    type = "query"
    title = "Query"
    open_inputs = True
    outputs: ClassVar[tuple[sdk.Port, ...]] = (sdk.OUT,)

    class Config(sdk.Config):
        query: str = sdk.setting(title="Query", description="A SELECT.", editor="sql_query")


class TableSink(sdk.Sink):
    """Takes rows."""

    type = "table_sink"
    title = "Table"
    icon = "table"
    group = "load"

    class Config(sdk.Config):
        table: str = sdk.setting(title="Table", description="Its name.", example="orders")
        write_disposition: Literal["append", "replace", "merge"] = sdk.setting(
            "append", title="Write", description="What happens to old rows."
        )
        key: list[str] = sdk.setting([], title="Key", description="Columns.", editor="columns")

    def open(self, schema, context):
        return None

    def write(self, batch, context):
        return ()

    def commit(self, context, mark=None):
        return sdk.Loaded()

    def abort(self, context):
        return None


@pytest.fixture(scope="session")
def registry() -> Any:
    return sdk.Registry([NumbersSource, Keep, Pair, Together, Query, TableSink])
