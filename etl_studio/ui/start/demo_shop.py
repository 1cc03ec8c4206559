"""The demo shop, open while the window is: pipelines that read it need no second terminal."""

from __future__ import annotations

import http.client
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtCore import QObject, Signal

from etl_studio.app.templates import DEMO_URL
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from etl_studio.demo import DemoSite

SERVER = "etl-studio-demo"
PATIENCE = 2
"""Seconds to wait for an answer of whoever has the port."""


class DemoShop(QObject):
    """Opens the shop when it is asked for, and closes it at the end.

    Signals:
        opened: its address: the usual one, or another where a stranger has that port.
        failed: why it cannot be opened, for people.

    Args:
        url: where it should be.
        parent: the window.
    """

    opened = Signal(str)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None, url: str = DEMO_URL) -> None:
        super().__init__(parent)
        self._wanted = url
        self._sites: list[DemoSite] = []  # filled by the thread: what is open must be closed, asked for or not
        self.url = ""
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._take)
        self._fetcher.failed.connect(self.failed)

    def open(self) -> None:
        """See that the shop is open: this one, or one that somebody has started before."""
        self._fetcher.ask(partial(_open_site, self._wanted, self._sites))

    def close(self) -> None:
        """Close the shop, if it is ours."""
        self._fetcher.close()
        while self._sites:
            self._sites.pop().stop()
        self.url = ""

    def _take(self, url: str) -> None:
        self.url = url
        self.opened.emit(url)


def _open_site(url: str, sites: list[DemoSite]) -> str:
    """Where a shop is: here, or at another address where a stranger has the port."""
    from etl_studio.demo import DemoSite

    if sites:
        return sites[-1].url
    site = DemoSite(port=urlsplit(url).port or 0)
    try:
        sites.append(site.start())
    except OSError:
        if _is_shop(url):
            return url
        site = DemoSite().start()
        sites.append(site)
    return site.url


def _is_shop(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request("HEAD", "/")
        return connection.getresponse().headers.get("Server") == SERVER
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
