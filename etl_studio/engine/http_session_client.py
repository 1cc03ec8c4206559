"""httpx2's client with its cookies, and a shorter way through it."""

from __future__ import annotations

import httpx2

from etl_studio.engine.http_cookies import SessionCookies


class SessionClient(httpx2.AsyncClient):
    """The client of one session; it follows no redirect.

    Args:
        transport: talks to the network.
        user_agent: for requests that name none.
        cookies: keep those that sites set and send them back.

    Attributes:
        jar: the cookies.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport, user_agent: str, *, cookies: bool) -> None:
        self.jar = SessionCookies(kept=cookies)
        self._way = transport
        super().__init__(headers={"user-agent": user_agent}, timeout=None, transport=transport, cookies=self.jar)

    async def send_directly(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request that needs nothing of the client but cookies; its answer has no ``next_request``.

        The rest of the client takes half as long as all that the transport does.
        """
        response = await self._way.handle_async_request(request)
        response.request = request
        self.jar.take(response, self.cookies)
        return response
