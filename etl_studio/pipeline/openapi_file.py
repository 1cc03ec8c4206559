"""The description of an API (OpenAPI 3.0 and 3.1, Swagger 2): what can be read from it, as nodes to be."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline import yaml_tree
from etl_studio.pipeline.model import Parameter
from etl_studio.pipeline.openapi_pages import paging
from etl_studio.pipeline.openapi_schema import Schemas, as_list, as_object
from etl_studio.pipeline.openapi_sign_in import sign_in
from etl_studio.pipeline.openapi_values import Values, identifier
from etl_studio.pipeline.web_drafts import MADE_BY_ITSELF, WebDraft
from etl_studio.pipeline.web_secrets import References

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

METHODS = ("get", "post")
UNKNOWN = "https://api.example.org"
"""Stands where a description does not say where the API is."""
LARGEST_YAML = 30 * 2**20
"""Characters. Larger ones are written by machines, as JSON."""
_PLACE = re.compile(r"{([^{}]+)}")
_MARK = re.compile(r"""(?m)(^|[{,])\s{0,200}["']?(openapi|swagger)["']?\s{0,20}:\s{0,20}["']?[23]\b""")
_OF_THE_CLIENT = {*MADE_BY_ITSELF, "accept", "content-type", "authorization"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that an API answers.

    Attributes:
        method: GET or POST.
        path: as written.
        words: what it is about.
        lists: whether the answer holds a list of objects.
        draft: the node that reads it.
    """

    method: str
    path: str
    words: str
    lists: bool
    draft: WebDraft


def is_openapi(text: str) -> bool:
    """Whether a text looks like the description of an API."""
    return _MARK.search(text) is not None and "paths" in text


def read_openapi(text: str, source: str = "") -> list[Operation]:
    """What can be read from an API; lists first.

    Args:
        text: JSON or YAML.
        source: where it came from, for addresses that it leaves relative.

    Raises:
        UsageError: it is no such description, or nothing can be read from it.
    """
    document = _document(text.lstrip("\ufeff"))
    if not isinstance(document.get("paths"), dict):
        raise UsageError("This is no OpenAPI description.", hint="It has openapi: 3.x (or swagger: 2.0) and paths.")
    found = list(_Description(document, source).operations())
    if not found:
        raise UsageError("Nothing in this API is read with GET or POST.", hint="Look for another description.")
    return sorted(found, key=lambda one: (not one.lists, one.method != "GET"))


def _document(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            return as_object(json.loads(text))
        except ValueError as error:
            raise UsageError(f"The description is no valid JSON: {error}.", hint="Download it once more.") from None
        except RecursionError:
            raise UsageError("The description is nested too deeply.", hint="Look for another one.") from None
    if len(text) > LARGEST_YAML:
        raise UsageError("The description is too large for YAML.", hint="Most APIs have it as JSON, too.")
    try:
        tree = yaml_tree.parse(text)
    except PipelineError as error:
        where = f" (line {error.line})" if error.line else ""
        raise UsageError(f"The description cannot be read. {error.what}{where}", hint=error.hint) from None
    return as_object(tree.plain()) if tree is not None else {}


class _Description:
    def __init__(self, document: dict[str, Any], source: str) -> None:
        self._document = document
        self._schemas = Schemas(document)
        self._given: dict[str, Parameter] = {}
        self._hints: list[str] = []
        self._base = self._server(source)

    def operations(self) -> Iterator[Operation]:
        for path, described in self._document["paths"].items():
            item = self._schemas.object(described)
            for method in METHODS:
                operation = self._schemas.resolved(item.get(method))
                if isinstance(operation, dict):
                    made = self._operation(str(path), method.upper(), item, operation)
                    if method == "get" or made.lists:
                        yield made

    def _operation(self, path: str, method: str, item: dict[str, Any], operation: dict[str, Any]) -> Operation:
        schemas = self._schemas
        schemas.elsewhere = False
        secrets = References(urlsplit(self._base).hostname or "")
        values = Values(schemas, secrets)
        described = {
            (str(one.get("in")), one["name"]): one
            for part in (item, operation)
            for one in map(schemas.object, as_list(part.get("parameters")))
            if isinstance(one.get("name"), str)
        }
        answer = self._answer(operation)
        leaves = schemas.leaves(_content(answer))
        items = schemas.items_path(leaves, of_one=path.rstrip("/").endswith("}"))
        query = {name: one for (place, name), one in described.items() if place == "query"}
        pages = paging(
            {name: values.schema(one) for name, one in query.items()}, leaves, as_object(answer.get("headers"))
        )
        auth, cookies, left_out = sign_in(self._document, operation, schemas, secrets)
        taken = pages.params | {auth.get("name")}
        parameters = dict(self._given)
        config: dict[str, Any] = {"url": self._base + self._address(path, described, values, parameters)}
        one_object = items is None and bool(as_object(schemas.schema(_content(answer)).get("properties")))
        config["pagination"] = {"kind": "none"} if one_object else pages.setting
        if items:
            config["items"] = items
        sent = {name: one for name, one in query.items() if name not in taken}
        if params := dict(values.params(sent, parameters)):
            config["params"] = params
        wanted = {
            name: one
            for (place, name), one in described.items()
            if place == "header" and one.get("required") and name not in taken and name.lower() not in _OF_THE_CLIENT
        }
        if headers := dict(values.params(wanted, parameters)) | cookies:
            config["headers"] = {name: str(value) for name, value in headers.items()}
        if auth:
            config["auth"] = auth
        if method == "POST":
            config["method"] = "POST"
            media = _json_of(schemas.object(operation.get("requestBody")))
            swagger = next((one.get("schema") for (place, _), one in described.items() if place == "body"), None)
            if body := values.body(media, swagger):
                config["body"] = body
        words = next(
            (one for one in map(operation.get, ("summary", "operationId")) if isinstance(one, str) and one), ""
        )
        words = " ".join(words.split())
        hints = [*self._hints, *([pages.doubt] if pages.doubt else [])]
        if schemas.elsewhere:
            hints.append("Parts of the description are in other files, which were not read.")
        left = [left_out] if left_out else []
        draft = WebDraft("rest_source", config, secrets.names, left, words[:80], parameters, hints)
        return Operation(method, path, words, items is not None, draft)

    def _address(
        self,
        path: str,
        described: Mapping[tuple[str, str], dict[str, Any]],
        values: Values,
        parameters: dict[str, Parameter],
    ) -> str:
        """The path with references to parameters, which are added."""

        def reference(found: re.Match[str]) -> str:
            place = found[1]
            name = _parameter_name(place, path)
            parameters[name] = values.parameter(name, described.get(("path", place), {}))
            return f"${{{name}}}"

        path = _PLACE.sub(reference, path.replace("${", "{"))
        return path if path.startswith("/") else f"/{path}"

    def _answer(self, operation: dict[str, Any]) -> dict[str, Any]:
        """A good answer, as far as it is described."""
        answers = as_object(operation.get("responses"))
        good = next((answers[key] for key in answers if str(key).startswith("2")), answers.get("default"))
        return self._schemas.object(good)

    def _server(self, source: str) -> str:
        document = self._document
        server = as_object(next(iter(as_list(document.get("servers"))), None))
        url, variables = str(server.get("url") or ""), as_object(server.get("variables"))
        if not server and isinstance(document.get("host"), str):
            schemes = as_list(document.get("schemes")) or ["https"]
            scheme = "https" if "https" in schemes or schemes[0] not in ("http", "https") else schemes[0]
            url = f"{scheme}://{document['host']}{document.get('basePath') or ''}"
        elif not server:
            url = str(document.get("basePath") or "")

        def value(found: re.Match[str]) -> str:
            described = as_object(variables.get(found[1]))
            default = described.get("default")
            if isinstance(default, str) and default and "{" not in default:
                return default
            name = identifier(found[1])
            about = described.get("description")
            self._given[name] = Parameter(name, "text", None, about[:200] if isinstance(about, str) else "")
            return f"${{{name}}}"

        url = _PLACE.sub(value, url.replace("${", "{"))
        return self._whole(url, source).rstrip("/")

    def _whole(self, url: str, source: str) -> str:
        try:
            url = urljoin(source, url) if source.startswith(("http://", "https://")) else url
            parts = urlsplit(url)
            known = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
        except ValueError:
            known, url = False, ""
        if known:
            return url
        self._hints.append("The description does not say where the API is: write the address.")
        path = urlsplit(url).path if url else ""
        return UNKNOWN + ("/" + path.strip("/") if path.strip("/") else "")


def _content(message: dict[str, Any]) -> Any:
    """The schema of the JSON that a message holds; in Swagger 2 the message has it itself."""
    return _json_of(message).get("schema", message.get("schema"))


def _json_of(message: dict[str, Any]) -> dict[str, Any]:
    content = as_object(message.get("content")).items()
    return next((as_object(one) for kind, one in content if "json" in str(kind).lower()), {})


def _parameter_name(place: str, path: str) -> str:
    """``owner`` for ``{owner}``; what is only an id is called after what is before it: ``orders_id``."""
    before = path.partition(f"{{{place}}}")[0].rstrip("/").rpartition("/")[2]
    short = place.lower() in ("id", "key", "name", "uuid", "slug")
    return identifier(f"{before}_{place}" if short and before and "{" not in before else place)
