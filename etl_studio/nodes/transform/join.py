"""Combine the rows of two inputs that have the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import pyarrow as pa

NUMBERS = ("integer", "number", "decimal")


class Join(sdk.SqlTransform):
    """Combines the rows of two inputs that have the same values in the key columns.

    | how | gives |
    |---|---|
    | `inner` | pairs of rows that match |
    | `left`, `right` | the same, and the rows of that side without a match |
    | `full` | the same, and the rows of both sides without a match |
    | `semi`, `anti` | rows of the left input that have, or have not, a match; no columns of the right one |
    | `cross` | every row of the left with every row of the right; without keys |

    The key columns come once. Another column of the right input whose name the left one has too gets `_right` after its
    name. Empty keys (NULL) match nothing. Where a key comes several times on both sides, every pair is given.
    The order of the result is not fixed: sort afterwards when it matters.
    The node waits for all rows of both inputs and spills to disk when they do not fit into memory.
    """

    type = "join"
    title = "Join"
    icon = "merge"
    group = "transform"
    keywords = ("merge", "lookup", "combine", "match", "enrich", "inner", "left", "outer", "anti", "semi")
    inputs = (sdk.Port("left", "Left"), sdk.Port("right", "Right"))
    outputs = (sdk.OUT,)
    rows = "any"
    blocking = True
    example: ClassVar = {"how": "left", "on": ["customer_id"]}

    class Config(sdk.Config):
        """Kind and key of the join."""

        how: Literal["inner", "left", "right", "full", "semi", "anti", "cross"] = sdk.setting(
            "inner", title="Kind", description="Which rows are given; left and right are the node's inputs."
        )
        on: list[str] = sdk.setting(
            [],
            title="Key columns",
            description="Columns of both inputs whose values must be equal. Empty only for a cross join.",
            example=["customer_id"],
            editor="columns",
        )

        @model_validator(mode="after")
        def _key(self) -> Self:
            if self.how == "cross" and self.on:
                raise ValueError("A cross join has no key columns. Empty them, or choose another kind.")
            if self.how != "cross" and not self.on:
                raise ValueError(f"A join of the kind {self.how} needs key columns.")
            return self

    config: Config

    @classmethod
    def leaves_as(
        cls, column: str, port: str, settings: Mapping[str, Any], arriving: Mapping[str, Sequence[str]]
    ) -> str | None:
        """Keys come once; what the left input has, too, gets ``_right`` behind its name."""
        on = settings.get("on") or ()
        if port == "left" or column.lower() in (name.lower() for name in on):
            return column
        if settings.get("how") in {"semi", "anti"}:
            return None
        left = arriving.get("left", ())
        clash = column.lower() in (name.lower() for name in left)
        return sdk.unused(f"{column}_right", left) if clash else column

    def takes_part(self, port: str) -> bool:
        """Rows of one side may come later where rows of the other side are not given because they find no partner."""
        later = {"left": ("inner", "left", "semi", "anti", "cross"), "right": ("inner", "right", "cross")}
        return self.config.how in later.get(port, ())

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """The pairs of rows; an input that gave no columns at all counts as one without rows."""
        left, right = inputs["left"], inputs["right"]
        how, on = self.config.how, self.config.on
        if not left.names or not right.names:
            return self._one_sided(left, right)
        for name, schema in (("left", left), ("right", right)):
            sdk.require_columns(on, schema.names, setting=f"on, {name} input")
        for name in on:
            _same_kind(name, left.field(name).type, right.field(name).type)
        if how in {"semi", "anti"}:
            return f'SELECT * FROM "left" {how.upper()} JOIN "right" USING ({sdk.identifiers(on)})'
        taken = [*left.names]
        keys = {name.lower() for name in on}
        parts = [self._left(name) if name.lower() in keys else f'"left".{sdk.identifier(name)}' for name in left.names]
        for name in right.names:
            if name.lower() not in keys:
                clash = name.lower() in (known.lower() for known in left.names)
                given = sdk.unused(f"{name}_right" if clash else name, taken)
                taken.append(given)
                parts.append(f'"right".{sdk.identifier(name)} AS {sdk.identifier(given)}')
        condition = " AND ".join(f'"left".{sdk.identifier(name)} = "right".{sdk.identifier(name)}' for name in on)
        tail = "" if how == "cross" else f" ON {condition}"
        return f'SELECT {", ".join(parts)} FROM "left" {how.upper()} JOIN "right"{tail}'

    def _left(self, name: str) -> str:
        """A key column: of the side whose rows all come, or of the one that has it."""
        column = sdk.identifier(name)
        if self.config.how == "right":
            return f'"right".{column} AS {column}'
        if self.config.how == "full":
            return f'coalesce("left".{column}, "right".{column}) AS {column}'
        return f'"left".{column}'

    def _one_sided(self, left: pa.Schema, right: pa.Schema) -> str:
        side, schema = ("left", left) if left.names else ("right", right)
        sdk.require_columns(self.config.on, schema.names, setting=f"on, {side} input")
        kept = {"left": {"left", "full", "anti"}, "right": {"right", "full"}}[side]
        tail = "" if self.config.how in kept else " WHERE false"
        return f'SELECT * FROM "{side}"{tail}'


def _same_kind(column: str, left: pa.DataType, right: pa.DataType) -> None:
    """Refuse keys of different kinds: comparing them would fail on the first value that cannot be converted."""
    kinds = [sdk.type_name(given).split("(")[0] for given in (left, right)]
    if kinds[0] != kinds[1] and not all(kind in NUMBERS for kind in kinds) and "empty" not in kinds:
        raise PermanentError(
            f'The key "{column}" is {kinds[0]} on the left and {kinds[1]} on the right.',
            hint="Convert one of them with a Select node before the join.",
            column=column,
        )
