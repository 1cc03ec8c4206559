"""The source that does what an address, a cURL command or a recorded request asks for; secrets become references."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from etl_studio.errors import UsageError
from etl_studio.pipeline.curl_text import CurlRequest, is_curl, json_object, read_curl
from etl_studio.pipeline.parameters import SECRET_VARIABLE
from etl_studio.pipeline.web_secrets import References, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

    from etl_studio.pipeline.model import Parameter

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_API = re.compile(r"(^|/)(api|rest|graphql|v\d+)(/|$)|\.json$", re.IGNORECASE)
MADE_BY_ITSELF = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "te"}
"""Headers that the client writes."""
METHODS = ("GET", "POST")


@dataclass(slots=True)
class WebDraft:
    """A node to be.

    Attributes:
        node_type: name of its type.
        config: its settings.
        secrets: names of the secrets that the settings refer to.
        left_out: what could not be taken over, as the end of a sentence.
        title: of the node; empty: that of its type.
        parameters: of the pipeline, to which the settings refer.
        hints: further sentences for the person who takes it.
    """

    node_type: str
    config: dict[str, Any]
    secrets: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    title: str = ""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)


def notice(drafts: Iterable[WebDraft]) -> str:
    """What a person should know about nodes that were made; empty: nothing."""
    drafts = list(drafts)
    secrets = dict.fromkeys(name for draft in drafts for name in draft.secrets)
    basic = any(value.startswith("Basic $") for draft in drafts for value in draft.config.get("headers", {}).values())
    left_out = dict.fromkeys(text for draft in drafts for text in draft.left_out)
    parts = []
    if secrets:
        variables = ", ".join(SECRET_VARIABLE + name.upper() for name in secrets)
        parts.append(
            f"{'Secrets are' if len(secrets) > 1 else 'A secret is'} not kept in the pipeline. Set {variables}."
        )
    if basic:
        parts.append("The secret behind Basic is user:password in base64.")
    empty = dict.fromkeys(
        name for draft in drafts for name, parameter in draft.parameters.items() if parameter.default is None
    )
    if empty:
        parts.append(f"Give {'parameters' if len(empty) > 1 else 'the parameter'} a value: {', '.join(empty)}.")
    if left_out:
        parts.append(f"Left out: {', '.join(left_out)}.")
    return " ".join([*parts, *dict.fromkeys(hint for draft in drafts for hint in draft.hints)])


def is_request(text: str) -> bool:
    """Whether a text is one address or a cURL command."""
    return is_curl(text) or _ADDRESS.fullmatch(text.strip()) is not None


def draft_of(text: str) -> WebDraft:
    """The source that reads an address or a cURL command.

    Raises:
        UsageError: it is neither, or no source reads it.
    """
    if is_curl(text):
        return rest_draft(read_curl(text))
    if _ADDRESS.fullmatch(text.strip()) is None:
        raise UsageError("This is no address.", hint="Addresses begin with https://.")
    draft = _Draft(CurlRequest(text.strip(), "GET"))
    path = draft.parts.path.lower()
    if path.endswith((".csv", ".tsv", ".csv.gz")):
        raise UsageError("No node reads CSV files from the web.", hint="Download the file and drop it here.")
    host = draft.parts.hostname or ""
    asks_json = any(value.lower() == "json" for _, value in parse_qsl(draft.parts.query))
    return draft.rest() if host.startswith("api.") or _API.search(path) or asks_json else draft.page()


def rest_draft(request: CurlRequest) -> WebDraft:
    """The source that sends a request to an API, and those for its further pages.

    Raises:
        UsageError: no source sends it.
    """
    return _Draft(request).rest()


class _Draft:
    def __init__(self, request: CurlRequest) -> None:
        self._request = request
        self._left_out: list[str] = []
        try:
            self.parts: SplitResult = urlsplit(request.url)
            host = self.parts.hostname
            _ = self.parts.port
        except ValueError:
            host = None
        if not host or self.parts.scheme.lower() not in ("http", "https"):
            raise UsageError("The address is none of the web.", hint="Addresses begin with https://.")
        self._secrets = References(host)
        self._header_values = dict(request.headers)
        if self.parts.username is not None and not any(name.lower() == "authorization" for name in request.headers):
            self._header_values["Authorization"] = "Basic user:password"

    def rest(self) -> WebDraft:
        request = self._request
        if request.method not in METHODS:
            raise UsageError(f"No source sends {request.method}.", hint="Sources read with GET or POST.")
        pairs = self._pairs("&".join(filter(None, (self.parts.query, request.query))))
        for name, value in (*self._header_values.items(), *pairs):
            if value and is_secret(name, value):
                self._secrets.know(value)
        auth, told_by = self._secrets.sign_in(self._header_values, dict(pairs))
        pairs = [pair for pair in pairs if pair[0] != told_by]
        names = [name for name, _ in pairs]
        single = len(set(names)) == len(names)
        config: dict[str, Any] = {"url": self._address("" if single else self._query(pairs))}
        config["pagination"] = {"kind": "auto"}
        if pairs and single:
            config["params"] = {name: self._value(name, value) for name, value in pairs}
        body = json_object(request.data)
        if headers := self._headers(without={told_by.lower(), *({"content-type"} if body is not None else ())}):
            config["headers"] = headers
        if auth:
            config["auth"] = auth
        if request.method == "POST":
            config["method"] = "POST"
        if body is not None and request.method == "POST":
            config["body"] = self._hidden("body", body)
        elif request.data:
            self._left_out.append("the body, which is no JSON object")
        return WebDraft("rest_source", config, self._secrets.names, self._left_out)

    def page(self) -> WebDraft:
        config: dict[str, Any] = {"urls": [self._address(self._query(self._pairs(self.parts.query)))]}
        if headers := self._headers():
            config["headers"] = headers
        return WebDraft("web_page_source", config, self._secrets.names, self._left_out)

    @staticmethod
    def _pairs(query: str) -> list[tuple[str, str]]:
        try:
            return parse_qsl(query, keep_blank_values=True)
        except ValueError:
            raise UsageError("The address has too many parameters.", hint="Shorten it.") from None

    def _address(self, query: str) -> str:
        """Without what is before the host, which is a secret, and what is behind ``#``, which is never sent."""
        place = self.parts.netloc.rpartition("@")[2]
        path = "/".join(
            self._secrets.to("path", part) if self._secrets.hides("", part) else written(part)
            for part in self.parts.path.split("/")
        )
        address = urlunsplit((self.parts.scheme.lower(), written(place), path, "", ""))
        return f"{address}?{query}" if query else address

    def _query(self, pairs: list[tuple[str, str]]) -> str:
        return "&".join(f"{quote(name)}={self._value(name, value, quoted=True)}" for name, value in pairs)

    def _value(self, name: str, value: str, *, quoted: bool = False) -> str:
        if self._secrets.hides(name, value):
            return self._secrets.to(name, value)
        return quote(value) if quoted else written(value)

    def _headers(self, without: Iterable[str] = ()) -> dict[str, str]:
        skipped = MADE_BY_ITSELF | set(without)
        return {
            name: self._secrets.header(name, value) if self._secrets.hides(name, value) else written(value)
            for name, value in self._header_values.items()
            if name.lower() not in skipped
        }

    def _hidden(self, name: str, value: Any) -> Any:
        """The body with references for its secrets."""
        if isinstance(value, dict):
            return {key: self._hidden(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._hidden(name, inner) for inner in value]
        return self._value(name, value) if isinstance(value, str) else value


def written(text: str) -> str:
    """As a setting says it: ``${`` begins a reference there."""
    return text.replace("${", "$${")
