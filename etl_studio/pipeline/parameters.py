"""``${name}`` and ``${secret:name}`` in settings, and the values of parameters.

A setting that is one reference gets the typed value; inside a longer text the value is written out. In a SQL setting
the value becomes a SQL literal, so that no value can change the statement; between quotes it is escaped for them.
``$${`` stands for ``${``. Keys, SQL comments and defaults of parameters are left alone.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError
from etl_studio.pipeline.setting_fields import SQL_EDITORS, map_texts
from etl_studio.pipeline.wire_text import node_types
from etl_studio.sdk.guess import closest
from etl_studio.sdk.policy import Policy
from etl_studio.sdk.sql import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from etl_studio.pipeline.model import Parameter, Pipeline
    from etl_studio.pipeline.setting_fields import Models
    from etl_studio.pipeline.wire_text import NodeTypes
    from etl_studio.sdk.config import Editor

    Lookup = Callable[[str], Any]

TYPES = ("text", "integer", "number", "boolean", "date", "choice")
SECRET = "secret:"  # noqa: S105 - the word before a secret's name
SECRET_VARIABLE = "ETL_STUDIO_SECRET_"  # noqa: S105 - the prefix of names, not a secret

_REFERENCE = r"\$\$\{|\$\{[^{}$\n]*\}?"
_REFERENCES = re.compile(_REFERENCE)
_SQL = re.compile(rf"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|{_REFERENCE}", re.DOTALL)
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A pipeline's settings with parameters and secrets put in.

    Attributes:
        settings: config and policy by node.
        secrets: secret values that were used; to be hidden in everything that is shown or stored.
        shown: values of the parameters, for the record of the run.
    """

    settings: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    secrets: frozenset[str]
    shown: dict[str, Any]


def resolve(
    pipeline: Pipeline,
    registry: NodeTypes,
    given: Mapping[str, str],
    secrets: Callable[[str], str | None] = lambda _: None,
) -> Resolved:
    """Put parameters and secrets into all settings.

    Args:
        pipeline: the document.
        registry: tells which settings are SQL.
        given: values as typed.
        secrets: finds a secret; None when there is none of that name.

    Raises:
        UsageError: a value is missing or does not fit, or a reference names nothing.
    """
    values = parameter_values(pipeline, given)
    used: set[str] = set()

    def look_up(name: str) -> Any:
        if problem := reference_problem(name, pipeline.parameters):
            raise UsageError(problem[0], hint=problem[1])
        if not name.startswith(SECRET):
            return values[name]
        secret = secrets(name.removeprefix(SECRET))
        if secret is None:
            variable = SECRET_VARIABLE + name.removeprefix(SECRET).upper().replace("-", "_")
            raise UsageError(
                f'The secret "{name.removeprefix(SECRET)}" is not set.', hint=f"Set {variable} in the environment."
            )
        used.add(secret)
        return secret

    settings = {}
    for key, node_type in node_types(pipeline, registry).items():
        node = pipeline.nodes[key]
        try:
            if node_type:
                _refuse_told_secrets(node.config, (node_type.Config,))
            settings[key] = (
                substitute(node.config, (node_type.Config,) if node_type else (), look_up),
                substitute(node.policy, (Policy,), look_up),
            )
        except UsageError as error:
            raise error.at(pipeline=pipeline.name, node=key) from None
    return Resolved(settings, frozenset(used - {""}), values)


def _refuse_told_secrets(settings: dict[str, Any], models: Models) -> None:
    """Values of parameters are kept with each run, so that no secret may come by one."""

    def look(path: tuple[str, ...], text: str, editor: Editor | None) -> str:
        if editor == "secret" and text and not any(name.startswith(SECRET) for name in references(text)):
            raise UsageError(
                f'"{".".join(path)}" is a secret, and what parameters give is kept with each run.',
                hint=f"Write ${{secret:name}} and set {SECRET_VARIABLE}NAME in the environment.",
            )
        return text

    map_texts(settings, models, look)


def substitute(settings: dict[str, Any], models: Models, look_up: Lookup) -> dict[str, Any]:
    """A copy of settings with what ``look_up`` finds in place of the references."""

    def change(_: tuple[str, ...], text: str, editor: Editor | None) -> Any:
        if "${" not in text:
            return text
        return in_sql(text, look_up) if editor in SQL_EDITORS else in_text(text, look_up)

    result: dict[str, Any] = map_texts(settings, models, change)
    return result


class Kept(str):
    """A reference that stands in the place of another one: ``${minimum}``."""

    __slots__ = ()


