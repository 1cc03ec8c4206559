"""A pipeline of requests that somebody has copied, recorded or described."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import UsageError
from etl_studio.pipeline.curl_text import is_curl
from etl_studio.pipeline.file_format import read_text
from etl_studio.pipeline.model import NodeSpec, Pipeline
from etl_studio.pipeline.request_files import RequestChoice, read_request_file
from etl_studio.pipeline.web_drafts import draft_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from etl_studio.pipeline.web_drafts import WebDraft

DOWN = 96.0
"""Pixels on the canvas from one node to the next one."""


def requests_of(path: Path) -> list[RequestChoice]:
    """What a file tells of: a cURL command, a recording of a browser, or the description of an API.

    Raises:
        UsageError: it is none of these, or cannot be read.
    """
    found = read_request_file(path)
    if found is not None:
        return found
    text = read_text(path)
    if not is_curl(text):
        raise UsageError(
            f"{path.name} is no cURL command, no recording and no description of an API.",
            hint="Recordings are HAR files, descriptions are OpenAPI or Swagger, as JSON or YAML.",
        )
    made = draft_of(text)
    return [RequestChoice(made.config.get("method", "GET"), made.config["url"], "", made)]


def pipeline_of(name: str, drafts: Iterable[WebDraft]) -> Pipeline:
    """A pipeline with a node for each draft.

    Args:
        name: of the pipeline.
        drafts: nodes to be.
    """
    pipeline = Pipeline(name=name)
    for number, one in enumerate(drafts):
        key = pipeline.new_id(one.node_type.removesuffix("_source"))
        pipeline.nodes[key] = NodeSpec(key, one.node_type, one.config, title=one.title)
        pipeline.layout[key] = (0.0, number * DOWN)
        pipeline.parameters = {**one.parameters, **pipeline.parameters}
    return pipeline
