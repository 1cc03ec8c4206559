"""What a monkey does to a document by the edits of the canvas: other types, wires, order, requests, saving."""

from __future__ import annotations

from PySide6.QtCore import QPointF

CURL = "curl 'https://example.org/api?page=2' -H 'Authorization: Bearer s3cr3t'"
"""Dropped as a text; the small catalogue has no type for it, so nothing may happen."""


class EditsOfTheCanvas:
    """Acts for a ``Monkey`` that has a canvas, a document, and draws by a seed.

    Attributes:
        editing: of the canvas.
        folder: where it saves.
    """

    editing = None
    folder = None

    def edits(self):
        """The acts that are possible now."""
        acts = [self.add_behind, self.request]
        if self.document.pipeline.nodes:
            acts += [self.replace, self.join, self.arrange, self.align, self.distribute, self.cut_and_put_back]
        if self.document.pipeline.wires:
            acts += [self.insert, self.put_into]
        if self.folder is not None and self.draw.random() < 0.1:
            acts += [self.save, self.save_and_load]
        return acts

    def choose(self, number=3):
        self.editing._scene.choose(self.some()[:number])

    def a_type(self):
        return self.draw.choice(["csv_source", "filter", "join", "sql", "validate", "sqlite_sink"])

    def place(self):
        return QPointF(self.draw.randrange(900), self.draw.randrange(900))

    def add_behind(self):
        if len(self.document.pipeline.nodes) < 30:
            self.editing.add_after_selection(self.a_type())

    def request(self):
        self.editing.add_request(CURL, self.place())

    def replace(self):
        self.document.replace_node(self.some()[0], self.document.registry.get(self.a_type()))

    def join(self):
        self.choose(self.draw.randint(1, 3))
        self.editing.delete_and_join()

    def arrange(self):
        self.choose()
        self.editing.arrange()

    def align(self):
        self.choose()
        self.editing.align(self.draw.choice(["left", "centre", "right", "top", "middle", "bottom"]))

    def distribute(self):
        self.choose()
        self.editing.distribute(self.draw.choice(["across", "down"]))

    def cut_and_put_back(self):
        self.choose()
        self.editing.cut()
        self.editing.paste(self.place())

    def insert(self):
        if len(self.document.pipeline.nodes) < 30:
            self.editing.insert_on_wire(self.a_type(), self.place(), self.draw.choice(self.document.pipeline.wires))

    def put_into(self):
        node, wire = self.some()[0], self.draw.choice(self.document.pipeline.wires)
        if self.editing.fits_into_wires(node):
            self.editing.put_into(node, (5.0, 5.0), wire)

    def save(self):
        self.document.save(self.folder / "monkey.etl.yaml")

    def save_and_load(self):
        """What is loaded is what was saved; the undo stack begins anew, and so does the start.

        The order of the nodes may be another: the writer leaves what a file has where it is.
        """
        path = self.folder / "monkey.etl.yaml"
        self.document.save(path)
        before, _ = self.seen()
        self.document.load(path)
        self.start = self.seen()
        assert self.start[0] == before
