"""Loads one page for the workshop as its node would: with its policy, its headers and its sign-in."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl_studio.app.look import part_before
from etl_studio.app.scraping.page import WorkshopPage
from etl_studio.app.scraping.settings import scraper_settings
from etl_studio.errors import Cancelled, PermanentError, UsageError
from etl_studio.sdk import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from etl_studio.app.studio import Studio
    from etl_studio.engine.run import Run
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import HttpResponse, RunContext
    from etl_studio.sdk.node import SourceEmission


def load_page(  # noqa: PLR0913 - as a look
    studio: Studio,
    pipeline: Pipeline,
    node: str,
    url: str,
    *,
    file: Path | None,
    parameters: Mapping[str, str] | None = None,
    on_run: Callable[[Run], Any] | None = None,
) -> WorkshopPage:
    """Ask for a page.

    Args:
        studio: registry, secrets and databases.
        pipeline: the document.
        node: id of the node that reads pages.
        url: the address, as it stands in the settings; it may have parameters and secrets.
        file: the pipeline file, where relative paths start.
        parameters: values as typed.
        on_run: gets the run, so that it can be stopped.

    Raises:
        PipelineError: what is needed to ask for the page has errors.
        UsageError: there is no such node, or it reads no pages.
        Cancelled: it was stopped.
        PermanentError: the page could not be read, or is none.
    """
    spec = pipeline.nodes.get(node)
    settings = scraper_settings(studio.registry.get(spec.type) if spec is not None else None)
    if spec is None or settings is None:
        raise UsageError(f'"{node}" reads no pages by selectors.', hint="Choose a node such as Web page.")
    asking = replace(spec, config=settings.probe(spec.config, url), disabled=False)
    alone = part_before(replace(pipeline, nodes={**pipeline.nodes, node: asking}), node)
    given = {name: value for name, value in (parameters or {}).items() if name in alone.parameters}
    return WorkshopPage(_ask(studio, alone, node, given, file, on_run))


def _ask(  # noqa: PLR0913 - as a look
    studio: Studio,
    pipeline: Pipeline,
    node: str,
    parameters: Mapping[str, str],
    file: Path | None,
    on_run: Callable[[Run], Any] | None,
) -> HttpResponse:
    """Run the node for one page, so that its policy and sign-in are those of a run."""
    from etl_studio.app.studio import new_run_id
    from etl_studio.engine.context import Places
    from etl_studio.engine.events import RunStatus
    from etl_studio.engine.masking import masking
    from etl_studio.engine.plan import make_plan
    from etl_studio.engine.preview import Collector, with_collector
    from etl_studio.engine.rehearsal import NothingNew
    from etl_studio.engine.run import Run

    resolved = studio.settings_for(pipeline, parameters, [node])
    plan = make_plan(pipeline, studio.registry, resolved.settings, [node])
    asked = plan.nodes[node].node = _FirstPage(plan.nodes[node].node)
    with tempfile.TemporaryDirectory(prefix="etl-studio-") as folder:
        scratch = Path(folder)
        run = Run(
            new_run_id(),
            with_collector(plan, node, Collector(1, lambda: None)),
            Places(file.resolve().parent if file else Path.cwd(), scratch / "data.db", scratch / "run"),
            NothingNew(studio.databases, scratch),
            (),
            mask=masking(resolved.secrets, studio.sign_ins),
            sign_ins=studio.sign_ins,
        )
        if on_run is not None:
            on_run(run)
        ended = run.execute()
        studio.databases.forget(scratch)
    if asked.response is None:
        if ended.status is RunStatus.STOPPED:
            raise Cancelled("The page was not loaded.")
        raise PermanentError(ended.error or "The page could not be loaded.")
    return asked.response


class _FirstPage(Source):
    """Asks for the first page of a source, and gives no rows.

    Args:
        inner: the source.

    Attributes:
        response: the answer, once it has come.
    """

    type = "first_page_source"
    title = "First page"
    icon = "globe"
    group = "extract"

    def __init__(self, inner: Any) -> None:
        super().__init__(inner.config)
        self._inner = inner
        self.response: HttpResponse | None = None

    def read(self, context: RunContext) -> Iterator[SourceEmission]:
        """Ask for it."""
        self.response = self._inner.first_page(context)
        yield from ()
