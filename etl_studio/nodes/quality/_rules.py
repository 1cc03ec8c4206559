"""The rules that the node Validate checks, as settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from etl_studio import sdk

if TYPE_CHECKING:
    from typing import Self

NEEDED = {"range": ("min", "max"), "regex": ("pattern",), "in_list": ("values",), "expression": ("expression",)}
"""Rule: the settings of which it needs one."""


class Rule(sdk.Config):
    """One rule that each row has to meet."""

    column: str | None = sdk.setting(
        None,
        title="Column",
        description="The column to look at; not needed by an expression.",
        example="price",
        editor="column",
        only_when={"rule": ("not_null", "range", "regex", "in_list", "unique")},
    )
    rule: Literal["not_null", "range", "regex", "in_list", "unique", "expression"] = sdk.setting(
        title="Rule", description="What its values have to be.", example="not_null"
    )
    min: float | int | str | None = sdk.setting(
        None,
        title="Smallest",
        description="range: the smallest value allowed; a number, or a date as text.",
        example=0,
        only_when={"rule": ("range",)},
    )
    max: float | int | str | None = sdk.setting(
        None,
        title="Largest",
        description="range: the largest value allowed; a number, or a date as text.",
        example=100,
        only_when={"rule": ("range",)},
    )
    pattern: str | None = sdk.setting(
        None,
        title="Pattern",
        description="regex: a regular expression that the whole value has to match.",
        example="[A-Z]{3}",
        only_when={"rule": ("regex",)},
    )
    values: list[str | int | float | bool] | None = sdk.setting(
        None,
        title="Values",
        description="in_list: the values allowed.",
        example=["new", "paid", "sent"],
        only_when={"rule": ("in_list",)},
    )
    expression: str | None = sdk.setting(
        None,
        title="Expression",
        description="expression: SQL that has to be true; NULL passes.",
        example="shipped_at >= ordered_at",
        editor="sql",
        only_when={"rule": ("expression",)},
    )
    severity: Literal["reject", "warn", "stop"] = sdk.setting(
        "reject",
        title="Otherwise",
        description="reject: the row leaves by the rejects port. warn: it stays, and the log tells how many. "
        "stop: the run ends.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = NEEDED.get(self.rule, ())
        given = [
            name
            for name in ("min", "max", "pattern", "values", "expression")
            if getattr(self, name) not in (None, "", [])
        ]
        if needed and not any(name in given for name in needed):
            raise ValueError(f"The rule {self.rule} needs {' or '.join(needed)}.")
        stray = next((name for name in given if name not in needed), None)
        if stray is not None:
            raise ValueError(f"The rule {self.rule} has no setting {stray}. Take it out, or choose another rule.")
        if self.column is None and self.rule != "expression":
            raise ValueError(f"The rule {self.rule} needs a column.")
        self._check_range()
        self._check_pattern()
        return self

    def _check_range(self) -> None:
        least, most = self.min, self.max
        if least is None or most is None:
            return
        if isinstance(least, str) and isinstance(most, str):
            reversed_ = least > most
        elif isinstance(least, str) or isinstance(most, str):
            raise ValueError("The smallest and the largest value must both be numbers, or both be texts.")  # noqa: TRY004 - pydantic's way
        else:
            reversed_ = least > most
        if reversed_:
            raise ValueError(f"The smallest value {least} is above the largest one {most}.")

    def _check_pattern(self) -> None:
        if self.pattern is None:
            return
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            # Arrow and DuckDB have the same engine for regular expressions.
            pc.match_substring_regex(pa.array([""]), self.pattern)
        except pa.ArrowInvalid as error:
            reason = str(error).split(":", 1)[-1].strip()
            raise ValueError(f'"{self.pattern}" is no regular expression: {reason}.') from error

    @property
    def label(self) -> str:
        """The rule as messages call it, such as ``range of "price"``."""
        return f'{self.rule} of "{self.column}"' if self.column is not None else f"{self.rule} {self.expression}"

    @property
    def demand(self) -> str:
        """What a row has to be, as the end of a sentence."""
        if self.rule == "range":
            parts = (
                f"at least {self.min}" if self.min is not None else "",
                f"at most {self.max}" if self.max is not None else "",
            )
            return f"must be {' and '.join(part for part in parts if part)}"
        return {
            "not_null": "must not be empty",
            "regex": f"must match {self.pattern}",
            "in_list": f"must be one of {', '.join(map(str, self.values or ()))}",
            "unique": "must not come twice",
            "expression": f"must meet {self.expression}",
        }[self.rule]

    @property
    def subject(self) -> str:
        """What the rule looks at, as the beginning of a sentence."""
        return "the row" if self.column is None else f'the column "{self.column}"'

    def complaint(self, value: Any) -> str:
        """One sentence for people about a row that breaks the rule. ``value``: of the rule's column."""
        but = "" if self.column is None or value is None else f', but is "{str(value)[:80]}"'
        return f"{self.subject[0].upper()}{self.subject[1:]} {self.demand}{but}."
