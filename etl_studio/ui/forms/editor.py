"""What every editor of a form is: a widget with a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from PySide6.QtCore import QObject, SignalInstance

    from etl_studio.engine.sql_functions import SqlFunction
    from etl_studio.ui.forms.setting import Setting
    from etl_studio.ui.theme.theme import Theme

Address: TypeAlias = tuple[str, ...]
"""Where a problem is inside a value: keys and indexes, outermost first."""

Complaint: TypeAlias = tuple[Address, str]
"""A problem for an editor to show: its address inside the value, and its text."""


def _nothing() -> Sequence[str]:
    return ()


def _no_widget(node: str, parent: QWidget) -> None:
    del node, parent


def _nowhere() -> Path | None:
    return None


class TriesSql(Protocol):
    """Tries out SQL on sample rows while it is typed; ``ui.trying.Trying`` does."""

    @property
    def answered(self) -> SignalInstance:
        """Carries who asked, and a ``Trial``, or a sentence that says why there is none."""
        ...

    @property
    def functions(self) -> Sequence[SqlFunction]:
        """The functions that SQL may call, as soon as they are known."""
        ...

    def ask(self, asker: QObject, setting: Setting, text: str, before: Sequence[tuple[str, str]]) -> None:
        """Try a text soon; ``before``: name and text of those above it in the same map."""
        ...


class RenamesNodes(Protocol):
    """Knows what mentions a node; ``node_renaming.NodeRenaming`` does."""

    def look(self, node: str) -> None:
        """Another id is being typed."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a node another id.

        Raises:
            UsageError: it cannot have it.
        """
        ...


@dataclass(frozen=True, slots=True)
class FormContext:
    """What editors need to know of their surroundings.

    Attributes:
        theme: colours and icons.
        columns: names of the columns that arrive at the node.
        parameters: names of the pipeline's parameters.
        folder: where relative paths start, or None.
        types: types of these columns by name, as far as they are known.
        secrets: names of the secrets that there are; never their values.
        trying: tries out SQL on sample rows, or None.
        open_workshop: opens the workshop of the node's selectors; None: it has none.
        renamer: renames nodes; None: nothing else mentions them.
        above: makes what stands above the settings of a node, such as a probe of its source; None: nothing.
    """

    theme: Theme
    columns: Callable[[], Sequence[str]] = field(default=_nothing)
    parameters: Callable[[], Sequence[str]] = field(default=_nothing)
    folder: Callable[[], Path | None] = field(default=_nowhere)
    types: Callable[[], Mapping[str, str]] = field(default=dict)
    secrets: Callable[[], Sequence[str]] = field(default=_nothing)
    trying: TriesSql | None = None
    open_workshop: Callable[[], None] | None = None
    renamer: RenamesNodes | None = None
    above: Callable[[str, QWidget], QWidget | None] = field(default=_no_widget)


class Editor(QWidget):
    """Edits one value.

    Signals:
        edited: a person changed the value; True while they may still be typing, False when the change is complete.
    """

    edited = Signal(bool)
    shows_title = False
    """Whether the editor says by itself what it edits, as a check box does."""
    fills = False
    """Whether such an editor takes the whole width, as fields that a check box unfolds do."""

    def value(self) -> Any:
        """The value to write, or ``UNSET``. What cannot be read as the right type stays as it was typed."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a value without telling anybody. Parts that show it already are left alone, with their cursors."""
        raise NotImplementedError

    def accepts(self, value: Any) -> bool:
        """Whether this editor can show such a value."""
        raise NotImplementedError

    def complain(self, complaints: Sequence[Complaint]) -> list[Complaint]:
        """Show problems inside the value; gives back those that have no place of their own here."""
        return list(complaints)
