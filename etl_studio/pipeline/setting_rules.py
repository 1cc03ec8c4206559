"""Rules about settings, policies and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from etl_studio.errors import EtlError, UsageError
from etl_studio.pipeline.file_format import position
from etl_studio.pipeline.parameters import (
    SECRET,
    SECRET_VARIABLE,
    TYPES,
    read_given,
    read_value,
    reference_problem,
    references,
    substitute,
)
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.setting_fields import SQL_EDITORS, map_texts, settings_of
from etl_studio.sdk.guess import closest
from etl_studio.sdk.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import BaseModel

    from etl_studio.pipeline.model import NodeSpec, Pipeline
    from etl_studio.pipeline.setting_fields import Models
    from etl_studio.sdk import Node
    from etl_studio.sdk.config import Editor

    CheckSql = Callable[[str, str], str | None]

SAMPLES = {"text": "x", "integer": 1, "number": 1.0, "boolean": True, "date": "2026-01-31", "choice": "x"}


def check_parameters(pipeline: Pipeline, given: Mapping[str, str]) -> Iterator[Problem]:
    """Types, defaults and given values of parameters, and those that nothing uses."""
    for name, value in given.items():
        try:
            read_given(pipeline, name, value)
        except UsageError as error:
            yield Problem("error", error.what, error.hint or "")
    used = {
        name
        for node in pipeline.nodes.values()
        for section in (node.config, node.policy)
        for text in _texts(section)
        for name in references(text)
    }
    for name, parameter in pipeline.parameters.items():
        line, column = position(pipeline, "parameters", name) or (None, None)
        if parameter.type not in TYPES:
            near = closest(parameter.type, TYPES)
            hint = f'Did you mean "{near}"?' if near else f"Types are {', '.join(TYPES)}."
            message = f'The parameter "{name}" has a type "{parameter.type}" that does not exist.'
            yield Problem("error", message, hint, line=line, column=column)
        elif parameter.default is not None:
            try:
                read_value(parameter, parameter.default)
            except ValueError as error:
                message = f'The default {parameter.default!r} of the parameter "{name}" {error}'
                yield Problem("error", message, "Mend the default.", line=line, column=column)
            if isinstance(parameter.default, str) and any(references(parameter.default)):
                message = f'The default of the parameter "{name}" holds a reference; it is not looked up there.'
                yield Problem("error", message, "Use the reference in the setting itself.", line=line, column=column)
        if name not in used:
            yield Problem("warning", f'Nothing uses the parameter "{name}".', "Remove it.", line=line, column=column)


def configured(pipeline: Pipeline, node_id: str, node_type: type[Node], given: Mapping[str, str]) -> Node | None:
    """A node with parameters, or samples, put into its settings; None where they are wrong."""

    def look_up(name: str) -> Any:
        return _value(pipeline, name, given) if name in pipeline.parameters else "x"

    filled = substitute(pipeline.nodes[node_id].config, (node_type.Config,), look_up)
    try:
        return node_type(node_type.Config.model_validate(filled))
    except (ValidationError, EtlError):
        return None


def check_settings(
    pipeline: Pipeline,
    types: Mapping[str, type[Node] | None],
    given: Mapping[str, str],
    check_sql: CheckSql | None,
) -> Iterator[Problem]:
    """Settings and policies of every node, with parameters put in."""
    values = {name: _value(pipeline, name, given) for name in pipeline.parameters}

    def look_up(name: str) -> Any:
        return values.get(name, "x")

    for node_id, node in pipeline.nodes.items():
        node_type = types[node_id]
        for section, settings, model in (
            ("config", node.config, node_type.Config if node_type else None),
            ("policy", node.policy, Policy),
        ):
            unsure = set()
            for path, text in _places(settings):
                for name in references(text):
                    if problem := reference_problem(name, pipeline.parameters):
                        yield _problem(pipeline, node, (section, *path), *problem)
                    if name.startswith(SECRET) or (name not in given and _has_no_default(pipeline, name)):
                        unsure.add(path)
            yield from _check_secrets(pipeline, node, section, settings, model)
            if model is not None and (settings or section == "config"):
                filled = substitute(settings, (model,), look_up)
                problems = list(_check_model(pipeline, node, section, filled, model, unsure))
                yield from problems
                if check_sql and not problems and section == "config":
                    yield from _check_sql(pipeline, node, filled, model, check_sql)


def _check_model(  # noqa: PLR0913 - an address has many parts
    pipeline: Pipeline,
    node: NodeSpec,
    section: str,
    settings: dict[str, Any],
    model: type[BaseModel],
    unsure: set[tuple[str, ...]],
) -> Iterator[Problem]:
    """What pydantic refuses. Values that are not known before the run (``unsure``) are left to the run."""
    try:
        model.model_validate(settings)
    except ValidationError as error:
        details = [(_written_path(settings, one["loc"]), one) for one in error.errors(include_url=False)]
        unknown = [path for path, detail in details if detail["type"] == "extra_forbidden"]
        for path, detail in details:
            is_unsure = any(path[: len(place)] == place for place in unsure)
            if not is_unsure and not (detail["type"] == "missing" and _is_misspelt(path, unknown)):
                yield _problem(pipeline, node, (section, *path), *explain(detail, path, model))
    except EtlError as error:
        yield _problem(pipeline, node, (section,), error.what, error.hint or "")


def _check_secrets(
    pipeline: Pipeline, node: NodeSpec, section: str, settings: dict[str, Any], model: type[BaseModel] | None
) -> Iterator[Problem]:
    """Secrets that stand in the file itself."""
    found: list[tuple[str, ...]] = []

    def look(path: tuple[str, ...], text: str, editor: Editor | None) -> str:
        if editor == "secret" and text and not any(references(text)):
            found.append(path)
        return text

    map_texts(settings, (model,) if model else (), look)
    for path in found:
        message = f'"{".".join(path)}" is a secret, and would be kept in the file as it is.'
        hint = f"Write ${{secret:name}} and set {SECRET_VARIABLE}NAME in the environment."
        yield _problem(pipeline, node, (section, *path), message, hint)


def _is_misspelt(missing: tuple[str, ...], unknown: list[tuple[str, ...]]) -> bool:
    """Whether a setting is there under a similar name, which is told already."""
    beside = [path[-1] for path in unknown if path[:-1] == missing[:-1]]
    return closest(missing[-1], beside) is not None


def explain(detail: Any, path: tuple[str, ...], model: type[BaseModel]) -> tuple[str, str]:
    """A pydantic error as a sentence and what to do."""
    name, kind, context = path[-1] if path else "", detail["type"], detail.get("ctx", {})
    shown = ".".join(path)
    if kind == "missing":
        return f'The setting "{shown}" is missing.', _example(model, path)
    if kind == "extra_forbidden":
        names = list(settings_of(_models_at(model, path[:-1])))
        near = closest(name, names)
        return (
            f'There is no setting "{shown}".',
            f'Did you mean "{near}"?' if near else f"Settings: {', '.join(names) or 'none'}.",
        )
    value = f" It is {_short(detail['input'])}." if not isinstance(detail.get("input"), dict | list) else ""
    if kind in ("value_error", "assertion_error"):
        cause = context.get("error")
        hint = getattr(cause, "hint", None) or ""
        text = getattr(cause, "what", None) or str(cause)
        return f'"{shown}": {text}' if shown else text, hint
    if kind in ("literal_error", "enum"):
        near = closest(str(detail["input"]), _choices(context["expected"]))
        hint = f'Did you mean "{near}"?' if near else ""
        return f'"{shown}" must be one of: {", ".join(_choices(context["expected"]))}.{value}', hint
    wanted = _WANTED.get(kind)
    sentence = wanted.format(**context) if wanted else _lower(detail["msg"])
    return f'"{shown}" {sentence}.{value}' if wanted else f'"{shown}": {sentence}.{value}', _example(model, path)


_WHOLE, _NUMBER, _TEXT, _BOOLEAN = (
    "must be a whole number",
    "must be a number",
    "must be a text",
    "must be true or false",
)
_WANTED = {
    "string_type": _TEXT, "int_type": _WHOLE, "int_parsing": _WHOLE, "int_from_float": _WHOLE, "float_type": _NUMBER,
    "float_parsing": _NUMBER, "finite_number": _NUMBER, "bool_type": _BOOLEAN, "bool_parsing": _BOOLEAN,
    "list_type": "must be a list", "tuple_type": "must be a list", "dict_type": "must hold names with values",
    "model_type": "must hold names with values", "model_attributes_type": "must hold names with values",
    "greater_than": "must be greater than {gt}", "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}", "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries", "too_long": "must have at most {max_length} entries",
    "string_pattern_mismatch": "must look like {pattern}", "union_tag_not_found": "must say its {discriminator}",
    "union_tag_invalid": "has a {discriminator} that does not exist; possible: {expected_tags}",
}  # fmt: skip


def _check_sql(
    pipeline: Pipeline, node: NodeSpec, settings: dict[str, Any], model: type[BaseModel], check_sql: CheckSql
) -> Iterator[Problem]:
    found: list[Problem] = []

    def look(path: tuple[str, ...], text: str, editor: Editor | None) -> str:
        if editor in SQL_EDITORS and (wrong := check_sql(text, str(editor))):
            found.append(_problem(pipeline, node, ("config", *path), wrong))
        return text

    map_texts(settings, (model,), look)
    yield from found


def _problem(pipeline: Pipeline, node: NodeSpec, path: tuple[str, ...], message: str, hint: str = "") -> Problem:
    line, column = position(pipeline, "nodes", node.id, *path) or (None, None)
    return Problem("error", message, hint, node.id, ".".join(path), line, column)


def _value(pipeline: Pipeline, name: str, given: Mapping[str, str]) -> Any:
    parameter = pipeline.parameters[name]
    value = given.get(name, parameter.default)
    try:
        return read_value(parameter, value) if value is not None else SAMPLES.get(parameter.type, "x")
    except ValueError:
        return SAMPLES.get(parameter.type, "x")


def _has_no_default(pipeline: Pipeline, name: str) -> bool:
    return name not in pipeline.parameters or pipeline.parameters[name].default is None


def _places(settings: Any) -> list[tuple[tuple[str, ...], str]]:
    """Paths and texts that hold a reference."""
    found: list[tuple[tuple[str, ...], str]] = []

    def look(path: tuple[str, ...], text: str, _: Editor | None) -> str:
        if "${" in text:
            found.append((path, text))
        return text

    map_texts(settings, (), look)
    return found


def _texts(settings: Any) -> list[str]:
    return [text for _, text in _places(settings)]


def _written_path(settings: Any, location: tuple[int | str, ...]) -> tuple[str, ...]:
    """The path as it stands in the file, without the names that pydantic adds for members of unions."""
    path: list[str] = []
    here = settings
    for number, part in enumerate(location):
        is_index = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if is_index or (isinstance(here, dict) and part in here):
            here = here[part]
        elif number < len(location) - 1 or not isinstance(here, dict):
            continue
        path.append(str(part))
    return tuple(path)


def _models_at(model: type[BaseModel], path: tuple[str, ...]) -> Models:
    models: Models = (model,)
    for part in path:
        models = settings_of(models).get(part, (None, ()))[1] or models
    return models


def _example(model: type[BaseModel], path: tuple[str, ...]) -> str:
    for holder in _models_at(model, path[:-1]) if path else ():
        for name, field in holder.model_fields.items():
            if path[-1] in (name, field.alias) and field.examples:
                return f"For example {path[-1]}: {field.examples[0]}."
    return ""


def _choices(expected: str) -> list[str]:
    return [choice.strip().strip("'") for choice in expected.replace(" or ", ", ").split(",")]


def _short(value: Any) -> str:
    text = "empty" if value is None or value == "" else str(value)
    return text if len(text) <= UsageError.shown else text[: UsageError.shown - 1] + "…"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
