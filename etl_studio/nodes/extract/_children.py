"""Requests for each item of an API: the reviews of a product, the lines of an order."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from pydantic import field_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._pagination import (
    AutoPagination,
    CursorPagination,
    LinkPagination,
    NoPagination,
    OffsetPagination,
    PagePagination,
    Step,
)
from etl_studio.nodes.extract._rest_answers import AnswerReader
from etl_studio.nodes.extract._rest_asking import Asker
from etl_studio.nodes.extract._rest_pages import PageReader
from etl_studio.nodes.extract._rest_records import objects
from etl_studio.sdk.json_path import MISSING, lookup, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from etl_studio.nodes.extract._pagination import Page
    from etl_studio.nodes.extract._rest_answers import Answer
    from etl_studio.nodes.extract._rest_request import RequestBuilder

    Outcome = tuple[sdk.HttpResponse, Answer] | TransientError | PermanentError

_PLACE = re.compile(r"\{([^{}]+)\}")
_DOTS = (".", "..")
"""Parts of an address that lead elsewhere."""


class Children(sdk.Config):
    """What is asked for each item."""

    url: str = sdk.setting(
        title="Address",
        description="With fields of the item in braces; one that begins with / is at the same site. {next_url} alone "
        "is an address that the item holds.",
        example="/v1/products/{id}/reviews",
    )
    items: str = sdk.setting(
        "", title="Path of the items", description="Where such an answer holds its list.", example="data.reviews"
    )
    pagination: (
        NoPagination | AutoPagination | PagePagination | OffsetPagination | CursorPagination | LinkPagination
    ) = sdk.setting(
        NoPagination(), title="Pages", description="How the API cuts them into pages.", discriminator="kind"
    )
    params: dict[str, str] = sdk.setting(
        {},
        title="Parameters",
        description="Added to the address, with fields of the item in braces.",
        example={"product": "{id}"},
    )
    include: dict[str, str] = sdk.setting(
        {},
        title="From the item",
        description="Columns that each row gets from its item: name and path.",
        example={"product_id": "id"},
        keys="mentions",
    )
    concurrency: int = sdk.setting(
        4,
        title="Requests at once",
        description="Items that are asked for at once; their order is kept.",
        ge=1,
        le=64,
        advanced=True,
    )

    @field_validator("url")
    @classmethod
    def _has_a_place(cls, value: str) -> str:
        if not value.startswith(("http://", "https://", "/", "{")):
            raise ValueError("must begin with http://, https://, / or {")
        return value


@dataclass(frozen=True, slots=True)
class Parent:
    """An item for which others are asked, with what is needed of it, so that a dead letter can ask again.

    Attributes:
        fields: by path: what addresses and parameters need.
        include: what its rows get.
    """

    fields: Mapping[str, Any]
    include: Mapping[str, Any]

    @property
    def facts(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"fields": dict(self.fields), "include": dict(self.include)}


@dataclass(frozen=True, slots=True)
class _Family:
    """A parent with all of its children, in pages; or why they could not be read."""

    parent: Parent
    pages: Sequence[Page] = ()
    error: PermanentError | TransientError | None = None


class ChildReader:
    """Asks for the children of items, several at once, and gives them in the order of the items.

    Args:
        settings: what to ask.
        requests: of the parents: an address at their site is asked as they are.
        client: sends the requests.
        log: takes level and message.
    """

    def __init__(
        self, settings: Children, requests: RequestBuilder, client: sdk.HttpClient, log: Callable[..., None]
    ) -> None:
        self._settings = settings
        self._requests = requests
        self._client = client
        self._log = log
        texts = (settings.url, *settings.params.values())
        self._fields = [path for text in texts for path in _PLACE.findall(text)]
        kind = settings.pagination.kind
        self._answers = AnswerReader(settings.items, paged=True, finding=kind == "auto")

    def read(self, page: Page) -> Iterator[Page | sdk.Rejected]:
        """The children of the items of a page, in pages, and items for which they could not be read."""
        items, rejected = objects(page)
        if rejected is not None:
            yield rejected
        yield from self.read_again(map(self._parent, items))

    def read_again(self, parents: Iterable[Parent]) -> Iterator[Page | sdk.Rejected]:
        """The children of items."""
        for family in self._families(parents):
            if family.error is not None:
                yield _refused(family.parent, family.error)
            for page in family.pages:
                items = [{**item, **family.parent.include} if isinstance(item, dict) else item for item in page.items]
                yield replace(page, items=items)

    def _parent(self, item: Mapping[str, Any]) -> Parent:

        def taken(path: str) -> Any:
            found = lookup(item, path)
            return None if found is MISSING else found

        include = {name: taken(path) for name, path in self._settings.include.items()}
        return Parent({path: taken(path) for path in self._fields}, include)

    def _families(self, parents: Iterable[Parent]) -> Iterator[_Family]:
        """Each parent with its children."""
        planned: list[tuple[Parent, RequestBuilder | PermanentError]] = []
        for parent in parents:
            try:
                planned.append((parent, self._request(parent)))
            except PermanentError as error:
                planned.append((parent, error))
        first = self._settings.pagination.first()
        asked = (
            Asker(self._client, requests, self._answers, self._log).request(first, self._settings.pagination.send_in)
            for _, requests in planned
            if not isinstance(requests, PermanentError)
        )
        early = self._client.read_many(asked, self._answers, concurrency=self._settings.concurrency)
        try:
            for parent, requests in planned:
                if isinstance(requests, PermanentError):
                    yield _Family(parent, error=requests)
                else:
                    yield self._family(parent, requests, next(early))
        finally:
            close = getattr(early, "close", None)
            if close is not None:
                close()

    def _family(self, parent: Parent, requests: RequestBuilder, first: Outcome) -> _Family:
        asker = _FirstCame(self._client, requests, self._answers, self._log, first)
        pages = []
        try:
            for turn in PageReader(asker, self._settings.pagination, _quiet(self._log), concurrency=1).read():
                if isinstance(turn, sdk.Rejected):  # a page is missing: all of them are asked for again
                    raise TransientError(turn.problems[0].message)
                pages.append(turn.page)
        except (PermanentError, TransientError) as error:
            return _Family(parent, error=error)
        return _Family(parent, pages)

    def _request(self, parent: Parent) -> RequestBuilder:
        """What asks for the children of an item.

        Raises:
            PermanentError: the item lacks a field, or holds one that is no part of an address.
        """
        template = self._settings.url
        whole = _PLACE.fullmatch(template)
        if whole:
            found = parent.fields[whole[1]]
            if not isinstance(found, str) or not found:
                raise _unfit(whole[1], found, "is no address")
            url = urljoin(self._requests.url, found)
        else:
            url = urljoin(
                self._requests.url, _PLACE.sub(lambda place: _part(place[1], parent.fields[place[1]]), template)
            )
        if not url.startswith(("http://", "https://")) or not urlsplit(url).hostname:
            raise _unfit("url", url, "is no web address")
        params = {
            name: _PLACE.sub(lambda place: _text(place[1], parent.fields[place[1]]), text)
            for name, text in self._settings.params.items()
        }
        return self._requests.at(url, params, from_data=bool(_PLACE.search(_host(template))))


def _refused(parent: Parent, error: PermanentError | TransientError) -> sdk.Rejected:
    """An item whose children could not be read, with what asks for them again."""
    import pyarrow as pa

    facts = parent.facts
    message = f"{error.what} {error.hint}" if error.hint else error.what
    attempts = getattr(error, "attempts", None) or 1
    problem = sdk.Problem("http", message, value=error.status, operation={"children": facts}, attempts=attempts)
    text = json.dumps({**facts["fields"], **facts["include"]}, ensure_ascii=False, default=str)
    return sdk.Rejected(pa.record_batch({"record": pa.array([text], pa.string())}), [problem])


class _FirstCame(Asker):
    """Asks for pages of which the first one has come."""

    def __init__(
        self,
        client: sdk.HttpClient,
        requests: RequestBuilder,
        answers: AnswerReader,
        log: Callable[..., None],
        first: Outcome,
    ) -> None:
        super().__init__(client, requests, answers, log)
        self._first: Outcome | None = first

    def _outcome(self, step: Step, send_in: str) -> tuple[sdk.HttpResponse, Answer]:
        first, self._first = self._first, None
        if first is None:
            return super()._outcome(step, send_in)
        if isinstance(first, Exception):
            raise first
        return first


def _quiet(log: Callable[..., None]) -> Callable[..., None]:
    """One line for each item would bury all others."""

    def told(level: str, message: str, **facts: Any) -> None:
        log("debug" if level == "info" else level, message, **facts)

    return told


def _host(template: str) -> str:
    """The part of a template that tells whom to ask."""
    return template if template.startswith("{") else urlsplit(template).netloc


def _part(path: str, value: Any) -> str:
    """A value as one part of an address, which it cannot leave."""
    text = _text(path, value)
    if not text or text in _DOTS:
        raise _unfit(path, value, "is no part of an address")
    return quote(text, safe="")


def _text(path: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise _unfit(
        path, value, "is missing" if value is None else f"is no text or number (it is of type {type_of(value)})"
    )


def _unfit(path: str, value: Any, why: str) -> PermanentError:
    return PermanentError(
        f'The field "{path}" {why}, so that nothing can be asked for this item.',
        hint="Check the address of children.",
        column=path,
        value=value,
    )
