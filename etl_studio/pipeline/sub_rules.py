"""Rules about sub-pipelines: their file, its parameters, and the ends of a file that is used as a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.pipeline.file_format import position
from etl_studio.pipeline.flat import INPUT_END, OUTPUT_END, SUB_PIPELINE
from etl_studio.pipeline.interfaces import file_of, port_of
from etl_studio.pipeline.parameters import read_value, references
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.sub_pipelines import lacking
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.pipeline.flat import Interface
    from etl_studio.pipeline.interfaces import Interfaces
    from etl_studio.pipeline.model import NodeSpec, Pipeline


def check_sub_pipelines(pipeline: Pipeline, interfaces: Interfaces) -> Iterator[Problem]:
    """What is wrong with the sub-pipelines of a document, as far as their files are known, and with its ends."""
    for node, spec in pipeline.nodes.items():
        if spec.type != SUB_PIPELINE:
            continue
        interface = interfaces.get(file_of(spec) or "")
        if interface is not None and interface.message:
            yield _problem(pipeline, node, ("config", "file"), interface.message, interface.hint)
        elif interface is not None:
            yield from _check_parameters(pipeline, spec, interface)
        if interface is not None and interface.inside:
            message = f"The file {file_of(spec)} has a problem: {interface.inside}"
            yield _problem(pipeline, node, ("config", "file"), message, "Open it and mend it.")
        if spec.policy:
            message = f"The policy of {node} does nothing: each node in its file has its own."
            hint = "Set it there, and remove it here."
            line, column = position(pipeline, "nodes", node, "policy") or (None, None)
            yield Problem("warning", message, hint, node, "policy", line, column)
    yield from _check_ends(pipeline)


def _check_parameters(pipeline: Pipeline, spec: NodeSpec, interface: Interface) -> Iterator[Problem]:
    given = spec.config.get("parameters")
    given = given if isinstance(given, dict) else {}
    for name, value in given.items():
        path = ("config", "parameters", str(name))
        parameter = interface.parameters.get(name)
        if parameter is None:
            near = closest(str(name), interface.parameters)
            there = f"It has: {', '.join(interface.parameters)}." if interface.parameters else "It has none."
            hint = f'Did you mean "{near}"?' if near else there
            yield _problem(pipeline, spec.id, path, f'The file has no parameter "{name}".', hint)
        elif not (isinstance(value, str) and any(references(value))):
            try:
                read_value(parameter, value)
            except ValueError as error:
                yield _problem(pipeline, spec.id, path, f'The parameter "{name}" of the file {error}')
    for name, parameter in interface.parameters.items():
        if parameter.default is None and given.get(name) is None:
            yield _problem(pipeline, spec.id, ("config", "parameters"), *lacking(name))


def _check_ends(pipeline: Pipeline) -> Iterator[Problem]:
    taken: dict[tuple[str, str], str] = {}
    for node, spec in pipeline.nodes.items():
        if spec.type not in (INPUT_END, OUTPUT_END):
            continue
        port = port_of(spec)
        other = taken.setdefault((spec.type, port), node)
        if other != node:
            what = "input" if spec.type == INPUT_END else "output"
            hint = "Give one of them another port."
            yield _problem(
                pipeline, node, ("config", "port"), f'{other} and {node} are both the {what} "{port}".', hint
            )


def _problem(pipeline: Pipeline, node: str, path: tuple[str, ...], message: str, hint: str = "") -> Problem:
    line, column = position(pipeline, "nodes", node, *path) or (None, None)
    return Problem("error", message, hint, node, ".".join(path), line, column)
