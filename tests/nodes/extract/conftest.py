"""A demo site and a run context that really sends requests and tries again after transient errors."""

from __future__ import annotations

import threading

import pytest

from etl_studio.demo import DemoSite
from etl_studio.engine.http import HttpService
from etl_studio.errors import TransientError
from tests.nodes.extract.read_ahead import read_ahead

RETRY_ON = frozenset({408, 425, 429, 500, 502, 503, 504})


class RetryingClient:
    """Sends each request up to six times, without a pause, as a policy would."""

    def __init__(self, service: HttpService, stopping: threading.Event, attempts: int = 6) -> None:
        self._service = service
        self._stopping = stopping
        self._attempts = attempts
        self.sent = []

    def send(self, request):
        return self.read(request, lambda _: None)[0]

    def read(self, request, parse):
        for attempt in range(1, self._attempts + 1):
            self.sent.append(request)
            try:
                response = self._service.fetch(request, timeout=10, stopping=self._stopping, retry_on=RETRY_ON)
                return response, parse(response)
            except TransientError:
                if attempt == self._attempts:
                    raise
        raise AssertionError

    def read_many(self, requests, parse, *, concurrency):
        return read_ahead(self, requests, parse, concurrency)


@pytest.fixture
def demo_site():
    """A shop with 45 products on three pages."""
    with DemoSite(products=45) as site:
        yield site


@pytest.fixture
def web_context(tmp_path, node_context):
    """A run context with HTTP; ``context.http().sent`` holds the requests."""
    service, stopping = HttpService(), threading.Event()
    context = node_context(tmp_path, http=RetryingClient(service, stopping))
    context.stopping = stopping
    yield context
    service.close()
