"""How a webhook knows that a delivery is from whom it should be."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from etl_studio import sdk
from etl_studio.sdk.auth import HEADER_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PART = re.compile(r"[,\s]+")


class NoCheck(sdk.Config):
    """Whoever reaches the address may send."""

    kind: Literal["none"] = "none"

    def why_not(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """Why a delivery is refused; None: it is not."""
        del headers, body, now
        return None


class TokenCheck(sdk.Config):
    """A secret that the sender puts into a header."""

    kind: Literal["token"] = "token"
    token: str = sdk.setting(
        title="Token", description="What the sender sends.", example="${secret:hook}", editor="secret", min_length=1
    )
    header: str = sdk.setting(
        "Authorization",
        title="Header",
        description="Where it stands; Bearer may stand before it.",
        pattern=HEADER_NAME,
    )

    def why_not(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """Why a delivery is refused; None: it is not."""
        del body, now
        sent = headers.get(self.header, "")
        if not sent:
            return f"the header {self.header} is missing"
        return None if _same(sent.removeprefix("Bearer ").strip(), self.token) else "the token is wrong"


class HmacCheck(sdk.Config):
    """A signature of the body (HMAC, RFC 2104) with a secret that the sender knows, too."""

    kind: Literal["hmac"] = "hmac"
    secret: str = sdk.setting(
        title="Secret", description="The key of the signature.", example="${secret:hook}", editor="secret", min_length=1
    )
    header: str = sdk.setting(
        "X-Hub-Signature-256", title="Header", description="Where the signature stands.", pattern=HEADER_NAME
    )
    prefix: str = sdk.setting(
        "sha256=", title="Prefix", description="What stands before the signature in the header.", example="v1="
    )
    algorithm: Literal["sha256", "sha512", "sha1"] = sdk.setting(
        "sha256", title="Algorithm", description="Hash of the signature."
    )
    encoding: Literal["hex", "base64"] = sdk.setting(
        "hex", title="Encoding", description="How the signature is written.", advanced=True
    )
    signed: str = sdk.setting(
        "{body}",
        title="What is signed",
        description="The body, with {timestamp} and {id} where the sender signs these, too.",
        example="{timestamp}.{body}",
        advanced=True,
    )
    timestamp_header: str = sdk.setting(
        "",
        title="Header of the time",
        description="Where the time of the delivery stands (seconds since 1970); the header of the signature itself "
        "may hold it as t=. Empty: the time is not looked at.",
        example="X-Slack-Request-Timestamp",
        advanced=True,
    )
    id_header: str = sdk.setting(
        "", title="Header of the ID", description="For {id} in what is signed.", example="webhook-id", advanced=True
    )
    tolerance: float = sdk.setting(
        300.0, title="Tolerance", description="Seconds that the time may be off, either way.", gt=0, advanced=True
    )

    def why_not(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """Why a delivery is refused; None: it is not.

        Args:
            headers: names in any case.
            body: as it came.
            now: seconds since the epoch.
        """
        sent = headers.get(self.header, "")
        if not sent:
            return f"the header {self.header} is missing"
        stamp = self._stamp(headers, sent)
        if self.timestamp_header:
            try:
                late = abs(now - float(stamp))
            except ValueError:
                return "the time of the delivery is missing"
            if not late <= self.tolerance:
                return "the time of the delivery is too far off"
        wanted = hmac.new(self.secret.encode(), self._text(headers, stamp, body), self.algorithm).digest()
        # All of them, so that the time it takes tells nothing.
        right = [hmac.compare_digest(wanted, one) for one in self._signatures(sent)]
        return None if any(right) else "the signature is wrong"

    def _stamp(self, headers: Mapping[str, str], sent: str) -> str:
        if not self.timestamp_header:
            return ""
        if self.timestamp_header.lower() == self.header.lower():
            return next((part[2:] for part in _PART.split(sent) if part.startswith("t=")), "")
        return headers.get(self.timestamp_header, "")

    def _text(self, headers: Mapping[str, str], stamp: str, body: bytes) -> bytes:
        before, found, after = self.signed.partition("{body}")
        values = {"{timestamp}": stamp, "{id}": headers.get(self.id_header, "") if self.id_header else ""}
        for name, value in values.items():
            before, after = before.replace(name, value), after.replace(name, value)
        return before.encode() + (body if found else b"") + after.encode()

    def _signatures(self, sent: str) -> Iterator[bytes]:
        for part in {sent.strip(), *_PART.split(sent), *sent.split()}:
            if not part.startswith(self.prefix):
                continue
            text = part[len(self.prefix) :]
            try:
                yield bytes.fromhex(text) if self.encoding == "hex" else base64.b64decode(text, validate=True)
            except (ValueError, binascii.Error):
                continue


Check: TypeAlias = NoCheck | TokenCheck | HmacCheck


def _same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ, nor how long they are."""
    return hmac.compare_digest(*(hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (one, other)))


def check_setting(**more: Any) -> Any:
    """The setting of a node; its annotation is ``Check``."""
    facts = {"title": "Check", "description": "How it is known who sends.", "discriminator": "kind"}
    return sdk.setting(NoCheck(), **(facts | more))
