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
        common: headers of each request that does not name them itself, by name in lower case.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport, user_agent: str, *, cookies: bool) -> None:
        self.jar = SessionCookies(kept=cookies)
        self._way = transport
        super().__init__(headers={"user-agent": user_agent}, timeout=None, transport=transport, cookies=self.jar)
        self.common = {name.decode().lower(): (name.decode(), value.decode()) for name, value in self.headers.raw}

    async def send_directly(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request that needs nothing of the client but cookies, and the next one where it is led elsewhere.

        The rest of the client takes half as long as all that the transport does.
        """
        response = await self._way.handle_async_request(request)
        response.request = request
        try:
            self.jar.take(response, self.cookies)
            if response.has_redirect_location:
                response.next_request = self._build_redirect_request(request, response)
        except BaseException:
            await response.aclose()
            raise
        return response
