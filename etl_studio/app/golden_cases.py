"""Where the tests of a pipeline are kept, and what their files say.

Beside ``shop.etl.yaml`` stands ``shop.tests/CASE/`` with ``given/NODE.json`` (rows that stand in for what the node
gives), ``expected/NODE.json`` (rows that must come out) and, if needed, ``case.yaml``. ``NODE.PORT.json`` is about
another port than the first; ``.csv`` will do, too. ``given/clean/prices.json`` is about a node in the sub-pipeline
``clean``, and ``clean.json`` about the rows that leave it. ``cassette.jsonl`` answers all that nodes ask of sites.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio.engine.golden_rows import ENDINGS
from etl_studio.engine.stand_ins import default_port
from etl_studio.errors import EtlError, UsageError
from etl_studio.pipeline import yaml_tree
from etl_studio.pipeline.file_format import name_of
from etl_studio.pipeline.flat import FlatPipeline, leaving
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Registry

FOLDER_ENDING = ".tests"
GIVEN, EXPECTED, SETTINGS, CASSETTE = "given", "expected", "case.yaml", "cassette.jsonl"
PIPELINES = ("*.yaml", "*.yml")


@dataclass(frozen=True, slots=True)
class Case:
    """One test of a pipeline, as its folder says.

    Attributes:
        given: file of the rows by node and output port.
        expected: likewise; for a sink the rows that would be loaded, by the port ``input``.
        parameters: values as typed; the others have their defaults.
        any_order: nodes whose rows may come in any order.
        ignore: columns that are not compared, by node.
        cassette: answers sites; None: none is asked.
    """

    name: str
    folder: Path
    given: Mapping[tuple[str, str], Path]
    expected: Mapping[tuple[str, str], Path]
    parameters: Mapping[str, str] = field(default_factory=dict)
    any_order: frozenset[str] = frozenset()
    ignore: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cassette: Path | None = None


def cases_folder(file: Path) -> Path:
    """Where the tests of a pipeline file are."""
    return file.with_name(name_of(file) + FOLDER_ENDING)


def case_folders(file: Path) -> list[Path]:
    """The folder of each test of a pipeline file, by name."""
    folder = cases_folder(file)
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def tested_files(folder: Path) -> list[Path]:
    """The pipeline files in a folder, and in those below it, that have tests."""
    found = {path for pattern in PIPELINES for path in folder.rglob(pattern)}
    return sorted(path for path in found if case_folders(path))


def case_parameters(folder: Path) -> dict[str, str]:
    """Values of parameters in a test, as typed.

    Raises:
        UsageError: its settings are not written as they must be.
    """
    parameters = _settings(folder / SETTINGS).get("parameters") or {}
    return {name: _typed(value) for name, value in parameters.items()} if isinstance(parameters, dict) else {}


def read_case(folder: Path, pipeline: Pipeline, registry: Registry) -> Case:
    """What the folder of a test says.

    Args:
        folder: of the test.
        pipeline: what is tested, with the nodes of sub-pipelines in their place.
        registry: node types.

    Raises:
        UsageError: it names nodes that are not there, or settings that do not exist.
    """
    given, expected = (_files(folder / part, pipeline, registry) for part in (GIVEN, EXPECTED))
    settings = _settings(folder / SETTINGS)
    parameters = settings.get("parameters") or {}
    any_order, ignore = settings.get("any_order") or [], settings.get("ignore") or {}
    if not isinstance(parameters, dict) or not isinstance(any_order, list) or not isinstance(ignore, dict):
        hint = "Write parameters: {name: value}, any_order: [node], ignore: {node: [column]}."
        raise UsageError(f"{folder / SETTINGS} is not written as it must be.", hint=hint)
    for node in (*any_order, *ignore):
        _node(str(node), pipeline, folder / SETTINGS)
    return Case(
        folder.name,
        folder,
        given,
        expected,
        case_parameters(folder),
        frozenset(map(str, any_order)),
        {
            node: tuple(map(str, columns if isinstance(columns, list) else [columns]))
            for node, columns in ignore.items()
        },
        cassette if (cassette := folder / CASSETTE).is_file() else None,
    )


def place_name(place: tuple[str, str], pipeline: Pipeline, registry: Registry) -> str:
    """``keep``, or ``keep.rejects`` where it is not the first port: the name of its file, without ending."""
    if isinstance(pipeline, FlatPipeline):
        for sub, interface in pipeline.interfaces.items():
            for number, one in enumerate(interface.outputs):
                if pipeline.end_of(sub, one) == place:
                    return f"{sub}.{one}" if number else sub
    node, port = place
    node_type = registry.get(pipeline.nodes[node].type)
    return node if node_type is not None and port == default_port(node_type) else f"{node}.{port}"


def _files(folder: Path, pipeline: Pipeline, registry: Registry) -> dict[tuple[str, str], Path]:
    found: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_dir():
            continue
        if path.suffix not in ENDINGS:
            raise UsageError(f"{path} is not read.", hint="Rows are in .json and .csv files.")
        name, _, port = path.stem.partition(".")
        node = path.with_name(name).relative_to(folder).as_posix()
        if isinstance(pipeline, FlatPipeline) and node in pipeline.interfaces:
            node, port = leaving(pipeline, node, port or None)[0], ""
        node_type = registry.get(_node(node, pipeline, path))
        if node_type is None:
            raise UsageError(f'There is no node type "{pipeline.nodes[node].type}".', node=node)
        ports = [one.name for one in node_type.outputs] or ["input"]
        if port and port not in ports:
            raise UsageError(f'{path}: {node} has no output "{port}".', hint=f"Its outputs: {', '.join(ports)}.")
        place = (node, port or default_port(node_type))
        if place in found:
            raise UsageError(f"{found[place].name} and {path.name} are about the same rows.", hint="Remove one.")
        found[place] = path
    return found


def _node(node: str, pipeline: Pipeline, path: Path) -> str:
    if node not in pipeline.nodes:
        near = closest(node, pipeline.nodes)
        hint = f'Did you mean "{near}"?' if near else f"Nodes: {', '.join(pipeline.nodes)}."
        raise UsageError(f'{path} is about a node "{node}" that is not there.', hint=hint)
    return pipeline.nodes[node].type


def _settings(path: Path) -> dict[str, Any]:
    try:
        tree = yaml_tree.parse(path.read_text("utf-8")) if path.is_file() else None
    except (OSError, UnicodeDecodeError, EtlError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    settings = tree.plain() if tree is not None else {}
    known = {"parameters", "any_order", "ignore"}
    if not isinstance(settings, dict) or not settings.keys() <= known:
        raise UsageError(f"{path} holds something else than {', '.join(sorted(known))}.")
    return settings


def _typed(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
