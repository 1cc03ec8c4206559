"""Collects the window's texts and compiles their translations.

    python packaging/translate.py            brings the catalogues up to date and compiles them
    python packaging/translate.py --missing  prints what has no translation yet

A catalogue is ``resources/locale/LANGUAGE/LC_MESSAGES/etl_studio.po``; any editor of PO files will do. To add one,
make its folder, name it in ``LANGUAGES`` of ``etl_studio/ui/translation.py``, and run this.
"""

from __future__ import annotations

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_origin

from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from pydantic import BaseModel

from etl_studio.app.catalogue import full_registry
from etl_studio.app.resources import resource
from etl_studio.app.templates import examples, templates
from etl_studio.sdk.policy import Policy
from etl_studio.ui.actions import ACTIONS, MENUS
from etl_studio.ui.forms.editors import add_text, takes_chips
from etl_studio.ui.forms.models import use_text
from etl_studio.ui.forms.setting import settings_of as form_settings
from etl_studio.ui.node_search import GROUPS, first_line
from etl_studio.ui.translation import DOMAIN, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "resources" / "locale"
ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""In the place of the times of a catalogue: the same texts give the same file."""
KEYWORDS = {"tr": None, "trn": (1, 2), "N_": None}


def main() -> int:
    """Bring everything up to date; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missing", action="store_true", help="print what has no translation, and change nothing")
    options = parser.parse_args()
    template = texts()
    for language in (name for name in LANGUAGES if name != "en"):
        catalogue = updated(language, template)
        missing = [message.id for message in catalogue if message.id and not has_translation(message)]
        print(f"{language}: {len(catalogue) - len(missing)} of {len(catalogue)} texts")
        if options.missing:
            for text in missing:
                print(f"  {text!r}")
        else:
            path(language).parent.mkdir(parents=True, exist_ok=True)
            path(language).write_bytes(written(catalogue))
            path(language).with_suffix(".mo").write_bytes(compiled(catalogue))
    return 0


def texts() -> Catalog:
    """Every text of the window that can be translated: of the code, of the actions and of the nodes."""
    catalogue = Catalog(domain=DOMAIN)
    code = extract_from_dir(ROOT / "etl_studio" / "ui", method_map=[("**.py", "python")], keywords=KEYWORDS)
    for file, _line, text, _comments, _context in code:
        catalogue.add(text, locations=[(f"ui/{file}", 0)])
    for text in menu_texts():
        catalogue.add(text, locations=[("ui/actions.py", 0)])
    for type_name, text in node_texts():
        catalogue.add(text, locations=[(type_name, 0)])
    for file, text in template_texts():
        catalogue.add(text, locations=[(file, 0)])
    return catalogue


def menu_texts() -> Iterator[str]:
    """Titles and tips of menus and actions."""
    yield from MENUS
    for spec in ACTIONS:
        yield from filter(None, (spec.text, spec.tip))


def template_texts() -> Iterator[tuple[str, str]]:
    """File and text: what the start page says of templates and examples."""
    for template in (*templates(), *examples()):
        file = f"resources/{template.path.relative_to(resource()).as_posix()}"
        yield file, template.title
        yield file, template.pipeline.description


def node_texts() -> Iterator[tuple[str, str]]:
    """Type and text: titles of nodes, ports and settings, and what they say of themselves."""
    for group in GROUPS:
        yield "groups", group.capitalize()
    for node_type in full_registry():
        yield node_type.type, node_type.title
        yield node_type.type, first_line(node_type)
        for port in (*node_type.inputs, *node_type.outputs):
            if port.title:
                yield node_type.type, port.title
        for text in setting_texts(node_type.Config, set()):
            yield node_type.type, text
    for text in setting_texts(Policy, set()):
        yield "policy", text


def setting_texts(config: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """Titles and descriptions of settings, what their buttons and boxes say, and those within them."""
    from etl_studio.pipeline.setting_fields import settings_of

    seen.add(config)
    for field in config.model_fields.values():
        yield from filter(None, (field.title, field.description))
        if isinstance(field.json_schema_extra, dict) and (section := field.json_schema_extra.get("section")):
            yield str(section)
    for setting in form_settings(config):
        if get_origin(setting.annotation) in (list, tuple, dict):
            if not takes_chips(setting, get_args(setting.annotation)[0]):
                yield add_text(setting.english)
        elif setting.optional and isinstance(setting.annotation, type) and issubclass(setting.annotation, BaseModel):
            yield use_text(setting.english)
    for _editor, inner in settings_of((config,)).values():
        for model in inner:
            if model not in seen:
                yield from setting_texts(model, seen)


def updated(language: str, template: Catalog) -> Catalog:
    """The catalogue of a language with the texts of today."""
    if path(language).exists():
        catalogue = pofile.read_po(io.BytesIO(path(language).read_bytes()), locale=language, domain=DOMAIN)
    else:
        catalogue = Catalog(locale=language, domain=DOMAIN)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.header_comment = "# The texts of ETL Studio's window."
    catalogue.project, catalogue.version, catalogue.fuzzy = "ETL Studio", "1", False
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    catalogue.creation_date = catalogue.revision_date = ALWAYS
    return catalogue


def has_translation(message: object) -> bool:
    """Whether all forms of a message are there."""
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def written(catalogue: Catalog) -> bytes:
    """The text of a catalogue, always in the same order and without dates."""
    file = io.BytesIO()
    pofile.write_po(file, catalogue, width=0, sort_output=True, include_lineno=False)
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The form that programs read."""
    file = io.BytesIO()
    mofile.write_mo(file, catalogue)
    return file.getvalue()


def path(language: str) -> Path:
    """The catalogue of a language."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


if __name__ == "__main__":
    sys.exit(main())
