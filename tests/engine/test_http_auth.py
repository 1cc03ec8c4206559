"""Sign-in over real sockets: each kind with right and wrong credentials, tokens that end, and nothing that leaks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from etl_studio.engine.http import HttpService
from etl_studio.engine.http_auth import SignIns
from etl_studio.engine.oauth2 import MemoryStore
from etl_studio.errors import DeadlineError, PermanentError
from etl_studio.sdk import HttpRequest
from etl_studio.sdk.auth import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    OAuth2AuthorizationCode,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
)
from tests.engine.auth_server import CLIENT, PASSWORD, SECRET, USER, AuthServer

KINDS = {
    "basic": BasicAuth(username=USER, password=PASSWORD),
    "digest": DigestAuth(username=USER, password=PASSWORD),
    "bearer": BearerAuth(token="t0ken-of-ada"),
    "header": ApiKeyAuth(name="X-Shop", key="k3y-of-ada"),
    "query": ApiKeyAuth(name="appid", key="k3y&of ada", send_in="query"),
}
WRONG = {
    "basic": BasicAuth(username=USER, password="wrong-word"),
    "digest": DigestAuth(username=USER, password="wrong-word"),
    "bearer": BearerAuth(token="wrong-word"),
    "header": ApiKeyAuth(name="X-Shop", key="wrong-word"),
    "query": ApiKeyAuth(name="appid", key="wrong-word", send_in="query"),
}


@pytest.fixture
def server():
    with AuthServer() as server:
        yield server


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def sign_ins(store):
    return SignIns(store)


@pytest.fixture
def fetch(sign_ins):
    service = HttpService(sign_ins=sign_ins)

    def fetch(url, auth, timeout=10, **request):
        request = HttpRequest(url, auth=auth, **request)
        return service.fetch(request, timeout=timeout, stopping=threading.Event(), retry_on={503})

    yield fetch
    service.close()


def oauth(server, kind=OAuth2ClientCredentials, **settings):
    facts = {"token_url": f"{server.url}/token", "client_id": CLIENT, "client_secret": SECRET, "scope": "read write"}
    return kind(**facts | settings)


def person(server, **settings):
    return oauth(server, OAuth2AuthorizationCode, authorization_url=f"{server.url}/authorize", **settings)


@pytest.mark.parametrize("kind", KINDS)
def test_who_signs_in_gets_an_answer(fetch, server, kind):
    assert fetch(f"{server.url}/{kind}?page=2", KINDS[kind]).json() == {"items": [{"who": USER}]}


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_credentials_are_refused_at_once_and_never_quoted(fetch, server, sign_ins, kind):
    with pytest.raises(PermanentError, match="401 Unauthorized") as refused:
        fetch(f"{server.url}/{kind}", WRONG[kind])
    assert len(server.seen) <= 2
    assert "wrong-word" not in str(refused.value)
    assert not any(secret in str(refused.value) for secret in sign_ins.secrets)
    assert "sign-in" in refused.value.hint


def test_the_answer_does_not_show_a_key_of_the_address(fetch, server):
    assert fetch(f"{server.url}/query?page=2", KINDS["query"]).url == f"{server.url}/query?page=2"


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_a_digest_is_challenged_once_for_many_requests(fetch, algorithm):
    with AuthServer(algorithm=algorithm) as server:
        for page in range(4):
            fetch(f"{server.url}/digest?page={page}", KINDS["digest"])
        assert len(server.seen) == 5


def test_a_digest_signs_what_is_posted(fetch, server):
    assert fetch(f"{server.url}/digest", KINDS["digest"], method="POST", body={"q": 1}).status == 200
    assert [body for *_, body in server.seen] == [b'{"q":1}'] * 2


def test_an_unknown_digest_is_explained(fetch):
    with AuthServer(algorithm="HA-3000") as server, pytest.raises(PermanentError, match="not known here"):
        fetch(f"{server.url}/digest", KINDS["digest"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_to_another_origin_carries_nothing(fetch, server, kind):
    with AuthServer() as other:
        server.redirect = f"{other.url}/anybody"
        fetch(f"{server.url}/away", KINDS[kind])
        ((_, path, headers, _),) = other.seen
    assert path == "/anybody"
    assert not {"authorization", "x-shop", "cookie"} & set(headers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_at_the_same_origin_is_signed_anew(fetch, server, kind):
    server.redirect = f"{server.url}/{kind}"
    assert fetch(f"{server.url}/away", KINDS[kind]).json()["items"]


@pytest.mark.parametrize("place", ["header", "body"])
def test_client_credentials_get_one_token_for_many_requests(fetch, server, place):
    auth = oauth(server, client_auth=place, audience="https://shop")
    assert [fetch(f"{server.url}/oauth", auth).status for _ in range(3)] == [200] * 3
    ((_, _, headers, body),) = server.asked("/token")
    assert b"scope=read+write" in body
    assert b"audience=https%3A%2F%2Fshop" in body
    assert ("authorization" in headers) is (place == "header")
    assert (b"client_secret" in body) is (place == "body")


def test_a_token_is_renewed_before_it_ends(fetch, server):
    now = [1000.0]
    tokens = SignIns().tokens(oauth(server))
    tokens._clock = lambda: now[0]
    given = []
    for now[0] in (1000.0, 4569.0, 4570.0, 8139.0):
        given.append(_token(tokens, fetch))
    assert given == ["access-token-1", "access-token-1", "access-token-2", "access-token-2"]


def test_a_short_token_is_used_for_half_of_its_life(fetch, server):
    server.lives = 20
    now = [1000.0]
    tokens = SignIns().tokens(oauth(server))
    tokens._clock = lambda: now[0]
    given = []
    for now[0] in (1000.0, 1009.0, 1010.0):
        given.append(_token(tokens, fetch))
    assert given == ["access-token-1", "access-token-1", "access-token-2"]


def _token(tokens, fetch):
    import asyncio

    from etl_studio.sdk.auth import NoAuth

    async def ask(request):
        return await asyncio.to_thread(
            fetch, request.url, NoAuth(), method=request.method, headers=request.headers, form=request.form
        )

    return asyncio.run(tokens.token(ask)).access


def test_a_refused_token_is_renewed_once_and_the_request_sent_again(fetch, server):
    fetch(f"{server.url}/oauth", oauth(server))
    server.valid.clear()
    assert fetch(f"{server.url}/oauth", oauth(server)).status == 200
    assert (len(server.asked("/token")), len(server.asked("/oauth"))) == (2, 3)


def test_an_api_that_never_takes_the_token_is_asked_twice(fetch, server):
    with pytest.raises(PermanentError, match=r"\b401\b"):
        fetch(f"{server.url}/bearer", oauth(server))
    assert (len(server.asked("/token")), len(server.asked("/bearer"))) == (2, 2)


def test_many_requests_at_once_renew_a_token_once(fetch, server):
    server.slow = 0.2
    with ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(fetch, f"{server.url}/oauth", oauth(server)) for _ in range(24)]
        assert {one.result().status for one in asked} == {200}
        server.valid.clear()
        asked = [pool.submit(fetch, f"{server.url}/oauth", oauth(server)) for _ in range(24)]
        assert {one.result().status for one in asked} == {200}
    assert len(server.asked("/token")) == 2


def test_services_with_loops_of_their_own_share_a_token(server, sign_ins):
    server.slow = 0.2
    services = [HttpService(sign_ins=sign_ins) for _ in range(3)]
    request = HttpRequest(f"{server.url}/oauth", auth=oauth(server))

    def ask(service):
        return service.fetch(request, timeout=10, stopping=threading.Event(), retry_on=()).status

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, services)) == [200] * 3
    for service in services:
        service.close()
    assert len(server.asked("/token")) == 1


def test_whoever_gives_up_waiting_lets_the_next_ask(fetch, server):
    server.slow = 0.5
    with pytest.raises(DeadlineError):
        fetch(f"{server.url}/oauth", oauth(server), timeout=0.1)
    server.slow = 0
    assert fetch(f"{server.url}/oauth", oauth(server)).status == 200


def test_a_wrong_client_is_told_in_the_servers_words(fetch, server):
    with pytest.raises(PermanentError, match=r"/token answered 401 Unauthorized.*invalid_client") as refused:
        fetch(f"{server.url}/oauth", oauth(server, client_secret="wrong-word"))
    assert "wrong-word" not in str(refused.value)
    assert not server.asked("/oauth")


def test_secrets_do_not_follow_a_token_address_that_leads_elsewhere(fetch, server):
    with AuthServer() as other:
        server.redirect = f"{other.url}/token"
        with pytest.raises(PermanentError, match="/away leads to another address"):
            fetch(f"{server.url}/oauth", oauth(server, token_url=f"{server.url}/away", client_auth="body"))
        assert not other.seen


def test_a_refresh_token_gives_access_tokens(fetch, server):
    server.refresh = "refresh-of-ada"
    auth = oauth(server, OAuth2RefreshToken, refresh_token="refresh-of-ada")
    assert fetch(f"{server.url}/oauth", auth).status == 200


def test_a_refresh_token_that_is_exchanged_each_time_is_remembered(fetch, server):
    server.refresh, server.rotates = "refresh-of-ada", True
    auth = oauth(server, OAuth2RefreshToken, refresh_token="refresh-of-ada")
    for _ in range(3):
        assert fetch(f"{server.url}/oauth", auth).status == 200
        server.valid.clear()
    assert server.refresh == "refresh-token-3"


def test_a_refresh_token_that_is_not_good_any_more_is_told(fetch, server):
    auth = oauth(server, OAuth2RefreshToken, refresh_token="old-token-of-ada")
    with pytest.raises(
        PermanentError, match=r"does not count any more.*invalid_grant.*Get a new refresh token"
    ) as refused:
        fetch(f"{server.url}/oauth", auth)
    assert "old-token" not in str(refused.value)


def test_without_a_sign_in_a_person_is_asked_to(fetch, server):
    with pytest.raises(PermanentError, match=r"Nobody is signed in at 127.0.0.1.*etl-studio sign-in"):
        fetch(f"{server.url}/oauth", person(server))


def test_another_process_may_have_renewed_the_sign_in_meanwhile(fetch, server, sign_ins, store):
    auth = person(server)
    tokens = sign_ins.tokens(auth)
    store.save(tokens.name, '{"refresh_token": "first"}')
    server.refresh, server.rotates = "second", True
    load, answers = store.load, ["first"]
    store.load = lambda name: '{"refresh_token": "%s"}' % answers.pop() if answers else load(name)  # noqa: UP031
    store.save(tokens.name, '{"refresh_token": "second"}')
    assert fetch(f"{server.url}/oauth", auth).status == 200
    assert load(tokens.name) == '{"refresh_token": "refresh-token-1"}'


def test_no_setting_or_request_shows_its_secret(server):
    for auth in (*KINDS.values(), oauth(server), oauth(server, OAuth2RefreshToken, refresh_token="refresh-of-ada")):
        shown = repr(HttpRequest("http://x", auth=auth))
        for secret in (PASSWORD, SECRET, "t0ken", "k3y", "refresh-of-ada"):
            assert secret not in shown
