"""The first page of a crawl alone, as the workshop of selectors looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from etl_studio.nodes.extract._crawl_addresses import host_of

if TYPE_CHECKING:
    from etl_studio import sdk
    from etl_studio.nodes.extract._crawl_hosts import Pages
    from etl_studio.nodes.extract._crawl_plan import CrawlPlan

MOST_REDIRECTS = 10


async def first_page(plan: CrawlPlan, url: str, asked: sdk.Web | Pages) -> sdk.HttpResponse:
    """Ask for a page and for what it redirects to.

    Args:
        plan: the settings, compiled.
        url: its address.
        asked: the client, or what asks for pages in its place.
    """
    response = await asked.send(plan.request(url, host_of(url), most=plan.most_page))
    for _ in range(MOST_REDIRECTS):
        if not 300 <= response.status < 400 or "location" not in response.headers:  # noqa: PLR2004 - redirects
            break
        url = urljoin(url, response.headers["location"].strip())
        plan.finder.admit(url)
        response = await asked.send(plan.request(url, host_of(url), most=plan.most_page))
    return response
