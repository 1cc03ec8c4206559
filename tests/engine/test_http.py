"""The run's HTTP over real sockets: what comes back, what each failure becomes, and how fast it can be stopped."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from etl_studio.demo import DemoSite
from etl_studio.engine.http import HttpService
from etl_studio.engine.http_failures import from_transport, retry_after_seconds
from etl_studio.engine.http_proxies import SystemProxies
from etl_studio.engine.http_session import HttpSession
from etl_studio.errors import Cancelled, DeadlineError, PermanentError, TransientError
from etl_studio.sdk import HttpRequest, shown_url

RETRY_ON = frozenset({429, 500, 502, 503})


class ScriptedServer:
    """Answers each path by a function of the request; remembers what came."""

    def __init__(self, answers, host="127.0.0.1"):
        self.seen = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append(
                    (self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )
                status, headers, content = answers[self.path.partition("?")[0]](self)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815 - the standard library's name

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True  # idle connections wait for a request that will not come

            def handle_error(self, request, client_address):
                pass  # clients of these tests hang up early

        self._server = Server((host, 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answering(status=200, content=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: (status, named, content)


@pytest.fixture
def service():
    service = HttpService()
    yield service
    service.close()


@pytest.fixture
def site():
    with DemoSite(products=40) as site:
        yield site


@pytest.fixture
def fetch(service):
    def fetch(url, *, timeout=10, stopping=None, service=service, **request):
        stopping = stopping or threading.Event()
        return service.fetch(HttpRequest(url, **request), timeout=timeout, stopping=stopping, retry_on=RETRY_ON)

    return fetch


def test_an_answer_brings_address_status_headers_and_content(fetch, site):
    answer = fetch(site.url + "/api/products", params={"page": 2, "nothing": None})
    assert answer.url == site.url + "/api/products?page=2"
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()["page"] == 2


def test_parameters_join_those_of_the_address_and_the_body_is_json(fetch):
    with ScriptedServer({"/": answering(content=b"ok")}) as server:
        fetch(server.url + "/?a=1", params={"b": "x y"}, method="POST", body={"q": "ü"}, headers={"X-Mine": "1"})
        ((method, path, headers, body),) = server.seen
    assert (method, path, json.loads(body)) == ("POST", "/?a=1&b=x+y", {"q": "ü"})
    assert headers["user-agent"].startswith("etl-studio/")
    assert headers["content-type"] == "application/json"
    assert headers["x-mine"] == "1"


def test_requests_share_a_connection(fetch):
    ports = set()

    def remember(request):
        ports.add(request.client_address[1])
        return 200, {}, b"{}"

    with ScriptedServer({"/": remember}) as server:
        for _ in range(5):
            fetch(server.url + "/")
    assert len(ports) == 1


def test_an_error_status_does_not_cost_the_connection(fetch):
    ports = []

    def fail(request):
        ports.append(request.client_address[1])
        return 503, {}, b"x" * 5000

    with ScriptedServer({"/": fail}) as server:
        for _ in range(3):
            with pytest.raises(TransientError):
                fetch(server.url + "/")
    assert len(set(ports)) == 1


def test_gzip_is_undone(fetch):
    with ScriptedServer({"/": answering(content=gzip.compress(b"hello"), Content_Encoding="gzip")}) as server:
        assert fetch(server.url + "/").content == b"hello"


def test_a_charset_that_nobody_knows_is_left_out(fetch):
    with ScriptedServer({"/": answering(content=b"caf\xe9", Content_Type="text/html; charset=klingon")}) as server:
        answer = fetch(server.url + "/")
    assert answer.encoding is None
    assert answer.text.startswith("caf")


def test_a_status_of_the_policy_is_transient_and_brings_the_wait(fetch, site):
    with pytest.raises(TransientError) as caught:
        fetch(site.url + "/api/products?fault=429&retry_after=2.5")
    assert (caught.value.status, caught.value.retry_after) == (429, 2.5)
    assert "slow down" in str(caught.value)


def test_retry_after_is_seconds_or_a_date():
    now = 1_700_000_000.0
    assert retry_after_seconds("120") == 120
    assert retry_after_seconds(formatdate(now + 30, usegmt=True), now) == 30
    assert retry_after_seconds(formatdate(now - 30, usegmt=True), now) == 0
    assert retry_after_seconds("soon") is retry_after_seconds("") is retry_after_seconds(None) is None


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "understand"), (401, "credentials"), (403, "credentials"), (404, "Check the address"), (501, "failed")],
)
def test_any_other_error_status_is_permanent_and_says_what_to_do(fetch, site, status, words):
    with pytest.raises(PermanentError) as caught:
        fetch(f"{site.url}/api/products?fault={status}")
    assert caught.value.status == status
    assert words in str(caught.value)
    assert str(status) in str(caught.value)


def test_the_sites_own_message_is_quoted_without_the_secrets_in_it(fetch):
    answer = answering(400, json.dumps({"error": {"message": "bad key s3cr3t-key."}}).encode())
    with ScriptedServer({"/": answer}) as server, pytest.raises(PermanentError) as caught:
        fetch(server.url + "/", headers={"Authorization": "Bearer s3cr3t-key"})
    assert "(it says: bad key ***)" in str(caught.value)


def test_an_error_that_the_request_accepts_is_an_answer(fetch, site):
    asked = []

    def accept(response):
        asked.append(response.status)
        return b"/api/nothing" in response.content

    url = site.url + "/api/nothing"
    answer = fetch(url, accept=accept)
    assert (answer.status, answer.json()["error"]["message"]) == (404, "There is nothing at /api/nothing.")
    with pytest.raises(PermanentError):
        fetch(site.url + "/missing", accept=accept)
    assert fetch(site.url + "/api/link", accept=accept).status == 200
    assert asked == [404, 404], "only errors are asked about"


def test_a_refused_connection_is_transient(fetch, site):
    site.stop()
    with pytest.raises(TransientError, match="refused the connection"):
        fetch(site.url + "/")


@pytest.mark.parametrize("fault", ["reset", "truncate"])
def test_a_connection_that_breaks_off_is_transient(fetch, site, fault):
    with pytest.raises(TransientError, match="broke off"):
        fetch(f"{site.url}/api/products?fault={fault}")


def test_a_host_that_nobody_knows_is_transient(fetch, monkeypatch):
    def unknown(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransientError, match=r'knows no host "nowhere\.invalid"'):
        fetch("http://nowhere.invalid/")


def test_https_at_a_plain_port_is_permanent(fetch, site):
    with pytest.raises(PermanentError, match="encryption"):
        fetch(site.url.replace("http:", "https:") + "/")


def test_a_certificate_error_is_found_at_the_root_of_the_librarys_error():
    import httpx2

    cause = ssl.SSLCertVerificationError()
    cause.verify_message = "certificate has expired"
    error = httpx2.ConnectError("failed")
    error.__cause__ = OSError("wrapped")
    error.__cause__.__context__ = cause
    found = from_transport(error, "https://user:pw@shop.example/")
    assert isinstance(found, PermanentError)
    assert "The certificate of shop.example is not valid: certificate has expired." in str(found)


def test_a_deadline_counts_the_whole_answer_not_the_pause_between_bytes(fetch, site):
    before = time.monotonic()
    with pytest.raises(DeadlineError, match=r"within 0\.3 s"):
        fetch(site.url + "/api/products?fault=drip", timeout=0.3)
    assert time.monotonic() - before >= 0.3


def test_stopping_ends_a_hanging_request_at_once(fetch, site):
    stopping = threading.Event()
    ended = []

    def wait():
        with pytest.raises(Cancelled):
            fetch(site.url + "/shop?fault=hang", timeout=None, stopping=stopping)
        ended.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 5
    while not site.requests and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    stopping.set()
    thread.join(5)  # the site would hang for ever
    assert ended


def test_a_stopped_run_sends_nothing(fetch, site):
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Cancelled):
        fetch(site.url + "/", stopping=stopping)
    assert site.requests == []


def test_close_ends_requests_under_way_and_the_thread(site):
    service = HttpService()
    errors = []

    def wait():
        try:
            service.fetch(
                HttpRequest(site.url + "/?fault=hang"), timeout=None, stopping=threading.Event(), retry_on=RETRY_ON
            )
        except Cancelled as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 5
    while not site.requests and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    service.close()
    service.close()
    thread.join(5)
    assert len(errors) == 1
    assert not [each for each in threading.enumerate() if each.name == "http"]
    with pytest.raises(Cancelled):
        service.fetch(HttpRequest(site.url), timeout=1, stopping=threading.Event(), retry_on=RETRY_ON)


def test_no_thread_starts_before_the_first_request(service):
    assert not [thread for thread in threading.enumerate() if thread.name == "http"]


def test_many_threads_are_served_at_the_same_time(fetch, site):
    threads = [threading.Thread(target=fetch, args=(site.url + "/api/products?latency=0.2",)) for _ in range(8)]
    before = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - before < 1.2  # one after the other takes 1.6 s
    assert [request.status for request in site.requests] == [200] * 8


def test_an_answer_that_is_too_large_is_refused(fetch):
    service = HttpService(HttpSession(max_bytes=2**20))
    try:
        with (
            ScriptedServer({"/": answering(content=b"x" * 2**21)}) as server,
            pytest.raises(PermanentError, match="larger than 1 MB"),
        ):
            fetch(server.url + "/", service=service)
    finally:
        service.close()


def test_damaged_gzip_is_transient(fetch):
    with (
        ScriptedServer({"/": answering(content=b"no gzip at all", Content_Encoding="gzip")}) as server,
        pytest.raises(TransientError, match="damaged"),
    ):
        fetch(server.url + "/")


def test_an_error_whose_body_is_nested_without_end_is_an_error_like_others(fetch):
    with (
        ScriptedServer({"/": answering(404, content=b"[" * 60_000, Content_Type="application/json")}) as server,
        pytest.raises(PermanentError, match="404"),
    ):
        fetch(server.url + "/")


@pytest.mark.parametrize("charset", ["hex", "idna", "undefined", "base64", "nope", "utf-8;x", "\xff"])
def test_a_charset_that_is_none_is_taken_for_utf_8(fetch, charset):
    content = answering(content="ü".encode(), Content_Type=f"text/plain; charset={charset}")
    with ScriptedServer({"/": content}) as server:
        assert fetch(server.url + "/").text == "ü"


def test_redirects_are_followed_to_the_last_address(fetch):
    answers = {"/a": answering(302, Location="/b?x=1"), "/b": answering(content=b"there")}
    with ScriptedServer(answers) as server:
        answer = fetch(server.url + "/a", headers={"Authorization": "Basic abc"})
    assert (answer.url, answer.content) == (server.url + "/b?x=1", b"there")
    assert server.seen[1][2]["authorization"] == "Basic abc"


def test_a_circle_of_redirects_ends(fetch):
    with (
        ScriptedServer({"/": answering(302, Location="/")}) as server,
        pytest.raises(PermanentError, match="redirects"),
    ):
        fetch(server.url + "/")
    assert len(server.seen) == 11


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://shop.example/", "shop.example/x", "http:///x", "http://[::1/", "http://a:99999/"],
)
def test_only_web_addresses_are_fetched(fetch, url):
    with pytest.raises(PermanentError, match=r"no web address|names no host"):
        fetch(url)


def test_messages_hold_no_password_no_token_and_no_header(fetch, site):
    url = site.url.replace("//", "//ada:hunter2@") + "/nothing?access_token=t0k3n&page=2"
    with pytest.raises(PermanentError) as missing:
        fetch(url)
    with pytest.raises(PermanentError) as unsendable:
        fetch(url, headers={"X-Key": "hunter2\r\nInjected: 1"})
    for error in (missing.value, unsendable.value):
        assert not {"hunter2", "t0k3n", "ada"} & set(str(error).replace("=", " ").replace(":", " ").split())
        assert "hunter2" not in str(error)
        assert "t0k3n" not in str(error)
    assert "page=2" in str(missing.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
        ("https://u:p@a.example/x", "https://***@a.example/x"),
        ("https://a.example/?api_key=1&q=2", "https://a.example/?api_key=***&q=2"),
        ("https://a.example/?key=1&monkey=2", "https://a.example/?key=***&monkey=2"),
        ("https://a.example/@u?next=x@y", "https://a.example/@u?next=x@y"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url, shown):
    assert shown_url(url) == shown


@pytest.mark.parametrize("request_", [{"headers": {"X-Name": "Zoë ☃"}}, {"body": {"day": object()}, "method": "POST"}])
def test_a_request_that_cannot_be_sent_is_a_permanent_error(fetch, site, request_):
    with pytest.raises(PermanentError, match="cannot be sent as it is"):
        fetch(site.url, **request_)


def test_a_body_is_sent_as_json_as_a_form_or_as_it_is(fetch):
    with ScriptedServer({"/": answering()}) as server:
        fetch(server.url + "/", method="POST", body={"a": 1})
        fetch(server.url + "/", method="POST", form={"a": "x y"})
        fetch(server.url + "/", method="POST", content=b"<a/>", headers={"Content-Type": "text/xml"})
        sent = [(headers["content-type"], body) for _, _, headers, body in server.seen]
    assert sent == [
        ("application/json", b'{"a":1}'),
        ("application/x-www-form-urlencoded", b"a=x+y"),
        ("text/xml", b"<a/>"),
    ]


def test_a_redirect_may_be_left_to_the_caller(fetch):
    with ScriptedServer({"/": answering(302, Location="/b")}) as server:
        answer = fetch(server.url + "/", follow_redirects=False)
    assert (answer.status, answer.headers["location"]) == (302, "/b")


def test_a_request_may_allow_fewer_bytes(fetch):
    with (
        ScriptedServer({"/": answering(content=b"x" * 2000)}) as server,
        pytest.raises(PermanentError, match="larger than 1,000 bytes"),
    ):
        fetch(server.url + "/", max_bytes=1000)


def test_an_answer_tells_how_long_it_took(fetch, site):
    assert 0.2 <= fetch(site.url + "/api/products?latency=0.2").elapsed < 5


def test_a_request_whose_connection_breaks_is_sent_once(fetch, site):
    with pytest.raises(TransientError):
        fetch(site.url + "/api/products?fault=reset")
    assert len(site.requests) == 1


def test_what_is_no_http_is_transient_and_says_so(fetch):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(TransientError, match="is no HTTP"):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()


def test_a_header_of_an_answer_may_be_long(fetch):
    with ScriptedServer({"/": answering(Content_Security_Policy="x" * 30_000)}) as server:
        assert len(fetch(server.url + "/").headers["content-security-policy"]) == 30_000


@pytest.fixture
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_proxy_of_the_system_is_used_with_its_password_but_never_for_this_computer(fetch, no_proxies):
    with ScriptedServer(
        {"http://shop.example/x": answering(content=b"by proxy"), "/": answering(content=b"direct")}
    ) as proxy:
        no_proxies.setenv("http_proxy", proxy.url.replace("//", "//ada:s3cret@"))
        no_proxies.setenv("no_proxy", "other.example,10.0.0.0/8")
        assert fetch("http://shop.example/x").content == b"by proxy"
        assert proxy.seen[0][2]["proxy-authorization"] == "Basic YWRhOnMzY3JldA=="
        assert fetch(proxy.url + "/").content == b"direct"
        assert "proxy-authorization" not in proxy.seen[1][2]


@pytest.mark.parametrize(
    ("host", "through"),
    [("shop.example", True), ("a.other.example", False), ("10.1.2.3", False), ("localhost", False), ("::1", False)],
)
def test_no_proxy_names_hosts_and_networks(no_proxies, host, through):
    no_proxies.setenv("https_proxy", "proxy.example:3128")
    no_proxies.setenv("no_proxy", "other.example, 10.0.0.0/8")
    found = SystemProxies().for_address("https", host, 443)
    assert found == ("http://proxy.example:3128" if through else None)


def test_a_proxy_that_fails_is_named_as_such(fetch, no_proxies, site):
    site.stop()
    no_proxies.setenv("http_proxy", site.url)
    with pytest.raises(TransientError, match=r"proxy on the way to shop\.example"):
        fetch("http://shop.example/")
