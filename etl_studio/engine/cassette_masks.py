"""What of requests and answers a cassette may hold: nothing that lets anybody sign in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

MASK = "***"
SHORTEST_SECRET = 4
"""Characters from which on a known secret is hidden wherever it stands; one that is shorter only by its name."""
SHORTEST_FOUND = 8
"""Likewise of one that only its name told."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_SECRET_WORDS = {
    "apikey", "auth", "authorization", "cookie", "credential", "credentials", "csrf", "jwt", "passwd", "password",
    "pwd", "secret", "session", "sessionid", "sid", "sig", "signature", "token", "xsrf",
}  # fmt: skip
_PLACE_WORDS = {"after", "before", "continuation", "cursor", "next", "offset", "page", "scroll", "skip", "start"}
"""A token with such a name says where to go on, and tells requests apart."""
_TOKENS = re.compile(
    rb'("(?:access_token|refresh_token|id_token|client_secret|password)"\s*:\s*")((?:[^"\\]|\\.)*)(?=")'
)


def is_secret_name(name: str) -> bool:
    """Whether a header, a parameter or a field of that name holds a secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if _PLACE_WORDS.intersection(words):
        return False
    return bool(_SECRET_WORDS.intersection(words)) or words[-1:] == ["key"]


class Masks:
    """Hides secrets.

    Args:
        secrets: gives the values that are known by then.

    Attributes:
        found: values that were hidden for their names; an answer may repeat them.
    """

    def __init__(self, secrets: Callable[[], Iterable[str]] = tuple) -> None:
        self._secrets = secrets
        self.found: set[str] = set()

    def for_answers(self) -> Masks:
        """Hides what was found in requests, too."""
        found = {value for value in self.found if len(value) >= SHORTEST_FOUND}
        return Masks(lambda: (*self._secrets(), *found))

    def url(self, url: str) -> str:
        """An address without user, password, fragment and values of secret parameters."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        query = "&".join(map(self._pair, parts.query.split("&"))) if parts.query else ""
        return self.text(urlunsplit((parts.scheme, host, parts.path or "/", query, "")))

    def headers(self, headers: Iterable[tuple[str, str]], left_out: Collection[str]) -> dict[str, str]:
        """Headers by name, in lower case; those of one name are joined, and secret ones hidden."""
        found: dict[str, str] = {}
        for name, value in headers:
            key = name.lower()
            if key not in left_out:
                shown = self.text(self._named(key, value))
                found[key] = f"{found[key]}, {shown}" if key in found else shown
        return found

    def body(self, body: bytes, kind: str) -> bytes:
        """The body of a request: fields of JSON and of forms with secret names are hidden, too."""
        try:
            if "json" in kind:
                body = json.dumps(self._hidden(json.loads(body)), ensure_ascii=False).encode()
            elif "x-www-form-urlencoded" in kind:
                pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True)
                masked = [(name, self._named(name, value)) for name, value in pairs]
                body = urlencode(masked, safe="*").encode()
        except (ValueError, RecursionError):
            pass
        return self.content(body)

    def content(self, content: bytes) -> bytes:
        """Any body; in JSON, tokens that a server gives out are hidden, too."""
        for variant in self._variants():
            content = content.replace(variant.encode(), MASK.encode())
        return _TOKENS.sub(rb"\1" + MASK.encode(), content)

    def text(self, text: str) -> str:
        """A text without known secrets."""
        for variant in self._variants():
            text = text.replace(variant, MASK)
        return text

    def _named(self, name: str, value: str) -> str:
        if not is_secret_name(name):
            return value
        self.found.add(value)
        return MASK

    def _pair(self, pair: str) -> str:
        name, sign, value = pair.partition("=")
        return f"{name}={MASK}" if sign and self._named(name, unquote_plus(value)) == MASK else pair

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: self._named(name, item) if isinstance(item, str) else self._hidden(item)
                for name, item in value.items()
            }
        return [self._hidden(item) for item in value] if isinstance(value, list) else value

    def _variants(self) -> list[str]:
        known = {secret for secret in self._secrets() if len(secret) >= SHORTEST_SECRET}
        ways = {way(secret) for secret in known for way in (str, _quoted, quote_plus, _in_json)}
        return sorted(ways, key=len, reverse=True)


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
