"""The tests of pipelines follow a node that gets another id: names of their files, and their settings."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.app.golden_cases import EXPECTED, GIVEN, PIPELINES, SETTINGS, case_folders
from etl_studio.errors import EtlError, UsageError
from etl_studio.pipeline import yaml_tree
from etl_studio.pipeline.file_format import name_of, write_text
from etl_studio.pipeline.flat import SEPARATOR
from etl_studio.pipeline.interfaces import file_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from etl_studio.pipeline.model import Pipeline

DEEPEST = 8
"""Sub-pipelines within each other that are followed: files may hold themselves by mistake."""


@dataclass(frozen=True, slots=True)
class TestChange:
    """What becomes of one file or folder of a test.

    Attributes:
        test: the test in words: ``shop: dear ones``.
        path: where it is.
        target: where it will be; the same where its text changes.
        before, after: what changes, in words: names below the test's folder, or texts.
    """

    __test__ = False

    test: str
    path: Path
    target: Path
    before: str
    after: str

    @property
    def moves(self) -> bool:
        """Whether its name changes, and not its text."""
        return self.path != self.target


def renamed_tests(file: Path, load: Callable[[Path], Pipeline], old: str, new: str) -> list[TestChange]:
    """What changes in the tests of a file, and of the files beside it that use it as a sub-pipeline.

    Args:
        file: a pipeline file.
        load: reads a pipeline file.
        old: id of a node in ``file``.
        new: its new one.

    Raises:
        UsageError: something is there already under a new name.
    """
    changes: list[TestChange] = []
    for place, prefixes in _users(file.resolve(), load).items():
        for folder in case_folders(place):
            for prefix in prefixes:
                changes += _moves(place, folder, prefix + old, prefix + new)
            changes += _settings(place, folder, {prefix + old: prefix + new for prefix in prefixes})
    return changes


def make(changes: list[TestChange]) -> None:
    """Make changes, all or none.

    Raises:
        UsageError: one cannot be made; those before it are taken back.
    """
    done: list[TestChange] = []
    try:
        for change in changes:
            _make(change, change.path, change.target, change.after)
            done.append(change)
    except (OSError, UsageError) as error:
        for change in reversed(done):
            with suppress(OSError, UsageError):
                _make(change, change.target, change.path, change.before)
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"The tests keep the old name: {why}", hint="Rename their files yourself.") from None


def _make(change: TestChange, path: Path, target: Path, text: str) -> None:
    if not change.moves:
        write_text(text, target)
    elif target.exists():
        raise UsageError(f"{target} is there already.")
    else:
        path.replace(target)


def _users(file: Path, load: Callable[[Path], Pipeline]) -> dict[Path, list[str]]:
    """The file and those beside it that use it, with what is put before the id of a node in each: ``clean/``."""
    others = sorted({path for pattern in PIPELINES for path in file.parent.glob(pattern)} - {file})
    uses: dict[Path, dict[str, Path]] = {}
    for path in others:
        with suppress(EtlError, OSError, UnicodeDecodeError):
            if "sub_pipeline" in path.read_text("utf-8"):
                nodes = load(path).nodes.items()
                uses[path] = {name: (file.parent / inner).resolve() for name, spec in nodes if (inner := file_of(spec))}
    found = {file: [""]}
    pending = [file]
    while pending:
        used = pending.pop()
        for path, names in uses.items():
            here = [name for name, target in names.items() if target == used]
            prefixes = [f"{name}{SEPARATOR}{rest}" for name in here for rest in found[used]]
            if new := [one for one in prefixes if one not in found.get(path, ()) and one.count(SEPARATOR) <= DEEPEST]:
                found[path] = [*found.get(path, ()), *new]
                pending.append(path)
    return found


def _moves(place: Path, folder: Path, old: str, new: str) -> Iterator[TestChange]:
    """Files of a node, of its other ports, and the folder of those in a sub-pipeline."""
    for part in (GIVEN, EXPECTED):
        above = (folder / part / old).parent
        if not above.is_dir():
            continue
        name, wanted = old.rpartition(SEPARATOR)[2], new.rpartition(SEPARATOR)[2]
        for path in sorted(above.iterdir()):
            if path.name.partition(".")[0] == name:
                target = path.with_name(wanted + path.name.removeprefix(name))
                if target.exists():
                    raise UsageError(f"{target} is there already.", hint="Remove it, or choose another name.")
                names = [one.relative_to(folder).as_posix() for one in (path, target)]
                yield TestChange(_words(place, folder), path, target, *names)


def _settings(place: Path, folder: Path, names: dict[str, str]) -> Iterator[TestChange]:
    """``case.yaml``, where it names the node; comments and all else stay as they are."""
    path = folder / SETTINGS
    try:
        text = path.read_bytes().decode() if path.is_file() else ""
        tree = yaml_tree.parse(text)
    except (OSError, UnicodeDecodeError, EtlError):
        return  # the test tells what is wrong with it
    if not isinstance(tree, yaml_tree.Mapping):
        return
    places: list[yaml_tree.Scalar] = []
    for key in ("any_order", "ignore"):
        value = tree.entries[key].value if key in tree.entries else None
        if isinstance(value, yaml_tree.Sequence):
            places += [item for item in value.items if isinstance(item, yaml_tree.Scalar)]
        elif isinstance(value, yaml_tree.Mapping):
            places += [entry.key for entry in value.entries.values()]
    after = text
    for one in sorted(places, key=lambda place: -place.start):
        if (new := _renamed(str(one.value), names)) != str(one.value):
            quote = text[one.start] if text[one.start] in "'\"" else ""
            after = f"{after[: one.start]}{quote}{new}{quote}{after[one.end :]}"
    if after != text:
        yield TestChange(_words(place, folder), path, path, text, after)


def _renamed(node: str, names: dict[str, str]) -> str:
    """The node, or the sub-pipeline that it is in, under its new name."""
    for old, new in names.items():
        if node == old or node.startswith(old + SEPARATOR):
            return new + node.removeprefix(old)
    return node


def _words(place: Path, folder: Path) -> str:
    return f"{name_of(place)}: {folder.name}"
