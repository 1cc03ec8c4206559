"""Changes a YAML text where its values changed, and nowhere else.

A merge of three: the text, the values that were read from it and the values that are wanted. What is in the text but
in neither of the values (keys written with their default, other spellings of the same value) stays as it is. A removed
entry takes its own comments with it: those directly above it at its indentation, and those below it that are indented
deeper.
"""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from typing import Any

from etl_studio.pipeline import yaml_text
from etl_studio.pipeline.yaml_tree import Entry, Mapping, Scalar, Sequence, Tree

MOST_PAIRS = 1_000_000
"""Equal items of a list before and after, each with each; to compare more takes too long."""


def patch(text: str, tree: Mapping, base: dict[str, Any], wanted: dict[str, Any]) -> str:
    """The text with ``wanted`` in place of ``base``; in the worst case the whole text is written anew."""
    change = _Patch(text)
    if not change.mapping(tree, base, wanted):
        return yaml_text.block(_merged(tree.plain(), base, wanted))
    return change.result()


class _Patch:
    """Collects edits of one text. Methods return False when a value cannot be changed in its place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._edits: list[tuple[int, int, str]] = []

    def result(self) -> str:
        newline = "\r\n" if "\r\n" in self._text else "\n"
        parts, done = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            parts += [self._text[done:start], new.replace("\n", newline)]
            done = max(done, end)
        return "".join([*parts, self._text[done:]])

    # Mappings

    def mapping(self, tree: Mapping, base: dict[str, Any], wanted: dict[str, Any]) -> bool:
        if tree.flow and any(map(yaml_text.fits_lines, wanted.values())):
            return False
        removed = [key for key in base if key not in wanted and key in tree.entries]
        added = [key for key in wanted if key not in tree.entries]
        if (removed or added) and (tree.flow or len(removed) == len(tree.entries)):
            return False
        if removed and not all(self._begins_line(tree.entries[key].key.start) for key in removed):
            return False
        if added and not self._begins_line(next(iter(tree.entries.values())).key.start):
            return False
        for key, value in wanted.items():
            if key in tree.entries and (key not in base or not same(base[key], value)):
                entry = tree.entries[key]
                if not self._value(entry.value, base.get(key), value) and not self._replace(tree, entry, value):
                    return False
        renamed = self._rename(tree, base, wanted, removed, added)
        for key in removed:
            if key in renamed:
                continue
            entry = tree.entries[key]
            self._delete(entry.key.start, entry.key.column, self._end(entry))
        self._add(tree, [key for key in wanted if key not in renamed.values()], wanted, set(removed) - renamed.keys())
        return True

    def _rename(
        self, tree: Mapping, base: dict[str, Any], wanted: dict[str, Any], removed: list[str], added: list[str]
    ) -> dict[str, str]:
        """Change the key alone where an entry only got another name; gives the new names by the old ones."""
        renamed: dict[str, str] = {}
        for old in removed:
            new = next((key for key in added if key not in renamed.values() and same(base[old], wanted[key])), None)
            if new is not None:
                renamed[old] = new
                key = tree.entries[old].key
                self._edits.append((key.start, key.end, yaml_text.scalar(new, flow=True)))
        return renamed

    def _add(self, tree: Mapping, keys: list[str], wanted: dict[str, Any], removed: set[str]) -> None:
        first = next(iter(tree.entries.values()))
        indent = first.key.column - 1
        place = self._span(first.key.start, first.key.column, self._end(first))[0]
        if all(key in tree.entries for key in keys):
            return
        for key in keys:
            if key not in tree.entries:
                self._insert(place, " " * indent + yaml_text.entry(key, wanted[key], indent))
            elif key not in removed:
                entry = tree.entries[key]
                place = self._span(entry.key.start, entry.key.column, self._end(entry))[1]

    def _replace(self, parent: Mapping, entry: Entry, value: Any) -> bool:
        """Write one entry anew; a comment behind it stays."""
        if parent.flow:
            self._edits.append(
                (entry.value.start, max(entry.value.end, entry.value.start), self._flow_value(entry, value))
            )
            return True
        indent = entry.key.column - 1
        value = _in_style_of(entry.value, value)
        new_value = yaml_text.entry(entry.key.text, value, indent)[len(yaml_text.entry(entry.key.text, 0)) - 2 :]
        start = self._text.find(":", entry.key.end) + 1
        end = max(self._end(entry), start)
        first, newline, rest = new_value.partition("\n")
        if not newline:
            self._edits.append((start, end, new_value))
        else:
            stop = self._line_end(end)
            behind = self._text[end:stop].rstrip("\r\n \t")
            tail = "\n" if stop > end and self._text[stop - 1] == "\n" else ""
            self._edits.append((start, stop, f"{first}{behind}\n{rest}{tail}"))
        return True

    def _flow_value(self, entry: Entry, value: Any) -> str:
        lead = "" if entry.value.start > entry.key.end + 1 else " "
        return lead + yaml_text.flow(value)

    # Values and lists

    def _value(self, tree: Tree, base: Any, wanted: Any) -> bool:
        """Change a value inside; False when it must be written anew."""
        mark = len(self._edits)
        done = False
        if isinstance(tree, Mapping) and isinstance(base, dict) and isinstance(wanted, dict) and wanted:
            done = self.mapping(tree, base, wanted)
        elif isinstance(tree, Sequence) and isinstance(base, list) and isinstance(wanted, list) and wanted:
            done = self._sequence(tree, base, wanted)
        if not done:
            del self._edits[mark:]
        return done

    def _sequence(self, tree: Sequence, base: list[Any], wanted: list[Any]) -> bool:
        if len(tree.items) != len(base):
            return False
        if tree.flow:
            return len(base) == len(wanted) and all(
                same(old, new) or self._item(item, old, new)
                for item, old, new in zip(tree.items, base, wanted, strict=True)
            )
        dashes = [self._dash(item) for item in tree.items]
        if None in dashes:
            return False
        indent = tree.column - 1
        kept = 0
        place = self._span(dashes[0] or 0, indent + 1, tree.items[0].end)[0]
        before, after = [repr(item) for item in base], [repr(item) for item in wanted]
        times = Counter(after)
        if sum(times[item] for item in before) > MOST_PAIRS:
            return False
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        for what, low, high, new_low, new_high in matcher.get_opcodes():
            for index in range(low, high):
                dash = dashes[index] or 0
                end = self._content_end(max(tree.items[index].end, dash + 1))
                if what == "equal" or (what == "replace" and index - low < new_high - new_low):
                    kept += 1
                    place = self._span(dash, indent + 1, end)[1]
                    new = wanted[new_low + index - low]
                    if what == "replace" and not self._item(tree.items[index], base[index], new):
                        self._edits.append((dash, end, yaml_text.item_lines(new, indent)))
                else:
                    self._delete(dash, indent + 1, end)
            first_new = new_low + (high - low if what == "replace" else 0)
            for new in wanted[first_new:new_high] if what in ("insert", "replace") else ():
                self._insert(place, " " * indent + yaml_text.item_lines(new, indent))
        return kept > 0

    def _item(self, tree: Tree, base: Any, wanted: Any) -> bool:
        if isinstance(tree, Scalar) and tree.end > tree.start and not isinstance(wanted, dict | list):
            if yaml_text.fits_lines(wanted) or "\n" in self._text[tree.start : tree.end]:
                return False
            self._edits.append((tree.start, tree.end, yaml_text.scalar(wanted, flow=True)))
            return True
        return self._value(tree, base, wanted)

    # The text

    def _end(self, entry: Entry) -> int:
        return self._content_end(max(entry.value.end, self._text.find(":", entry.key.end) + 1))

    def _content_end(self, end: int) -> int:
        """Before the white space that libyaml counts to a block text."""
        while self._text[end - 1].isspace():
            end -= 1
        return end

    def _dash(self, item: Tree) -> int | None:
        """Where the dash of a list item stands, when nothing else is before it on its line."""
        start = self._text.rfind("\n", 0, item.start) + 1
        before = self._text[start : item.start]
        return start + len(before) - len(before.lstrip()) if before.strip() == "-" else None

    def _begins_line(self, start: int) -> bool:
        return not self._text[self._text.rfind("\n", 0, start) + 1 : start].strip()

    def _line_end(self, position: int) -> int:
        return self._text.find("\n", position) + 1 or len(self._text)

    def _span(self, start: int, column: int, end: int) -> tuple[int, int]:
        """The lines of an entry with its own comments."""
        low = self._text.rfind("\n", 0, start) + 1
        while low:
            above = self._text.rfind("\n", 0, low - 1) + 1
            if not self._is_comment(above, low, lambda at: at == column):
                break
            low = above
        high = self._line_end(end)
        look = high
        while look < len(self._text):
            below = self._line_end(look)
            if self._is_comment(look, below, lambda at: at > column):
                high = below
            elif self._text[look:below].strip():
                break
            look = below
        return low, high

    def _is_comment(self, start: int, end: int, fits: Any) -> bool:
        line = self._text[start:end]
        bare = line.lstrip()
        return bare.startswith("#") and fits(len(line) - len(bare) + 1)

    def _delete(self, start: int, column: int, end: int) -> None:
        low, high = self._span(start, column, end)
        above = self._text.rfind("\n", 0, max(low - 1, 0)) + 1
        if low and not self._text[above:low].strip():  # keep one of two blank lines
            below = self._line_end(high)
            if below > high and not self._text[high:below].strip():
                high = below
        self._edits.append((low, high, ""))

    def _insert(self, place: int, lines: str) -> None:
        begins = place == 0 or self._text[place - 1] == "\n"
        self._edits.append((place, place, f"{lines}\n" if begins else f"\n{lines}"))


def same(one: Any, other: Any) -> bool:
    """Equal, and not one of them a boolean in the place of a number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    is_nan = one != one and other != other  # noqa: PLR0124 - only NaN is not what it is
    return isinstance(one, bool) == isinstance(other, bool) and (is_nan or bool(one == other))


def _in_style_of(tree: Tree, value: Any) -> Any:
    """The value with the order of keys and the brackets that the person who wrote it chose."""
    if isinstance(tree, Mapping) and isinstance(value, dict):
        ordered = {key: value[key] for key in tree.entries if key in value} | value
        one_line = isinstance(value, yaml_text.OneLine) or (tree.flow and yaml_text.is_short(value))
        return yaml_text.OneLine(ordered) if one_line else ordered
    if isinstance(tree, Sequence) and isinstance(value, list) and not tree.flow:
        return yaml_text.OnePerLine(value)
    return value


def _merged(written: dict[str, Any], base: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What a mapping holds in the end: wanted values, and written ones that neither side knows."""
    kept = {key: wanted.get(key, value) for key, value in written.items() if key in wanted or key not in base}
    return kept | wanted
