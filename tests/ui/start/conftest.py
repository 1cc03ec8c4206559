"""A start page as the window shows it, on real templates."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings

from etl_studio.app.catalogue import full_registry
from etl_studio.ui.recent_files import RecentFiles
from etl_studio.ui.start.page import StartPage


@pytest.fixture
def recent(tmp_path):
    return RecentFiles(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def make_page(qtbot, recent, theme):
    def make(width=1200, height=700):
        page = StartPage(recent, full_registry(), theme)
        qtbot.addWidget(page)
        page.resize(width, height)
        with qtbot.waitSignal(page.filled):
            page.show()
        page.first().setFocus()
        return page

    return make
