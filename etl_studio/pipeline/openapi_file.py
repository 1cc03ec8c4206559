"""The description of an API (OpenAPI 3, Swagger 2): what can be read from it, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from etl_studio.errors import EtlError, UsageError
from etl_studio.pipeline import yaml_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

METHODS = ("get", "post")
DEEPEST = 40
"""References that are followed one after another, at most."""
ITEMS_DEEP = 3
_PLACE = re.compile(r"{([^}]+)}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that an API answers.

    Attributes:
        title: ``GET /products, List all products``.
        url: whole address; ``{name}`` stands for what must be filled in.
        method: GET or POST.
        params: parameters of the query with their default or example; those without are left out unless required.
        headers: those that are required, with their default or example.
        lists: whether the answer holds a list of objects.
        auth: settings of ``auth`` with references to secrets that are called ``NAME``.
    """

    title: str
    url: str
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    lists: bool = False
    auth: Mapping[str, Any] = field(default_factory=dict)


def is_openapi(text: str) -> bool:
    """Whether a text looks like the description of an API."""
    return re.search(r"""(?m)^\s*["']?(openapi|swagger)["']?\s*:\s*["']?[23]""", text[:5000]) is not None


def read_openapi(text: str, source: str = "") -> list[Operation]:
    """What can be read from an API; lists first.

    Args:
        text: JSON or YAML.
        source: where it came from, for addresses that it leaves relative.

    Raises:
        UsageError: it is no such description, or nothing can be read from it.
    """
    try:
        tree = yaml_tree.parse(text)
    except EtlError:
        raise _no_description() from None
    document = tree.plain() if tree is not None else None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise _no_description()
    found = list(_Description(document, source).operations())
    if not found:
        raise UsageError("Nothing in this API is read with GET or POST.", hint="Look for another description.")
    return sorted(found, key=lambda one: (not one.lists, one.method != "GET"))


def _no_description() -> UsageError:
    return UsageError("This is no OpenAPI description.", hint="It has openapi: 3.x (or swagger: 2.0) and paths.")


