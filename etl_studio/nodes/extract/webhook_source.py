"""Take rows that others send."""

from __future__ import annotations

import ipaddress
import json
import time
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.nodes.extract._again import builder_of, records_again, rejected
from etl_studio.nodes.extract._rest_records import Flattener
from etl_studio.nodes.extract._webhook_bodies import values
from etl_studio.nodes.extract._webhook_checks import Check, check_setting
from etl_studio.nodes.extract._webhook_reading import MOST_BYTES, MOST_DELIVERIES, Reading
from etl_studio.sdk.json_path import MISSING, lookup, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from etl_studio.nodes.extract._webhook_server import Listener
    from etl_studio.sdk.mailbox import Delivery, Mailbox

PROVENANCE = {"_delivery": "text", "_received_at": "timestamptz"}


class WebhookSource(sdk.Source):
    """Takes rows that others send, over HTTP.

    While the run goes on, it listens on an address of this computer (`http://127.0.0.1:8090/`), and the log says where.
    A delivery is JSON, lines of JSON, or a form; the items are rows. It is answered with 202 only when it is on the
    disk of the workspace, and each delivery that was answered so is loaded **exactly once**: after a crash, a resume or
    the next run goes on behind the last one that was loaded. (Where several sinks load it and a run broke off between
    their commits, only a resume knows which of them has it.) What was not answered, the sender sends again; *Header of
    the ID* tells repeated deliveries.

    Others on the network reach it only when *Open to the network* is on, and then everything travels unencrypted: put a
    server with TLS before it. Write a *Check*, so that nobody else can send: a signature (HMAC), as GitHub, Slack,
    Stripe and many others send it, or a token. Without one, pages of a browser are refused at least.

    Refused are: a wrong or missing signature (401), another address (404) or method (405), a body that is too slow
    (408), too large (413), of another kind or compressed (415), damaged (400), and everything while too much waits or
    the run stops (503, with `Retry-After`). The log counts them.

    The run ends after *Rows at most*, after *Idle seconds*, or when it is stopped; what was taken and is not loaded by
    then waits for the next run. Columns come from the deliveries of the first two seconds, so declare those that
    matter. A preview and a dry run show what waits, and do not listen.
    """

    type: ClassVar[str] = "webhook_source"
    title: ClassVar[str] = "Webhook"
    icon: ClassVar[str] = "webhook"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = (
        "http", "listen", "receive", "push", "event", "callback", "hmac", "github", "stripe", "slack", "server",
    )  # fmt: skip
    local: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {
        "port": 8090,
        "path": "/orders",
        "check": {"kind": "hmac", "secret": "${secret:hook}"},
        "idle": 60,
    }
    identity: ClassVar[tuple[str, ...]] = ("items", "flatten", "columns", "provenance")

    class Config(sdk.Config):
        """Where it listens, and what it takes."""

        port: int = sdk.setting(
            8090, title="Port", description="Where it listens; 0: any free port, which the log tells.", ge=0, le=65_535
        )
        path: str = sdk.setting("/", title="Path", description="Of the address.", example="/orders")
        check: Check = check_setting()
        items: str = sdk.setting(
            "",
            title="Path of the items",
            description="Where a delivery holds the list of rows, with dots between the keys; empty: it is a row "
            "itself, or the list.",
            example="data.items",
        )
        idle: float | None = sdk.setting(
            None,
            title="Idle seconds",
            description="So long without a delivery, the run ends; empty: until it is stopped.",
            example=60,
            gt=0,
        )
        rows: int | None = sdk.setting(
            None,
            title="Rows at most",
            description="The run ends when so many have come; empty: no limit.",
            example=10_000,
            ge=1,
        )
        columns: dict[str, str] = sdk.setting(
            {},
            title="Column types",
            description="Types that win over those found: text, integer, number, boolean, date, time, timestamp, "
            "timestamptz, json or decimal(10,2).",
            example={"price": "decimal(10,2)"},
            editor="type",
            keys="mentions",
        )
        id_header: str = sdk.setting(
            "",
            title="Header of the ID",
            description="Where a delivery has its ID; one that came within the last 30 days is not taken again.",
            example="X-GitHub-Delivery",
        )
        method: Literal["POST", "PUT", "PATCH"] = sdk.setting(
            "POST", title="Method", description="Of each delivery.", advanced=True
        )
        max_bytes: int = sdk.setting(
            1_000_000, title="Bytes at most", description="Of one body at most.", ge=1, le=64_000_000, advanced=True
        )
        max_waiting: int = sdk.setting(
            256_000_000,
            title="Bytes that wait",
            description="When so much waits to be loaded, senders are put off (503).",
            ge=1,
            advanced=True,
        )
        host: str = sdk.setting(
            "127.0.0.1",
            title="Host",
            description="127.0.0.1: only programs of this computer reach it. Others need Open to the network.",
            advanced=True,
        )
        open_to_network: bool = sdk.setting(
            False,
            title="Open to the network",
            description="The host may be one that other computers reach. Without a check, any of them can send rows.",
            advanced=True,
        )
        flatten: bool = sdk.setting(
            True,
            title="Flatten objects",
            description="A nested object becomes columns (supplier_name); off: JSON text.",
            advanced=True,
        )
        provenance: bool = sdk.setting(
            False,
            title="Where rows come from",
            description="Adds _delivery (its ID) and _received_at to each row.",
            advanced=True,
        )

        @field_validator("path")
        @classmethod
        def _begins_with_slash(cls, value: str) -> str:
            if not value.startswith("/") or "?" in value or "#" in value:
                raise ValueError("must be a path such as /orders")
            return value

        _types = field_validator("columns")(sdk.known_types)

        @model_validator(mode="after")
        def _closed_to_others(self) -> Self:
            if not self.open_to_network and not _is_loopback(self.host):
                raise ValueError(f"other computers reach {self.host}: turn open_to_network on where that is wanted")
            return self

    config: Config

    @property
    def replays(self) -> bool:
        """Deliveries are kept until they are loaded."""
        return True

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield the rows of deliveries as they come, with a cursor behind each group."""
        mailbox = context.mailbox()
        try:
            if mailbox.keeps and not self.wanted:
                yield from self._listen(mailbox, context)
            else:
                yield from self._waiting(mailbox)
        finally:
            mailbox.release()

    def _listen(self, mailbox: Mailbox, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        reading = Reading(self, mailbox, context)
        yield from reading.again()
        if reading.is_full:
            yield from reading.finish()
            return
        if not _is_loopback(self.config.host):
            sure = "" if self.config.check.kind != "none" else " and send rows, since no check is set"
            context.log("warning", f"Other computers can reach this webhook{sure}; nothing is encrypted.")
        with self._listener(mailbox, context) as listener:
            context.log("info", f"Listening on {listener.url}.")
            yield from reading.listen(listener)
        # What came while the listener stopped was acknowledged, too.
        yield from reading.rest()
        yield from reading.finish()

    def read_again(
        self, tried: Sequence[Mapping[str, Any]], schema: pa.Schema | None, context: sdk.RunContext
    ) -> Iterator[sdk.node.Emission]:
        """Take items that were mended, or whose columns are now declared."""
        del context
        yield from records_again(
            tried, builder_of(self.declared, schema), lambda text: [json.loads(text)], self.flattener()
        )

    @property
    def declared(self) -> dict[str, str]:
        """Columns whose types are known."""
        return {**(PROVENANCE if self.config.provenance else {}), **self.config.columns}

    def flattener(self, nested: Sequence[str] = ()) -> Flattener:
        """What is done with nested objects."""
        return Flattener(nested) if self.config.flatten else _AsTheyAre(nested)

    def _waiting(self, mailbox: Mailbox) -> Iterator[sdk.node.Emission]:
        """What waits to be loaded."""
        builder = sdk.RecordBuilder(self.declared, wanted=self.wanted)
        flattened = self.flattener()
        last = mailbox.done()
        while taken := mailbox.take(last, MOST_DELIVERIES, MOST_BYTES):
            last = taken[-1].number
            records, refused = self.records(taken)
            yield from builder.add(flattened(records))
            yield from refused
        yield from builder.finish()

    def records(self, taken: Sequence[Delivery]) -> tuple[list[dict[str, Any]], list[sdk.Rejected]]:
        """The items of deliveries that are objects, and the others."""
        records: list[dict[str, Any]] = []
        refused: list[tuple[dict[str, Any], sdk.Problem]] = []
        for delivery in taken:
            for value in values(delivery.kind, delivery.body):
                for item in self._items(value):
                    if isinstance(item, dict):
                        records.append(self._with_provenance(item, delivery))
                        continue
                    what = f"no {self.config.items}" if item is MISSING else f"no object but a {type_of(item)}"
                    text = f"The delivery holds {what}. Check the path of the items."
                    kept = json.dumps(value if item is MISSING else item)
                    refused.append(({"record": kept}, sdk.Problem("not_an_object", text, value=kept)))
        return records, [rejected(refused)] if refused else []

    def _items(self, value: Any) -> list[Any]:
        found = lookup(value, self.config.items) if self.config.items else value
        return found if isinstance(found, list) else [found]

    def _with_provenance(self, record: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
        if not self.config.provenance:
            return record
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(delivery.at))
        return record | {"_delivery": delivery.id or str(delivery.number), "_received_at": at}

    def _listener(self, mailbox: Mailbox, context: sdk.RunContext) -> Listener:
        from etl_studio.nodes.extract._webhook_server import Listener, Terms

        config = self.config
        terms = Terms(
            config.host,
            config.port,
            config.path,
            config.method,
            config.check,
            config.id_header,
            config.max_bytes,
            config.max_waiting,
        )
        return Listener(terms, mailbox, context.log)


class _AsTheyAre(Flattener):
    """Leaves nested objects as they are."""

    def __call__(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return records


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
