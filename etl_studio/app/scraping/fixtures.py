"""Keeps pages: as files that the workshop opens again, and as tests in which a node reads them without the site."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etl_studio.app.golden_cases import CASSETTE, EXPECTED, SETTINGS, cases_folder
from etl_studio.app.look import part_before
from etl_studio.app.pipeline_tests import run_case
from etl_studio.errors import UsageError
from etl_studio.sdk import shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from etl_studio.app.scraping.asking import Draft
    from etl_studio.app.scraping.page import WorkshopPage
    from etl_studio.app.scraping.settings import ScraperSettings
    from etl_studio.app.studio import Studio
    from etl_studio.pipeline.model import Pipeline

LAST_PAGE = b"<html><!-- The saved page is the last one. --></html>"


def save_page(page: WorkshopPage, path: Path) -> None:
    """Write the source of a page into a file, with its address as browsers write it.

    Raises:
        UsageError: it cannot be written.
    """
    url = shown_url(page.response.url)
    head = f"<!-- saved from url=({len(url):04}){url} -->\n" if url.startswith("http") else ""
    try:
        path.write_text(head + page.source, encoding="utf-8-sig", newline="")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Choose another file.") from None


def make_test(  # noqa: PLR0913 - a page, what reads it, and where the test belongs
    studio: Studio,
    pipeline: Pipeline,
    node: str,
    page: WorkshopPage,
    draft: Draft,
    settings: ScraperSettings,
    *,
    file: Path | None,
    parameters: Mapping[str, str] | None = None,
) -> Path:
    """Make a test of a node: it reads this page from the test's cassette, and must give the rows that it gives now.

    Further addresses of the node, and the page that the link to the next one leads to, are empty in the test.

    Args:
        studio: registry and secrets.
        pipeline: the document.
        node: id of the node.
        page: the page.
        draft: the selectors; the node has them when it is tested.
        settings: what the node calls them.
        file: the pipeline file; the test is beside it.
        parameters: values as typed.

    Returns:
        The folder of the test.

    Raises:
        UsageError: the pipeline has no file yet, or the node cannot read the page.
        PipelineError: the node has errors.
    """
    from etl_studio.engine.golden_rows import GoldenRows, write_rows
    from etl_studio.pipeline import yaml_text
    from etl_studio.pipeline.file_format import write_text

    if file is None:
        raise UsageError("Tests stand beside the pipeline file.", hint="Save the pipeline first.")
    spec = pipeline.nodes[node]
    config = {**spec.config, settings.item: draft.item, settings.fields: dict(draft.fields)}
    config |= {settings.next: draft.next} if settings.next else {}
    read = replace(pipeline, nodes={**pipeline.nodes, node: replace(spec, config=config, disabled=False)})
    alone = part_before(read, node)
    given = {name: value for name, value in (parameters or {}).items() if name in alone.parameters}
    resolved = studio.settings_for(alone, given, [node], replays=True)
    addresses = resolved.settings[node][0][settings.addresses]
    folder = _new_folder(file, f"{node} page")
    try:
        write_rows(GoldenRows({}, (), []), folder / EXPECTED / f"{node}.json")
        if given:
            write_text(yaml_text.block({"parameters": given}), folder / SETTINGS)
        _write_cassette(page, addresses, _next_of(page, draft), resolved.secrets, folder / CASSETTE)
        outcome = run_case(studio, read, folder, file=file, update=True)
        if outcome.error is not None:
            raise UsageError(outcome.error)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _write_cassette(page: WorkshopPage, addresses: list[str], follow: str, secrets: Any, path: Path) -> None:
    """What a site would answer if it had this page only."""
    from etl_studio.engine.cassette import Answered, Asked, Cassette, write
    from etl_studio.engine.cassette_masks import Masks

    masks = Masks(lambda: secrets)
    response = page.response
    kind = {"content-type": response.headers.get("content-type", "text/html")}
    first, *others = [masks.url(url) for url in addresses]
    url = masks.url(response.url) if response.url.startswith("http") else first
    found = {url: Answered(200, kind, masks.content(response.content))}
    if url != first:
        found[first] = Answered(302, {"location": url})
    for other in (*others, *([masks.url(follow)] if follow else [])):
        found.setdefault(other, Answered(200, {"content-type": "text/html"}, LAST_PAGE))
    write(Cassette(exchanges=[(Asked("GET", asked), answered) for asked, answered in found.items()]), path)


def _next_of(page: WorkshopPage, draft: Draft) -> str:
    from etl_studio.app.scraping.trial import try_out

    trial = try_out(page, "", (), draft.next) if draft.next else None
    return (trial.next.sample or "") if trial is not None and trial.next is not None else ""


def _new_folder(file: Path, name: str) -> Path:
    folder, number = cases_folder(file) / name, 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{name} {number}")
    return folder
