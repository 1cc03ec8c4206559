"""One family of icons: every name that is used is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor

import etl_studio.ui
from etl_studio.app.catalogue import built_in_types
from etl_studio.app.resources import resource
from etl_studio.ui.actions import ACTIONS
from etl_studio.ui.theme.style_sheet import control_images
from etl_studio.ui.theme.theme import Theme
from etl_studio.ui.theme.tokens import DARK, LIGHT

UI = Path(etl_studio.ui.__file__).parent
DRAWINGS = sorted(resource("icons").glob("*.svg"))
ASKED_FOR = re.compile(r"\.(?:icon|pixmap)\(\s*\"([a-z-]+)\"|\btell\(\s*\"([a-z-]+)\"|\bIconButton\(\w+, \"([a-z-]+)\"")


def names_in_the_code() -> set[str]:
    found = set()
    for module in UI.rglob("*.py"):
        for match in ASKED_FOR.finditer(module.read_text("utf-8")):
            found.update(name for name in match.groups() if name)
    return found


def test_every_icon_that_the_window_asks_for_is_drawn():
    asked = names_in_the_code()
    asked |= {spec.icon for spec in ACTIONS if spec.icon}
    asked |= {icon for icon, _ in control_images(LIGHT).values()}

    assert len(asked) > 20
    assert asked - {path.stem for path in DRAWINGS} == set()


def test_every_node_has_an_icon_of_its_own_drawing():
    assert {node.icon for node in built_in_types()} - {path.stem for path in DRAWINGS} == set()


@pytest.mark.parametrize("path", DRAWINGS, ids=[path.stem for path in DRAWINGS])
def test_an_icon_renders_something_inside_its_edges(theme, path):
    image = theme.pixmap(path.stem, "#ff0000", 24, 1.0).toImage()

    painted = [(x, y) for x in range(24) for y in range(24) if QColor.fromRgba(image.pixel(x, y)).alpha() > 60]
    assert len(painted) >= 3
    if path.stem != "etl-studio":
        assert all(0 < x < 23 and 0 < y < 23 for x, y in painted)
        assert 'stroke="currentColor"' in path.read_text("utf-8")


def test_an_icon_has_the_colour_that_is_asked_for_and_is_sharp_on_a_dense_screen(theme):
    pixmap = theme.pixmap("stop", "#00ff00", 16, 2.0)

    assert (pixmap.width(), pixmap.devicePixelRatio()) == (32, 2.0)
    colours = {pixmap.toImage().pixelColor(x, y).name() for x in range(32) for y in range(32)} - {"#000000"}
    assert colours == {"#00ff00"}


def test_a_name_without_a_drawing_shows_the_box(theme):
    assert theme.pixmap("no-such-icon").toImage() == theme.pixmap("box").toImage()


def test_icons_follow_the_theme(qapp):
    theme = Theme("light")
    light = theme.pixmap("play").toImage()

    theme.set_mode("dark")

    assert theme.pixmap("play").toImage() != light
    assert theme.tokens is DARK
