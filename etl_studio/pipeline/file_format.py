"""The pipeline file: YAML 1.2 in, the model out, and back so that only what changed changes."""

from __future__ import annotations

import math
import os
import stat
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline import yaml_text, yaml_tree
from etl_studio.pipeline.model import FORMAT, NodeSpec, Parameter, Pipeline, Wire
from etl_studio.pipeline.problems import Problem
from etl_studio.pipeline.wire_text import NodeTypes, read_wire, write_wire
from etl_studio.pipeline.yaml_patch import patch, same
from etl_studio.pipeline.yaml_tree import Mapping, Scalar, Sequence, Tree
from etl_studio.sdk.guess import closest

if TYPE_CHECKING:
    from etl_studio.sdk.node import Node

SUFFIX = ".yaml"
UNTITLED = "untitled"
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Source:
    """What a pipeline was read from: the text, its tree, and where its wires stand."""

    text: str
    tree: Mapping
    wires: dict[Wire, tuple[int, int]]


def load(path: Path | str, registry: NodeTypes | None = None) -> Pipeline:
    """Read a pipeline file; without a name in it, the pipeline is called as the file.

    Args:
        path: the file.
        registry: knows which ports wires mean when they name none; without one they are ``out`` and ``input``.

    Raises:
        UsageError: the file is missing or cannot be read.
        PipelineError: it is no pipeline; carries every problem with line and column.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", hint=_similar_file(path)) from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder.", hint="Give the pipeline file in it.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"The file is not UTF-8 text: byte 0x{content[error.start]:02x} fits nowhere."
        raise yaml_tree.refused(message, line, 1, "Save it as UTF-8; a pipeline is a text file.").at(
            pipeline=path.name
        ) from None
    try:
        return loads(text, name=name_of(path), registry=registry)
    except PipelineError as error:
        raise error.at(pipeline=path.name) from None


def name_of(path: Path) -> str:
    """What a pipeline without a name of its own is called: ``mine`` for ``mine.yaml`` and ``mine.etl.yaml``."""
    return path.stem.removesuffix(".etl") or path.stem


def loads(text: str, *, name: str = UNTITLED, registry: NodeTypes | None = None) -> Pipeline:
    """Read a pipeline from text; ``name`` is used when the text has none.

    Raises:
        PipelineError: it is no pipeline; carries every problem with line and column.
    """
    tree = yaml_tree.parse(text.removeprefix(BOM))
    return _Reader(registry).pipeline(tree, name, text)


def dumps(pipeline: Pipeline, registry: NodeTypes | None = None, *, name: str = UNTITLED) -> str:
    """The text of a pipeline: what it was read from with the changes in it, or a new text in canonical order.

    Args:
        pipeline: the document; its ``source`` is used when it was read from a file.
        registry: the one that it was read with.
        name: the name that a reader would give it when the text has none.

    Raises:
        UsageError: a setting holds something that YAML cannot.
    """
    wanted = _plain(pipeline, registry)
    source = pipeline.source
    if isinstance(source, Source):
        text = source.text.removeprefix(BOM)
        base = _plain(loads(text, name=name, registry=registry), registry)
        if same(base, wanted):
            return source.text
        new = patch(text, source.tree, base, wanted)
        if _reads_as(new, wanted, name, registry):
            return (BOM if source.text.startswith(BOM) else "") + new
    return yaml_text.block(wanted)


def save(pipeline: Pipeline, path: Path | str, registry: NodeTypes | None = None) -> None:
    """Write a pipeline file, all or nothing; what it was stays until the new one is complete.

    Raises:
        UsageError: it cannot be written there.
    """
    path = Path(path)
    text = dumps(pipeline, registry, name=name_of(path))
    target = path.resolve()  # a link stays a link
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        with NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            try:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(mode)
                Path(file.name).replace(target)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        hint = "Choose another folder, or free some space."
        raise UsageError(f"{path} cannot be saved: {error.strerror}.", hint=hint) from error
    pipeline.source = loads(text, name=name_of(path), registry=registry).source


def position(pipeline: Pipeline, *keys: str) -> tuple[int, int] | None:
    """Line and column of the deepest of ``keys`` that the file has, such as ``"nodes", "keep", "config", "where"``."""
    source = pipeline.source
    if not isinstance(source, Source):
        return None
    tree: Tree = source.tree
    found = None
    for key in keys:
        if isinstance(tree, Mapping) and key in tree.entries:
            entry = tree.entries[key]
            found, tree = (entry.key.line, entry.key.column), entry.value
        elif isinstance(tree, Sequence) and key.isdecimal() and int(key) < len(tree.items):
            tree = tree.items[int(key)]
            found = (tree.line, tree.column)
        else:
            break
    return found


def wire_position(pipeline: Pipeline, wire: Wire) -> tuple[int, int] | None:
    """Line and column of a wire in the file."""
    return pipeline.source.wires.get(wire) if isinstance(pipeline.source, Source) else None


class _Reader:
    """Builds the model from the tree and collects what is wrong."""

    def __init__(self, registry: NodeTypes | None) -> None:
        self._registry = registry
        self._problems: list[Problem] = []

    def pipeline(self, tree: Tree | None, name: str, text: str) -> Pipeline:
        if tree is None:
            raise yaml_tree.refused("The file is empty.", 1, 1, "A pipeline begins with the line etl_studio: 1.")
        if not isinstance(tree, Mapping):
            message = f"The file holds {_kind(tree)} where a pipeline was expected."
            raise yaml_tree.refused(message, tree.line, tree.column, "A pipeline begins with the line etl_studio: 1.")
        _check_version(tree)
        known = {"etl_studio", "name", "description", "parameters", "nodes", "wires", "checkpoint", "layout"}
        pipeline = Pipeline(name=self._text(tree, "name") or name, description=self._text(tree, "description"))
        pipeline.parameters = {key: self._parameter(key, value) for key, value in self._entries(tree, "parameters")}
        pipeline.nodes = {key: self._node(key, value) for key, value in self._entries(tree, "nodes")}
        wires = self._wires(tree, node_types(pipeline, self._registry))
        pipeline.wires = [wire for wire, _ in wires]
        pipeline.checkpoint = self._checkpoint(tree)
        pipeline.layout = dict(self._layout(tree))
        pipeline.extra = _extra(tree, known)
        if self._problems:
            first = self._problems[0]
            what = first.message if len(self._problems) == 1 else f"{first.message} ({len(self._problems) - 1} more)"
            raise PipelineError(
                what, hint=first.hint or None, node=first.node, line=first.line, problems=self._problems
            )  # fmt: skip
        pipeline.source = Source(text, tree, dict(reversed(wires)))
        return pipeline

    def _refuse(
        self, tree: Tree, message: str, hint: str = "", node: str | None = None, field: str | None = None
    ) -> None:
        self._problems.append(Problem("error", message, hint, node, field, tree.line, tree.column))

    def _text(self, tree: Mapping, key: str, node: str | None = None) -> str:
        value = tree.entries[key].value if key in tree.entries else None
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return ""
        if isinstance(value, Scalar):
            return value.text
        self._refuse(value, f"{key} must be a text, not {_kind(value)}.", node=node, field=key if node else None)
        return ""

    def _mapping(self, tree: Mapping, key: str, hint: str = "", node: str | None = None) -> Mapping | None:
        value = tree.entries[key].value if key in tree.entries else None
        if value is None or isinstance(value, Mapping):
            return value
        if not (isinstance(value, Scalar) and value.value is None):
            self._refuse(
                value, f"{key} must hold names with values, not {_kind(value)}.", hint, node, key if node else None
            )
        return None

    def _entries(self, tree: Mapping, key: str) -> list[tuple[str, Mapping]]:
        section = self._mapping(tree, key, f"Write {key}: and below it, indented, name: ...")
        found = []
        for name, entry in section.entries.items() if section else ():
            if not name.isidentifier():
                hint = "Use letters, digits and _, and begin with a letter."
                self._refuse(entry.key, f'"{name}" is no name that {key} can have.', hint)
            elif not isinstance(entry.value, Mapping):
                hint = f"Write {name}: {{type: ...}}."
                self._refuse(
                    entry.key, f'"{name}" in {key} must hold keys with values, not {_kind(entry.value)}.', hint
                )
            else:
                found.append((name, entry.value))
        return found

    def _parameter(self, name: str, tree: Mapping) -> Parameter:
        default = tree.entries["default"].value.plain() if "default" in tree.entries else None
        return Parameter(
            name,
            self._text(tree, "type") or "text",
            default,
            self._text(tree, "description"),
            _extra(tree, {"type", "default", "description"}),
        )

    def _node(self, name: str, tree: Mapping) -> NodeSpec:
        node_type = self._text(tree, "type", name)
        if not node_type and not self._problems_at(name):
            self._refuse(tree, f'The node "{name}" has no type.', "Write type: csv_source, for example.", name, "type")
        config, policy = (self._mapping(tree, key, node=name) for key in ("config", "policy"))
        return NodeSpec(
            name,
            node_type,
            config.plain() if config else {},
            policy.plain() if policy else {},
            self._text(tree, "title", name),
            _extra(tree, {"type", "config", "policy", "title"}),
        )

    def _problems_at(self, node: str) -> bool:
        return any(problem.node == node and problem.field == "type" for problem in self._problems)

    def _wires(self, tree: Mapping, types: dict[str, type[Node] | None]) -> list[tuple[Wire, tuple[int, int]]]:
        section = tree.entries["wires"].value if "wires" in tree.entries else None
        if section is None or (isinstance(section, Scalar) and section.value is None):
            return []
        hint = "Write each wire on a line of its own: - read -> keep"
        if not isinstance(section, Sequence):
            self._refuse(section, f"wires must be a list, not {_kind(section)}.", hint)
            return []
        found = []
        for item in section.items:
            if not isinstance(item, Scalar):
                self._refuse(item, f"A wire must be a text, not {_kind(item)}.", hint)
                continue
            try:
                wire = read_wire(item.text, types)
            except ValueError as error:
                self._refuse(item, str(error), "Write node -> node, or node.port -> node.port.")
                continue
            missing = next((node for node in (wire.source, wire.target) if node not in types), None)
            if missing is None:
                found.append((wire, (item.line, item.column)))
            else:
                near = closest(missing, types)
                guess = f'Did you mean "{near}"?' if near else "Add the node, or remove the wire."
                self._refuse(item, f'The wire "{item.text}" names a node "{missing}" that is not there.', guess)
        return found

    def _checkpoint(self, tree: Mapping) -> dict[str, Any]:
        section = self._mapping(tree, "checkpoint")
        found: dict[str, Any] = {}
        for key, entry in section.entries.items() if section else ():
            value = entry.value.plain()
            number = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            if key not in {"seconds", "rows"}:
                self._refuse(entry.value, f"checkpoint has no setting {key}.", "It has seconds and rows.")
            elif not (value is None or (number and (key == "seconds" or isinstance(value, int)))):
                self._refuse(entry.value, f"checkpoint.{key} must be a number above zero, or empty for none.")
            else:
                found[key] = value
        return found

    def _layout(self, tree: Mapping) -> list[tuple[str, tuple[float, float]]]:
        section = self._mapping(tree, "layout")
        found = []
        for node, entry in section.entries.items() if section else ():
            numbers = entry.value.plain() if isinstance(entry.value, Sequence) else []
            if len(numbers) == 2 and all(_is_finite(number) for number in numbers):  # noqa: PLR2004 - x and y
                found.append((node, (float(numbers[0]), float(numbers[1]))))
            else:
                self._refuse(entry.value, f'The layout of "{node}" must be two numbers.', "Write [x, y].", node)
        return found


def node_types(pipeline: Pipeline, registry: NodeTypes | None) -> dict[str, type[Node] | None]:
    """The type of each node by its id; None where it is unknown."""
    return {key: registry.get(node.type) if registry else None for key, node in pipeline.nodes.items()}


def _check_version(tree: Mapping) -> None:
    entry = tree.entries.get("etl_studio")
    if entry is None:
        message = "This is no pipeline of ETL Studio: the key etl_studio is missing."
        raise yaml_tree.refused(message, tree.line, tree.column, "A pipeline begins with the line etl_studio: 1.")
    version = entry.value.plain()
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        message = f"The file was made by a newer ETL Studio (format {version}); this one reads format {FORMAT}."
        raise yaml_tree.refused(message, entry.value.line, entry.value.column, "Update ETL Studio to open it.")
    if version != FORMAT or isinstance(version, bool | float):
        shown = entry.value.text if isinstance(entry.value, Scalar) else _kind(entry.value)
        message = f"etl_studio: {shown} is no format that exists; this ETL Studio reads format {FORMAT}."
        raise yaml_tree.refused(message, entry.value.line, entry.value.column, f"Write etl_studio: {FORMAT}.")


def _plain(pipeline: Pipeline, registry: NodeTypes | None) -> dict[str, Any]:
    """The values of the file in canonical order, without what has its default."""
    types = node_types(pipeline, registry)
    plain: dict[str, Any] = {"etl_studio": FORMAT, "name": pipeline.name}
    if pipeline.description:
        plain["description"] = pipeline.description
    if pipeline.parameters:
        plain["parameters"] = {name: _plain_parameter(parameter) for name, parameter in pipeline.parameters.items()}
    plain["nodes"] = {name: _plain_node(node) for name, node in pipeline.nodes.items()}
    if pipeline.wires:
        plain["wires"] = yaml_text.OnePerLine(write_wire(wire, types) for wire in pipeline.wires)
    if pipeline.checkpoint:
        plain["checkpoint"] = dict(pipeline.checkpoint)
    if pipeline.layout:
        plain["layout"] = {node: [_whole(x), _whole(y)] for node, (x, y) in pipeline.layout.items()}
    return plain | pipeline.extra


def _plain_parameter(parameter: Parameter) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": parameter.type}
    if parameter.default is not None:
        plain["default"] = parameter.default
    if parameter.description:
        plain["description"] = parameter.description
    plain |= parameter.extra
    return yaml_text.OneLine(plain) if yaml_text.is_short(plain) else plain


def _plain_node(node: NodeSpec) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": node.type}
    if node.title:
        plain["title"] = node.title
    if node.config:
        plain["config"] = node.config
    if node.policy:
        plain["policy"] = node.policy
    return plain | node.extra


def _reads_as(text: str, wanted: dict[str, Any], name: str, registry: NodeTypes | None) -> bool:
    try:
        return same(_plain(loads(text, name=name, registry=registry), registry), wanted)
    except PipelineError:
        return False


def _extra(tree: Mapping, known: set[str]) -> dict[str, Any]:
    return {key: entry.value.plain() for key, entry in tree.entries.items() if key not in known}


def _kind(tree: Tree) -> str:
    if isinstance(tree, Mapping):
        return "names with values"
    if isinstance(tree, Sequence):
        return "a list"
    if tree.value is None:
        return "nothing"
    return "a text" if isinstance(tree.value, str) else f"the value {tree.text}"


def _is_finite(number: Any) -> bool:
    try:
        return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    except OverflowError:  # a whole number that no float can hold
        return False


def _whole(number: float) -> int | float:
    return int(number) if float(number).is_integer() else float(number)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _similar_file(path: Path) -> str:
    try:
        names = [other.name for other in path.parent.iterdir() if other.suffix in (SUFFIX, ".yml")]
    except OSError:
        return f"The folder {path.parent} is not there either."
    near = get_close_matches(path.name, names, n=1)
    return f"Did you mean {path.parent / near[0]}?" if near else "Check the name."
