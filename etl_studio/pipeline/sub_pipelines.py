"""Sub-pipelines give way to the nodes of their files, before anything is planned.

Ids become ``node/inner``, and so do parameters: ``${minimum}`` in the file of ``clean`` is ``${clean/minimum}``, a
parameter whose default is the value that ``clean`` was given. Relative paths are written as seen from the outer file.
Both ends of a file become passages, so that rows are counted where they enter and leave.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl_studio.errors import EtlError, PipelineError, UsageError
from etl_studio.pipeline.file_format import position
from etl_studio.pipeline.flat import (
    INPUT_END,
    OUTPUT_END,
    PASSAGE,
    SEPARATOR,
    SUB_PIPELINE,
    FlatPipeline,
    Origin,
    outer_node,
)
from etl_studio.pipeline.interfaces import file_of, interface_of, port_of
from etl_studio.pipeline.parameters import (
    SECRET,
    Kept,
    exchange,
    in_text,
    read_given,
    read_value,
    reference_problem,
    references,
)
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.setting_paths import moved, seen_from
from etl_studio.sdk.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from etl_studio.pipeline.flat import Interface
    from etl_studio.pipeline.model import NodeSpec, Parameter, Pipeline, Wire
    from etl_studio.pipeline.wire_text import NodeTypes

    Load = Callable[[Path], Pipeline]
    Scope = Mapping[str, Kept]

DEPTH = 16
"""Sub-pipelines within sub-pipelines."""


def has_sub_pipelines(pipeline: Pipeline) -> bool:
    """Whether a document uses other files as nodes."""
    return any(spec.type == SUB_PIPELINE for spec in pipeline.nodes.values())


def flatten(  # noqa: PLR0913 - what a run is about
    pipeline: Pipeline,
    registry: NodeTypes,
    load: Load,
    *,
    file: Path | None = None,
    given: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> FlatPipeline:
    """Put the nodes of all sub-pipelines in their place.

    Args:
        pipeline: the document; it stays as it is.
        registry: tells which settings are SQL, and which are paths.
        load: reads a pipeline file.
        file: the document's own file; without one, paths start at the current folder.
        given: values of parameters as typed.
        only: nodes that matter; sub-pipelines that are not among them stay as they are.

    Raises:
        PipelineError: a file is missing, is no pipeline, holds itself, or is not given what it needs; carries every
            problem.
    """
    wanted = {name for name, spec in pipeline.nodes.items() if spec.type == SUB_PIPELINE}
    if only is not None:
        wanted &= {outer_node(name) for name in only}
    folder = file.resolve().parent if file else Path.cwd()
    return _Flattening(registry, load, folder, wanted).flat(pipeline, file, given or {})


class _Flattening:
    def __init__(self, registry: NodeTypes, load: Load, folder: Path, wanted: Collection[str]) -> None:
        self._registry, self._load, self._folder, self._wanted = registry, load, folder, wanted
        self._nodes: dict[str, NodeSpec] = {}
        self._wires: list[Wire] = []
        self._parameters: dict[str, Parameter] = {}
        self._values: dict[str, Any] = {}
        self._origins: dict[str, Origin] = {}
        self._interfaces: dict[str, Interface] = {}
        self._problems: list[Problem] = []

    def flat(self, pipeline: Pipeline, file: Path | None, given: Mapping[str, str]) -> FlatPipeline:
        self._parameters = dict(pipeline.parameters)
        for name, parameter in pipeline.parameters.items():
            value = given.get(name, parameter.default)
            try:
                if value is not None:
                    self._values[name] = read_given(pipeline, name, value)
            except UsageError:
                continue  # the rules tell about it
        self._add(pipeline, "", {name: Kept(f"${{{name}}}") for name in pipeline.parameters}, (), file)
        if self._problems:
            first = self._problems[0]
            raise PipelineError(
                first.message, hint=first.hint or None, pipeline=pipeline.name, node=first.node, problems=self._problems
            )
        kept = {field.name: getattr(pipeline, field.name) for field in fields(pipeline)}
        changed = {"nodes": self._nodes, "wires": self._wires, "parameters": self._parameters}
        return FlatPipeline(**{**kept, **changed}, origins=self._origins, interfaces=self._interfaces)

    def _add(self, document: Pipeline, prefix: str, scope: Scope, chain: tuple[Path, ...], file: Path | None) -> None:
        place = file.resolve() if file else None
        for name, spec in document.nodes.items():
            node = prefix + name
            if place and prefix:
                self._origins[node] = Origin(document, name, place)
            if spec.type == SUB_PIPELINE and not spec.disabled and (prefix or name in self._wanted):
                self._open(node, spec, scope, (*chain, place) if place else chain, place)
                self._origins.pop(node, None)
            else:
                self._nodes[node] = self._put(node, spec, scope, place) if prefix else spec
        for wire in document.wires:
            source, source_port = self._end(prefix + wire.source, wire.source_port, outgoing=True)
            target, target_port = self._end(prefix + wire.target, wire.target_port, outgoing=False)
            self._wires.append(
                replace(wire, source=source, source_port=source_port, target=target, target_port=target_port)
            )

    def _put(self, node: str, spec: NodeSpec, scope: Scope, file: Path | None) -> NodeSpec:
        """A node of a sub-pipeline as it runs."""
        node_type = self._registry.get(spec.type)
        models = (node_type.Config,) if node_type else ()
        policy = exchange(spec.policy, (Policy,), scope)
        if spec.type in (INPUT_END, OUTPUT_END):
            config: dict[str, Any] = {"port": port_of(spec)}
            if spec.type == INPUT_END and spec.config.get("columns"):
                config["columns"] = spec.config["columns"]
            return replace(spec, id=node, type=PASSAGE, config=config, policy=policy)
        config = exchange(spec.config, models, scope)
        if file is not None:
            config = moved(config, models, seen_from(file.parent, self._folder), self._values)
        return replace(spec, id=node, config=config, policy=policy)

    def _end(self, node: str, port: str, *, outgoing: bool) -> tuple[str, str]:
        """Where a wire begins or ends when its node is a sub-pipeline."""
        if node not in self._interfaces:
            return node, port
        interface = self._interfaces[node]
        end = (interface.outputs if outgoing else interface.inputs).get(port)
        if end is None:
            self._tell(
                node, "config.file", f'{node} has no {"output" if outgoing else "input"} "{port}".', "Mend the wire."
            )
            return node, port
        return f"{node}{SEPARATOR}{end}", "out" if outgoing else "input"

    # -- files ------------------------------------------------------------------------------------------------

    def _open(self, node: str, spec: NodeSpec, scope: Scope, chain: tuple[Path, ...], outer: Path | None) -> None:
        written = file_of(spec)
        if written is None:
            self._tell(node, "config.file", "It has no file yet.", "Choose the pipeline file that it runs.")
            return
        if any(references(written)):
            message = f"The file {written} of a sub-pipeline holds a reference: its ports must be known beforehand."
            self._tell(node, "config.file", message, "Write the name of the file out.")
            return
        path = ((outer.parent if outer else self._folder) / written).resolve()
        if path in chain:
            self._tell(
                node, "config.file", f"The file {path.name} holds itself: {_chain((*chain, path))}.", "Remove one."
            )
            return
        if len(chain) > DEPTH:
            message = f"There are more than {DEPTH} sub-pipelines within each other: {_chain((*chain, path))}."
            self._tell(node, "config.file", message, "Put some of them side by side.")
            return
        try:
            inner = self._load(path)
        except EtlError as error:
            self._tell(node, "config.file", *why_not(error, written))
            return
        self._interfaces[node] = interface_of(inner)
        self._add(inner, node + SEPARATOR, self._given(node, spec, inner, scope), chain, path)

    def _given(self, node: str, spec: NodeSpec, inner: Pipeline, scope: Scope) -> dict[str, Kept]:
        """What stands in the place of each parameter of a file; their values become parameters of their own."""
        given = spec.config.get("parameters")
        given = given if isinstance(given, dict) else {}
        names: dict[str, Kept] = {}
        for name, parameter in inner.parameters.items():
            key = f"{node}{SEPARATOR}{name}"
            written = given.get(name, parameter.default)
            names[name] = Kept(f"${{{key}}}")
            if name in given and isinstance(written, str) and "${" in written:
                written = exchange({"": written}, (), scope)[""]
                if alias := self._alias(node, name, written):
                    names[name] = alias
                    continue
                written = in_text(written, lambda name: self._values.get(name, ""))
            if written is None:
                self._tell(node, f"config.parameters.{name}", *lacking(name))
                continue
            try:
                self._values[key] = read_value(parameter, written)
            except ValueError as error:
                self._tell(node, f"config.parameters.{name}", f'The parameter "{name}" of the file {error}', "")
                continue
            self._parameters[key] = replace(parameter, name=key, default=self._values[key])
        return names

    def _alias(self, node: str, parameter: str, written: str) -> Kept | None:
        """The reference itself, where its value is not known here: a secret, or a parameter without a value."""
        field = f"config.parameters.{parameter}"
        unknown = [name for name in references(written) if name not in self._values]
        for name in unknown:
            if problem := reference_problem(name, self._parameters):
                self._tell(node, field, *problem)
        if not unknown:
            return None
        if written != f"${{{unknown[0]}}}" and unknown[0].startswith(SECRET):
            message = f'The value of the parameter "{parameter}" of the file holds a secret among other text.'
            self._tell(node, field, message, "Give the secret alone, and write the other text into the file.")
        return Kept(written)

    def _tell(self, node: str, field: str, message: str, hint: str) -> None:
        origin = self._origins.get(node)
        line, column = (position(origin.pipeline, "nodes", origin.node, *field.split(".")) if origin else None) or (
            None,
            None,
        )
        file = self._shown(origin.file) if origin else ""
        self._problems.append(Problem("error", message, hint, node, field, line, column, file))

    def _shown(self, file: Path) -> str:
        return str(file.relative_to(self._folder)) if file.is_relative_to(self._folder) else str(file)


def lacking(parameter: str) -> tuple[str, str]:
    """What is wrong, and what to do, where a file is not given a parameter without a default."""
    return (
        f'The file needs a value for its parameter "{parameter}".',
        f"Give it: parameters: {{{parameter}: ...}}, or write a default into the file.",
    )


def why_not(error: EtlError, written: str) -> tuple[str, str]:
    """Why a file cannot be used, for people, and what to do."""
    problems = getattr(error, "problems", ())
    if problems:
        return f"The file {written} cannot be used: {problems[0]}", "Open it and mend it."
    return error.what, error.hint or "Choose another file."


def _chain(files: tuple[Path, ...]) -> str:
    return " -> ".join(file.name for file in files)
