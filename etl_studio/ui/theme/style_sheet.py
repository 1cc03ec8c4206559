"""The one style sheet of the window: ``resources/themes/window.qss``, filled in from the tokens.

Widgets tell what they are by the dynamic property ``role`` (see ``ROLES``).
"""

from __future__ import annotations

from dataclasses import asdict
from string import Template
from typing import TYPE_CHECKING

from etl_studio.app.resources import resource
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_LARGE, FONT_SMALL, FONT_TITLE, RADIUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.ui.theme.tokens import Tokens

ROLES = (
    *("muted", "small", "title", "heading", "overline", "value", "danger", "warning", "success", "code", "badge"),
    *("card", "panel", "bar", "banner", "note", "caution"),
    *("primary", "link", "flat", "table"),
)
"""Values of the property ``role`` that the style sheet knows.

For labels: muted (second rank), small (second rank, smaller), title (of a panel), heading (of a page),
overline (small, above a group), value (a big number), danger, warning, success, code, badge.
For frames: card, panel, bar; above the canvas banner (an error), caution (a decision), note (something happened).
For buttons: primary, link, flat, and danger. For trees of several columns: table.
"""


LINE, BADGE = 18, 15
"""Pixels of the text in a field or button, and in a badge."""


def mix(first: str, second: str, share: float) -> str:
    """A colour between two ``#rrggbb`` colours: ``share`` (0 to 1) of the first, the rest of the second."""
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def style_sheet(tokens: Tokens, images: Mapping[str, str], mono: str, scale: float = 1.0) -> str:
    """The style sheet.

    Args:
        tokens: colours.
        images: paths of the small pictures in controls, by the names of ``control_images``.
        mono: name of the fixed-width font.
        scale: size of texts; 1 is that of the design.
    """
    dark = tokens.name == "dark"
    sheet = Template(resource("themes", "window.qss").read_text(encoding="utf-8"))
    return sheet.substitute(
        {name: value for name, value in asdict(tokens).items() if isinstance(value, str)},
        **{f"image_{name}": path for name, path in images.items()},
        mono=mono,
        font_small=round(FONT_SMALL * scale),
        font_body=round(FONT_BODY * scale),
        font_title=round(FONT_TITLE * scale),
        font_large=round(FONT_LARGE * scale),
        line=round(LINE * scale),
        badge=round(BADGE * scale),
        radius=RADIUS,
        field=tokens.window if dark else tokens.surface,
        button=tokens.raised,
        stripe=mix(tokens.hover, tokens.surface, 0.4),
        grid_line=mix(tokens.border, tokens.surface, 0.6),
        accent_hover=mix(tokens.accent, tokens.text if dark else "#000000", 0.86),
        danger_soft=mix(tokens.danger, tokens.surface, 0.12),
        banner=mix(tokens.danger, tokens.surface, 0.1),
        note=mix(tokens.info, tokens.surface, 0.1),
        caution=mix(tokens.warning, tokens.surface, 0.1),
    )


def control_images(tokens: Tokens) -> dict[str, tuple[str, str]]:
    """The pictures that the style sheet needs: name -> (icon, colour)."""
    return {
        "chevron_down": ("chevron-down", tokens.text_muted),
        "chevron_up": ("chevron-up", tokens.text_muted),
        "chevron_right": ("chevron-right", tokens.text_muted),
        "chevron_down_disabled": ("chevron-down", tokens.text_disabled),
        "chevron_up_disabled": ("chevron-up", tokens.text_disabled),
        "check": ("check", tokens.on_accent),
        "check_plain": ("check", tokens.text),
        "minus": ("minus", tokens.on_accent),
        "x": ("x", tokens.text_muted),
    }
