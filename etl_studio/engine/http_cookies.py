"""Cookies of an HTTP session, without the work that the standard library does again for each request."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

from httpx2._cookies import IndexedCookieJar

if TYPE_CHECKING:
    from http.cookiejar import Cookie

    import httpx2

MOST_REMEMBERED = 10_000


class SessionCookies(IndexedCookieJar):
    """A jar that knows which headers it made for a host, and which it has already read from one.

    Most sites set the same cookie for all of their paths with each answer. As long as no cookie changes, hosts get the
    header that they got before, and what they set once more is not read again.

    Args:
        kept: False: no cookie is kept.
    """

    def __init__(self, *, kept: bool = True) -> None:
        super().__init__(None if kept else DefaultCookiePolicy(allowed_domains=()))
        self._headers: dict[tuple[str, bytes], str | None] = {}
        self._read: set[tuple[bytes, tuple[str, ...]]] = set()
        self._same_for_paths = True

    def set_cookie(self, cookie: Cookie) -> None:
        """Keep a cookie."""
        before = self._cookies.get(cookie.domain, {}).get(cookie.path, {}).get(cookie.name)
        super().set_cookie(cookie)
        if before is None or vars(before) != vars(cookie):
            self._forget()
            self._same_for_paths = self._same_for_paths and cookie.path == "/" and cookie.expires is None

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Remove all cookies, or those of a domain, a path in it, a name at that."""
        super().clear(domain, path, name)
        self._forget()

    def add_to(self, request: httpx2.Request, cookies: httpx2.Cookies) -> None:
        """Put the header into a request.

        Args:
            request: what will be sent.
            cookies: those of this jar.
        """
        if not self._cookies:
            return
        host = (request.url.scheme, request.url.netloc)
        if not self._same_for_paths or "cookie" in request.headers:
            cookies.set_cookie_header(request)
        elif host not in self._headers:
            cookies.set_cookie_header(request)
            self._headers[host] = request.headers.get("cookie")
        elif (header := self._headers[host]) is not None:
            request.headers["Cookie"] = header

    def take(self, response: httpx2.Response, cookies: httpx2.Cookies) -> None:
        """Keep what an answer sets.

        Args:
            response: the answer.
            cookies: those of this jar.
        """
        lines = response.headers.get_list("set-cookie")
        if not lines:
            return
        given = (response.request.url.netloc, tuple(lines))
        if given in self._read:
            return
        cookies.extract_cookies(response)
        if len(self._read) < MOST_REMEMBERED and all(map(_is_same_for_paths, lines)):
            self._read.add(given)

    def _forget(self) -> None:
        self._headers.clear()
        self._read.clear()


def _is_same_for_paths(header: str) -> bool:
    """Whether a header means the same when it comes from another path, or later."""
    attributes = {part.strip() for part in header.lower().split(";")[1:]}
    return "path=/" in attributes and not any(part.startswith(("expires", "max-age")) for part in attributes)