def exchange(settings: dict[str, Any], models: Models, values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of settings in which some parameters are exchanged; all other references stay as they are.

    Args:
        settings: as written.
        models: what they are read with.
        values: by name of the parameter: a ``Kept`` reference, or a value, which is put in.
    """

    def look_up(name: str) -> Any:
        return values[name] if name in values else Kept(f"${{{name}}}" if not name.startswith("${") else name)

    def change(_: tuple[str, ...], text: str, editor: Editor | None) -> Any:
        if "${" not in text:
            return text
        guarded = text.replace("$${", "$$${")  # what is written for a plain ${ must stay so
        new = in_sql(guarded, look_up, comments=True) if editor in SQL_EDITORS else in_text(guarded, look_up)
        return str(new) if isinstance(new, Kept) else new

    result: dict[str, Any] = map_texts(settings, models, change)
    return result


def references(text: str) -> Iterator[str]:
    """What stands between ``${`` and ``}``; for one that is not closed, the text from its ``${`` on."""
    if "${" in text:
        for found in _REFERENCES.findall(text):
            if found != "$${":
                yield found[2:-1] if found.endswith("}") else found


def reference_problem(name: str, parameters: Mapping[str, Parameter]) -> tuple[str, str] | None:
    """What is wrong with a reference, and what to do; None when it is right."""
    if name in parameters or (name.startswith(SECRET) and len(name) > len(SECRET)):
        return None
    if name.startswith("env:"):
        return (
            f"${{{name}}}: variables of the environment cannot be read directly.",
            "Use a parameter (-p NAME=VALUE) or a secret (${secret:name}).",
        )
    if not name.isidentifier():
        shown = name if name.startswith("${") else f"${{{name}}}"
        return f"{shown} is no reference to a parameter.", "Write ${name}; a plain ${ is written $${."
    near = closest(name, parameters)
    guess = f"Did you mean ${{{near}}}?" if near else f"Add it: parameters: {{{name}: {{type: text}}}}."
    return f'There is no parameter "{name}".', guess


def parameter_values(pipeline: Pipeline, given: Mapping[str, str]) -> dict[str, Any]:
    """The typed value of each parameter.

    Raises:
        UsageError: an unknown name, a missing value, or one that does not fit its type.
    """
    values = {name: read_given(pipeline, name, value) for name, value in given.items()}
    for name, parameter in pipeline.parameters.items():
        if name in values:
            continue
        if parameter.default is None:
            hint = f"Give it: -p {name}=VALUE, or write a default into the file."
            raise UsageError(f'The parameter "{name}" has no value.', hint=hint, pipeline=pipeline.name)
        values[name] = read_given(pipeline, name, parameter.default)
    return values


def read_given(pipeline: Pipeline, name: str, value: Any) -> Any:
    """A value for a parameter as its type.

    Raises:
        UsageError: there is no such parameter, or the value does not fit.
    """
    if name not in pipeline.parameters:
        near = closest(name, pipeline.parameters)
        there = f"Parameters: {', '.join(pipeline.parameters)}." if pipeline.parameters else "It has none."
        guess = f'Did you mean "{near}"?' if near else there
        raise UsageError(f'The pipeline has no parameter "{name}".', hint=guess, pipeline=pipeline.name)
    try:
        return read_value(pipeline.parameters[name], value)
    except ValueError as error:
        raise UsageError(f'The parameter "{name}" {error}', pipeline=pipeline.name, value=value) from None


def read_value(parameter: Parameter, value: Any) -> Any:
    """A value as the parameter's type; dates stay texts in ISO form.

    Raises:
        ValueError: it does not fit; the message continues "The parameter ...".
    """
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    match parameter.type:
        case "text":
            return text
        case "integer":
            if not re.fullmatch(r"\s*[-+]?\d{1,4000}\s*", text):
                raise ValueError("must be a whole number.")
            return int(text)
        case "number":
            return _read_number(text)
        case "boolean":
            if text.strip().lower() not in (*_TRUE, *_FALSE):
                raise ValueError("must be true or false.")
            return text.strip().lower() in _TRUE
        case "date":
            return _read_date(text)
        case "choice":
            choices = [str(choice) for choice in parameter.extra.get("choices") or ()]
            if text not in choices:
                raise ValueError(f"must be one of: {', '.join(choices) or 'nothing, its choices are missing'}.")
            return text
    raise ValueError(f"has no type that exists ({parameter.type}); types are {', '.join(TYPES)}.")


def _read_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("must be a number.")
    return number


def _read_date(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError("must be a date such as 2026-01-31.") from None


def in_text(text: str, look_up: Lookup) -> Any:
    """A text that is no SQL with the values of its references; the value itself where it is nothing but one."""
    whole = _REFERENCES.fullmatch(text)
    if whole and text != "$${":
        return look_up(_name(text))
    return _REFERENCES.sub(lambda found: "${" if found[0] == "$${" else _written(look_up(_name(found[0]))), text)


def in_sql(text: str, look_up: Lookup, *, comments: bool = False) -> str:
    """An SQL text with the values of its references as literals; in its comments only where these are wanted."""

    def comment(found: re.Match[str]) -> str:
        written = "${" if found[0] == "$${" else _written(look_up(_name(found[0])))
        return " ".join(written.replace("*/", "* /").split())  # it must not end the comment

    def change(found: re.Match[str]) -> str:
        part = found[0]
        if part.startswith(("--", "/*")):
            return _REFERENCES.sub(comment, part) if comments else part
        if part[0] in "'\"":
            quote = part[0]

            def inside(inner: re.Match[str]) -> str:
                return "${" if inner[0] == "$${" else _written(look_up(_name(inner[0]))).replace(quote, quote * 2)

            return _REFERENCES.sub(inside, part)
        if part == "$${":
            return "${"
        value = look_up(_name(part))
        return str(value) if isinstance(value, Kept) else literal(value)

    return _SQL.sub(change, text)


def _name(reference: str) -> str:
    return reference[2:-1] if reference.endswith("}") else reference


def _written(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
