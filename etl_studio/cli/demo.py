"""``etl-studio demo``: a web shop and its API on this machine, with faults that can be dialled."""

from __future__ import annotations

import signal
from typing import Annotated

import typer


def demo(  # noqa: PLR0913 - one option for each fault
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8750,
    seed: Annotated[int, typer.Option(help="The same seed gives the same goods and the same faults.")] = 7,
    products: Annotated[int, typer.Option(min=0, max=1_000_000, help="How many products it sells.")] = 240,
    latency: Annotated[float, typer.Option(min=0, help="Seconds before each answer.")] = 0.0,
    rate_429: Annotated[
        float, typer.Option("--rate-429", min=0, max=1, help="Share of answers that are 429 Too Many Requests.")
    ] = 0.0,
    retry_after: Annotated[float, typer.Option(min=0, help="Seconds that a 429 asks to wait.")] = 1.0,
    rate_500: Annotated[
        float, typer.Option("--rate-500", min=0, max=1, help="Share of answers that are 500 Internal Server Error.")
    ] = 0.0,
    rate_reset: Annotated[float, typer.Option(min=0, max=1, help="Share of connections that are reset.")] = 0.0,
    rate_truncate: Annotated[float, typer.Option(min=0, max=1, help="Share of bodies that end half way.")] = 0.0,
    rate_503: Annotated[
        float, typer.Option("--rate-503", min=0, max=1, help="Share of answers that are 503 Service Unavailable.")
    ] = 0.0,
    rate_damage: Annotated[float, typer.Option(min=0, max=1, help="Share of bodies cut as if they were whole.")] = 0.0,
    rate_hang: Annotated[float, typer.Option(min=0, max=1, help="Share of requests that get no answer.")] = 0.0,
    rate_drip: Annotated[float, typer.Option(min=0, max=1, help="Share of bodies that come byte by byte.")] = 0.0,
    outage_after: Annotated[
        float | None, typer.Option(min=0, help="Seconds until an outage: 503 to each request.", show_default=False)
    ] = None,
    outage_for: Annotated[float, typer.Option(min=0, help="Seconds that the outage lasts.")] = 2.0,
    log: Annotated[bool, typer.Option("--log", help="Print each request.")] = False,
) -> None:
    """Serve a small web shop and its JSON API on 127.0.0.1 until Ctrl-C."""
    from etl_studio.cli.output import print_line, say
    from etl_studio.demo import DemoSite, Faults, LoggedRequest
    from etl_studio.errors import UsageError

    def tell(request: LoggedRequest) -> None:
        say(f"{request.status or 'reset'} {request.method} {request.path}")

    try:
        faults = Faults(
            latency=latency,
            rate_429=rate_429,
            retry_after=retry_after,
            rate_500=rate_500,
            rate_reset=rate_reset,
            rate_truncate=rate_truncate,
            rate_503=rate_503,
            rate_damage=rate_damage,
            rate_hang=rate_hang,
            rate_drip=rate_drip,
            outage_after=outage_after,
            outage_for=outage_for,
        )
    except ValueError as error:
        raise UsageError(str(error), hint="Choose smaller rates.") from None
    site = DemoSite(seed=seed, products=products, port=port, faults=faults, on_request=tell if log else None)
    try:
        site.start()
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be used: {error.strerror}.", hint="Choose another one: --port 0 takes a free one."
        ) from None
    before = signal.signal(signal.SIGTERM, lambda *_: site.stopping.set())
    try:
        print_line(site.url)
        say("A demo shop; its pages are at /, its API is at /api/products. Ctrl-C ends it.")
        site.serve_forever()
    except KeyboardInterrupt:
        say("The demo shop is closed.")
    finally:
        site.stop()
        signal.signal(signal.SIGTERM, before)
