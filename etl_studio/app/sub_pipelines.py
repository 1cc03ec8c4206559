"""The files of sub-pipelines: read again only when they change, checked, and put into the place of their nodes."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from etl_studio.errors import EtlError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from etl_studio.pipeline.flat import FlatPipeline, Interface
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.pipeline.problems import Problem
    from etl_studio.sdk import Registry

    CheckSql = Callable[[str, str], str | None]


class SubPipelines:
    """Reads pipeline files and keeps them. Several threads may use it.

    Args:
        registry: node types.
        check_sql: see ``rules.check``.
    """

    def __init__(self, registry: Registry, check_sql: CheckSql | None = None) -> None:
        self._registry, self._check_sql = registry, check_sql
        self._read: dict[Path, tuple[tuple[int, int], Pipeline]] = {}
        self._lock = threading.Lock()

    def load(self, path: Path) -> Pipeline:
        """A pipeline file; nobody may change what is given.

        Raises:
            UsageError: it cannot be read.
            PipelineError: it is no pipeline.
        """
        from etl_studio.pipeline.file_format import load

        try:
            facts = path.stat()
            stamp = (facts.st_mtime_ns, facts.st_size)
        except OSError:
            return load(path, self._registry)  # tells what is wrong
        with self._lock:
            known = self._read.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        pipeline = load(path, self._registry)
        with self._lock:
            self._read[path] = (stamp, pipeline)
        return pipeline

    def flat(
        self,
        pipeline: Pipeline,
        *,
        file: Path | None,
        parameters: Mapping[str, str] | None = None,
        only: Collection[str] | None = None,
    ) -> Pipeline:
        """The document with the nodes of its sub-pipelines in their place; itself where it has none.

        Args:
            pipeline: the document.
            file: its file, where relative paths start.
            parameters: values as typed.
            only: nodes that matter; other sub-pipelines stay as they are.

        Raises:
            PipelineError: a sub-pipeline cannot be used as it is; carries every problem.
        """
        from etl_studio.pipeline.flat import SUB_PIPELINE, FlatPipeline, outer_node
        from etl_studio.pipeline.sub_pipelines import flatten, has_sub_pipelines

        if pipeline.is_newer or isinstance(pipeline, FlatPipeline) or not has_sub_pipelines(pipeline):
            return pipeline
        matters = pipeline.nodes.keys() if only is None else {outer_node(name) for name in only}
        subs = {name for name in matters if name in pipeline.nodes and pipeline.nodes[name].type == SUB_PIPELINE}
        errors = [one for one in self._own_problems(pipeline, file, parameters) if one.severity == "error"]
        if wrong := [problem for problem in errors if problem.node in subs]:
            raise refusal(pipeline, wrong)
        return flatten(pipeline, self._registry, self.load, file=file, given=parameters, only=only)

    def interfaces(self, pipeline: Pipeline, *, file: Path | None, deep: bool = False) -> dict[str, Interface]:
        """The interface of each file that a document uses, by its name as written.

        Args:
            pipeline: the document.
            file: its file.
            deep: look for problems inside the files, too; an interface then tells the first one.
        """
        from etl_studio.pipeline.interfaces import file_of

        names = dict.fromkeys(name for spec in pipeline.nodes.values() if (name := file_of(spec)))
        folder = file.resolve().parent if file else Path.cwd()
        own = file.resolve() if file else None
        return {name: self._interface(name, (folder / name).resolve(), own, deep=deep) for name in names}

    def check(
        self, pipeline: Pipeline, *, file: Path | None, parameters: Mapping[str, str] | None = None
    ) -> list[Problem]:
        """Every problem of a document and, where it has no errors of its own, those inside its sub-pipelines.

        Args:
            pipeline: the document.
            file: its file.
            parameters: values as typed.
        """
        from etl_studio.pipeline.flat import SEPARATOR, FlatPipeline

        problems = self._own_problems(pipeline, file, parameters)
        if isinstance(pipeline, FlatPipeline) or any(problem.severity == "error" for problem in problems):
            return problems
        try:
            flat = self.flat(pipeline, file=file, parameters=parameters)
        except PipelineError as error:
            return problems + list(error.problems)
        if flat is pipeline:
            return problems
        inside = self._own_problems(flat, file, parameters)
        return problems + [one for one in inside if one.severity == "error" and SEPARATOR in (one.node or "")]

    def _own_problems(
        self, pipeline: Pipeline, file: Path | None, parameters: Mapping[str, str] | None
    ) -> list[Problem]:
        from etl_studio.pipeline.flat import FlatPipeline
        from etl_studio.pipeline.rules import check

        interfaces = self.interfaces(pipeline, file=file)
        problems = check(pipeline, self._registry, parameters, self._check_sql, interfaces)
        if not isinstance(pipeline, FlatPipeline):
            return problems
        folder = file.resolve().parent if file else Path.cwd()
        return [_placed(problem, pipeline, folder) for problem in problems]

    def _interface(self, name: str, path: Path, own: Path | None, *, deep: bool) -> Interface:
        from etl_studio.pipeline.flat import Interface
        from etl_studio.pipeline.interfaces import interface_of
        from etl_studio.pipeline.sub_pipelines import why_not

        if path == own:
            return Interface(message=f"The file {name} holds itself.", hint="Choose another file.")
        try:
            pipeline = self.load(path)
            problems = self.check(pipeline, file=path) if deep else []
        except EtlError as error:
            message, hint = why_not(error, name)
            return Interface(message=message, hint=hint)
        wrong = next((problem for problem in problems if problem.severity == "error"), None)
        if wrong is not None:
            # Its ports are known all the same, so that the wires stay as they are.
            return replace(interface_of(pipeline), inside=f"{wrong}")
        return interface_of(pipeline)


def refusal(pipeline: Pipeline, problems: Sequence[Problem]) -> PipelineError:
    """Why a pipeline cannot run, with every problem."""
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    return PipelineError(f"The pipeline cannot run: it has {count}.", problems=problems, pipeline=pipeline.name)


def _placed(problem: Problem, pipeline: FlatPipeline, folder: Path) -> Problem:
    """A problem with the file that it is in."""
    origin = pipeline.origins.get(problem.node or "")
    if origin is None:
        return problem
    inside = origin.file.is_relative_to(folder)
    return replace(problem, file=str(origin.file.relative_to(folder) if inside else origin.file))
