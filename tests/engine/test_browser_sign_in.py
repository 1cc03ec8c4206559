"""A person signs in through a browser: what it is sent to, what it brings back, and who is not let in."""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from urllib.parse import parse_qsl, urlsplit

import pytest

from etl_studio.engine.browser_sign_in import sign_in, sign_out
from etl_studio.engine.http import HttpService
from etl_studio.engine.http_auth import SignIns
from etl_studio.engine.oauth2 import MemoryStore
from etl_studio.errors import Cancelled, PermanentError
from etl_studio.sdk import HttpRequest
from etl_studio.sdk.auth import OAuth2AuthorizationCode
from tests.engine.auth_server import CLIENT, SECRET, AuthServer


class Browser:
    """Opens pages as a browser would, in a thread of its own.

    Attributes:
        opened: the addresses that it was sent to.
        pages: status and text of the last page of each.
    """

    def __init__(self, act=None):
        self.opened = []
        self.pages = []
        self._act = act or self.visit
        self._threads = []

    def __call__(self, address):
        self.opened.append(address)
        thread = threading.Thread(target=self._act, args=(address,))
        self._threads.append(thread)
        thread.start()

    def visit(self, address):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                self.pages.append((answer.status, answer.read().decode(), dict(answer.headers)))
        except urllib.error.HTTPError as error:
            self.pages.append((error.code, error.read().decode(), {}))

    def join(self):
        for thread in self._threads:
            thread.join()


@pytest.fixture
def server():
    with AuthServer() as server:
        yield server


@pytest.fixture
def sign_ins():
    return SignIns(MemoryStore())


def auth_of(server, **settings):
    facts = {
        "token_url": f"{server.url}/token",
        "authorization_url": f"{server.url}/authorize?tenant=7",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scope": "read offline_access",
    }
    return OAuth2AuthorizationCode(**facts | settings)


def let_in(auth, sign_ins, browser, seconds=10.0, stopping=None):
    try:
        sign_in(auth, sign_ins, stopping or threading.Event(), open_page=browser, seconds=seconds)
    finally:
        browser.join()


def use(server, auth, sign_ins):
    service = HttpService(sign_ins=sign_ins)
    try:
        request = HttpRequest(f"{server.url}/oauth", auth=auth)
        return service.fetch(request, timeout=10, stopping=threading.Event(), retry_on=())
    finally:
        service.close()


@pytest.mark.parametrize("secret", [SECRET, ""])
def test_after_a_sign_in_requests_are_signed(server, sign_ins, secret):
    browser, auth = Browser(), auth_of(server, client_secret=secret)
    let_in(auth, sign_ins, browser)
    assert browser.pages[0][:2] == (200, "You can close this page.\n")
    assert use(server, auth, sign_ins).status == 200
    server.valid.clear()
    assert use(server, auth, sign_ins).status == 200  # by the refresh token


def test_the_page_is_asked_with_a_challenge_and_a_loopback_address(server, sign_ins):
    browser = Browser()
    let_in(auth_of(server, parameters={"prompt": "consent"}), sign_ins, browser)
    asked = dict(parse_qsl(urlsplit(browser.opened[0]).query))
    redirect = urlsplit(asked.pop("redirect_uri"))
    assert (redirect.scheme, redirect.hostname, redirect.path) == ("http", "127.0.0.1", "/")
    assert (len(asked.pop("state")), len(asked.pop("code_challenge"))) == (43, 43)
    assert asked == {
        "tenant": "7",
        "response_type": "code",
        "client_id": CLIENT,
        "scope": "read offline_access",
        "prompt": "consent",
        "code_challenge_method": "S256",
    }
    assert browser.pages[0][2]["Cache-Control"] == "no-store"


def test_a_stranger_does_not_end_the_wait(server, sign_ins):
    browser = Browser()

    def act(address):
        redirect = dict(parse_qsl(urlsplit(address).query))["redirect_uri"]
        idle = http.client.HTTPConnection(urlsplit(redirect).netloc)
        idle.connect()
        browser.visit(f"{redirect}?code=stolen&state=guessed")
        browser.visit(f"{redirect}favicon.ico")
        browser.visit(address)
        idle.close()

    browser._act = act
    let_in(auth_of(server), sign_ins, browser)
    assert [page[0] for page in browser.pages] == [404, 404, 200]


def test_a_person_who_says_no_is_believed(server, sign_ins):
    browser = Browser()

    def act(address):
        asked = dict(parse_qsl(urlsplit(address).query))
        browser.visit(f"{asked['redirect_uri']}?error=access_denied&state={asked['state']}")

    browser._act = act
    with pytest.raises(PermanentError, match="did not let anybody sign in: access_denied"):
        let_in(auth_of(server), sign_ins, browser)
    with pytest.raises(PermanentError, match="Nobody is signed in"):
        use(server, auth_of(server), sign_ins)


def test_a_code_that_was_changed_on_the_way_is_refused(server, sign_ins):
    browser = Browser()

    def act(address):
        asked = dict(parse_qsl(urlsplit(address).query))
        browser.visit(f"{asked['redirect_uri']}?code=another&state={asked['state']}")

    browser._act = act
    with pytest.raises(PermanentError, match="invalid_grant"):
        let_in(auth_of(server), sign_ins, browser)


def test_nobody_coming_ends_the_wait(server, sign_ins):
    with pytest.raises(PermanentError, match=r"Nobody signed in at 127.0.0.1 in time"):
        let_in(auth_of(server), sign_ins, Browser(lambda _: None), seconds=0.2)


def test_the_wait_can_be_stopped(server, sign_ins):
    stopping = threading.Event()
    with pytest.raises(Cancelled):
        let_in(auth_of(server), sign_ins, Browser(lambda _: stopping.set()), stopping=stopping)


def test_a_port_that_is_taken_is_told(server, sign_ins):
    with pytest.raises(PermanentError, match=f"port {server.port} of this computer is taken"):
        let_in(auth_of(server, redirect_port=server.port), sign_ins, Browser())


def test_who_signs_out_is_not_known_any_more(server, sign_ins):
    auth = auth_of(server)
    let_in(auth, sign_ins, Browser())
    assert sign_out(auth, sign_ins)
    assert not sign_out(auth, sign_ins)
    with pytest.raises(PermanentError, match="Nobody is signed in"):
        use(server, auth, sign_ins)
