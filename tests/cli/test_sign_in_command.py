"""``sign-in`` and ``sign-out``: a run may use an API in the name of a person, and no file ever holds a secret."""

from __future__ import annotations

import threading
import urllib.request
import webbrowser

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.compat.properties import classproperty
from keyring.errors import PasswordDeleteError

from etl_studio.cli.main import main
from tests.engine.auth_server import CLIENT, SECRET, AuthServer

PIPELINE = """\
etl_studio: 1
name: who
nodes:
  read:
    type: rest_source
    config:
      url: {url}/oauth
      items: items
      auth:
        kind: oauth2_authorization_code
        token_url: {url}/token
        authorization_url: {url}/authorize
        client_id: {client}
        client_secret: "${{secret:client}}"
  open: {{type: rest_source, config: {{url: {url}/anybody}}}}
  save: {{type: csv_sink, config: {{path: out.csv}}}}
wires:
  - read -> save
"""


class Ring(KeyringBackend):
    """A keychain for one test."""

    @classproperty
    def priority(cls):  # noqa: N805
        raise RuntimeError("nobody else finds it")

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def server():
    with AuthServer() as server:
        yield server


@pytest.fixture
def keychain():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def ring(keychain):
    ring = Ring()
    keychain(ring)
    return ring


@pytest.fixture
def file(tmp_path, server, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_CLIENT", SECRET)
    file = tmp_path / "who.etl.yaml"
    file.write_text(PIPELINE.format(url=server.url, client=CLIENT))
    return file


@pytest.fixture
def browser(monkeypatch):
    def visit(address):
        thread = threading.Thread(target=lambda: urllib.request.urlopen(address, timeout=10).read())
        thread.start()
        threads.append(thread)
        return True

    threads = []
    monkeypatch.setattr(webbrowser, "open", visit)
    yield
    for thread in threads:
        thread.join()


def test_a_run_uses_the_sign_in_of_the_command_before(file, server, ring, browser, capsys):
    assert main(["run", str(file)]) == 1
    assert "etl-studio sign-in FILE NODE" in capsys.readouterr().err
    assert main(["sign-in", str(file), "read"]) == 0
    assert '"read" is signed in at 127.0.0.1.' in capsys.readouterr().err
    assert main(["run", str(file)]) == 0
    assert (file.parent / "out.csv").read_text() == "who\nada\n"
    assert main(["sign-out", str(file), "read"]) == 0
    assert main(["run", str(file)]) == 1


def test_tokens_and_secrets_are_in_no_file_and_no_output(file, server, ring, browser, capsys):
    main(["sign-in", str(file), "read"])
    main(["run", str(file), "--json"])
    server.valid.clear()
    server.refresh = None
    assert main(["run", str(file), "--json"]) == 1
    told = capsys.readouterr()
    texts = [told.out, told.err, *(f.read_bytes().decode("latin-1") for f in file.parent.rglob("*") if f.is_file())]
    for secret in (SECRET, "access-token-", "refresh-token-"):
        assert not any(secret in text for text in texts)
    assert any("refresh-token-" in kept for kept in ring.kept.values())


def test_without_a_keychain_nobody_is_sent_to_a_browser(file, server, keychain, browser, capsys):
    keychain(fail.Keyring())
    assert main(["sign-in", str(file), "read"]) == 2
    assert "no keychain" in capsys.readouterr().err
    assert not server.seen


def test_a_node_that_wants_no_sign_in_says_so(file, ring, capsys):
    assert main(["sign-in", str(file), "open"]) == 2
    assert 'Nobody needs to sign in for "open"' in capsys.readouterr().err
    assert main(["sign-in", str(file), "nothing"]) == 2
    assert 'no node "nothing"' in capsys.readouterr().err


def test_a_secret_in_the_file_is_refused(file, capsys):
    file.write_text(file.read_text().replace("${secret:client}", SECRET))
    assert main(["validate", str(file)]) == 2
    told = capsys.readouterr()
    assert '"auth.client_secret" is a secret' in told.out + told.err
    assert SECRET not in told.out + told.err


def test_a_secret_does_not_come_by_a_parameter(file, capsys):
    text = file.read_text().replace("${secret:client}", "${word}")
    file.write_text(text + "parameters:\n  word: {type: text}\n")
    assert main(["validate", str(file)]) == 0
    assert main(["run", str(file), "-p", f"word={SECRET}"]) == 2
    told = capsys.readouterr().err
    assert "kept with each run" in told
    assert SECRET not in told
