"""WCAG 2 AA in both themes: texts at 4.5:1 on their grounds; icons, edges of controls and focus rings at 3:1."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor, QPalette

from etl_studio.ui.canvas.items.sprites import mixed
from etl_studio.ui.forms.code import code_colours
from etl_studio.ui.tables.changes import ROLES, TINT
from etl_studio.ui.theme.palette import palette
from etl_studio.ui.theme.style_sheet import control_images, mix, style_sheet
from etl_studio.ui.theme.tokens import DARK, LIGHT

both = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
TEXT, LARGE = 4.5, 3.0
STATES = ("danger", "warning", "success", "info", "accent")
GROUPS = ("extract", "transform", "quality", "load")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
EXEMPT = re.compile(r":disabled|::separator|QLabel:disabled")
"""WCAG asks nothing of what is disabled, nor of mere lines."""
CONTROLS = re.compile(r"QLineEdit|QPushButton|QComboBox|QAbstractSpinBox|QPlainTextEdit|indicator|QToolButton|QSlider")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def too_faint(pairs, least):
    """What falls short, with its ratio; the message of a failing test."""
    return {name: round(ratio, 2) for name, (one, other) in pairs.items() if (ratio := contrast(one, other)) < least}


def grounds(tokens):
    """What texts stand on, by name: surfaces, rows under the pointer, selected rows, strips."""
    return {
        "window": tokens.window, "surface": tokens.surface, "raised": tokens.raised, "canvas": tokens.canvas,
        "hover": tokens.hover, "selection": tokens.selection,
    }  # fmt: skip


def rules(tokens):
    """Each rule of the style sheet as its selector and its declarations."""
    sheet = style_sheet(tokens, dict.fromkeys(control_images(tokens), "a.svg"), "Mono")
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    for selector, body in RULE.findall(sheet):
        pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
        yield " ".join(selector.split()), {name.strip(): value.strip() for name, value in pairs}


def colour_in(value: str) -> str:
    found = re.search(r"#[0-9a-f]{6}", value)
    return found.group() if found else ""


def test_the_formula_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@both
def test_texts_are_readable_on_every_ground_also_selected_and_hovered(tokens):
    pairs = {
        f"{name} on {ground}": (getattr(tokens, name), colour)
        for ground, colour in grounds(tokens).items()
        for name in ("text", "text_muted", *STATES)
    }
    assert too_faint(pairs, TEXT) == {}
    plain = {f"text on {ground}": (tokens.text, colour) for ground, colour in grounds(tokens).items()}
    assert too_faint(plain, 7) == {}


@both
def test_each_rule_of_the_style_sheet_that_sets_text_and_ground_is_readable(tokens):
    pairs = {}
    for selector, body in rules(tokens):
        text, ground = colour_in(body.get("color", "")), colour_in(body.get("background", ""))
        if text and ground and not EXEMPT.search(selector):
            pairs[selector] = (text, ground)
        chosen = colour_in(body.get("selection-color", "")), colour_in(body.get("selection-background-color", ""))
        if all(chosen):
            pairs[f"{selector} (selected)"] = chosen
    assert len(pairs) > 10
    assert too_faint(pairs, TEXT) == {}


@both
def test_each_rule_that_sets_only_the_text_is_readable_on_the_windows_surfaces(tokens):
    pairs = {
        f"{selector} on {ground}": (text, getattr(tokens, ground))
        for selector, body in rules(tokens)
        if (text := colour_in(body.get("color", ""))) and not EXEMPT.search(selector)
        if not colour_in(body.get("background", "")) and "QFrame[frameShape" not in selector
        for ground in ("window", "surface", "raised")
    }
    assert len(pairs) > 20
    assert too_faint(pairs, TEXT) == {}


@both
def test_the_edges_of_controls_and_their_focus_stand_out(tokens):
    pairs = {}
    for selector, body in rules(tokens):
        if not CONTROLS.search(selector) or EXEMPT.search(selector):
            continue
        edge = colour_in(body.get("border", "")) or colour_in(body.get("border-color", ""))
        for ground in ("window", "surface", "raised"):
            if edge and "AbstractItemView {" not in selector and "QComboBox QAbstractItemView" not in selector:
                pairs[f"{selector} on {ground}"] = (edge, getattr(tokens, ground))
    assert len(pairs) > 30
    assert too_faint(pairs, LARGE) == {}
    handles = {
        f"{name} on {ground}": (getattr(tokens, name), colour)
        for name in ("control", "accent", "text_muted")
        for ground, colour in grounds(tokens).items()
        if ground != "selection" or name != "control"
    }
    assert too_faint(handles, LARGE) == {}


@both
def test_icons_in_controls_stand_out(tokens):
    fields = (tokens.window, tokens.surface, tokens.raised)
    pairs = {}
    for name, (_, colour) in control_images(tokens).items():
        if name.endswith("_disabled"):
            continue
        for ground in (tokens.accent,) if name in ("check", "minus") else fields:
            pairs[f"{name} on {ground}"] = (colour, ground)
    assert too_faint(pairs, LARGE) == {}


@both
def test_icons_of_nodes_stand_out_from_their_tiles_and_rows(tokens):
    light = tokens.name == "light"
    pairs = {}
    for group in GROUPS:
        colour = getattr(tokens, group)
        pairs[f"{group} in the palette"] = (colour, mix(colour, tokens.surface, 0.14 if light else 0.2))
        pairs[f"{group} on a card"] = (colour, mixed(tokens.raised, colour, 0.13 if light else 0.18).name())
        for name, ground in grounds(tokens).items():
            pairs[f"{group} on {name}"] = (colour, ground)
    assert too_faint(pairs, LARGE) == {}


@both
def test_wires_ports_and_states_stand_out_on_the_canvas(tokens):
    pairs = {
        f"{name} on {ground}": (getattr(tokens, name), getattr(tokens, ground))
        for name in ("wire", "wire_active", "danger", "accent")
        for ground in ("canvas", "raised")
    }
    pairs["rejects wire"] = (mixed(tokens.wire, tokens.danger, 0.6).name(), tokens.canvas)
    for state in ("running", "retrying", "open", "done", "failed", "stopped"):
        pairs[f"state {state}"] = (tokens.state(state), tokens.raised)
    assert too_faint(pairs, LARGE) == {}


@both
def test_notices_under_nodes_are_readable(tokens):
    pairs = {
        role: (
            mixed(getattr(tokens, role), tokens.text, 0.35).name(),
            mixed(tokens.raised, getattr(tokens, role), 0.12).name(),
        )
        for role in ("danger", "warning", "info", "success")
    }
    assert too_faint(pairs, TEXT) == {}


@both
def test_strips_and_changed_cells_are_readable(tokens):
    pairs = {}
    for name, tint in (("danger", 0.1), ("info", 0.1)):
        ground = mix(getattr(tokens, name), tokens.surface, tint)
        for text in ("text", "text_muted", "accent"):
            pairs[f"{text} on a strip of {name}"] = (getattr(tokens, text), ground)
    for role in set(ROLES.values()):
        ground = mix(getattr(tokens, role), tokens.surface, TINT)
        pairs[f"text on {role}"] = (tokens.text, ground)
    stripe = mix(tokens.hover, tokens.surface, 0.4)
    for text in ("text", "text_muted", *STATES):
        pairs[f"{text} on a striped row"] = (getattr(tokens, text), stripe)
    assert too_faint(pairs, TEXT) == {}


@both
def test_words_of_sql_are_readable_in_their_field(tokens):
    field = tokens.window if tokens.name == "dark" else tokens.surface
    pairs = {name: (colour, field) for name, colour in code_colours(tokens).items()}
    assert len(pairs) >= 5
    assert too_faint(pairs, TEXT) == {}


@both
def test_the_palette_of_qt_is_readable_too(tokens):
    made, role = palette(tokens), QPalette.ColorRole
    pairs = {
        name: (made.color(one).name(), made.color(other).name())
        for name, one, other in (
            ("window", role.WindowText, role.Window),
            ("base", role.Text, role.Base),
            ("placeholder", role.PlaceholderText, role.Base),
            ("button", role.ButtonText, role.Button),
            ("tool tip", role.ToolTipText, role.ToolTipBase),
            ("selected", role.HighlightedText, role.Highlight),
            ("link", role.Link, role.Base),
        )
    }
    assert too_faint(pairs, TEXT) == {}
    assert QColor(tokens.accent) == made.color(role.Accent)


@both
def test_lines_of_charts_stand_out(tokens):
    assert too_faint({colour: (colour, tokens.surface) for colour in tokens.series}, LARGE) == {}
