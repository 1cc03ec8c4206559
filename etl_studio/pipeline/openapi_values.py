"""What is sent to an operation of an API: values that its description gives, parameters for those that it does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.model import Parameter
from etl_studio.pipeline.openapi_pages import is_size, wanted_size
from etl_studio.pipeline.openapi_schema import as_list, as_object, is_type
from etl_studio.pipeline.web_drafts import written
from etl_studio.pipeline.web_secrets import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etl_studio.pipeline.openapi_schema import Schemas
    from etl_studio.pipeline.web_secrets import References

BODY_DEPTH = 4
LONGEST_TEXT = 200
_TYPES: dict[str, type | tuple[type, ...]] = {"integer": int, "number": (int, float), "boolean": bool}


class Values:
    """Makes the values of one operation.

    Args:
        schemas: of the description.
        secrets: those that are referred to.
    """

    def __init__(self, schemas: Schemas, secrets: References) -> None:
        self._schemas = schemas
        self._secrets = secrets

    def schema(self, parameter: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of a parameter; in Swagger 2 it is one itself."""
        return self._schemas.schema(parameter["schema"]) if "schema" in parameter else dict(parameter)

    def params(
        self, described: Mapping[str, dict[str, Any]], parameters: dict[str, Parameter]
    ) -> Iterator[tuple[str, Any]]:
        """Parameters of the query, or headers, that are required or have a default, with their values.

        Args:
            described: by name.
            parameters: of the pipeline; one that is required and has no value is added there.
        """
        for name, one in described.items():
            schema = self.schema(one)
            default = schema.get("default")
            if is_secret(name) and one.get("required"):
                yield name, self._secrets.to(name)
            elif is_size(name) and (size := wanted_size(schema)):
                yield name, size
            elif isinstance(default, str | int | float | bool):
                yield name, _plain(default)
            elif one.get("required"):
                value = self._value(one)
                if value is None:
                    wanted = identifier(name)
                    parameters[wanted] = self.parameter(wanted, one)
                    value = f"${{{wanted}}}"
                    yield name, value
                else:
                    yield name, _plain(value)

    def parameter(self, name: str, described: Mapping[str, Any]) -> Parameter:
        """A parameter of the pipeline for one of the operation."""
        schema, value = self.schema(described), self._value(described)
        choices = as_list(schema.get("enum"))
        about = described.get("description")
        about = " ".join(about.split())[:LONGEST_TEXT] if isinstance(about, str) else ""
        if choices and all(isinstance(one, str) and one for one in choices):
            return Parameter(name, "choice", choices[0], about, {"choices": choices})
        kind = next((kind for kind in _TYPES if is_type(schema, kind)), "text")
        fits = isinstance(value, _TYPES.get(kind, str)) and (kind == "boolean") == isinstance(value, bool)
        return Parameter(name, kind, value if fits and "${" not in str(value) else None, about)

    def body(self, media: dict[str, Any], schema: Any) -> dict[str, Any]:
        """The body that an operation wants: its example, or what its schema wants at least.

        Args:
            media: JSON of the request.
            schema: of it, where it stands elsewhere (Swagger 2).
        """
        named = as_object(next(iter(as_object(media.get("examples")).values()), None))
        for example in (media.get("example"), named.get("value")):
            if isinstance(example, dict) and example:
                return as_object(self._hidden("body", example, BODY_DEPTH))
        return as_object(self._made(media.get("schema") or schema, "body", BODY_DEPTH))

    def _value(self, described: Mapping[str, Any]) -> str | int | float | bool | None:
        """A value that the description gives for a parameter or property."""
        schema = self.schema(described)
        named = next(iter(as_object(described.get("examples")).values()), None)
        several = (*as_list(schema.get("examples")), *as_list(schema.get("enum")))
        choices = (
            schema.get("default"),
            described.get("example"),
            as_object(named).get("value"),
            schema.get("example"),
        )
        for value in (*choices, schema.get("const"), *several[:1]):
            if isinstance(value, str | int | float | bool) and value != "":
                return value
        return None

    def _made(self, value: Any, name: str, depth: int) -> Any:
        schema = self._schemas.schema(value)
        properties, required = as_object(schema.get("properties")), as_list(schema.get("required"))
        if not properties:
            found = self._value({"schema": schema})
            return None if found is None else self._hidden(name, found, 0)
        made = {}
        for key, inner in properties.items() if depth else ():
            found = self._made(inner, key, depth - 1)
            if found is not None and found != {}:
                made[key] = found
            elif key in required:
                made[key] = self._secrets.to(key) if is_secret(key) else ""
        return made

    def _hidden(self, name: str, value: Any, depth: int) -> Any:
        """A value as the settings may hold it: with references for secrets, and no deeper than that."""
        if isinstance(value, str):
            return self._secrets.to(name) if is_secret(name, value) else written(value)
        if isinstance(value, dict) and depth:
            return {key: self._hidden(key, inner, depth - 1) for key, inner in value.items()}
        if isinstance(value, list) and depth:
            return [self._hidden(name, inner, depth - 1) for inner in value]
        return value if isinstance(value, int | float) else None


def _plain(value: Any) -> Any:
    return written(value) if isinstance(value, str) else value


def identifier(name: str) -> str:
    """A name that a parameter of a pipeline may have."""
    found = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "value"
    return found if found.isidentifier() else f"p_{found}"
