"""The design tokens. Every colour, distance and size of the window comes from here.

Contrast (WCAG AA, held by ``tests/ui/theme/test_contrast.py``): every text is at least 4.5:1 on each of its grounds,
also on a selected or hovered row, and ``text`` 7:1; icons, edges of controls, focus rings and wires are at least 3:1.
``text_disabled``, ``border`` and ``border_strong`` are below that: use them for what is disabled and for mere lines.
"""

from __future__ import annotations

from dataclasses import dataclass

SPACE = 4
"""The unit of all distances, in pixels: gaps are 1, 2, 3, 4 or 6 of it."""

FONT_SMALL, FONT_BODY, FONT_TITLE, FONT_LARGE = 11, 13, 15, 20
"""The type scale, in pixels."""

RADIUS = 6
"""Radius of rounded corners, in pixels."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as ``#rrggbb``, by role."""

    name: str
    window: str
    surface: str
    raised: str
    border: str
    border_strong: str
    control: str
    """The edge of what can be used: fields, buttons, boxes, handles."""
    text: str
    text_muted: str
    text_disabled: str
    accent: str
    on_accent: str
    selection: str
    hover: str
    canvas: str
    grid: str
    wire: str
    wire_active: str
    success: str
    warning: str
    danger: str
    info: str
    extract: str
    transform: str
    quality: str
    load: str
    yellow: str
    """Of notes."""
    series: tuple[str, ...]
    """Colours of chart lines, in order."""

    def group(self, name: str) -> str:
        """The colour of a node group."""
        colours = {
            "extract": self.extract,
            "transform": self.transform,
            "quality": self.quality,
            "load": self.load,
        }
        return colours.get(name, self.text_muted)

    def tint(self, color: str, default: str = "yellow") -> str:
        """The colour of a note or group; one that is unknown is the default."""
        colours = {
            "yellow": self.yellow,
            "blue": self.accent,
            "green": self.success,
            "red": self.danger,
            "purple": self.series[3],
            "gray": self.text_muted,
        }
        return colours.get(color, colours[default])

    def state(self, name: str) -> str:
        """The colour of a node state."""
        states = {
            "running": self.accent,
            "retrying": self.warning,
            "open": self.danger,
            "done": self.success,
            "failed": self.danger,
            "stopped": self.text_muted,
        }
        return states.get(name, self.text_muted)


LIGHT = Tokens(
    name="light",
    window="#f4f5f7",
    surface="#ffffff",
    raised="#ffffff",
    border="#dfe2e7",
    border_strong="#b9bfc9",
    control="#7d8593",
    text="#1c2430",
    text_muted="#5a6475",
    text_disabled="#9aa2b0",
    accent="#1f5bdf",
    on_accent="#ffffff",
    selection="#dbe7ff",
    hover="#eceff4",
    canvas="#f8f9fb",
    grid="#e3e6eb",
    wire="#838d9e",
    wire_active="#1f5bdf",
    success="#126f35",
    warning="#a14b08",
    danger="#c81e1e",
    info="#0369a1",
    extract="#0e7490",
    transform="#4f46e5",
    quality="#8c5607",
    load="#126f35",
    yellow="#eab308",
    series=("#1f5bdf", "#c2410c", "#126f35", "#9333ea", "#0e7490", "#be185d", "#a16207", "#475569"),
)

DARK = Tokens(
    name="dark",
    window="#15181e",
    surface="#1c2028",
    raised="#242a34",
    border="#313845",
    border_strong="#4b5566",
    control="#747f91",
    text="#e8ebf0",
    text_muted="#a0a9b8",
    text_disabled="#666f7f",
    accent="#6ea0ff",
    on_accent="#0b1220",
    selection="#1e3559",
    hover="#2a313d",
    canvas="#171a20",
    grid="#232831",
    wire="#6b7687",
    wire_active="#6ea0ff",
    success="#4ade80",
    warning="#fbbf24",
    danger="#f98080",
    info="#38bdf8",
    extract="#22b8cf",
    transform="#8b8cf8",
    quality="#e0a526",
    load="#4ade80",
    yellow="#facc15",
    series=("#6ea0ff", "#fb923c", "#4ade80", "#c084fc", "#22d3ee", "#f472b6", "#facc15", "#94a3b8"),
)
