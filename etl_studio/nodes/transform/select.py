"""Pick, rename and convert columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import field_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


class Select(sdk.SqlTransform):
    """Picks columns, puts them in order, renames them and converts their types.

    Columns are named as they arrive, also under *Convert*. With an empty list of columns all are kept.
    Types are `text`, `integer`, `number`, `boolean`, `date`, `time`, `timestamp`, `timestamptz` and `decimal(10,2)`.
    A row with a value that cannot be converted leaves by the **rejects** port; the problem names column and value.
    """

    type = "select"
    title = "Select"
    icon = "columns"
    group = "transform"
    keywords = ("pick", "rename", "cast", "convert", "type", "reorder", "columns", "drop column")
    example: ClassVar = {"columns": ["id", "price"], "rename": {"id": "article"}, "cast": {"price": "number"}}

    class Config(sdk.Config):
        """Columns, new names and types."""

        columns: list[str] = sdk.setting(
            [],
            title="Columns",
            description="The columns to keep, in this order. Empty: all of them.",
            example=["id", "price"],
            editor="columns",
            names="picks",
        )
        rename: dict[str, str] = sdk.setting(
            {},
            title="Rename",
            description="Old name and new name.",
            example={"id": "article"},
            editor="column",
            keys="uses",
            names="makes",
        )
        cast: dict[str, str] = sdk.setting(
            {},
            title="Convert",
            description="Column, by its old name, and the type it gets.",
            example={"price": "number"},
            editor="type",
            keys="uses",
        )

        @field_validator("columns")
        @classmethod
        def _once(cls, columns: list[str]) -> list[str]:
            twice = next((name for name in columns if columns.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f'The column "{twice}" is listed twice. Take one of them out.')
            return columns

        _types = field_validator("cast")(sdk.known_types)

    config: Config

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """The columns wanted, converted and renamed."""
        names = self._names(inputs["input"])
        parts = (f"{self._value(name)} AS {sdk.identifier(self.config.rename.get(name, name))}" for name in names)
        return f"SELECT {', '.join(parts)} FROM input"

    def failures(self, inputs: Mapping[str, pa.Schema]) -> Mapping[str, str]:
        """Where each conversion fails."""
        names = self._names(inputs["input"])
        return {name: f"SELECT {sdk.fails(self._value(name))} FROM input" for name in names if name in self.config.cast}

    def _value(self, name: str) -> str:
        column = sdk.identifier(name)
        return f"CAST({column} AS {sdk.column_type(self.config.cast[name])[1]})" if name in self.config.cast else column

    def _names(self, schema: pa.Schema) -> list[str]:
        config = self.config
        sdk.require_columns(config.columns, schema.names, setting="columns")
        names = list(config.columns or schema.names)
        sdk.require_columns(config.rename, names, setting="rename")
        sdk.require_columns(config.cast, names, setting="cast")
        given = [config.rename.get(name, name).lower() for name in names]
        for name, new in zip(names, given, strict=True):
            if given.count(new) > 1:
                raise PermanentError(
                    f'Two columns would be called "{config.rename.get(name, name)}".',
                    hint="Give one of them another name under rename.",
                    column=name,
                )
        return names
