"""Versions of a pipeline file, as a version control system hands them over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline.file_format import UNTITLED, load
from etl_studio.pipeline.model import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.pipeline.merge import Conflict
    from etl_studio.pipeline.problems import Problem
    from etl_studio.pipeline.wire_text import NodeTypes


@dataclass(frozen=True, slots=True)
class MergedFiles:
    """The result of a merge.

    Attributes:
        text: a valid pipeline file; conflicts are comments in it.
        conflicts: what both sides changed, each in its own way.
        problems: what is wrong with the merged pipeline and with neither side, such as a loop; without positions.
        unread: why a side could not be read as a pipeline. Then the lines are merged, and ``text`` need not be one.
        clashes: how often both sides changed the same lines; they stand between git's marks.
    """

    text: str
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[Problem, ...] = ()
    unread: str = ""
    clashes: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nobody need look at it."""
        return not (self.conflicts or self.problems or self.unread)


def load_version(path: Path, registry: NodeTypes) -> Pipeline:
    """Read one version. An empty file (and ``/dev/null``) is a pipeline without nodes: there was none yet.

    The name of the file is not the pipeline's: git gives versions names of its own.

    Raises:
        UsageError: the file is missing or cannot be read.
        PipelineError: it is no pipeline; carries every problem.
    """
    try:
        if path.exists() and not path.is_dir() and not path.read_bytes():
            return Pipeline(UNTITLED)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from None
    return load(path, registry, name=UNTITLED)


def merge_versions(studio: Studio, base: Path, ours: Path, theirs: Path) -> MergedFiles:
    """Merge two versions of a file that began as ``base``; nothing is written.

    Where one of them is no pipeline, or one of a newer version, their lines are merged, as git would.

    Raises:
        UsageError: a file is missing or cannot be read.
        PipelineError: one is no text.
    """
    from etl_studio.pipeline.conflict_marks import marked_text
    from etl_studio.pipeline.merge import merge
    from etl_studio.pipeline.sequence_merge import merge_lines

    paths = (base, ours, theirs)
    try:
        begin, mine, other = (load_version(path, studio.registry) for path in paths)
    except PipelineError as error:
        try:
            text, clashes = merge_lines(*(path.read_bytes().decode() for path in paths))
        except UnicodeDecodeError:
            raise error from None
        return MergedFiles(text, unread=str(error), clashes=clashes)
    merged = merge(begin, mine, other, studio.registry)
    known = {mistake for side in (mine, other) for mistake, _ in _mistakes(studio, side)}
    problems = tuple(problem for mistake, problem in _mistakes(studio, merged.pipeline) if mistake not in known)
    return MergedFiles(marked_text(merged, studio.registry), merged.conflicts, problems)


def _mistakes(studio: Studio, pipeline: Pipeline) -> Iterator[tuple[tuple[str | None, ...], Problem]]:
    for problem in studio.check(pipeline):
        if problem.severity == "error":
            # The text that the result is written into is not what it says: its lines are no positions.
            placeless = replace(problem, line=None, column=None)
            yield (problem.node, problem.field, problem.message), placeless
