"""A cURL command as it is copied from a browser or a manual: what it asks for, without running anything."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTINUED = re.compile(r"[\\^]\r?\n")
_ANSI_QUOTED = re.compile(r"(?<!\S)\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
LONGEST = 200_000
"""Characters; a longer text is no command that somebody pasted."""

DATA = {"-d", "--data", "--data-raw", "--data-ascii", "--data-binary", "--json"}
WITH_VALUE = {
    *DATA, "-X", "--request", "-H", "--header", "--data-urlencode", "-u", "--user", "-b", "--cookie",
    "-A", "--user-agent", "-e", "--referer", "--url", "-o", "--output", "-m", "--max-time", "--connect-timeout",
    "--retry", "--retry-delay", "-x", "--proxy", "--cacert", "-E", "--cert", "--key", "-w", "--write-out", "-c",
    "--cookie-jar", "-F", "--form", "-T", "--upload-file", "-r", "--range", "--resolve", "--ciphers", "-D",
    "--dump-header", "-K", "--config", "--max-redirs", "--limit-rate", "--interface", "-C", "--continue-at",
}  # fmt: skip
"""Options that are followed by a value; all others stand alone."""


@dataclass(slots=True)
class CurlRequest:
    """What a command asks for.

    Attributes:
        url: the address, as written.
        method: in capitals.
        headers: by name, as written; those of ``-u``, ``-b``, ``-A`` and ``-e`` are among them.
        data: the body; None when there is none.
        query: what ``-G`` adds to the address.
    """

    url: str = ""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    data: str | None = None
    query: str = ""


def is_curl(text: str) -> bool:
    """Whether a text begins as a cURL command does."""
    return re.match(r"\s*(\$\s+)?curl(\.exe)?\s", text) is not None


def read_curl(text: str) -> CurlRequest:
    """Read a command.

    Raises:
        UsageError: it is no cURL command, or it asks for nothing that a person could mean by it.
    """
    options = list(_options(_words(text)))
    asked, pieces = {option for option, _ in options}, _data(options)
    if asked & {"-F", "--form", "-T", "--upload-file"}:
        raise UsageError("This command sends a file.", hint="Sources read: leave out -F and -T.")
    if any(piece.startswith("@") for piece in pieces):
        raise UsageError("This command sends what is in a file.", hint="Write the data into the command.")
    url = next((value for option, value in options if option in ("", "--url")), "")
    if not url:
        raise UsageError("This cURL command has no address.", hint="Copy the whole command.")
    request = CurlRequest(url if "://" in url else f"http://{url}", "", _headers(options))
    if pieces and asked & {"-G", "--get"}:
        request.query = "&".join(pieces)
    elif pieces:
        request.data = "&".join(pieces)
    written = next((value.upper() for option, value in options if option in ("-X", "--request")), "")
    default = "HEAD" if asked & {"-I", "--head"} else "GET" if request.data is None else "POST"
    request.method = written or default
    return request


def _headers(options: list[tuple[str, str]]) -> dict[str, str]:
    headers = {}
    for option, value in options:
        name, _, content = value.partition(":")
        if option in ("-H", "--header") and content.strip():
            headers[name.strip()] = content.strip()
    for option, value in options:
        if option in HEADERS:
            headers.setdefault(HEADERS[option], value)
        elif option in ("-u", "--user"):
            headers.setdefault("Authorization", f"Basic {value}")
    return headers


def _data(options: list[tuple[str, str]]) -> list[str]:
    pieces = []
    for option, value in options:
        if option in DATA:
            pieces.append(value)
        elif option == "--data-urlencode":
            name, equals, content = value.partition("=")
            pieces.append(f"{name}{equals}{quote(content)}" if equals else quote(value))
    return pieces


HEADERS = {
    "-b": "Cookie", "--cookie": "Cookie", "-A": "User-Agent", "--user-agent": "User-Agent", "-e": "Referer",
    "--referer": "Referer",
}  # fmt: skip
"""Options that are headers."""


def json_object(data: str | None) -> dict[str, object] | None:
    """The JSON object that a body is; None when it is something else."""
    try:
        found = json.loads(data or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _words(text: str) -> list[str]:
    if not is_curl(text) or len(text) > LONGEST:
        raise UsageError("This is no cURL command.", hint='It begins with "curl".')
    text = _ANSI_QUOTED.sub(lambda found: shlex.quote(_unescaped(found[1])), _CONTINUED.sub(" ", text))
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError("A quote of this cURL command is never closed.", hint="Copy the whole command.") from None
    return words[words.index("$") + 2 :] if words[0] == "$" else words[1:]


def _unescaped(text: str) -> str:
    try:
        return text.encode("latin-1", "backslashreplace").decode("unicode_escape")
    except UnicodeDecodeError:
        return text


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each option with its value; the address has the option ``""``."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            yield "", word
        elif word.startswith("--"):
            yield word, next(rest, "") if word in WITH_VALUE else ""
        else:
            yield from _short(word, rest)


def _short(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """``-sSL``, ``-XPOST``, ``-H 'a: b'``: letters until one that has a value."""
    for index, letter in enumerate(word[1:], start=1):
        option = f"-{letter}"
        if option in WITH_VALUE:
            yield option, word[index + 1 :] or next(rest, "")
            return
        yield option, ""
