"""The request for a page of an API: the settings of the source and what the page adds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from etl_studio import sdk
from etl_studio.sdk.auth import ApiKeyAuth, NoAuth

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from etl_studio.nodes.extract._pagination import Step
    from etl_studio.sdk.auth import Auth

DEFAULT_PORTS = {"http": 80, "https": 443}
SHORTEST_SECRET = 8
"""Characters from which a value of the settings may be a secret that an address repeats."""
_PLACE = re.compile(r"page|next|cursor|contin|skip|offset|after|start|marker|scroll", re.IGNORECASE)


class RequestBuilder:
    """Makes requests.

    Args:
        url: the address of the first page.
        method: GET or POST.
        params: added to the address of each page, where it lacks them.
        headers: sent with each request.
        body: sent as JSON.
        auth: signs each request to the same site.
        from_data: the address came from data.
    """

    def __init__(  # noqa: PLR0913 - what a request is made of
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        auth: Auth | None = None,
        from_data: bool = False,
    ) -> None:
        self.url = url
        self._method = method
        self.params = dict(params or {})
        self._headers = dict(headers or {})
        self.body = body
        self._auth = auth or NoAuth()
        self._from_data = from_data
        self.facts: Mapping[str, Any] = {}

    def request(self, step: Step, send_in: str = "query") -> sdk.HttpRequest:
        """The request of a step. Nothing of the settings follows an address of the API to another site.

        Args:
            step: what the page adds.
            send_in: where its parameters go: ``query``, ``body`` or ``header``.
        """
        url, params, headers, body = self.url, dict(self.params), dict(self._headers), self.body
        if step.url is not None:
            if self.leaves(step):
                return sdk.HttpRequest(step.url, self._method, from_data=True)
            url = step.url
        if send_in == "body" and step.params:
            body = _with_values(body or {}, step.params)
        elif send_in == "header":
            headers.update((name, str(value)) for name, value in step.params)
        else:
            params.update(step.params)
        if step.url is not None:
            present = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
            params = {name: value for name, value in params.items() if name not in present}
        return sdk.HttpRequest(url, self._method, params, headers, body, auth=self._auth, from_data=self._from_data)

    def at(self, url: str, params: Mapping[str, Any], *, from_data: bool) -> RequestBuilder:
        """For another address, with parameters of its own; at another site without headers and sign-in.

        Args:
            url: the address.
            params: added to it.
            from_data: it came from data: no private address is asked.
        """
        if _origin(url) != _origin(self.url):
            return RequestBuilder(url, params=params, from_data=from_data)
        return RequestBuilder(url, params=params, headers=self._headers, auth=self._auth, from_data=from_data)

    def adding(self, values: dict[str, Any], send_in: str) -> RequestBuilder:
        """The same with further values in each request; ``facts`` holds them, so that a page can be asked for again.

        Args:
            values: by name.
            send_in: where they go, as for a step.
        """
        params, headers, body = self.params, self._headers, self.body
        if send_in == "body" and values:
            body = _with_values(body or {}, list(values.items()))
        elif send_in == "header":
            headers = headers | {name: str(value) for name, value in values.items()}
        else:
            params = params | values
        builder = RequestBuilder(
            self.url, method=self._method, params=params, headers=headers, body=body, auth=self._auth
        )
        builder.facts = {"asked": dict(values)} if values else {}
        return builder

    def leaves(self, step: Step) -> bool:
        """Whether a step leads to another site."""
        return step.url is not None and _origin(step.url) != _origin(self.url)

    def kept_url(self, url: str) -> str | None:
        """An address of the API as a checkpoint may hold it; None: it holds what may be a secret.

        Parameters of the settings are left out, since each request gets them again.
        """
        parts = urlsplit(url)
        if parts.username or parts.password:
            return None
        ours = {_text(value) for value in (*self.params.values(), *self._headers.values())}
        if isinstance(self._auth, ApiKeyAuth):
            ours.add(self._auth.key)
        ours |= {word for value in self._headers.values() for word in value.split()}
        kept = []
        for part in parts.query.split("&"):
            for name, value in parse_qsl(part, keep_blank_values=True):
                if name in self.params and value == _text(self.params[name]):
                    continue
                secret = sdk.shown_url(f"?{name}=x").endswith("***") and not _PLACE.search(name)
                if secret or (len(value) >= SHORTEST_SECRET and value in ours):
                    return None
                kept.append(part)
        return urlunsplit(parts._replace(query="&".join(kept), fragment=""))


def _with_values(body: Mapping[str, Any], values: Collection[tuple[str, Any]]) -> dict[str, Any]:
    """A body with values at dotted paths; what is on the way is made."""
    changed = dict(body)
    for path, value in values:
        inside, (*way, last) = changed, [path] if path in body else path.split(".")
        for name in way:
            below = inside.get(name)
            inside[name] = dict(below) if isinstance(below, dict) else {}
            inside = inside[name]
        inside[last] = value
    return changed


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
