"""``read_many`` of a client that only knows ``read``."""

from __future__ import annotations

from etl_studio.errors import PermanentError, TransientError


def read_ahead(client, requests, parse, concurrency):
    """Asks for so many requests before the answer of the first is taken."""
    waiting = []
    for request in requests:
        waiting.append(_outcome(client, request, parse))
        if len(waiting) == concurrency:
            yield waiting.pop(0)
    yield from waiting


def _outcome(client, request, parse):
    try:
        return client.read(request, parse)
    except (TransientError, PermanentError) as error:
        return error
