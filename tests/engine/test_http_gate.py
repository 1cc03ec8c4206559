"""The way to the web for another program: where it leads, what it counts, and that nothing of it stays."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import closing

import pytest

from etl_studio.engine import http_addresses, http_gate
from etl_studio.engine.http import HttpService
from etl_studio.engine.http_gate import HttpGate
from etl_studio.engine.http_trust import Trust
from etl_studio.errors import PermanentError, TransientError

DONE, NOT_ALLOWED, UNREACHABLE = 0, 2, 4


@pytest.fixture
def far():
    """A server that answers each line with its length; ``far`` is its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    one, _ = listening.accept()
                except OSError:
                    return
                with one, one.makefile("rwb", buffering=0) as lines:
                    for line in lines:
                        lines.write(b"%d\n" % len(line))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]


@pytest.fixture
def gate():
    """``gate(own, proxy)`` opens one."""
    service, opened = HttpService(), []

    class Proxies:
        def __init__(self, proxy):
            self._proxy = proxy

        def for_address(self, *_):
            return self._proxy

    def make(own=(), proxy=None, trust=None):
        one = HttpGate(own, trust or Trust(), Proxies(proxy))
        service.start(one.open()).result()
        opened.append(one)
        return one

    yield make
    for one in opened:
        service.start(one.close()).result()
    service.close()
    assert not [each.name for each in threading.enumerate() if each.name == "http"]


def connection(gate):
    return socket.create_connection(("127.0.0.1", int(gate.url.rpartition(":")[2])), timeout=5)


def through(gate, host, port):
    """A connection through a gate, and the code of its answer."""
    one = connection(gate)
    one.sendall(b"\x05\x01\x00")
    assert one.recv(2) == b"\x05\x00"
    name = host.encode()
    one.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", port))
    return one, one.recv(10)[1]


def code(gate, host, port):
    one, answer = through(gate, host, port)
    one.close()
    return answer


def test_it_leads_to_hosts_that_the_settings_name(gate, far):
    one = gate([f"127.0.0.1:{far}"])
    way, answer = through(one, "127.0.0.1", far)

    with closing(way):
        assert answer == DONE
        way.sendall(b"hello\n")
        assert way.recv(10) == b"6\n"
        way.sendall(b"x" * 99 + b"\n")
        assert way.recv(10) == b"100\n"
    assert one.received == 6
    assert one.failure(f"http://127.0.0.1:{far}/x") is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "192.168.1.1", "0.0.0.0", "::1", "2130706433"]
)
def test_no_other_private_address_is_reached(gate, far, host):
    one = gate(["shop.example", f"127.0.0.1:{far + 1}"])

    assert code(one, host, far) == NOT_ALLOWED
    where = f"[{host}]" if ":" in host else host
    error = one.failure(f"http://{where}:{far}/x")
    assert isinstance(error, PermanentError)
    assert "private network" in error.what


def test_a_name_counts_with_its_subdomains_and_any_port(gate, far, monkeypatch):
    find = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: find("127.0.0.1", *rest, **more))
    one = gate(["Shop.Example"])

    assert code(one, "shop.example", far) == DONE
    assert code(one, "cdn.SHOP.example.", far) == DONE
    assert code(one, "badshop.example", far) == NOT_ALLOWED


def test_public_addresses_are_reached(gate, far, monkeypatch):
    monkeypatch.setattr(http_addresses, "is_public", lambda address: address == "127.0.0.1")

    assert code(gate(), "127.0.0.1", far) == DONE


def test_it_says_why_a_host_cannot_be_reached(gate):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    one = gate(["127.0.0.1", "no-such-host.invalid", "x" * 70])

    assert code(one, "127.0.0.1", port) == UNREACHABLE
    assert "refused the connection" in one.failure(f"http://127.0.0.1:{port}").what
    assert code(one, "no-such-host.invalid", 443) == UNREACHABLE
    assert isinstance(one.failure("https://no-such-host.invalid/"), TransientError)
    assert code(one, "x" * 70, 80) == UNREACHABLE


def test_what_is_no_socks_is_hung_up_on(gate, monkeypatch):
    monkeypatch.setattr(http_gate, "HELLO_SECONDS", 0.2)
    one = gate(["127.0.0.1"])
    for said in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x05\x01\x02",
        b"\x04\x01\x00",
        b"\x05\x01\x00\x05\x02\x00\x01" + bytes(6),
        b"",
    ):
        with connection(one) as way:
            way.sendall(said)
            got = b""
            try:
                while more := way.recv(100):
                    got += more
            except ConnectionResetError:
                pass
            assert got in (b"", b"\x05\x00")


def test_it_goes_on_through_the_proxy_of_the_system(gate, far):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            one, _ = listening.accept()
            with one, one.makefile("rwb", buffering=0) as lines:
                while (line := lines.readline()).strip():
                    asked.append(line.decode().strip())
                lines.write(b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n")
                lines.write(lines.readline().upper())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        proxy = f"http://ada:s%40cret@127.0.0.1:{listening.getsockname()[1]}"
        way, answer = through(gate(proxy=proxy), "site.invalid", 443)
        with closing(way):
            assert answer == DONE
            way.sendall(b"hello\n")
            assert way.recv(10) == b"HELLO\n"
        thread.join()
    assert asked == [
        "CONNECT site.invalid:443 HTTP/1.1",
        "Host: site.invalid:443",
        "Proxy-Authorization: Basic YWRhOnNAY3JldA==",
    ]


def test_a_proxy_is_not_asked_for_a_private_address(gate, far):
    one = gate(proxy=f"http://127.0.0.1:{far}")

    assert code(one, "10.1.2.3", 443) == NOT_ALLOWED


def test_the_policy_of_the_node_is_told(gate, tmp_path):
    assert gate().check_certificate is True
    one = gate(trust=Trust(tmp_path / "ca.pem", check=False))
    assert (one.check_certificate, one.ca_file) == (False, tmp_path / "ca.pem")
