"""Looks at the first pages of an API before anything is saved: what is asked, what comes, what it would become."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio.app.look import Look, part_before
from etl_studio.app.pins import Pins
from etl_studio.engine.masking import MASK, hidden
from etl_studio.errors import PermanentError, TransientError, UsageError
from etl_studio.pipeline.flat import outer_node
from etl_studio.pipeline.web_secrets import is_secret
from etl_studio.sdk import Probe, Source, shown_url, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.app.studio import Studio
    from etl_studio.engine.run import Run
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import HttpResponse, PageSeen

PAGES = 3
ROWS = 100_000
"""Of all pages, at most."""
LONGEST_ANSWER = 20_000
"""Characters of an answer that are shown."""
ITEMS_SHOWN = 3
"""Of each list."""
LONGEST_TEXT = 300
EXAMPLES = 3
LONGEST_EXAMPLE = 60
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class ProbedPage:
    """One page as it may be shown: without secrets, cut where it is long.

    Attributes:
        number: 1, 2, ...
        method, url: of the request, parameters included.
        headers: of the request; the sign-in is in ``auth``.
        auth: kind of the sign-in; empty: none.
        sent: body of the request, as JSON; empty: none.
        status: of the answer.
        seconds: until its last byte.
        size: bytes of the answer, unpacked.
        items: how many it holds.
        answer: its content, lists cut to a few items.
        answer_headers: by name.
        following: what asks for the next page; empty: there is none.
        why: what tells so, or why it is the last one.
    """

    number: int
    method: str
    url: str
    headers: Mapping[str, str]
    auth: str
    sent: str
    status: int
    seconds: float
    size: int
    items: int
    answer: str = field(repr=False)
    answer_headers: Mapping[str, str] = field(repr=False)
    following: str
    why: str


@dataclass(frozen=True, slots=True)
class ProbedColumn:
    """A column of the rows that the pages become.

    Attributes:
        type: as a setting writes it.
        examples: different values, as texts.
        empty: rows without a value.
    """

    name: str
    type: str
    examples: tuple[str, ...]
    empty: int


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found.

    Attributes:
        pages: the first ones.
        columns: of their rows.
        rows: how many they are.
        settings: settings that say what was found out about pages and items; empty: nothing was.
        error: why there is not more; empty: nothing went wrong.
    """

    pages: tuple[ProbedPage, ...]
    columns: tuple[ProbedColumn, ...] = ()
    rows: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def probe(  # noqa: PLR0913 - as a preview
    studio: Studio,
    pipeline: Pipeline,
    node: str,
    *,
    file: Path | None,
    parameters: Mapping[str, str] | None = None,
    pages: int = PAGES,
    on_page: Callable[[ProbedPage], Any] | None = None,
    on_run: Callable[[Run], Any] | None = None,
) -> Probed:
    """Ask for the first pages of a source, as a run would: under its policy, signed in. Nothing is written.

    Args:
        studio: registry, secrets and sign-ins.
        pipeline: the document.
        node: id of the source.
        file: its file, where relative paths start.
        parameters: values as typed.
        pages: how many.
        on_page: gets each page as it comes, in another thread.
        on_run: gets the run, so that it can be stopped.

    Raises:
        PipelineError: the node has errors.
        UsageError: there is no such node, it has no pages, or a parameter is missing.
        Cancelled: it was stopped.
    """
    flat = studio.flat(part_before(pipeline, outer_node(node)), parameters, file=file)
    part = studio.active(flat).pipeline
    node_type = studio.registry.get(part.nodes[node].type) if node in part.nodes else None
    if node_type is None or not issubclass(node_type, Source) or not node_type.probes:
        raise UsageError(
            f'"{node}" has no pages that could be looked at.', node=node, hint="Probes are for sources of the web."
        )
    found: list[ProbedPage] = []
    settings: dict[str, Any] = {}
    with Look(studio, part, node, file, ROWS, parameters or {}, Pins(None)) as look:

        def see(page: PageSeen) -> None:
            nonlocal settings
            settings = dict(page.settings)
            shown = _shown(page, sorted({*look.secrets, *studio.sign_ins.secrets}, key=len, reverse=True))
            found.append(shown)
            if on_page is not None:
                on_page(shown)

        try:
            sample = look.run(node, {}, on_run, probe=Probe(pages, see))
        except (PermanentError, TransientError) as error:
            return Probed(tuple(found), settings=settings, error=str(error))
        rows = sample.ports["out"]
        secrets = sorted({*look.secrets, *studio.sign_ins.secrets}, key=len, reverse=True)
    return Probed(tuple(found), tuple(_columns(rows, secrets)), rows.num_rows, settings)


def _shown(page: PageSeen, secrets: Collection[str]) -> ProbedPage:
    request, response = page.request, page.response

    def plain(text: str) -> str:
        return str(hidden(text, secrets))

    def headers(values: Mapping[str, str]) -> dict[str, str]:
        return {name: MASK if is_secret(name, value) else plain(value) for name, value in values.items()}

    answer = _pretty(page.answer) if page.answer is not None else _text(response)
    sent = "" if request.body is None else _pretty(_without_secrets("", request.body))
    return ProbedPage(
        page.number,
        request.method,
        plain(shown_url(_address(request.url, request.params))),
        headers(request.headers),
        "" if request.auth.kind == "none" else request.auth.kind,
        plain(sent),
        response.status,
        response.elapsed,
        len(response.content),
        page.items,
        plain(answer),
        headers(response.headers),
        plain(shown_url(page.following)),
        plain(page.why),
    )


def _text(response: HttpResponse) -> str:
    """The content of an answer that was not read as JSON: an error, a web page, a feed."""
    if "json" in response.headers.get("content-type", ""):
        with suppress(ValueError, RecursionError):
            return _pretty(json.loads(response.content))
    text = response.text
    return text if len(text) <= LONGEST_ANSWER else text[:LONGEST_ANSWER] + "\n…"


def _address(url: str, params: Mapping[str, Any]) -> str:
    from urllib.parse import urlencode

    query = urlencode({name: value for name, value in params.items() if value is not None})
    return url + ("&" if "?" in url else "?") * bool(query) + query


def _without_secrets(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(name, inner) for inner in value]
    return MASK if isinstance(value, str) and is_secret(name, value) else value


def _pretty(value: Any) -> str:
    text = json.dumps(_short(value, 0), indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_ANSWER else text[:LONGEST_ANSWER] + "\n…"


def _short(value: Any, depth: int) -> Any:
    """A value with long lists and texts cut, so that the shape of an answer can be seen."""
    if depth > DEEPEST and isinstance(value, dict | list):
        return "…"
    if isinstance(value, dict):
        return {name: _short(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        shown = [_short(inner, depth + 1) for inner in value[:ITEMS_SHOWN]]
        more = len(value) - ITEMS_SHOWN
        return [*shown, f"… {more:,} more"] if more > 0 else shown
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… {len(value):,} characters"
    return value


def _columns(rows: pa.Table, secrets: Collection[str]) -> Iterator[ProbedColumn]:
    for name in rows.column_names:
        column = rows.column(name)
        values = dict.fromkeys(str(value) for value in column.slice(0, 200).to_pylist() if value is not None)
        examples = [hidden(text, secrets) for text in list(values)[:EXAMPLES]]
        examples = [text if len(text) <= LONGEST_EXAMPLE else f"{text[:LONGEST_EXAMPLE]}…" for text in examples]
        yield ProbedColumn(name, type_name(column.type), tuple(examples), column.null_count)
