"""Deliveries to a run that is killed again and again: what was acknowledged is loaded, and once."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import subprocess
import threading
import time

import pytest

from etl_studio.engine.events import RunStatus


class Sender(threading.Thread):
    """Delivers numbers one after the other, each until it is acknowledged, as senders do."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._port, self.enough = port, threading.Event()
        self.acknowledged, self.attempts = [], 0

    def run(self):
        number = 0
        while not self.enough.is_set():
            if self._deliver(number):
                self.acknowledged.append(number)
                number += 1
            else:
                self.enough.wait(0.02)

    def _deliver(self, number):
        self.attempts += 1
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request(
                "POST", "/", json.dumps({"n": number}), {"Content-Type": "application/json", "X-Id": str(number)}
            )
            return connection.getresponse().status == 202
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def hook(folder, port):
    """Writes a pipeline that listens and loads."""

    def write(sinks=("save",), **config):
        source = {"port": port, "id_header": "X-Id", "columns": {"n": "integer"}, **config}
        nodes = {name: ("sqlite_sink", {"table": "numbers", "database": f"{name}.db"}) for name in sinks}
        folder.pipeline(
            {"hook": ("webhook_source", source), **nodes},
            [f"hook -> {name}" for name in sinks],
            checkpoint={"rows": 20},
        )

    return write


@pytest.fixture
def sender(port):
    sender = Sender(port)
    sender.start()
    yield sender
    sender.enough.set()
    sender.join()


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("again", [["--resume"], []], ids=["resumed", "run anew"])
def test_whatever_was_acknowledged_is_loaded_once_however_often_the_run_is_killed(folder, hook, sender, start, again):
    chance = random.Random(f"webhook {again}")
    hook(idle=3)
    for kill in range(4):
        arguments = again if kill else []
        process = start("run", folder.file, *arguments)
        least = len(sender.acknowledged) + chance.randint(5, 80)
        wait_for(lambda least=least: len(sender.acknowledged) >= least)
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = start("run", folder.file, *again)
    so_far = len(sender.acknowledged)
    wait_for(lambda: len(sender.acknowledged) >= so_far + 20)
    sender.enough.set()
    assert process.wait(30) == 0, process.stderr.read()
    found = [n for (n,) in folder.ask("SELECT n FROM numbers ORDER BY n", folder.path / "save.db")]
    assert found == sender.acknowledged
    assert sender.attempts > len(found)


def test_a_stopped_run_has_loaded_what_came_and_the_next_goes_on_behind_it(folder, hook, sender, start):
    hook(sinks=("one", "two"))
    for _ in range(2):
        process = start("run", folder.file)
        so_far = len(sender.acknowledged)
        wait_for(lambda so_far=so_far: len(sender.acknowledged) >= so_far + 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (130, 0)
    sender.enough.set()
    sender.join()
    hook(sinks=("one", "two"), idle=0.5)
    assert folder.run().code == 0
    for name in ("one", "two"):
        found = folder.ask("SELECT n FROM numbers ORDER BY n", folder.path / f"{name}.db")
        # One that was kept and whose answer the stop cut off may be there beyond them.
        assert [n for (n,) in found][: len(sender.acknowledged)] == sender.acknowledged
        assert len(found) - len(sender.acknowledged) in (0, 1)


def test_a_dry_run_does_not_listen(folder, hook, port):
    hook(idle=0.5)
    said = folder.call("run", folder.file, "--dry-run")
    assert said.code == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
    assert not (folder.workspace / "mailboxes").exists()


def test_a_run_anew_is_refused_while_rows_of_the_last_one_were_not_sent(folder, port, start):
    """The webhook's rows are in the outbox of the run that broke off; only a resume sends them."""
    source = {"port": port, "rows": 1, "columns": {"n": "integer"}}
    push = {"url": "http://127.0.0.1:9/nobody"}
    quick = {"retry": {"attempts": 1}, "breaker": {"enabled": False}}
    folder.pipeline({"hook": ("webhook_source", source), "push": ("http_sink", push, quick)}, ["hook -> push"])
    process = start("run", folder.file, "--json", stdout=subprocess.PIPE)
    sender = Sender(port)
    sender.start()
    assert process.wait(30) == 1
    sender.enough.set()
    refused = folder.run()
    assert refused.code == 1
    assert "Resume it" in refused.err
    assert refused.report["status"] == RunStatus.FAILED
