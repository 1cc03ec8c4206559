"""Reads YAML 1.2 into a tree that knows where each value stands in the text.

Parsed by libyaml (PyYAML), values by the core schema of YAML 1.2: ``yes``, ``on`` and dates are texts. Keys are always
texts. Anchors, aliases, tags, duplicate keys and a second document are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from etl_studio.errors import PipelineError
from etl_studio.pipeline.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 50
MAX_KEY, MAX_ODD_KEY = 500, 150
"""Characters of a key, and of one with characters that must be escaped: YAML reads at most 1,024 signs as a key."""

# A PyYAML built without libyaml reads the same files, only slower.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_WORDS: dict[str, Any] = {"": None, "~": None} | {
    form: value
    for word, value in {
        "null": None, "true": True, "false": False, ".inf": float("inf"), "+.inf": float("inf"), "-.inf": -float("inf"),
        ".nan": float("nan"),
    }.items()
    for form in (word, word.upper(), word.capitalize(), word.replace("inf", "Inf").replace("nan", "NaN"))
}  # fmt: skip


@dataclass(slots=True)
class Scalar:
    """A single value. ``start`` and ``end`` are offsets in the text, ``line`` and ``column`` count from 1."""

    start: int
    end: int
    line: int
    column: int
    text: str
    value: Any

    def plain(self) -> Any:
        """The value: text, number, boolean or None."""
        return self.value


@dataclass(slots=True)
class Sequence:
    """A list. ``flow``: written in brackets."""

    start: int
    end: int
    line: int
    column: int
    flow: bool
    items: list[Tree] = field(default_factory=list)

    def plain(self) -> list[Any]:
        """As a Python list."""
        return [item.plain() for item in self.items]


@dataclass(slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: Scalar
    value: Tree


@dataclass(slots=True)
class Mapping:
    """A mapping. ``flow``: written in braces."""

    start: int
    end: int
    line: int
    column: int
    flow: bool
    entries: dict[str, Entry] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As a Python dict."""
        return {key: entry.value.plain() for key, entry in self.entries.items()}


Tree: TypeAlias = Scalar | Sequence | Mapping


def parse(text: str) -> Tree | None:
    """The tree of a text; None for a text without content.

    Raises:
        PipelineError: no YAML, or something of YAML that pipeline files do not use; with line and column.
    """
    try:
        return _build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise refused(f"The file is no valid YAML: {_explain(error, text, line)}", line, column) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise refused(
            "The file is no valid YAML: it holds a control character.",
            line,
            1,
            "Remove it, or write it escaped in quotes.",
        ) from None


def resolve(text: str) -> Any:
    """The value of an unquoted scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    try:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            number = int(text, 0)
            str(number)  # refused like the same number in decimal digits
            return number
        if _FLOAT.fullmatch(text):
            return float(text)
    except ValueError:  # more digits than Python reads
        return text
    return text


def key_fits(text: str) -> bool:
    """Whether a text is short enough for a key, however it is written."""
    return len(text) <= (MAX_KEY if text.isprintable() else MAX_ODD_KEY)


def refused(message: str, line: int, column: int, hint: str = "") -> PipelineError:
    """The error for one problem at a position."""
    problem = Problem("error", message, hint, line=line, column=column)
    return PipelineError(message, hint=hint or None, line=line, problems=[problem])


def kind(tree: Tree) -> str:
    """What a tree is, for messages."""
    if isinstance(tree, Mapping):
        return "names with values"
    if isinstance(tree, Sequence):
        return "a list"
    if tree.value is None:
        return "nothing"
    return "a text" if isinstance(tree.value, str) else f"the value {tree.text}"


def _build(events: Iterator[Any]) -> Tree | None:
    root: Tree | None = None
    stack: list[Mapping | Sequence] = []
    keys: list[Scalar | None] = []  # for each open collection the key that waits for its value
    documents = 0
    for event in events:
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise _position(event, "The file holds more than one document.", "Keep one pipeline in one file.")
        if isinstance(event, yaml.CollectionEndEvent):
            _close(stack.pop(), event)
            keys.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        node = _node(event)
        if stack:
            _attach(stack[-1], keys, node)
        else:
            root = node
        if not isinstance(node, Scalar):
            stack.append(node)
            keys.append(None)
            if len(stack) > MAX_DEPTH:
                raise refused(f"Values are nested more than {MAX_DEPTH} deep.", node.line, node.column)
    return None if isinstance(root, Scalar) and root.start == root.end else root


def _node(event: Any) -> Tree:
    if isinstance(event, yaml.AliasEvent):
        raise _position(event, "Aliases (*name) are not used in pipeline files.", "Write the value out.")
    if event.anchor is not None:
        raise _position(event, f"Anchors (&{event.anchor}) are not used in pipeline files.", "Write the value out.")
    if event.tag is not None:
        raise _position(event, f"Tags ({event.tag}) are not used in pipeline files.", "Remove the tag.")
    start, end = event.start_mark, event.end_mark
    if isinstance(event, yaml.ScalarEvent):
        value = event.value if event.style else resolve(event.value)
        return Scalar(start.index, end.index, start.line + 1, start.column + 1, event.value, value)
    collection = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
    return collection(start.index, start.index, start.line + 1, start.column + 1, event.flow_style)


def _attach(parent: Mapping | Sequence, keys: list[Scalar | None], node: Tree) -> None:
    if isinstance(parent, Sequence):
        parent.items.append(node)
        return
    key = keys[-1]
    if key is not None:
        parent.entries[key.text] = Entry(key, node)
        keys[-1] = None
        return
    if not isinstance(node, Scalar):
        raise refused(
            "A key must be a text.", node.line, node.column, "Write it in quotes if it holds brackets or braces."
        )
    if not key_fits(node.text):
        raise refused(
            f'A key must not be longer than {MAX_KEY} characters; this one begins with "{node.text[:40]}".',
            node.line,
            node.column,
        )
    if node.text in parent.entries:
        first = parent.entries[node.text].key.line
        raise refused(
            f'The key "{node.text}" is there twice; the first one is in line {first}.',
            node.line,
            node.column,
            "Remove or rename one of them.",
        )
    keys[-1] = node


def _close(node: Mapping | Sequence, event: Any) -> None:
    if node.flow:
        node.end = event.end_mark.index
    # The end that libyaml tells for a block is the start of what follows, comments included.
    elif isinstance(node, Sequence):
        node.end = node.items[-1].end if node.items else node.start
    else:
        entry = next(reversed(node.entries.values()))
        node.end = max(entry.value.end, entry.key.end)


def _position(event: Any, message: str, hint: str) -> PipelineError:
    return refused(message, event.start_mark.line + 1, event.start_mark.column + 1, hint)


def _explain(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())]:
        return "the line is indented with a tab; use spaces."
    text = (error.problem or "it cannot be read").rstrip(".")
    if error.context:
        text = f"{error.context}, {text}"
        begin = error.context_mark.line + 1 if error.context_mark else line
        text += f"; what is not complete begins in line {begin}" if begin != line else ""
    return f"{text}."
