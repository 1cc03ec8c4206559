"""The window in other languages: complete catalogues, and a window that is built with one."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMessageBox

from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.theme.theme import Theme
from etl_studio.ui.translation import LANGUAGES, tr, trn, use_language

pytestmark = pytest.mark.window

ROOT = Path(__file__).resolve().parents[2]
OTHERS = [name for name in LANGUAGES if name != "en"]
FIELD = re.compile(r"\{[a-z_]*[^{}]*\}|\$\{[^}]*\}|<[^>]+>")


@pytest.fixture(scope="module")
def translate():
    """The module that collects texts."""
    spec = importlib.util.spec_from_file_location("translate", ROOT / "packaging" / "translate.py")
    module = sys.modules["translate"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def template(translate):
    return translate.texts()


@pytest.fixture(autouse=True)
def _english_again():
    yield
    use_language("en")


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_a_translation_and_the_program_reads_the_newest(translate, template, language):
    catalogue = translate.updated(language, template)

    assert [message.id for message in catalogue if message.id and not translate.has_translation(message)] == []
    assert translate.path(language).read_bytes() == translate.written(catalogue), "run packaging/translate.py"
    assert translate.path(language).with_suffix(".mo").read_bytes() == translate.compiled(catalogue)


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_puts_in_the_same_values_as_the_english_text(translate, template, language):
    for message in translate.updated(language, template):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = {frozenset(FIELD.findall(text)) for text in ids}
        for text in strings:
            assert frozenset(FIELD.findall(text)) in wanted, f"{message.id!r}: {text!r}"


@pytest.mark.parametrize("language", OTHERS)
def test_a_menu_text_keeps_its_mnemonic_and_its_dots(translate, template, language):
    translated = {message.id: message.string for message in translate.updated(language, template)}
    for text in translate.menu_texts():
        assert text.count("&") == translated[text].count("&"), text
        assert text.endswith("…") == translated[text].endswith("…"), text


def test_texts_are_english_where_nothing_else_is_wanted_or_known():
    assert use_language("en") == "en"
    assert tr("&File") == "&File"
    assert use_language("de") == "de"
    assert tr("No catalogue has this {text}", text="sentence") == "No catalogue has this sentence"


def test_numbers_choose_their_form():
    use_language("en")
    assert trn("{count} row", "{count} rows", 1) == "1 row"
    assert trn("{count} row", "{count} rows", 12_345) == "12,345 rows"


def test_the_window_speaks_the_language_in_force(qtbot, tmp_path):
    use_language("de")
    window = MainWindow(Theme("light"), QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat), tmp_path)
    qtbot.addWidget(window)

    assert next(action.text() for action in window.menuBar().actions()) == "&Datei"
    assert window.actions_by_name["save"].text() == "&Speichern"
    assert window.actions_by_name["save"].toolTip() == "Pipeline speichern (Ctrl+S)"


def test_a_language_is_chosen_in_the_menu_and_kept_for_the_next_start(qtbot, tmp_path):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    window = MainWindow(Theme("light"), settings, tmp_path)
    qtbot.addWidget(window)
    window.show()
    menu = window._menus["language"]
    menu.aboutToShow.emit()
    entries = {action.text(): action for action in menu.actions()}
    assert list(entries) == ["As the system", *LANGUAGES.values()]
    assert entries["As the system"].isChecked()

    entries["Deutsch"].trigger()

    assert settings.value("language") == "de"
    (told,) = window.findChildren(QMessageBox)
    assert told.text() == "The language changes when ETL Studio is opened again."
    told.close()
