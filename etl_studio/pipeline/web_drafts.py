"""The source that reads an address or a cURL command. Secrets become references and are never in its settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from etl_studio.errors import UsageError
from etl_studio.pipeline.curl_text import CurlRequest, is_curl, json_object, read_curl
from etl_studio.pipeline.parameters import SECRET, SECRET_VARIABLE

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"auth|cookie|token|secret|passw|pwd|session|signature|credential|api[-_]?key|(^|[-_])(key|sig)$", re.IGNORECASE
)
_API = re.compile(r"(^|/)(api|rest|graphql|v\d+)(/|$)|\.json$", re.IGNORECASE)
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][\w-]*) +(?P<rest>\S.*)", re.DOTALL)
MADE_BY_ITSELF = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "te"}
"""Headers that the client writes."""


@dataclass(slots=True)
class WebDraft:
    """A node to be.

    Attributes:
        node_type: name of its type.
        config: its settings.
        secrets: names of the secrets that the settings refer to.
        left_out: what could not be taken over, as the end of a sentence.
    """

    node_type: str
    config: dict[str, Any]
    secrets: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def basic(self) -> bool:
        """Whether a secret is user and password, which HTTP wants in base64."""
        return any(value.startswith("Basic $") for value in self.config.get("headers", {}).values())

    @property
    def notice(self) -> str:
        """What a person should know; empty: nothing."""
        parts = []
        if self.secrets:
            variables = ", ".join(SECRET_VARIABLE + name.upper() for name in self.secrets)
            many = len(self.secrets) > 1
            parts.append(f"{'Secrets are' if many else 'A secret is'} not kept in the pipeline. Set {variables}.")
        if self.basic:
            parts.append("The secret behind Basic is user:password in base64.")
        if self.left_out:
            parts.append(f"Left out: {', '.join(self.left_out)}.")
        return " ".join(parts)


def is_request(text: str) -> bool:
    """Whether a text is one address or a cURL command."""
    return is_curl(text) or _ADDRESS.fullmatch(text.strip()) is not None


def draft_of(text: str) -> WebDraft:
    """The source that reads an address or a cURL command.

    Raises:
        UsageError: it is neither, or no source reads it.
    """
    if is_curl(text):
        request = read_curl(text)
        return _Draft(request).rest()
    if _ADDRESS.fullmatch(text.strip()) is None:
        raise UsageError("This is no address.", hint="Addresses begin with https://.")
    draft = _Draft(CurlRequest(text.strip(), "GET"))
    path = draft.parts.path.lower()
    if path.endswith((".csv", ".tsv", ".csv.gz")):
        raise UsageError("No node reads CSV files from the web.", hint="Download the file and drop it here.")
    host = draft.parts.hostname or ""
    asks_json = any(value.lower() == "json" for _, value in parse_qsl(draft.parts.query))
    return draft.rest() if host.startswith("api.") or _API.search(path) or asks_json else draft.page()


class _Draft:
    def __init__(self, request: CurlRequest) -> None:
        self._request = request
        self._secrets: list[str] = []
        self._left_out: list[str] = []
        try:
            self.parts: SplitResult = urlsplit(request.url)
            host = self.parts.hostname
        except ValueError:
            host = None
        if not host or self.parts.scheme.lower() not in ("http", "https"):
            raise UsageError("The address is none of the web.", hint="Addresses begin with https://.")
        self._host = re.sub(r"\W+", "_", host.removeprefix("www.").lower(), flags=re.ASCII).strip("_") or "web"

    def rest(self) -> WebDraft:
        request = self._request
        if request.method not in ("GET", "POST"):
            raise UsageError(f"No source sends {request.method}.", hint="Sources read with GET or POST.")
        pairs = parse_qsl("&".join(filter(None, (self.parts.query, request.query))), keep_blank_values=True)
        names = [name for name, _ in pairs]
        single = len(set(names)) == len(names)
        config: dict[str, Any] = {"url": self._address("" if single else self._query(pairs))}
        if pairs and single:
            config["params"] = {name: self._value(name, value) for name, value in pairs}
        body = json_object(request.data)
        headers = self._headers(without={"content-type"} if body is not None else set())
        if headers:
            config["headers"] = headers
        if request.method == "POST":
            config["method"] = "POST"
        if body is not None and request.method == "POST":
            config["body"] = self._hidden("body", body)
        elif request.data:
            self._left_out.append("the body, which is no JSON object")
        return WebDraft("rest_source", config, self._secrets, self._left_out)

    def page(self) -> WebDraft:
        pairs = parse_qsl(self.parts.query, keep_blank_values=True)
        config: dict[str, Any] = {"urls": [self._address(self._query(pairs))]}
        if headers := self._headers():
            config["headers"] = headers
        return WebDraft("web_page_source", config, self._secrets, self._left_out)

    def _address(self, query: str) -> str:
        """Without what is before the host, which is a secret, and what is behind ``#``, which is never sent."""
        place = self.parts.netloc.rpartition("@")[2]
        address = urlunsplit((self.parts.scheme.lower(), place, _written(self.parts.path), "", ""))
        return f"{address}?{query}" if query else address

    def _query(self, pairs: list[tuple[str, str]]) -> str:
        return "&".join(f"{quote(name)}={self._value(name, value, quoted=True)}" for name, value in pairs)

    def _value(self, name: str, value: str, *, quoted: bool = False) -> str:
        if value and _SECRET_NAME.search(name):
            return self._secret(name)
        return quote(value) if quoted else _written(value)

    def _headers(self, without: set[str] | None = None) -> dict[str, str]:
        headers = dict(self._request.headers)
        if self.parts.username is not None and not any(name.lower() == "authorization" for name in headers):
            headers["Authorization"] = "Basic user:password"
        skipped = MADE_BY_ITSELF | (without or set())
        return {name: self._header(name, value) for name, value in headers.items() if name.lower() not in skipped}

    def _header(self, name: str, value: str) -> str:
        if not _SECRET_NAME.search(name):
            return _written(value)
        scheme = _SCHEME.fullmatch(value) if name.lower().endswith("authorization") else None
        reference = self._secret(name)
        return f"{scheme['scheme']} {reference}" if scheme else reference

    def _hidden(self, name: str, value: Any) -> Any:
        """The body with references for its secrets."""
        if isinstance(value, dict):
            return {key: self._hidden(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._hidden(name, inner) for inner in value]
        return self._value(name, value) if isinstance(value, str) else value

    def _secret(self, name: str) -> str:
        """A reference to a secret of this host."""
        wanted = f"{self._host}_{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')}"
        if wanted not in self._secrets:
            self._secrets.append(wanted)
        return f"${{{SECRET}{wanted}}}"


def _written(text: str) -> str:
    """As a setting says it: ``${`` begins a reference there."""
    return text.replace("${", "$${")
