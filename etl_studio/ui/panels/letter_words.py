"""What the panel of dead letters says of their number, on its buttons and beside its title."""

from __future__ import annotations

from etl_studio.ui.quantities import count
from etl_studio.ui.translation import tr


def button_texts(number: int) -> tuple[str, str, str]:
    """Of the buttons that replay, discard and export so many letters."""
    if not number:
        return tr("Replay"), tr("Discard"), tr("Export")
    shown = count(number)
    return tr("Replay {count}", count=shown), tr("Discard {count}", count=shown), tr("Export {count}", count=shown)


def button_tips(selected: int, shown: int) -> tuple[str, str, str]:
    """What these buttons do to the letters that are selected, or to all that are shown where none is."""
    if selected > 1:
        number = count(selected)
        return (
            tr("Process the {count} selected again, as pipeline and rows are now (Ctrl+Return)", count=number),
            tr("Remove the {count} selected for good (Delete)", count=number),
            tr("Write the {count} selected to a CSV or JSON-lines file", count=number),
        )
    if selected:
        return (
            tr("Process the selected again, as pipeline and rows are now (Ctrl+Return)"),
            tr("Remove the selected for good (Delete)"),
            tr("Write the selected to a CSV or JSON-lines file"),
        )
    if shown:
        return (
            tr("Process all shown again, as pipeline and rows are now (Ctrl+Return)"),
            tr("Remove all shown for good (Delete)"),
            tr("Write all shown to a CSV or JSON-lines file"),
        )
    nothing = tr("There is no dead letter to choose")
    return nothing, nothing, nothing


def counted(shown: int, read: int, total: int) -> str:
    """How many letters are shown, of how many, and how many of those were read; empty where there are none."""
    if not total:
        return ""
    if shown == total:
        return count(total)
    if read == total:
        return tr("{shown} of {total}", shown=count(shown), total=count(total))
    return tr("{shown} of {total}, the newest {read} read", shown=count(shown), total=count(total), read=count(read))
