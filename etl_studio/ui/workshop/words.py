"""How the workshop says what is known of selectors and elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.app.scraping.robustness import robustness
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from etl_studio.app.scraping.dom import DomNode
    from etl_studio.app.scraping.robustness import Level, Robustness, Trait
    from etl_studio.ui.theme.tokens import Tokens

LEVELS: dict[Level, str] = {"robust": N_("Robust"), "fair": N_("Fair"), "fragile": N_("Fragile")}
TRAITS: dict[Trait, str] = {
    "position": N_("it counts positions"),
    "generated": N_("it holds on to a made-up name"),
    "numbered": N_("it holds on to a number"),
    "text": N_("it holds on to a value of this page"),
    "tags": N_("it knows tags only"),
    "state": N_("it holds on to a state"),
    "styling": N_("it holds on to a name for looks"),
    "deep": N_("it goes through many levels"),
}
MEANINGS: dict[Trait, str] = {
    "position": N_("One more element before it, and it finds another one."),
    "generated": N_("Such names change with each release of the site."),
    "numbered": N_("Numbers in names differ from page to page."),
    "text": N_("The next page has another value there."),
    "tags": N_("Any other element of this kind would be found, too."),
    "state": N_("Names such as active come and go."),
    "styling": N_("Names such as mt-4 change with the looks of the site."),
    "deep": N_("Each level is one more thing that may change."),
}


def level_colour(level: Level, tokens: Tokens) -> str:
    """The colour of a judgement."""
    return {"robust": tokens.success, "fair": tokens.warning, "fragile": tokens.danger}[level]


def judgement(judged: Robustness) -> str:
    """A judgement in a few words."""
    if not judged.traits or judged.level == "robust":
        return tr(LEVELS[judged.level])
    return tr("{level}: {why}", level=tr(LEVELS[judged.level]), why=tr(TRAITS[judged.traits[0]]))


def reasons(selector: str) -> str:
    """Everything that speaks against a selector, a line for each."""
    lines = [tr(TRAITS[trait]) + ". " + tr(MEANINGS[trait]) for trait in robustness(selector).traits]
    return "\n".join(line[:1].upper() + line[1:] for line in lines)


def short_name(node: DomNode) -> str:
    """An element as in a trail: ``li.card`` or ``div#main``."""
    known = dict(node.attributes)
    name = f"#{known['id'].strip()}" if known.get("id", "").strip() else ""
    classes = known.get("class", "").split()
    return node.tag + (name or "".join(f".{each}" for each in classes[:2]))
