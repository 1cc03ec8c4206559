"""Rules about what is on the canvas besides nodes and wires. None of it keeps a pipeline from running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.pipeline.file_format import position
from etl_studio.pipeline.problems import Problem
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.pipeline.model import Pipeline


def check_groups(pipeline: Pipeline) -> Iterator[Problem]:
    """Members must be there, and a node is in one group."""
    owner: dict[str, str] = {}
    for name, group in pipeline.groups.items():
        line, column = position(pipeline, "groups", name, "nodes") or (None, None)
        title = group.title or name
        for node in group.nodes:
            if node not in pipeline.nodes:
                near = closest(node, pipeline.nodes)
                hint = f'Did you mean "{near}"?' if near else "Remove it from the group."
                message = f'The group "{title}" names a node "{node}" that is not there.'
            elif node in owner:
                message, hint = f"{node} is in two groups: {owner[node]} and {title}.", "Remove it from one of them."
            else:
                owner[node] = title
                continue
            yield Problem("warning", message, hint, line=line, column=column)
