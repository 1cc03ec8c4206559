"""The files that were open before are remembered with their times."""

from __future__ import annotations

from datetime import datetime

import pytest
from PySide6.QtCore import QSettings

from etl_studio.ui.recent_files import KEY, LIMIT, RecentFiles


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


def test_the_newest_is_first_with_its_time_and_outlives_the_session(settings, tmp_path):
    before = datetime.now().astimezone().replace(microsecond=0)
    for name in ("a.yaml", "b.yaml", "a.yaml"):
        RecentFiles(settings).add(tmp_path / name)
    settings.sync()

    entries = RecentFiles(QSettings(settings.fileName(), QSettings.Format.IniFormat)).entries()

    assert [entry.path.name for entry in entries] == ["a.yaml", "b.yaml"]
    assert all(entry.opened >= before for entry in entries)


def test_a_file_that_is_gone_stays_listed_until_it_is_removed(settings, tmp_path):
    recent = RecentFiles(settings)
    recent.add(tmp_path / "gone.yaml")

    assert (len(recent.entries()), recent.paths()) == (1, [])
    recent.remove(tmp_path / "gone.yaml")
    assert recent.entries() == []


def test_no_more_than_ten_are_kept(settings, tmp_path):
    recent = RecentFiles(settings)
    for number in range(LIMIT + 3):
        recent.add(tmp_path / f"{number}.yaml")

    assert len(recent.entries()) == LIMIT
    assert recent.entries()[0].path.name == f"{LIMIT + 2}.yaml"


def test_what_an_older_version_has_noted_is_read(settings, tmp_path):
    settings.setValue(KEY, [str(tmp_path / "old.yaml"), f"{tmp_path}/a\tb.yaml"])

    entries = RecentFiles(settings).entries()

    assert [(entry.path.name, entry.opened) for entry in entries] == [("old.yaml", None), ("a\tb.yaml", None)]
