"""Cookies of a session: what sites set comes back as httpx would send it, on the short way, too."""

from __future__ import annotations

import asyncio
from http.cookiejar import CookieJar

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio.engine.http_cookies import SessionCookies
from etl_studio.engine.http_session import HttpSession
from etl_studio.sdk.http import HttpRequest
from tests.e2e.web_site import Page, WebSite

SITES = ["http://a.example", "https://a.example", "http://sub.a.example", "http://b.example:81"]
PATHS = ["/", "/shop", "/shop/1"]
SET = st.builds(
    "{}={}{}".format,
    st.sampled_from(["x", "y"]),
    st.sampled_from(["1", "2"]),
    st.sampled_from(
        ["", "; Path=/", "; path=/; Secure", "; Path=/shop", "; Path=/; Domain=a.example", "; Path=/; Max-Age=0",
         "; Path=/; Max-Age=60", "; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT"]
    ),
)  # fmt: skip
VISITS = st.lists(
    st.tuples(st.sampled_from(SITES), st.sampled_from(PATHS), st.lists(SET, max_size=2)), min_size=1, max_size=12
)


def sent(jar, visits):
    """The cookie header of each request, of visits in their order."""
    cookies = httpx2.Cookies(jar)
    found = []
    for site, path, given_ in visits:
        request = httpx2.Request("GET", site + path)
        if isinstance(jar, SessionCookies):
            jar.add_to(request, cookies)
        else:
            cookies.set_cookie_header(request)
        found.append(request.headers.get("cookie"))
        response = httpx2.Response(200, headers=[("Set-Cookie", text) for text in given_], request=request)
        jar.take(response, cookies) if isinstance(jar, SessionCookies) else cookies.extract_cookies(response)
    return found


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(VISITS)
def test_cookies_are_those_of_httpx(visits):
    assert sent(SessionCookies(), visits) == sent(httpx2.Cookies().jar, visits)


def test_cookies_that_are_not_kept_are_not_sent():
    visits = [(SITES[0], "/", ["x=1; Path=/"])] * 3
    assert sent(SessionCookies(kept=False), visits) == [None] * 3


def test_a_header_that_was_made_is_made_once(monkeypatch):
    made = []
    monkeypatch.setattr(CookieJar, "add_cookie_header", lambda *_: made.append(1))
    sent(SessionCookies(), [(SITES[0], f"/{n}", ["x=1; Path=/"]) for n in range(50)])

    assert len(made) == 1


@pytest.mark.parametrize("follow", [True, False])
def test_answers_are_the_same_on_the_short_way(follow):
    pages = {
        "/": Page("a", headers={"Set-Cookie": "visit=7; Path=/", "X-Two": "1"}),
        "/b": Page(b"\xe4", content_type="text/plain; charset=latin-1"),
    }

    async def ask(url):
        session = HttpSession()
        try:
            return [
                await session.fetch(HttpRequest(url + path, headers={"Accept": "*/*"}, follow_redirects=follow), 5, ())
                for path in ("/", "/b")
            ]
        finally:
            await session.close()

    with WebSite(pages).running() as site:
        first, second = asyncio.run(ask(site.url))
    assert (first.status, first.content, first.headers["x-two"], first.url) == (200, b"a", "1", f"{site.url}/")
    assert (second.encoding, second.text) == ("latin-1", "ä")
    assert [each.headers.get("cookie") for each in site.asked] == [None, "visit=7"]
    assert [each.headers["user-agent"].startswith("etl-studio/") for each in site.asked] == [True, True]
    assert [each.headers["accept"] for each in site.asked] == ["*/*", "*/*"]
