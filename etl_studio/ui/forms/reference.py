"""The documentation of a node type: what it does, its ports, its settings; as Markdown, and set in type."""

from __future__ import annotations

import inspect
import json
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from PySide6.QtGui import QFont, QFontInfo, QTextBlockFormat, QTextCharFormat, QTextCursor

from etl_studio.ui.forms.setting import UNSET, Setting, settings_of
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_TITLE, SPACE
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from PySide6.QtGui import QTextDocument

    from etl_studio.sdk import Node, Port

LINE_HEIGHT = 125
"""Per cent of the font's own line height."""

LEAST_HEADING = 4
"""The level of headings over single settings."""

_WORDS = {
    str: N_("text"),
    int: N_("whole number"),
    float: N_("number"),
    bool: N_("yes or no"),
    Any: N_("any value"),
    dict: N_("map"),
}


def reference(node_type: type[Node]) -> str:
    """The documentation of a node type in Markdown."""
    parts = [inspect.getdoc(node_type) or "", "### " + tr("Ports"), *ports_text(node_type)]
    settings = settings_of(node_type.Config)
    if settings:
        parts += ["### " + tr("Settings"), *(line for setting in settings for line in setting_text(setting))]
    return "\n\n".join(parts)


def type_words(annotation: Any) -> str:
    """A type as people read it, such as ``list of text``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return tr("one of {values}", values=", ".join(f"`{_written(value)}`" for value in arguments))
    if origin in (list, tuple, set, frozenset):
        return tr("list of {type}", type=type_words(arguments[0]))
    if origin is dict:
        return tr("map of name to {type}", type=type_words(arguments[1]))
    if origin is not None:
        words = list(dict.fromkeys(type_words(argument) for argument in arguments))
        return reduce(lambda one, other: tr("{one} or {other}", one=one, other=other), words)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return tr("settings")
    return tr(_WORDS[annotation]) if annotation in _WORDS else tr("value")


def ports_text(node_type: type[Node]) -> Iterator[str]:
    """The ports of a node type, a paragraph for each."""
    yield from _port_lines(tr("In"), node_type.inputs)
    if node_type.open_inputs:
        yield tr("**In**: any input; a wire names it, as in `-> query.orders`.")
    yield from _port_lines(tr("Out"), node_type.outputs)


def _port_lines(side: str, ports: Iterable[Port]) -> Iterator[str]:
    for port in ports:
        marks = [word for word, given in ((tr("several wires"), port.many), (tr("optional"), port.optional)) if given]
        title = f": {tr(port.title)}" if port.title else ""
        yield f"**{side}** `{port.name}`{title}{' (' + ', '.join(marks) + ')' if marks else ''}"


def setting_text(setting: Setting) -> Iterator[str]:
    """One setting: a heading, then what it means, its type, its default and an example."""
    facts = [tr("required") if setting.required else "", type_words(setting.annotation), _default(setting.default)]
    yield f"#### {setting.title} `{setting.key}`"
    text = f"{setting.description} *({', '.join(filter(None, facts))})*"
    if setting.example is not None:
        text += " " + tr("Example: {example}", example=f"`{_written(setting.example)}`")
    yield text


def _default(default: Any) -> str:
    if default is UNSET or default is None or default in ("", [], {}) or isinstance(default, BaseModel):
        return ""
    return tr("default {value}", value=f"`{_written(default)}`")


def _written(value: Any) -> str:
    return value.replace("\t", "\\t") if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def set_in_type(document: QTextDocument) -> None:
    """Give a document that was read from Markdown the sizes and distances of the window."""
    document.setDocumentMargin(4 * SPACE)
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid():
        shape = block.blockFormat()
        heading = shape.headingLevel()
        in_list = block.textList() is not None
        shape.setTopMargin({0: 0, LEAST_HEADING: SPACE}.get(heading, 4 * SPACE))
        shape.setBottomMargin(SPACE if in_list or heading else 2 * SPACE)
        shape.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setPosition(block.position())
        cursor.setBlockFormat(shape)
        if 0 < heading < LEAST_HEADING:
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            letters = QTextCharFormat()
            font = document.defaultFont()
            font.setPixelSize(round(QFontInfo(font).pixelSize() * FONT_TITLE / FONT_BODY))
            font.setWeight(QFont.Weight.DemiBold)
            letters.setFont(font)
            cursor.setCharFormat(letters)
        block = block.next()
