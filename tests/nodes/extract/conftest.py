"""A demo site and a run context that really sends requests and tries again after transient errors."""

from __future__ import annotations

import threading

import pytest

from etl_studio.demo import DemoSite
from etl_studio.engine.http import HttpService
from etl_studio.engine.http_client import Exchange, NodeWeb, PolicyClient
from etl_studio.engine.http_session import HttpSession
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.sdk import Breaker, Policy, Retry

POLICY = Policy(retry=Retry(attempts=6, delay=0), breaker=Breaker(enabled=False), timeout=10)


class NotingSession(HttpSession):
    """Notes every request that is sent, each attempt of it."""

    def __init__(self, sent, **options) -> None:
        super().__init__(**options)
        self._sent = sent

    async def fetch(self, request, *how):
        self._sent.append(request)
        return await super().fetch(request, *how)

    async def open(self, request, *how, **more):
        self._sent.append(request)
        return await super().open(request, *how, **more)


@pytest.fixture
def demo_site():
    """A shop with 45 products on three pages."""
    with DemoSite(products=45) as site:
        yield site


@pytest.fixture
def web_context(tmp_path, node_context):
    """A run context with HTTP under a policy without pauses; ``context.http().sent`` holds the requests."""
    stopping, sent = threading.Event(), []
    session = NotingSession(sent)
    service = HttpService(session)
    caller = PolicyCaller("run", "node", POLICY, SharedPolicies(), Meter(), lambda event: None, stopping)
    client = PolicyClient(service, session, Exchange(caller, POLICY), stopping)
    client.sent = sent

    def web(*, cookies=False):
        return NodeWeb(NotingSession(sent, cookies=cookies), Exchange(caller, POLICY), stopping)

    context = node_context(tmp_path, http=client, web=web)
    context.stopping = stopping
    yield context
    service.close()
