"""A node gets another id: what else changes is shown first, and all of it is one step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.node_ids import refuse_id
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.pipeline.renaming import Renaming
    from etl_studio.ui.workbench import Workbench

ANY = "_"
"""Stands for a new id while none is typed yet."""

BEGINS_ANEW = N_("What {node} has read so far is remembered under its old name: the next run reads everything again.")


class NodeRenaming(QObject):
    """Renames nodes of one workbench.

    While a person types another id, a thread looks for what else mentions the node. Where there is nothing, the node is
    renamed at once; otherwise the list is shown first.

    Args:
        bench: the pipeline; it owns this.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench
        self._node = self._new = ""
        self._is_mentioned: bool | None = None
        self._asks = False
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._on_looked)
        self._fetcher.failed.connect(self._on_not_looked)
        bench.inspector.renamer = self
        bench.tests.followed.failed.connect(bench.banner.show_error)

    def look(self, node: str) -> None:
        """A person begins to type another id for a node: find out whether anything else mentions it."""
        self._node, self._new, self._is_mentioned = node, "", None
        find = self._finder()
        self._fetcher.ask(lambda: _changes_more(find(node, ANY)))

    def rename(self, old: str, new: str) -> None:
        """Rename a node as soon as it is known what changes with it.

        Raises:
            UsageError: the new id is taken or is no identifier.
        """
        refuse_id(self._bench.document.pipeline, new)
        if self._asks:
            return
        if self._node != old:
            self.look(old)
        self._new = new
        self._decide()

    def ask(self) -> None:
        """Ask for another id of the selected node."""
        self._bench.inspector.flush()
        for node in self._bench.canvas.pipeline_scene.chosen_nodes()[:1]:
            self._open(node)

    # -- inside -----------------------------------------------------------------------------------------------

    def _finder(self) -> Callable[[str, str], Renaming]:
        """Finds in a thread what changes, in the document as it is now and in files."""
        document, studio = self._bench.document, self._bench.studio
        pipeline, path, load = snapshot(document.pipeline), document.path, studio.sub_pipelines.load

        def find(old: str, new: str) -> Renaming:
            from etl_studio.app.renamed_tests import renamed_tests
            from etl_studio.pipeline.node_renaming import rename_node
            from etl_studio.pipeline.renaming import FileChange

            refuse_id(pipeline, new)
            found = rename_node(pipeline, old, new)
            if path is not None:
                tests = renamed_tests(path, load, old, new)
                found.files = [FileChange(one.test, one.before, one.after) for one in tests]
                if _has_bookmarks(studio, path, old):
                    found.doubts.append(tr(BEGINS_ANEW, node=old))
            return found

        return find

    def _on_looked(self, is_mentioned: bool) -> None:  # noqa: FBT001 - a signal's
        self._is_mentioned = is_mentioned
        self._decide()

    def _on_not_looked(self) -> None:
        """The list tells why."""
        self._on_looked(is_mentioned=True)

    def _decide(self) -> None:
        if not self._new or self._is_mentioned is None:
            return
        old, new, document = self._node, self._new, self._bench.document
        self._node = self._new = ""
        if old not in document.pipeline.nodes:
            return
        if self._is_mentioned:
            self._open(old, new)
        else:
            document.rename_node(old, new)

    def _open(self, old: str, new: str = "") -> None:
        from etl_studio.ui.columns.rename_dialog import RenameDialog

        bench = self._bench
        find, titles, theme = partial(self._finder(), old), bench.document.titles(), bench.inspector.theme
        dialog = RenameDialog(old, find, titles, theme, "node", new, parent=bench.window())
        dialog.accepted.connect(self._on_accepted)
        dialog.finished.connect(self._on_finished)
        self._asks = True
        dialog.open()

    def _on_accepted(self) -> None:
        from etl_studio.pipeline.renaming import apply
        from etl_studio.ui.columns.rename_dialog import RenameDialog

        dialog, document = self.sender(), self._bench.document
        if not isinstance(dialog, RenameDialog) or dialog.renaming is None:
            return
        what = tr("Rename {old} to {new}", old=dialog.old, new=dialog.new)
        document.undo_stack.beginMacro(what)
        document.rename_node(dialog.old, dialog.new)
        if chosen := dialog.chosen:
            document.become(apply(document.pipeline, dialog.renaming, chosen), what)
        document.undo_stack.endMacro()

    def _on_finished(self) -> None:
        self._asks = False
        self._bench.inspector.show_names()


def _changes_more(renaming: Renaming) -> bool:
    return bool(renaming.changes or renaming.files or renaming.doubts)


def _has_bookmarks(studio: Studio, file: Path, node: str) -> bool:
    """Whether a source remembers what it has read."""
    folder = studio.workspace_folder(file)
    if not (folder / "workspace.db").is_file():
        return False
    workspace = studio.workspace(folder)
    try:
        return bool(workspace.bookmarks.of(file, node))
    finally:
        workspace.release()
