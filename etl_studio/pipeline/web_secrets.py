"""What is secret in a request that somebody recorded or copied: it becomes a reference and is kept nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.parameters import SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(
    r"auth(?!or(?!i))|cookie|token|secret|passw|pwd|session|signature|credential|jwt|csrf|xsrf|(api|access)[-_]?key"
    r"|(^|[-_])(key|sig|otp)$",
    re.IGNORECASE,
)
_CURSOR = re.compile(r"(page|next|continuation|cursor)[-_]?token", re.IGNORECASE)
_VALUE = re.compile(
    r"eyJ[\w-]{8,}\.eyJ|gh[pousr]_\w{16}|github_pat_|glpat-|sk_(live|test)_|sk-\w{16}|xox[abprs]-|AKIA[0-9A-Z]{12}"
    r"|AIza[\w-]{20}|ya29\."
)
"""How tokens of well-known services begin, and JSON Web Tokens."""
_API_KEY = re.compile(r"(api|app|access|subscription|auth)[-_]?(key|token)|(^|[-_])key$|^(x[-_])?token$", re.IGNORECASE)
_TOKEN = re.compile(r"[\w.-]+", re.ASCII)
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][\w-]*) +(?P<rest>\S.*)", re.DOTALL)
_SHORTEST = 8
"""Characters from which a value that is secret in one place is taken for the same secret in another."""


def is_secret(name: str, value: str = "") -> bool:
    """Whether what is called so, or looks so, is most likely a secret."""
    return (_NAME.search(name) is not None and not _CURSOR.search(name)) or _VALUE.match(value) is not None


class References:
    """The secrets of one site, each with a name of its own.

    Args:
        host: of the site.

    Attributes:
        names: of the secrets so far.
    """

    def __init__(self, host: str) -> None:
        self._host = re.sub(r"\W+", "_", host.removeprefix("www.").lower(), flags=re.ASCII).strip("_") or "web"
        self.names: list[str] = []
        self._values: set[str] = set()

    def to(self, name: str, value: str = "") -> str:
        """The reference to a secret."""
        wanted = f"{self._host}_{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_') or 'secret'}"
        if wanted not in self.names:
            self.names.append(wanted)
        self.know(value)
        return f"${{{SECRET}{wanted}}}"

    def know(self, value: str) -> None:
        """A value is a secret: it is hidden wherever it comes, such as a token that is in the address, too."""
        scheme = _SCHEME.fullmatch(value)
        value = scheme["rest"] if scheme else value
        if len(value) >= _SHORTEST:
            self._values.add(value)

    def hides(self, name: str, value: str) -> bool:
        """Whether a value must not be kept."""
        return bool(value) and (is_secret(name, value) or any(known in value for known in self._values))

    def header(self, name: str, value: str) -> str:
        """The reference for a secret header; the word before a token stays: ``Token ${secret:...}``."""
        scheme = _SCHEME.fullmatch(value) if name.lower().endswith("authorization") else None
        reference = self.to(name, scheme["rest"] if scheme else value)
        return f"{scheme['scheme']} {reference}" if scheme else reference

    def sign_in(self, headers: Mapping[str, str], params: Mapping[str, str]) -> tuple[dict[str, Any], str]:
        """The setting ``auth`` that says what a header or parameter says, and the name of that; empty: none does."""
        for name, value in headers.items():
            if name.lower() == "authorization" and (found := self._authorization(value)):
                return found, name
        for place, values in (("header", headers), ("query", params)):
            for name, value in values.items():
                if value and _API_KEY.search(name) and _TOKEN.fullmatch(name) and not _CURSOR.search(name):
                    return {"kind": "api_key", "key": self.to(name, value), "name": name, "send_in": place}, name
        return {}, ""

    def _authorization(self, value: str) -> dict[str, Any]:
        scheme, _, rest = value.partition(" ")
        if scheme.lower() == "bearer" and rest.strip():
            return {"kind": "bearer", "token": self.to("token", rest.strip())}
        if scheme.lower() in ("basic", "digest"):
            return {"kind": scheme.lower(), "username": self.to("user"), "password": self.to("password")}
        return {}
