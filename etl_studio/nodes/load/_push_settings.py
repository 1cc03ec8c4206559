"""The settings of a sink that pushes rows."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.nodes.load._push_answers import ResultsRule, SuccessRule  # noqa: TC001 - settings
from etl_studio.sdk.auth import Auth, NoAuth, auth_setting
from etl_studio.sdk.row_template import AddressTemplate


class PushSettings(sdk.Config):
    """Where and how to send."""

    url: str = sdk.setting(
        title="Address",
        description="Where the rows go; with one row in each request, columns in braces.",
        example="https://api.example.com/orders",
        names="fills",
    )
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = sdk.setting(
        "POST", title="Method", description="Of each request. DELETE sends no body unless a row is written."
    )
    headers: dict[str, str] = sdk.setting(
        {},
        title="Headers",
        description="Sent with each request. Secrets: ${secret:name}.",
        example={"X-Client": "etl"},
    )
    auth: Auth = auth_setting()
    rows_per_request: int = sdk.setting(
        100, title="Rows per request", description="1: the row itself instead of a list.", ge=1, le=10_000
    )
    row: dict[str, Any] | None = sdk.setting(
        None,
        title="Row",
        description="What is sent of each row, with columns in braces; empty: all columns.",
        example={"name": "{first} {last}"},
        names="fills",
    )
    wrap: str = sdk.setting(
        "",
        title="Field of the list",
        description='Such as items for {"items": [...]}; empty: the list alone.',
        example="items",
    )
    envelope: dict[str, Any] = sdk.setting(
        {},
        title="Beside the list",
        description="Further fields of each body, beside the field of the list.",
        example={"source": "etl"},
        advanced=True,
    )
    format: Literal["json", "ndjson"] = sdk.setting(
        "json", title="Format", description="json, or ndjson: each row a line of JSON.", advanced=True
    )
    bytes_per_request: int | None = sdk.setting(
        None,
        title="Bytes per request",
        description="Fewer rows where their JSON would be larger; empty: only the number of rows counts.",
        example=1_000_000,
        ge=100,
        advanced=True,
    )
    concurrency: int = sdk.setting(
        1,
        title="Requests at once",
        description="With more than 1, rows may arrive in another order.",
        ge=1,
        le=64,
        advanced=True,
    )
    key_header: str = sdk.setting(
        "Idempotency-Key",
        title="Header of the key",
        description="Where the site looks for the idempotency key; empty: none is sent.",
        advanced=True,
    )
    results: ResultsRule | None = sdk.setting(
        None,
        title="Results of rows",
        description="Where the answer tells which rows were refused (207 Multi-Status and the like).",
        advanced=True,
    )
    success: SuccessRule | None = sdk.setting(
        None,
        title="Success",
        description="What the answer says when all went well; empty: its status tells.",
        advanced=True,
    )
    success_status: list[int] = sdk.setting(
        [],
        title="Success by status",
        description="Statuses from 400 that are a success, such as 409 where a row may be there already.",
        example=[409],
        advanced=True,
    )
    refused_status: list[int] = sdk.setting(
        [400, 409, 410, 413, 422],
        title="Refused by status",
        description="Statuses that are about the rows: they become dead letters. Any other error ends the run.",
        advanced=True,
    )
    unanswered: Literal["stop", "reject"] = sdk.setting(
        "stop",
        title="Without an answer",
        description="When a request failed to its last attempt. stop: the run ends, a resume sends it and the "
        "rest. reject: its rows become dead letters, a replay sends them with the same key.",
        advanced=True,
    )

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not value.lower().startswith(("http://", "https://", "{")):
            raise ValueError("it must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        address = AddressTemplate(self.url)
        if address.columns and self.rows_per_request != 1:
            raise ValueError("an address with columns is that of one row: set rows_per_request to 1")
        if address.site_from_row and not isinstance(self.auth, NoAuth):
            raise ValueError(
                "the row says which site is called, so the node cannot sign in: write the site into the address"
            )
        if self.envelope and not self.wrap:
            raise ValueError("fields beside the list need a field of the list: write wrap")
        if self.wrap and self.format == "ndjson":
            raise ValueError("lines of JSON have no field of the list: leave wrap empty")
        return self
