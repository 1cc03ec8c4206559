"""The theme dresses the application."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from etl_studio.ui.theme.palette import palette
from etl_studio.ui.theme.style_sheet import ROLES, style_sheet
from etl_studio.ui.theme.theme import Theme, set_role
from etl_studio.ui.theme.tokens import DARK, LIGHT

both = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])


@pytest.fixture
def dressed(qapp):
    """Gives a theme that the application wears, and takes it off again."""
    before, sheet = QPalette(qapp.palette()), qapp.styleSheet()
    theme = Theme("dark")
    theme.apply(qapp)
    yield theme
    qapp.setPalette(before)
    qapp.setStyleSheet(sheet)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@both
def test_text_is_easy_to_read(tokens):
    for ground in (tokens.window, tokens.surface, tokens.raised, tokens.selection, tokens.hover):
        assert contrast(tokens.text, ground) >= 7
    for ground in (tokens.window, tokens.surface):
        assert contrast(tokens.text_muted, ground) >= 4.5
        assert contrast(tokens.danger, ground) >= 4.5
        assert contrast(tokens.warning, ground) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


@both
def test_lines_of_charts_stand_out_from_their_ground(tokens):
    assert len(set(tokens.series)) == len(tokens.series)
    assert all(contrast(color, tokens.surface) >= 3 for color in tokens.series)


@both
def test_the_palette_has_every_role_and_a_disabled_group(tokens):
    made = palette(tokens)
    roles = [role for role in QPalette.ColorRole if role not in (role.NoRole, role.NColorRoles)]

    assert all(made.isBrushSet(QPalette.ColorGroup.Active, role) for role in roles)
    assert made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text) == QColor(tokens.text_disabled)
    assert made.color(QPalette.ColorRole.Accent) == QColor(tokens.accent)


@both
def test_the_style_sheet_leaves_no_name_open_and_knows_every_role(tokens):
    images = dict.fromkeys(
        (
            "chevron_down", "chevron_up", "chevron_right", "chevron_down_disabled", "chevron_up_disabled",
            "check", "check_plain", "minus", "x",
        ),
        "a.svg",
    )  # fmt: skip
    sheet = style_sheet(tokens, images, "Mono")

    assert "$" not in sheet
    assert all(f'[role="{role}"]' in sheet for role in ROLES)
    assert asdict(tokens)["accent"] in sheet


def test_changing_the_mode_dresses_the_application_and_tells_once(qtbot, dressed, qapp):
    with qtbot.waitSignal(dressed.changed, timeout=1000):
        dressed.set_mode("light")

    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.window)
    with qtbot.assertNotEmitted(dressed.changed):
        dressed.set_mode("light")


def test_an_unchecked_box_can_be_seen_in_the_dark(qtbot, dressed):
    frame = QWidget()
    qtbot.addWidget(frame)
    layout = QVBoxLayout(frame)
    box = QCheckBox("Overwrite")
    layout.addWidget(box)
    frame.show()
    image = box.grab().toImage()

    edge = max(luminance(image.pixelColor(x, image.height() // 2).name()) for x in range(4))
    assert contrast(DARK.window, "#ffffff") > 10
    assert (edge + 0.05) / (luminance(DARK.window) + 0.05) > 3


def test_a_role_changes_the_look_at_once(qtbot, dressed):
    label = QLabel("Failed")
    qtbot.addWidget(label)
    label.ensurePolished()

    set_role(label, "danger")

    assert label.palette().color(QPalette.ColorRole.WindowText) == QColor(DARK.danger)
