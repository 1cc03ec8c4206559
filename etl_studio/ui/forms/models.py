"""Editors of settings that are models themselves: nested, optional, or one of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from etl_studio.ui.forms.choice import Combo, choice_label
from etl_studio.ui.forms.editor import Complaint, Editor, FormContext
from etl_studio.ui.forms.field import Field
from etl_studio.ui.forms.fold import Fold
from etl_studio.ui.forms.setting import UNSET, Setting, settings_of
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pydantic import BaseModel

Build: TypeAlias = Callable[[Setting, FormContext, QWidget], Editor]
"""Makes the editor of a setting."""


class ModelEditor(Editor):
    """The fields of a model; advanced ones are folded away, by section. Keys that the model does not know are kept.

    Signals:
        field_edited: name of the key, and whether the person may still be typing.

    Args:
        model: the pydantic model.
        build: makes the editor of each field.
        context: of the form.
        parent: its parent.
        without: names of fields that are not shown.
        defaults: where the defaults differ from those of the model.
        inline: fields side by side without labels, for models of two or three short fields.
        columns: how many fields stand side by side.
    """

    field_edited = Signal(str, bool)

    def __init__(  # noqa: PLR0913 - each is a fact about the fields
        self,
        model: type[BaseModel],
        build: Build,
        context: FormContext,
        parent: QWidget | None = None,
        *,
        without: Collection[str] = (),
        defaults: BaseModel | None = None,
        inline: bool = False,
        columns: int = 1,
    ) -> None:
        super().__init__(parent)
        self.fields: dict[str, Field] = {}
        self._rest: dict[str, Any] = {}
        self.folds: dict[str, Fold] = {}
        column = QHBoxLayout(self) if inline else QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * SPACE if inline else 3 * SPACE)
        grid = QGridLayout()
        if columns > 1:
            grid.setHorizontalSpacing(2 * SPACE)
            grid.setVerticalSpacing(2 * SPACE)
            for number in range(columns):
                grid.setColumnStretch(number, 1)
            column.addLayout(grid)
        settings = [setting for setting in settings_of(model, defaults) if setting.name not in without]
        for setting in sorted(settings, key=attrgetter("advanced")):
            folded = setting.advanced and not inline
            if folded and setting.section not in self.folds:
                title = tr(setting.section) if setting.section else tr("More settings")
                self.folds[setting.section] = Fold(title, context, self)
                column.addWidget(self.folds[setting.section])
            editor = build(setting, context, self)
            field = Field(setting, editor, context, self, labelled=not inline)
            field.edited.connect(self._edited)
            self.fields[setting.key] = field
            if folded:
                self.folds[setting.section].add(field)
            elif columns > 1:
                grid.addWidget(field, *divmod(grid.count(), columns), Qt.AlignmentFlag.AlignTop)
            else:
                column.addWidget(field)
        first = next(iter(self.fields.values()), None)
        if first is not None:
            self.setFocusProxy(first)
        self._settle()

    def value(self) -> Any:
        values = {key: field.editor.value() for key, field in self.fields.items()}
        return {**self._rest, **{key: value for key, value in values.items() if value is not UNSET}}

    def set_value(self, value: Any) -> None:
        values: Mapping[str, Any] = {} if value is UNSET or value is None else value
        used = set()
        for key, field in self.fields.items():
            used |= {key, field.setting.name}
            new = values.get(key, values.get(field.setting.name, UNSET))
            if not same(new, field.editor.value()):
                field.editor.set_value(new)
        self._rest = {key: kept for key, kept in values.items() if key not in used}
        self._settle()

    def accepts(self, value: Any) -> bool:
        return value is None or isinstance(value, dict)

    def complain(self, complaints: Sequence[Complaint]) -> list[Complaint]:
        mine: dict[str, list[Complaint]] = {}
        rest = []
        by_name = {field.setting.name: key for key, field in self.fields.items()}
        for address, text in complaints:
            key = by_name.get(address[0], address[0]) if address else ""
            if key in self.fields:
                mine.setdefault(key, []).append((address[1:], text))
            else:
                rest.append((address, text))
        for key, field in self.fields.items():
            field.complain(mine.get(key, []))
            if key in mine:
                self.reveal(key)
        return rest

    def reveal(self, key: str) -> None:
        """Unfold what a field is folded into."""
        setting = self.fields[key].setting
        if setting.advanced and setting.section in self.folds:
            self.folds[setting.section].unfold()

    def _edited(self, typing: bool) -> None:  # noqa: FBT001 - a signal's argument
        field = self.sender()
        if isinstance(field, Field):
            self._settle()
            self.field_edited.emit(field.setting.key, typing)
            self.edited.emit(typing)

    def _settle(self) -> None:
        """Hide what has no meaning beside the other values, unless it is set; count the advanced ones that are."""
        for field in self.fields.values():
            if field.setting.only_when:
                field.setVisible(self._has_meaning(field) or field.editor.value() is not UNSET)
        for section, fold in self.folds.items():
            inside = [
                each for each in self.fields.values() if each.setting.advanced and each.setting.section == section
            ]
            fold.show_count(sum(field.editor.value() is not UNSET for field in inside))

    def _has_meaning(self, field: Field) -> bool:
        for key, values in field.setting.only_when.items():
            other = self.fields[key]
            value = other.editor.value()
            if (other.setting.default if value is UNSET else value) not in values:
                return False
        return True


class NestedEditor(Editor):
    """A model that is always there; nothing is written while nothing differs from its defaults.

    Args:
        content: the fields.
        parent: its parent.
        inset: whether a frame holds the fields together.
    """

    def __init__(self, content: ModelEditor, parent: QWidget | None = None, *, inset: bool = True) -> None:
        super().__init__(parent)
        self.content = content
        content.edited.connect(self.edited)
        self.setFocusProxy(content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(framed(content, self) if inset else content)

    def value(self) -> Any:
        return self.content.value() or UNSET

    def set_value(self, value: Any) -> None:
        self.content.set_value(value)

    def accepts(self, value: Any) -> bool:
        return self.content.accepts(value)

    def complain(self, complaints: Sequence[Complaint]) -> list[Complaint]:
        return self.content.complain(complaints)


class OptionalEditor(NestedEditor):
    """A model that may be missing: a check box unfolds it.

    Args:
        setting: what is edited.
        content: the fields.
        parent: its parent.
        inset: whether a frame holds the fields together.
    """

    shows_title = True
    fills = True

    def __init__(
        self, setting: Setting, content: ModelEditor, parent: QWidget | None = None, *, inset: bool = True
    ) -> None:
        super().__init__(content, parent, inset=inset)
        self._default_on = setting.default not in (None, UNSET)
        self.box = QCheckBox(tr(use_text(setting.english or setting.title)), self)
        self.box.clicked.connect(self._clicked)
        self.layout().insertWidget(0, self.box)
        self.layout().setSpacing(2 * SPACE)
        self._frame = content.parentWidget() if inset else content
        self.setFocusProxy(self.box)
        self.set_value(UNSET)

    def value(self) -> Any:
        if self.box.isChecked():
            content = self.content.value()
            return UNSET if not content and self._default_on else content
        return None if self._default_on else UNSET

    def set_value(self, value: Any) -> None:
        used = self._default_on if value is UNSET else value is not None
        self.box.setChecked(used)
        self._frame.setVisible(used)
        self.content.set_value(value)

    def _clicked(self) -> None:
        self._frame.setVisible(self.box.isChecked())
        self.edited.emit(False)


class UnionEditor(Editor):
    """One of several models, told apart by one field such as ``kind``.

    What was typed for one kind comes back when it is chosen again.

    Args:
        setting: what is edited.
        build: makes the editor of each field.
        context: of the form.
        parent: its parent.
    """

    def __init__(self, setting: Setting, build: Build, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = setting.discriminator or ""
        self._build, self._context = build, context
        self._models = {
            kind: model
            for model in get_args(setting.annotation)
            for kind in get_args(model.model_fields[self._key].annotation)
        }
        self._default = None if setting.default in (None, UNSET) else getattr(setting.default, self._key)
        self._pages: dict[str, ModelEditor] = {}
        self.combo = Combo(self)
        self.combo.setAccessibleName(setting.title)
        self.combo.setPlaceholderText(tr("Choose…") if setting.required else tr("none"))
        if setting.optional and self._default is None:
            self.combo.addItem("—", None)
        for kind in self._models:
            self.combo.addItem(choice_label(kind), kind)
        self.combo.activated.connect(self._chosen)
        self.setFocusProxy(self.combo)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2 * SPACE)
        self._column.addWidget(self.combo)
        self.set_value(UNSET)

    @property
    def page(self) -> ModelEditor | None:
        """The fields of the chosen kind."""
        return self._pages.get(self.combo.currentData())

    def value(self) -> Any:
        kind = self.combo.currentData()
        if kind is None:
            return UNSET
        fields = self.page.value() if self.page is not None else {}
        return UNSET if kind == self._default and not fields else {self._key: kind, **fields}

    def set_value(self, value: Any) -> None:
        kind = self._default if value is UNSET or value is None else value[self._key]
        self._turn_to(kind)
        if self.page is not None:
            fields = {} if value is UNSET or value is None else value
            self.page.set_value({key: content for key, content in fields.items() if key != self._key})

    def accepts(self, value: Any) -> bool:
        return value is None or (isinstance(value, dict) and value.get(self._key) in self._models)

    def complain(self, complaints: Sequence[Complaint]) -> list[Complaint]:
        if self.page is None:
            return list(complaints)
        kind = self.combo.currentData()
        # pydantic puts the kind into the address of a problem inside a union
        return self.page.complain(
            [(address[1:] if address and address[0] == kind else address, text) for address, text in complaints]
        )

    def _turn_to(self, kind: str | None) -> None:
        self.combo.setCurrentIndex(self.combo.findData(kind))
        if kind is not None and kind not in self._pages:
            page = ModelEditor(self._models[kind], self._build, self._context, self, without=(self._key,))
            page.edited.connect(self.edited)
            self._pages[kind] = page
            self._column.addWidget(framed(page, self))
        for name, page in self._pages.items():
            page.parentWidget().setVisible(name == kind and bool(page.fields))

    def _chosen(self) -> None:
        self._turn_to(self.combo.currentData())
        self.edited.emit(False)


def use_text(title: str) -> str:
    """English for using what may be missing: ``Use rate limit`` for Rate limit."""
    return f"Use {title[:1].lower()}{title[1:]}"


def framed(content: QWidget, parent: QWidget) -> QFrame:
    """A card around the content."""
    frame = QFrame(parent)
    frame.setProperty("role", "card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
    column.addWidget(content)
    return frame


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same kind: 1 is not True."""
    return one is other or (type(one) is type(other) and one == other)
