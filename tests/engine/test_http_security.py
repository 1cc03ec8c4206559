"""What a hostile or broken server may try with a request, and what becomes of it."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
import zlib

import brotli
import pytest

from etl_studio.engine import http_addresses
from etl_studio.engine.http import HttpService
from etl_studio.engine.http_addresses import is_public
from etl_studio.engine.http_client import Exchange, PolicyClient
from etl_studio.engine.http_session import HttpSession
from etl_studio.engine.http_trust import Trust
from etl_studio.errors import DeadlineError, PermanentError, TransientError
from etl_studio.sdk import HttpRequest, Policy, Retry
from tests.engine.test_http import ScriptedServer, answering
from tests.engine.test_http_client import Node

RETRY_ON = frozenset({429, 503})
BOMB = 50_000_000
"""Bytes of zeros."""


@pytest.fixture
def service():
    service = HttpService()
    yield service
    service.close()


@pytest.fixture
def fetch(service):
    def fetch(url, *, timeout=10, **request):
        return service.fetch(
            HttpRequest(url, **request), timeout=timeout, stopping=threading.Event(), retry_on=RETRY_ON
        )

    return fetch


# Where a request may go


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"])
def test_a_redirect_leads_to_web_addresses_only(fetch, target):
    with (
        ScriptedServer({"/": answering(302, Location=target)}) as server,
        pytest.raises(PermanentError, match="no web address"),
    ):
        fetch(server.url + "/")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("64:ff9b::808:808", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd12::1", False),
        ("fec0::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("a.name", False),
    ],
)
def test_public_is_what_the_internet_knows(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_an_address_from_data_does_not_reach_this_computer(fetch, host):
    with ScriptedServer({"/": answering()}) as server:
        port = server.url.rpartition(":")[2]
        with pytest.raises(PermanentError, match="did not come from the settings"):
            fetch(f"http://{host}:{port}/", from_data=True)
        assert server.seen == []


@pytest.mark.parametrize("host", ["2130706433", "127.1"])
def test_an_address_in_an_odd_notation_is_refused(fetch, host):
    with ScriptedServer({"/": answering()}) as server:
        with pytest.raises(PermanentError):
            fetch(f"http://{host}:{server.url.rpartition(':')[2]}/", from_data=True)
        assert server.seen == []


def test_an_open_connection_to_a_private_address_is_not_used_for_an_address_from_data(fetch):
    with ScriptedServer({"/": answering()}) as server:
        fetch(server.url + "/")
        with pytest.raises(PermanentError, match="did not come from the settings"):
            fetch(server.url + "/", from_data=True)
        assert len(server.seen) == 1


def test_the_address_of_the_socket_counts_whatever_a_name_meant_before(fetch, monkeypatch):
    known = socket.getaddrinfo
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def rebinding(host, *rest, **more):
        return known(next(answers) if host == "rebind.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    first = rebinding("rebind.example", 80, type=socket.SOCK_STREAM)  # whoever looks first sees a public address
    assert is_public(first[0][4][0])
    with ScriptedServer({"/": answering()}) as server:
        with pytest.raises(PermanentError, match=r"rebind\.example.* did not come from the settings"):
            fetch(f"http://rebind.example:{server.url.rpartition(':')[2]}/", from_data=True)
        assert server.seen == []


@pytest.fixture
def one_public_address(monkeypatch):
    """127.0.0.1 stands for the internet, all else is private."""
    monkeypatch.setattr(http_addresses, "is_public", lambda address: address == "127.0.0.1")


def test_each_hop_of_an_address_from_data_is_looked_at(fetch, one_public_address):
    inside = ScriptedServer({"/": answering(content=b"secret")}, "127.0.0.2")
    answers = {"/": answering(302, Location=inside.url + "/"), "/fine": answering()}
    with inside, ScriptedServer(answers) as server:
        assert fetch(server.url + "/fine", from_data=True).status == 200
        with pytest.raises(PermanentError, match=r"127\.0\.0\.2.* did not come from the settings"):
            fetch(server.url + "/", from_data=True)
        assert inside.seen == []


def test_a_site_of_the_internet_does_not_lead_inside(fetch, one_public_address):
    inside = ScriptedServer({"/": answering(content=b"secret")}, "127.0.0.2")
    leading = answering(302, Location=inside.url + "/")
    with inside, ScriptedServer({"/": leading}) as outside, ScriptedServer({"/": leading}, "127.0.0.3") as near:
        with pytest.raises(PermanentError, match=r"127\.0\.0\.2.* did not come from the settings"):
            fetch(outside.url + "/")
        assert inside.seen == []
        assert fetch(near.url + "/").content == b"secret"  # one that is inside itself may


def test_a_proxy_is_not_asked_for_a_private_address_from_data(fetch, monkeypatch):
    with ScriptedServer({"http://8.8.8.8/": answering(content=b"by proxy")}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(PermanentError, match="did not come from the settings"):
            fetch("http://10.1.2.3/", from_data=True)
        assert fetch("http://8.8.8.8/", from_data=True).content == b"by proxy"
        assert len(proxy.seen) == 1


# What goes along


def sent_to(other, seen):
    return seen[0][2], other.seen[0][2]


def test_credentials_do_not_follow_a_redirect_to_another_origin(fetch):
    with ScriptedServer({"/": answering(content=b"{}")}) as other:
        with ScriptedServer({"/": answering(307, Location=other.url + "/")}) as server:
            fetch(
                server.url.replace("//", "//user:pw@") + "/",
                headers={"X-Api-Key": "k", "Cookie": "c=1", "Accept-Language": "de"},
            )
        first, second = server.seen[0][2], other.seen[0][2]
    assert {"authorization", "x-api-key", "cookie"} <= first.keys()
    assert not {"authorization", "x-api-key", "cookie"} & second.keys()
    assert second["accept-language"] == "de"


def test_credentials_stay_when_a_redirect_stays(fetch):
    with ScriptedServer({"/": answering(302, Location="/b", Set_Cookie="a=2"), "/b": answering()}) as server:
        fetch(server.url + "/", headers={"X-Api-Key": "k", "Cookie": "c=1", "Authorization": "Basic x"})
        headers = server.seen[1][2]
    assert (headers["x-api-key"], headers["cookie"], headers["authorization"]) == ("k", "c=1; a=2", "Basic x")


def test_cookies_go_to_the_host_that_set_them_only(fetch):
    with ScriptedServer({"/": answering(Set_Cookie="session=1; Path=/"), "/on": answering()}) as server:
        fetch(server.url + "/")
        other = server.url.replace("127.0.0.1", "localhost")
        with ScriptedServer({"/": answering(302, Location=other + "/on")}) as leading:
            fetch(leading.url + "/")
        assert "cookie" not in server.seen[1][2]
        fetch(server.url + "/on")
        assert server.seen[2][2]["cookie"] == "session=1"


def test_a_site_cannot_set_a_cookie_for_another(fetch):
    with ScriptedServer({"/": answering(Set_Cookie="x=1; Domain=example.com"), "/on": answering()}) as server:
        fetch(server.url + "/")
        fetch(server.url + "/on")
        assert "cookie" not in server.seen[1][2]


# How much may come


def zeros(size, compress):
    return compress(b"\0" * size)


def deflated(data):
    return zlib.compress(data)


def br(data):
    return brotli.compress(data)


def zstd(data):
    try:
        from compression import zstd as library
    except ImportError:
        from backports import zstd as library
    return library.compress(data)


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("deflate", deflated), ("br", br), ("zstd", zstd)]
)
def test_a_bomb_is_not_unpacked(fetch, coding, compress):
    bomb = zeros(BOMB, compress)
    with ScriptedServer({"/": answering(content=bomb, Content_Encoding=coding)}) as server:
        tracemalloc.start()
        try:
            with pytest.raises(PermanentError, match="may be an attack"):
                fetch(server.url + "/")
            assert tracemalloc.get_traced_memory()[1] < BOMB / 2
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("deflate", deflated), ("br", br), ("zstd", zstd)]
)
@pytest.mark.parametrize("way", ["chunks", "lines"])
def test_a_bomb_in_a_stream_is_not_unpacked(tmp_path, coding, compress, way):
    async def read(web, url):
        async with web.stream(HttpRequest(url)) as stream:
            async for _ in getattr(stream, way)():
                pass

    bomb = zeros(BOMB, compress)
    with ScriptedServer({"/": answering(content=bomb, Content_Encoding=coding)}) as server:
        node = node_with(tmp_path)
        tracemalloc.start()
        try:
            with node.context.web() as web, pytest.raises(PermanentError, match=r"may be an attack|is longer than"):
                web.run(read(web, server.url + "/"))
            assert tracemalloc.get_traced_memory()[1] < BOMB
        finally:
            tracemalloc.stop()
            node.close()


@pytest.mark.parametrize("inner", [gzip.compress, deflated])
def test_a_bomb_inside_a_bomb_is_not_unpacked(fetch, inner):
    coding = "gzip" if inner is gzip.compress else "deflate"
    bomb = gzip.compress(zeros(BOMB, inner))
    with (
        ScriptedServer({"/": answering(content=bomb, Content_Encoding=f"{coding}, gzip")}) as server,
        pytest.raises(PermanentError, match="may be an attack"),
    ):
        fetch(server.url + "/")


@pytest.mark.parametrize("coding", ["gzip, gzip, gzip", "snappy", "gzip, snappy"])
def test_a_compression_that_cannot_be_undone_is_named(fetch, coding):
    with (
        ScriptedServer({"/": answering(content=b"xx", Content_Encoding=coding)}) as server,
        pytest.raises(PermanentError, match=coding),
    ):
        fetch(server.url + "/")


def test_a_bomb_as_the_body_of_an_error_is_not_unpacked_either(fetch):
    bomb = zeros(BOMB, gzip.compress)
    with ScriptedServer({"/": answering(404, bomb, Content_Encoding="gzip")}) as server:
        tracemalloc.start()
        try:
            with pytest.raises(PermanentError) as caught:
                fetch(server.url + "/")
            assert caught.value.status == 404
            assert tracemalloc.get_traced_memory()[1] < BOMB / 4
        finally:
            tracemalloc.stop()


class RawServer:
    """Sends bytes as a generator gives them, to one client after the other."""

    def __init__(self, chunks):
        self._chunks = chunks
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(65_536)
                    for chunk in self._chunks():
                        connection.sendall(chunk)
                        if self._ended.is_set():
                            return
                except OSError:
                    continue

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def slowly(text, pause=0.02):
    for byte in text:
        yield bytes([byte])
        time.sleep(pause)


HEAD = b"HTTP/1.1 200 OK\r\n"


def dripping_body():
    yield HEAD + b"Content-Length: 1000\r\n\r\n"
    yield from slowly(b"x" * 1000)


def dripping_headers():
    yield HEAD
    yield from slowly(b"X-Header: " + b"x" * 1000)


def dripping_error():
    yield b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n"
    yield from slowly(b"x" * 1000)


@pytest.mark.parametrize("chunks", [dripping_body, dripping_headers, dripping_error])
def test_a_slow_drip_ends_with_the_deadline_wherever_it_drips(fetch, chunks):
    with RawServer(chunks) as server:
        before = time.monotonic()
        with pytest.raises(DeadlineError):
            fetch(server.url, timeout=0.3)
        assert time.monotonic() - before < 2


def endless_body():
    yield HEAD + b"\r\n"
    while True:
        yield b"x" * 65_536


def endless_chunks():
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b"x" * 65_536 + b"\r\n"


def endless_error():
    yield b"HTTP/1.1 500 No\r\n\r\n"
    while True:
        yield b"x" * 65_536


def endless_header():
    yield HEAD + b"X-Header: "
    while True:
        yield b"x" * 65_536


def endless_headers():
    yield HEAD
    while True:
        yield b"X-Header: x\r\n" * 1000


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        (endless_body, PermanentError),
        (endless_chunks, PermanentError),
        (endless_error, PermanentError),
        (endless_header, TransientError),
        (endless_headers, TransientError),
    ],
)
def test_what_never_ends_is_cut(fetch, chunks, error):
    with RawServer(chunks) as server, pytest.raises(error):
        fetch(server.url, max_bytes=10_000_000, timeout=30)


# Whom to trust


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Key and certificate of a server that nobody knows, for 127.0.0.1; it is its own CA."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    key, file = folder / "key.pem", folder / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", file], check=True, capture_output=True)
    return key, file


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    with ScriptedServer({"/": answering(content=b"over TLS")}) as server:
        server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
        server.url = server.url.replace("http:", "https:")
        yield server


def test_a_bad_certificate_is_permanent_and_never_sent_to(fetch, secure):
    with pytest.raises(PermanentError, match=r"certificate of 127\.0\.0\.1.* is not valid"):
        fetch(secure.url + "/", headers={"Authorization": "Basic s3cr3t"})
    assert secure.seen == []


def node_with(folder, **policy):
    return Node(folder, Policy(retry=Retry(attempts=3, delay=0), **policy))


def test_credentials_do_not_follow_a_redirect_away_from_tls(tmp_path, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    with (
        ScriptedServer({"/": answering()}) as plain,
        ScriptedServer({"/": answering(307, Location=plain.url)}) as secure,
    ):
        secure._server.socket = context.wrap_socket(secure._server.socket, server_side=True)
        node = node_with(tmp_path, ca_file=str(certificate[1]))
        headers = {"Authorization": "Basic s3cr3t", "X-Api-Key": "k", "Cookie": "c=1"}
        node.context.http().send(HttpRequest(secure.url.replace("http:", "https:") + "/", headers=headers))
        node.close()
    assert {"authorization", "x-api-key", "cookie"} <= secure.seen[0][2].keys()
    assert not {"authorization", "x-api-key", "cookie"} & plain.seen[0][2].keys()


def test_a_bad_certificate_is_not_tried_again(tmp_path, secure):
    node = node_with(tmp_path)
    try:
        with pytest.raises(PermanentError):
            node.context.http().send(HttpRequest(secure.url + "/"))
        assert node.meter.calls == 1
    finally:
        node.close()


def test_a_node_may_trust_a_ca_of_its_own_in_threads_and_in_its_event_loop(tmp_path, secure, certificate):
    shutil.copy(certificate[1], tmp_path / "ca.pem")
    node = node_with(tmp_path, ca_file="ca.pem")
    try:
        assert node.context.http().send(HttpRequest(secure.url + "/")).content == b"over TLS"
        with node.context.web() as web:
            assert web.run(web.send(HttpRequest(secure.url + "/"))).content == b"over TLS"
        assert node.events == [] or all(type(event).__name__ != "LogWritten" for event in node.events)
    finally:
        node.close()


def test_a_ca_file_does_not_make_other_hosts_good(tmp_path, secure, certificate):
    node = node_with(tmp_path, ca_file=str(certificate[1]))
    try:
        with pytest.raises(PermanentError, match="is not valid"):
            node.context.http().send(HttpRequest(secure.url.replace("127.0.0.1", "localhost") + "/"))
    finally:
        node.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path, secure, content):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    node = node_with(tmp_path, ca_file="ca.pem")
    try:
        with pytest.raises(PermanentError, match=r"CA file .*ca\.pem"):
            node.context.http().send(HttpRequest(secure.url + "/"))
    finally:
        node.close()


def test_not_checking_certificates_is_for_one_node_only_and_warns_once(tmp_path, secure):
    careless, other = node_with(tmp_path, check_certificate=False), node_with(tmp_path)
    other._service = careless._service  # as in a run: one service for all nodes
    try:
        for _ in range(2):
            assert careless.context.http().send(HttpRequest(secure.url + "/")).content == b"over TLS"
        warnings = [event.message for event in careless.events if getattr(event, "level", "") == "warning"]
        assert len(warnings) == 1
        assert "Certificates are not checked" in warnings[0]
        session = careless._service.session_for(Trust())
        client = PolicyClient(careless._service, session, Exchange(other._caller, Policy()), other.stopping)
        with pytest.raises(PermanentError, match="is not valid"):
            client.send(HttpRequest(secure.url + "/"))
    finally:
        careless.close()


def test_a_service_has_one_session_for_each_trust():
    service = HttpService()
    assert service.session_for(Trust()) is service.session_for(Trust())
    assert service.session_for(Trust(check=False)) is not service.session_for(Trust())
    assert isinstance(service.session_for(Trust()), HttpSession)
    service.close()
