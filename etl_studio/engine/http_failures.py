"""What went wrong with a request, in words and as a type: transient or permanent."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from etl_studio.engine.http_addresses import PrivateAddressError
from etl_studio.errors import DeadlineError, EtlError, PermanentError, TransientError
from etl_studio.sdk.http import shown_url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from etl_studio.sdk.http import HttpRequest

REASON_LENGTH = 200
"""Characters of the site's own message that are quoted."""
_SECRET_LENGTH = 6
_FIRST_SERVER_ERROR = 500

_MEANING = {
    400: ("it does not understand the request", "Check parameters and body."),
    401: ("it wants credentials", "Check the sign-in of the node."),
    403: ("these credentials may not read it", "Check the credentials, or ask the owner of the site for access."),
    404: ("there is nothing at this address", "Check the address."),
    405: ("it does not take this method here", "Choose GET or POST as its documentation says."),
    408: ("it waited too long for the request", "Try again later."),
    410: ("what was at this address is gone", "Check the address."),
    422: ("it refuses the values of the request", "Check parameters and body."),
    429: ("it asks to slow down", "Set a rate limit in the node's policy."),
    451: ("it may not show this for legal reasons", None),
}


def from_status(  # noqa: PLR0913 - all that tells what happened
    status: int,
    retry_after: str | None,
    body: bytes,
    request: HttpRequest,
    retry_on: Collection[int],
    secrets: Collection[str] = (),
) -> EtlError:
    """The error for a status from 400 on.

    Args:
        status: the status.
        retry_after: the header of that name.
        body: the beginning of the answer; a JSON message in it is quoted.
        request: what was asked.
        retry_on: statuses that may succeed when tried again.
        secrets: values that are not quoted.
    """
    try:
        name = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        name = str(status)
    fallback = "the site failed" if status >= _FIRST_SERVER_ERROR else "it refuses the request"
    meaning, hint = _MEANING.get(status, (fallback, "Try again later." if status >= _FIRST_SERVER_ERROR else None))
    reason = _reason(body, request, secrets)
    what = f"{shown_url(request.url)} answered {name}: {meaning}{f' (it says: {reason})' if reason else ''}."
    if status in retry_on:
        return TransientError(what, hint=hint, status=status, retry_after=retry_after_seconds(retry_after))
    return PermanentError(what, hint=hint, status=status)


def failure(error: Exception, request: HttpRequest, seconds: float | None) -> Exception:
    """What becomes of an error on the way of a request: one of ours; a defect stays what it is.

    Args:
        error: as it was raised.
        request: what was asked.
        seconds: how long it was waited for.
    """
    import httpx2

    if isinstance(error, TimeoutError):
        return DeadlineError(
            f"{shown_url(request.url)} did not answer in full within {seconds:g} s.",
            hint="Raise the timeout in the node's policy, or ask for fewer items at a time.",
        )
    if isinstance(error, httpx2.HTTPError | httpx2.InvalidURL):
        # The library's errors may quote headers, and headers hold passwords.
        return from_transport(error, request.url)
    return error


def from_transport(error: Exception, url: str) -> EtlError:
    """The error for a request that got no complete answer; ``error`` is the HTTP library's."""
    import httpx2

    where, host = shown_url(url), _host(_reached(error) or url)
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return PermanentError(f'"{where}" is no web address.', hint="Write it as https://host/path.")
    if isinstance(error, httpx2.LocalProtocolError):
        return cannot_be_sent(url)
    if not isinstance(error, httpx2.ProxyError) and (known := _from_cause(error, host)) is not None:
        return known
    if isinstance(error, httpx2.ProxyError):
        return TransientError(
            f"The proxy on the way to {host} failed.", hint="Check the proxy in the settings of this computer."
        )
    if isinstance(error, httpx2.DecodingError):
        return TransientError(f"The compressed answer of {where} is damaged.")
    if isinstance(error, httpx2.RemoteProtocolError):
        return TransientError(f"What {host} answered is no HTTP.", hint="Check the port of the address.")
    if isinstance(error, httpx2.ReadError | httpx2.WriteError):
        return TransientError(f"The connection to {host} broke off before the answer was complete.")
    return TransientError(f"The request to {host} failed ({type(error).__name__}).", hint="Check the connection.")


def _from_cause(error: Exception, host: str) -> EtlError | None:
    """What the system said about a connection, if it did."""
    for cause in _causes(error):
        if isinstance(cause, PrivateAddressError):
            return PermanentError(
                f"{host} is an address of this computer or of a private network; as it did not come from the settings, "
                "it was not asked.",
                hint="Write such an address into the settings where it is really wanted.",
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PermanentError(
                f"The certificate of {host} is not valid: {cause.verify_message}.",
                hint="Check the address and the clock of this computer. The request was not sent.",
            )
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return PermanentError(
                f"{host} and this computer cannot agree on encryption ({cause.reason}).",
                hint="Check whether the address begins with http:// or https://.",
            )
        if isinstance(cause, socket.gaierror):
            return TransientError(
                f'The network knows no host "{host}".', hint="Check the spelling of the address and the connection."
            )
        if isinstance(cause, ConnectionRefusedError):
            return TransientError(
                f"{host} refused the connection.", hint="Check that the site runs and that the port is right."
            )
    return None


def cannot_be_sent(url: str) -> PermanentError:
    """The error for a request that breaks the rules of HTTP or JSON."""
    return PermanentError(
        f"The request to {shown_url(url)} cannot be sent as it is.",
        hint="Check its headers and its body: a header must not hold line breaks or letters other than ASCII, "
        "a body only what JSON knows.",
    )


def retry_after_seconds(text: str | None, now: float | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait: a number or a date; None if it says neither.

    Args:
        text: the header.
        now: seconds since the epoch; by default the clock's.
    """
    if not text:
        return None
    if text.strip().replace(".", "", 1).isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, then - (time.time() if now is None else now))


def _reached(error: Exception) -> str | None:
    """The address of the hop that failed, where the library knows it."""
    try:
        return str(error.request.url)  # type: ignore[attr-defined] # of request errors
    except (AttributeError, RuntimeError):
        return None


def _host(url: str) -> str:
    """Host and port, also of an address that is damaged."""
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2] or "the host"


def _reason(body: bytes, request: HttpRequest, secrets: Collection[str]) -> str | None:
    """The site's own message, where it is JSON that has one; values of our headers and secrets in it are masked."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in ("error", "message", "detail", "error_description", "title"):
        value = found.get(name) if isinstance(found, dict) else None
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value.strip():
            sent = {part for header in request.headers.values() for part in (header, header.rpartition(" ")[2])}
            for secret in {*sent, *secrets}:
                if len(secret) >= _SECRET_LENGTH:
                    value = value.replace(secret, "***")
            text = " ".join(value.split()).rstrip(".")
            return text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 1] + "…"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        pending += [other for other in (cause.__context__, cause.__cause__) if other is not None]
        if isinstance(cause, BaseExceptionGroup):
            pending += cause.exceptions
