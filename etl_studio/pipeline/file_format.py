"""The pipeline file: YAML 1.2 in, the model out, and back so that only what changed changes."""

from __future__ import annotations

import os
import stat
from difflib import get_close_matches
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline import yaml_text, yaml_tree
from etl_studio.pipeline.file_reader import Reader, Source
from etl_studio.pipeline.file_values import file_values
from etl_studio.pipeline.flat import FlatPipeline
from etl_studio.pipeline.yaml_patch import patch, same
from etl_studio.pipeline.yaml_tree import Mapping, Sequence, Tree

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Pipeline, Wire
    from etl_studio.pipeline.wire_text import NodeTypes

SUFFIX = ".yaml"
UNTITLED = "untitled"
BOM = "\ufeff"


def load(
    path: Path | str, registry: NodeTypes | None = None, *, name: str | None = None, newer: bool = False
) -> Pipeline:
    """Read a pipeline file; without a name in it, the pipeline is called as the file.

    Args:
        path: the file.
        registry: knows which ports wires mean when they name none; without one they are ``out`` and ``input``.
        name: used in the place of the file's when the text has none.
        newer: read what can be understood of a file of a newer version; it cannot be written.

    Raises:
        UsageError: the file is missing or cannot be read.
        PipelineError: it is no pipeline; carries every problem with line and column.
    """
    path = Path(path)
    text = read_text(path)
    try:
        return loads(text, name=name or name_of(path), registry=registry, newer=newer)
    except PipelineError as error:
        raise error.at(pipeline=path.name) from None


def read_text(path: Path) -> str:
    """The text of a pipeline file.

    Raises:
        UsageError: the file is missing or cannot be read.
        PipelineError: it is no text.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.", hint=_similar_file(path)) from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder.", hint="Give the pipeline file in it.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from None
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"The file is not UTF-8 text: byte 0x{content[error.start]:02x} fits nowhere."
        raise yaml_tree.refused(message, line, 1, "Save it as UTF-8; a pipeline is a text file.").at(
            pipeline=path.name
        ) from None


def name_of(path: Path) -> str:
    """What a pipeline without a name of its own is called: ``mine`` for ``mine.yaml`` and ``mine.etl.yaml``."""
    return path.stem.removesuffix(".etl") or path.stem


def loads(text: str, *, name: str = UNTITLED, registry: NodeTypes | None = None, newer: bool = False) -> Pipeline:
    """Read a pipeline from text; ``name`` is used when the text has none, ``newer`` as in ``load``.

    Raises:
        PipelineError: it is no pipeline; carries every problem with line and column.
    """
    tree = yaml_tree.parse(text.removeprefix(BOM))
    return Reader(registry, newer=newer).pipeline(tree, name, text)


def dumps(pipeline: Pipeline, registry: NodeTypes | None = None, *, name: str = UNTITLED) -> str:
    """The text of a pipeline: what it was read from with the changes in it, or a new text in canonical order.

    Args:
        pipeline: the document; its ``source`` is used when it was read from a file.
        registry: the one that it was read with.
        name: the name that a reader would give it when the text has none.

    Raises:
        UsageError: a setting holds something that YAML cannot; it is of a newer version.
    """
    if pipeline.is_newer:
        raise UsageError(
            f"The pipeline was made by a newer ETL Studio (format {pipeline.format}): saved here, it would lose what "
            "this one does not know.",
            hint="Update ETL Studio to change it.",
        )
    wanted = file_values(pipeline, registry)
    source = pipeline.source
    if isinstance(source, Source):
        text = source.text.removeprefix(BOM)
        base = file_values(loads(text, name=name, registry=registry), registry)
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
    write_text(text, path)
    pipeline.source = loads(text, name=name_of(path), registry=registry).source


def write_text(text: str, path: Path) -> None:
    """Write a file, all or nothing; what it was stays until the new one is complete.

    Raises:
        UsageError: it cannot be written there.
    """
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


def position(pipeline: Pipeline, *keys: str) -> tuple[int, int] | None:
    """Line and column of the deepest of ``keys`` that the file has, such as ``"nodes", "keep", "config", "where"``.

    Those of a node in a sub-pipeline are in the file of that one.
    """
    if isinstance(pipeline, FlatPipeline) and keys[0] == "nodes" and (origin := pipeline.origins.get(keys[1])):
        return position(origin.pipeline, "nodes", origin.node, *keys[2:])
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


def _reads_as(text: str, wanted: dict[str, Any], name: str, registry: NodeTypes | None) -> bool:
    try:
        return same(file_values(loads(text, name=name, registry=registry), registry), wanted)
    except PipelineError:
        return False


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
