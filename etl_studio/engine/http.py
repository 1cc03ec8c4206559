"""The run's HTTP: threads of nodes wait here while one event loop talks to the network."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar

from etl_studio.engine.http_session import HttpSession
from etl_studio.engine.http_trust import Trust
from etl_studio.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine
    from concurrent.futures import Future

    from etl_studio.engine.cassette_tapes import Tape
    from etl_studio.engine.http_auth import SignIns
    from etl_studio.sdk import HttpRequest, HttpResponse

T = TypeVar("T")

STOP_CHECK = 0.02
"""Seconds between two looks at ``stopping`` while a request is under way."""


class HttpService:
    """Sends requests for any number of threads, over connections that they share.

    The loop and its thread (``http``) start with the first request; ``close`` ends them.

    Args:
        session: what talks to the network; by default a new ``HttpSession``.
        sign_ins: of that one: signs requests that ask for it.
        tape: of that one: keeps what comes, or answers in place of the network.
    """

    def __init__(
        self, session: HttpSession | None = None, *, sign_ins: SignIns | None = None, tape: Tape | None = None
    ) -> None:
        self._sign_ins = sign_ins
        self._tape = tape
        self._sessions = {Trust(): session or HttpSession(sign_ins=sign_ins, tape=tape)}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def fetch(
        self, request: HttpRequest, *, timeout: float | None, stopping: threading.Event, retry_on: Collection[int]
    ) -> HttpResponse:
        """Send one request, follow its redirects, and wait for the whole answer.

        Args:
            request: what to ask.
            timeout: seconds for everything together, redirects and body included; None: no limit.
            stopping: ends the wait within 50 ms when set.
            retry_on: statuses that may succeed when tried again.

        Raises:
            TransientError: a status of ``retry_on``, or the connection failed.
            DeadlineError: it took longer than ``timeout``.
            PermanentError: any other status from 400, a bad certificate or address, an answer that is too large.
            Cancelled: ``stopping`` was set, or the service was closed.
        """
        if stopping.is_set():
            raise Cancelled("The run was stopped.")
        return self.wait(self.start(self.session_for(Trust()).fetch(request, timeout, retry_on)), stopping)

    def session_for(self, trust: Trust) -> HttpSession:
        """What talks to the network on the loop, for nodes that trust these servers."""
        with self._lock:
            return self._sessions.setdefault(trust, self.another_session(trust))

    def another_session(self, trust: Trust, *, cookies: bool = True) -> HttpSession:
        """What talks to the network for an event loop of its own; the same sign-ins, other connections and cookies."""
        return HttpSession(sign_ins=self._sign_ins, cookies=cookies, trust=trust, tape=self._tape)

    @property
    def replays(self) -> bool:
        """Whether answers come from a tape: they are old."""
        return self._tape is not None and self._tape.replays

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin something on the loop.

        Raises:
            Cancelled: the service was closed.
        """
        with self._lock:  # a close in between must not leave work on a stopped loop
            if self._closed:
                work.close()
                raise Cancelled("The run has ended.")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="http")
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work: Future[T], stopping: threading.Event) -> T:
        """Wait for what was begun; it is cancelled where ``stopping`` is set.

        Raises:
            Cancelled: ``stopping`` was set, or the service was closed.
        """
        while True:
            try:
                return work.result(STOP_CHECK)
            except CancelledError:
                raise Cancelled("The run was stopped.") from None
            except TimeoutError:
                if work.done():
                    return work.result()
            if stopping.is_set():
                work.cancel()
                raise Cancelled("The run was stopped.")

    def close(self) -> None:
        """End requests under way, close every connection and join the thread. May be called twice."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._shut_down(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    async def _shut_down(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for session in self._sessions.values():
            await session.close()
        await asyncio.get_running_loop().shutdown_default_executor()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    with contextlib.closing(loop):
        loop.run_forever()
