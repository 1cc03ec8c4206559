"""Pages of a crawl that failed, fetched again by a replay of their dead letters."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._crawl_addresses import host_of
from etl_studio.nodes.extract._crawl_items import PageFacts, Rows
from etl_studio.nodes.extract._crawl_robots import MOST_BYTES, Robots
from etl_studio.nodes.extract._crawl_rows import refused_page
from etl_studio.nodes.extract._html_page import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from etl_studio import sdk
    from etl_studio.nodes.extract._crawl_plan import CrawlPlan
    from etl_studio.nodes.extract._crawl_rows import CrawlRows

HIDDEN = ("***", "…")
"""What stands in an address for a secret, or for what was too long to be shown."""


def pages_again(
    pages: Sequence[Mapping[str, Any]],
    plan: CrawlPlan,
    rows: CrawlRows,
    context: sdk.RunContext,
    send: Callable[[sdk.HttpRequest], sdk.HttpResponse] | None = None,
) -> Iterator[sdk.node.Emission]:
    """Fetch pages and take their items; what fails again is refused again. Links are not followed.

    Args:
        pages: what was asked for.
        plan: the settings, compiled.
        rows: makes batches.
        context: the run.
        send: asks for a page; None: the run's client does.
    """
    client, found = context.http(), Rows(plan.fields, typed=plan.typed, parents=plan.parents)
    robots: dict[str, Robots] = {}
    refused: list[sdk.Rejected] = []
    for asked in pages:
        shown = str(asked.get("url") or asked.get("_url") or "")
        try:
            url = plan.address(shown)
            if url == shown and any(sign in shown for sign in HIDDEN):
                raise PermanentError(
                    f"{shown} cannot be asked for again: part of the address was not kept, as it may be a secret.",
                    hint="Run the crawl again, or discard it.",
                )
            host = host_of(url)
            if plan.respect_robots:
                if host not in robots:
                    robots[host] = _robots(url, host, plan, client)
                if not robots[host].allows(url):
                    raise PermanentError(f"robots.txt of {host} forbids {shown}.", hint="Discard it.")
            response = (send or client.send)(plan.request(url, host, most=plan.most_page, follow=True))
            facts = PageFacts(
                parse(response, context), int(asked.get("depth") or 0), dt.datetime.now(dt.UTC), asked.get("parent")
            )
            for kind in plan.items:
                kind.take(facts, found)
        except (PermanentError, TransientError) as error:
            refused.append(refused_page(shown, error, {**asked, "url": shown}))
        except ValueError:
            refused.append(refused_page(shown, PermanentError(f"{shown} is no address."), asked))
    yield rows.empty()
    yield from rows.emissions(found.taken())
    yield from refused


def _robots(url: str, host: str, plan: CrawlPlan, client: sdk.HttpClient) -> Robots:
    address = f"{url.partition('://')[0]}://{host}/robots.txt"
    try:
        response = client.send(plan.request(address, host, most=8 * MOST_BYTES, follow=True))
    except PermanentError as error:
        if error.status is None:
            raise
        return Robots(b"", plan.agent, address)
    return Robots(response.content, plan.agent, address)
