"""``etl-studio demo`` as a real process."""

from __future__ import annotations

import signal
import urllib.request

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_until_it_is_told_to_end(start, number):
    process = start("demo", "--port", 0, "--products", 5)
    url = process.stdout.readline().strip()
    with urllib.request.urlopen(f"{url}/api/products", timeout=10) as answer:
        assert answer.status == 200
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_faults_and_the_log_are_dialled_by_options(start):
    process = start("demo", "--port", 0, "--products", 5, "--rate-500", "1", "--log")
    url = process.stdout.readline().strip()
    with pytest.raises(urllib.error.HTTPError, match="500") as caught:
        urllib.request.urlopen(f"{url}/api/products", timeout=10)
    caught.value.close()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert "500 GET /api/products" in err


def test_rates_that_add_up_to_more_than_one_are_refused(call):
    answer = call("demo", "--rate-500", "0.7", "--rate-429", "0.7")
    assert answer.code == 2
    assert "add up to more than 1" in answer.err


def test_a_port_that_is_taken_is_told(start, call):
    process = start("demo", "--port", 0, "--products", 5)
    port = process.stdout.readline().strip().rpartition(":")[2]
    answer = call("demo", "--port", port)
    assert answer.code == 2
    assert f"Port {port} cannot be used" in answer.err
