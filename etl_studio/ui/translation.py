"""The window's texts in the language of the person (GNU gettext).

Texts in the code are English. ``tr`` gives them in the language in force, or as they are where there is no translation.
Values are put in by name, so that a translation can put them elsewhere::

    tr("Delete {what} of {node}", what=name, node=node)
    trn("{count} row", "{count} rows", count)

``packaging/translate.py`` collects the texts, and compiles the catalogues in ``resources/locale``.
"""

from __future__ import annotations

from gettext import GNUTranslations, NullTranslations, find, translation
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator

from etl_studio.app.resources import resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtCore import QCoreApplication

DOMAIN = "etl_studio"
LANGUAGES = {"en": "English", "de": "Deutsch", "zh_CN": "简体中文"}
"""What people can choose, by the name of the catalogue; each called as its speakers call it."""


class _Catalogue:
    """Holds the catalogue in force; gettext itself looks on the disk at each call."""

    current: NullTranslations = NullTranslations()
    signs: Mapping[int, str] = MappingProxyType({})


def tr(text: str, /, **values: object) -> str:
    """A text in the language in force, with values put in by name."""
    found = _Catalogue.current.gettext(text) if text else ""
    return found.format(**values) if values else found


def trn(one: str, many: str, count: int, /, **values: object) -> str:
    """A text for a number of things; ``{count}`` is the number, with its thousands parted."""
    return _Catalogue.current.ngettext(one, many, count).format(count=digits(f"{count:,}"), **values)


def digits(number: str) -> str:
    """A number as English writes it, such as ``1,234.5``, as the language in force does: ``1.234,5``."""
    return number.translate(_Catalogue.signs)


def N_(text: str) -> str:
    """Mark a text of a table for the catalogues; ``tr`` translates it where it is shown."""
    return text


def use_language(name: str, app: QCoreApplication | None = None) -> str:
    """Turn to a language, before the window is built.

    Args:
        name: one of ``LANGUAGES``; anything else means that of the system.
        app: gets Qt's own texts, such as those of file dialogs, in that language.

    Returns:
        The language in force.
    """
    chosen = name if name in languages() else of_system()
    catalogue = translation(DOMAIN, resource("locale"), [chosen], fallback=True)
    _Catalogue.current = catalogue if isinstance(catalogue, GNUTranslations) else NullTranslations()
    locale = QLocale(chosen)
    _Catalogue.signs = {ord(","): locale.groupSeparator(), ord("."): locale.decimalPoint()}
    if app is not None and chosen != "en":
        translator = QTranslator(app)
        if translator.load(f"qtbase_{chosen}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(translator)
    return chosen


def languages() -> dict[str, str]:
    """Those of ``LANGUAGES`` that have a catalogue."""
    return {
        name: title for name, title in LANGUAGES.items() if name == "en" or find(DOMAIN, resource("locale"), [name])
    }


def of_system() -> str:
    """The language that the system prefers of those that there are; English where it is none of them."""
    for tag in QLocale.system().uiLanguages():
        wanted = tag.replace("-", "_")
        for name in languages():
            if wanted == name or wanted.split("_")[0] == name.split("_")[0]:
                return name
    return "en"
