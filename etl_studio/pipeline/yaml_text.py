"""Writes plain values as YAML in the canonical style of pipeline files.

Mappings are blocks, lists of single values are ``[a, b]``, a text of several lines is a ``|`` block. A text is quoted
where YAML 1.1 or 1.2 would read it as something else.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from etl_studio.errors import UsageError
from etl_studio.pipeline.yaml_tree import MAX_KEY, key_fits, resolve

INDENT = 2
FLOW_WIDTH = 100

# On the safe side: a text that does not match is quoted.
_PLAIN = re.compile(r"(?!\.\.\.|<<$|=$)([^\W_]|[_./(=$<^+~;\\]|-[^\s-]).*")
_NOT_PLAIN = re.compile(r": |:$| #|\s$|\t")
_NOT_IN_FLOW = re.compile(r"[,\[\]{}:#]")
_OLD_WORD = re.compile(r"(?i:y|n|yes|no|on|off)")
_OLD_NUMBER = re.compile(r"(?i:[-+]?0b[01_]+|[-+]?0x[0-9a-f_]+|[-+.]?[0-9][-+0-9_,.:tez ]*)")
_NOT_PRINTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class OneLine(dict[str, Any]):
    """A mapping to be written in braces."""


class OnePerLine(list[Any]):
    """A list to be written with one item on each line."""


def block(value: dict[str, Any] | list[Any], indent: int = 0) -> str:
    """The lines of a mapping or list that is not empty, each ended by a newline."""
    pad = " " * indent
    if isinstance(value, dict):
        return "".join(f"{pad}{entry(key, item, indent)}\n" for key, item in value.items())
    return "".join(f"{pad}{item_lines(item, indent)}\n" for item in value)


def entry(key: str, value: Any, indent: int = 0) -> str:
    """``key: value`` for a key that stands ``indent`` columns from the left, without the last newline."""
    head = _key(key) + ":"
    if _is_block(value):
        return f"{head}\n{block(value, indent + INDENT)[:-1]}"
    return f"{head} {_beside(value, indent)}"


def item_lines(value: Any, indent: int = 0) -> str:
    """``- value`` for a dash that stands ``indent`` columns from the left, without the last newline."""
    if _is_block(value) and not (isinstance(value, dict) and is_short(value)):
        return "- " + block(value, indent + INDENT)[indent + INDENT : -1]
    return f"- {_beside(value, indent)}"


def flow(value: Any) -> str:
    """A value on one line, as it stands inside brackets or braces."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value, flow=True)


def scalar(value: Any, *, flow: bool = False) -> str:
    """A single value on one line; ``flow``: inside brackets or braces, or as a key.

    Raises:
        UsageError: a value that YAML has no word for.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(str(value), flow=flow)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    raise UsageError(f"A {type(value).__name__} cannot be written to a pipeline file.", value=value)


def _key(key: str) -> str:
    if not key_fits(key):
        raise UsageError(f"A name of more than {MAX_KEY} characters cannot be written to a pipeline file.", value=key)
    return scalar(key, flow=True)


def fits_lines(value: Any) -> bool:
    """Whether a value is a text that is written as a ``|`` block."""
    if not isinstance(value, str) or "\n" not in value or _NOT_PRINTED.search(value):
        return False
    lines = value.removesuffix("\n").split("\n")
    is_indented = lines[0][:1] in ("", " ", "\t")
    return not is_indented and bool(lines[-1]) and all(not line or line.strip() for line in lines)


def _is_block(value: Any) -> bool:
    if isinstance(value, OneLine):
        return False
    if isinstance(value, dict):
        return bool(value)
    if isinstance(value, OnePerLine):
        return bool(value)
    return isinstance(value, list | tuple) and not is_short(value)


def is_short(value: dict[str, Any] | list[Any] | tuple[Any, ...]) -> bool:
    """Whether a mapping or list holds single values only and fits on one line."""
    items = value.values() if isinstance(value, dict) else value
    single = all(not (item and isinstance(item, dict | list | tuple)) and not fits_lines(item) for item in items)
    return single and len(flow(value)) <= FLOW_WIDTH


def _beside(value: Any, indent: int) -> str:
    if isinstance(value, dict | list | tuple):
        return flow(value)
    return _lines(value, indent + INDENT) if fits_lines(value) else scalar(value)


def _lines(text: str, indent: int) -> str:
    head, pad = ("|" if text.endswith("\n") else "|-"), " " * indent
    lines = text.removesuffix("\n").split("\n")
    return "\n".join([head, *(pad + line if line else "" for line in lines)])


def _text(text: str, *, flow: bool) -> str:
    if _NOT_PRINTED.search(text) is None and "\n" not in text:
        if _is_plain(text, flow=flow):
            return text
        if '"' in text or "\\" in text:
            return "'" + text.replace("'", "''") + "'"
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("Half a character (a lone surrogate) cannot be written.", value=ascii(text)) from None
    return _NOT_PRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _is_plain(text: str, *, flow: bool) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and _NOT_PLAIN.search(text) is None
        and not (flow and _NOT_IN_FLOW.search(text))
        and isinstance(resolve(text), str)
        and _OLD_WORD.fullmatch(text) is None
        and _OLD_NUMBER.fullmatch(text) is None
    )


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    digits, exponent, power = repr(value).partition("e")
    return f"{digits if '.' in digits else digits + '.0'}{exponent}{power}"