class _Description:
    def __init__(self, document: dict[str, Any], source: str) -> None:
        self._document = document
        self._base = self._server(source)

    def operations(self) -> Iterator[Operation]:
        for path, item in self._document["paths"].items():
            item = self._resolved(item)
            for method in METHODS if isinstance(item, dict) else ():
                operation = self._resolved(item.get(method))
                if isinstance(operation, dict):
                    made = self._operation(str(path), method, item, operation)
                    if method == "get" or made.lists:
                        yield made

    def _operation(self, path: str, method: str, item: dict[str, Any], operation: dict[str, Any]) -> Operation:
        parameters = [self._resolved(one) for part in (item, operation) for one in part.get("parameters") or [] if one]
        parameters = [one for one in parameters if isinstance(one, dict) and isinstance(one.get("name"), str)]
        query = {one["name"]: one for one in parameters if one.get("in") == "query"}
        words = operation.get("summary") or operation.get("operationId") or ""
        return Operation(
            title=f"{method.upper()} {path}" + (f", {words}" if words else ""),
            url=self._base + path,
            method=method.upper(),
            params={
                name: self._value(one)
                for name, one in query.items()
                if one.get("required") or self._default(one) is not None
            },
            headers={
                one["name"]: str(self._value(one))
                for one in parameters
                if one.get("in") == "header" and one.get("required")
            },
            lists=self._lists(self._answer(operation)),
            auth=self._auth(operation),
        )

    # -- the answer -------------------------------------------------------------------------------------------

    def _answer(self, operation: dict[str, Any]) -> dict[str, Any]:
        """The schema of a good answer, as far as it is described."""
        answers = operation.get("responses")
        if not isinstance(answers, dict):
            return {}
        good = next((answers[key] for key in answers if str(key).startswith(("2", "default"))), None)
        good = self._resolved(good)
        if not isinstance(good, dict):
            return {}
        schema = good.get("schema")
        for kind, media in (good.get("content") or {}).items():
            if "json" in str(kind) and isinstance(media, dict):
                schema = media.get("schema")
        return self._schema(schema)

    def _lists(self, schema: dict[str, Any], depth: int = 0) -> bool:
        if schema.get("type") == "array":
            return bool(self._schema(schema.get("items")).get("properties"))
        inner = (schema.get("properties") or {}).values() if depth < ITEMS_DEEP else ()
        return any(self._lists(self._schema(one), depth + 1) for one in inner)

    # -- what is asked ----------------------------------------------------------------------------------------

    def _default(self, parameter: dict[str, Any]) -> Any:
        schema = self._schema(parameter.get("schema")) or parameter
        return schema.get("default")

    def _value(self, parameter: dict[str, Any]) -> Any:
        schema = self._schema(parameter.get("schema")) or parameter
        named = parameter.get("examples")
        example = (
            next((one.get("value") for one in named.values() if isinstance(one, dict)), None)
            if isinstance(named, dict)
            else None
        )
        choices = schema.get("enum")
        for value in (
            schema.get("default"),
            parameter.get("example"),
            example,
            schema.get("example"),
            choices[0] if isinstance(choices, list) and choices else None,
        ):
            if isinstance(value, str | int | float | bool):
                return value
        return ""

    def _auth(self, operation: dict[str, Any]) -> dict[str, Any]:
        schemes = (self._document.get("components") or {}).get("securitySchemes") or {}
        schemes = schemes or self._document.get("securityDefinitions") or {}
        wanted = operation.get("security", self._document.get("security")) or []
        for name in [name for one in wanted if isinstance(one, dict) for name in one]:
            scheme = self._resolved(schemes.get(name))
            if isinstance(scheme, dict) and (found := self._sign_in(scheme)):
                return found
        return {}

    def _sign_in(self, scheme: dict[str, Any]) -> dict[str, Any]:
        kind, place = scheme.get("type"), scheme.get("in")
        if kind == "apiKey" and place in ("header", "query"):
            return {"kind": "api_key", "key": "${secret:NAME_key}", "name": str(scheme.get("name")), "send_in": place}
        if kind == "basic" or (kind == "http" and str(scheme.get("scheme")).lower() == "basic"):
            return {"kind": "basic", "username": "${secret:NAME_user}", "password": "${secret:NAME_password}"}
        if kind == "http":
            return {"kind": "bearer", "token": "${secret:NAME_token}"}
        address = self._token_address(scheme) if kind == "oauth2" else ""
        if not address.startswith(("http://", "https://")):
            return {}
        client = {"client_id": "${secret:NAME_client_id}", "client_secret": "${secret:NAME_client_secret}"}
        return {"kind": "oauth2_client_credentials", "token_url": address, **client}

    @staticmethod
    def _token_address(scheme: dict[str, Any]) -> str:
        flows = scheme.get("flows") or {"": scheme}
        found = [flow.get("tokenUrl") for flow in flows.values() if isinstance(flow, dict) and flow.get("tokenUrl")]
        return str(found[0]) if found else ""

    # -- references -------------------------------------------------------------------------------------------

    def _server(self, source: str) -> str:
        document = self._document
        servers = document.get("servers")
        if isinstance(servers, list) and servers and isinstance(servers[0], dict):
            url = str(servers[0].get("url") or "")
            variables = servers[0].get("variables") or {}
            url = _PLACE.sub(lambda found: str((variables.get(found[1]) or {}).get("default", found[0])), url)
        elif document.get("host"):
            schemes = document.get("schemes") or ["https"]
            scheme = "https" if "https" in schemes else str(schemes[0])
            url = f"{scheme}://{document['host']}{document.get('basePath') or ''}"
        else:
            url = str(document.get("basePath") or "")
        url = urljoin(source, url) if source.startswith(("http://", "https://")) else url
        if not urlsplit(url).hostname:
            url = "https://api.example.org" + ("/" + url.strip("/") if url.strip("/") else "")
        return url.rstrip("/")

    def _schema(self, value: Any) -> dict[str, Any]:
        """A schema with its references followed and its parts (allOf) put together."""
        found = self._resolved(value)
        if not isinstance(found, dict):
            return {}
        parts = found.get("allOf") or found.get("oneOf") or found.get("anyOf")
        if not isinstance(parts, list):
            return found
        merged = {key: inner for key, inner in found.items() if key not in ("allOf", "oneOf", "anyOf")}
        properties = dict(merged.get("properties") or {})
        for part in parts if "allOf" in found else parts[:1]:
            one = self._resolved(part)
            if isinstance(one, dict):
                properties |= one.get("properties") or {}
                merged = {**one, **merged}
        return {**merged, "properties": properties} if properties else merged

    def _resolved(self, value: Any) -> Any:
        for _ in range(DEEPEST):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                return value
            value = self._document if reference.startswith("#/") else None
            for key in reference.removeprefix("#/").split("/"):
                name = key.replace("~1", "/").replace("~0", "~")
                value = value.get(name) if isinstance(value, dict) else None
        return None
