"""Notes, groups, bends and disabled nodes by real mouse and keys: the document has the result, undo takes it back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from etl_studio.engine.events import NodeChanged, NodeState
from etl_studio.pipeline.model import Group, Wire
from etl_studio.ui.canvas.scene import Hit

pytestmark = pytest.mark.window

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
READ = Wire("csv", "out", "filter", "input")
SAVE = Wire("filter", "out", "sqlite", "input")


@pytest.fixture
def wired(document):
    """Three nodes in a row, wired."""
    for number, node_type in enumerate(["csv_source", "filter", "sqlite_sink"]):
        document.add_node(node_type, 304 * number, 120)
    for wire in (READ, SAVE):
        assert document.connect_ports(wire) is None
    return document


@pytest.fixture
def view(wired, make_view):
    """The canvas of the three nodes."""
    return make_view(wired)


@pytest.fixture
def scene(view):
    return view.pipeline_scene


@pytest.fixture
def steps(wired):
    """How many undo steps were made since."""
    before = wired.undo_stack.count()
    return lambda: wired.undo_stack.count() - before


def pixel(view, x, y):
    return view.mapFromScene(QPointF(x, y))


def click(view, at, keys=NO_KEY):
    QTest.mouseClick(view.viewport(), LEFT, keys, at)


def double_click(view, at):
    click(view, at)
    QTest.mouseDClick(view.viewport(), LEFT, NO_KEY, at)
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, at)


def pick(menu, text):
    """Choose an entry of a menu or of a menu in it."""
    for action in menu.actions():
        if action.menu():
            for inner in action.menu().actions():
                if inner.text().split("\t")[0] == text:
                    inner.trigger()
                    return
        elif action.text().split("\t")[0] == text:
            action.trigger()
            return
    raise AssertionError([action.text() for action in menu.actions()])


class TestNotes:
    @pytest.fixture
    def note(self, wired):
        return wired.add_note((0, -200, 240, 160), "# Why\n\nsee [the page](https://example.org)")

    def test_n_adds_a_note_where_the_pointer_is_and_one_undo_takes_it_away_with_its_text(self, view, wired, steps):
        QTest.mouseMove(view.viewport(), pixel(view, 103, 301))
        QTest.keyClick(view, Qt.Key.Key_N)
        QTest.keyClicks(view.in_place.editor, "Why *this*")
        QTest.keyClick(view.in_place.editor, Qt.Key.Key_Return, CONTROL)

        assert wired.pipeline.notes["note"].text == "Why *this*"
        assert wired.pipeline.layout["note"] == (104, 304, 240, 120)
        assert view.in_place.editor is None
        assert view.hasFocus()
        assert steps() == 1
        wired.undo_stack.undo()
        assert wired.pipeline.notes == {}
        assert view.pipeline_scene.notes.items == {}
        wired.undo_stack.redo()
        assert wired.pipeline.notes["note"].text == "Why *this*"

    def test_a_double_click_writes_in_place_and_escape_ends_it_in_one_step(self, view, wired, note, steps):
        double_click(view, pixel(view, 120, -60))
        editor = view.in_place.editor
        assert editor.toPlainText() == wired.pipeline.notes[note].text
        editor.selectAll()
        QTest.keyClicks(editor, "Since n, d and f are no keys of the canvas here")
        QTest.keyClick(editor, Qt.Key.Key_Delete)
        QTest.keyClick(editor, Qt.Key.Key_Escape)

        assert wired.pipeline.notes[note].text == "Since n, d and f are no keys of the canvas here"
        assert steps() == 1
        wired.undo_stack.undo()
        assert wired.pipeline.notes[note].text.startswith("# Why")

    def test_a_click_elsewhere_ends_the_writing(self, view, wired, note):
        double_click(view, pixel(view, 120, -60))
        QTest.keyClicks(view.in_place.editor, "!")
        click(view, pixel(view, 400, 400))

        assert view.in_place.editor is None
        assert wired.pipeline.notes[note].text.endswith("!")

    def test_an_editor_whose_note_is_gone_closes(self, view, wired, note):
        double_click(view, pixel(view, 120, -60))
        wired.remove(notes=[note])
        assert view.in_place.editor is None

    def test_it_is_dragged_on_the_grid_alone_or_with_nodes(self, view, scene, wired, note, hand, steps):
        view.editing.snaps = True
        hand.drag(view, pixel(view, 120, -60), pixel(view, 161, -41))
        assert wired.pipeline.layout[note] == (40, -184, 240, 160)
        click(view, hand.card(view, "csv"), CONTROL)
        assert scene.chosen_items() == ["csv", note]
        hand.drag(view, hand.card(view, "csv"), hand.card(view, "csv") + QPoint(0, 80))
        assert (wired.pipeline.layout["csv"], wired.pipeline.layout[note][:2]) == ((0, 200), (40, -104))
        assert steps() == 2

    def test_its_corner_resizes_it_and_escape_leaves_it(self, view, wired, note, hand, steps):
        hand.drag(view, pixel(view, 236, -44), pixel(view, 300, 20))
        assert wired.pipeline.layout[note] == (0, -200, 304, 224)
        wired.undo_stack.undo()
        assert wired.pipeline.layout[note] == (0, -200, 240, 160)
        hand.press_and_move(view, pixel(view, 236, -44), pixel(view, 300, 20))
        QTest.keyClick(view, Qt.Key.Key_Escape)
        QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, pixel(view, 300, 20))
        assert wired.pipeline.layout[note] == (0, -200, 240, 160)
        assert steps() == 1

    def test_it_is_never_smaller_than_can_be_taken(self, view, wired, note, hand):
        hand.drag(view, pixel(view, 236, -44), pixel(view, -100, -300))
        assert wired.pipeline.layout[note] == (0, -200, 96, 48)

    def test_delete_removes_it_and_undo_brings_it_back(self, view, wired, note, hand):
        before = hand.snapshot(wired)
        click(view, pixel(view, 120, -60))
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert wired.pipeline.notes == {}
        wired.undo_stack.undo()
        assert hand.snapshot(wired) == before

    def test_copy_and_paste_of_a_note_alone(self, view, wired, note):
        click(view, pixel(view, 120, -60))
        QTest.keyClick(view, Qt.Key.Key_C, CONTROL)
        assert "notes:" in QGuiApplication.clipboard().text()
        QTest.mouseMove(view.viewport(), pixel(view, 300, 400))
        QTest.keyClick(view, Qt.Key.Key_V, CONTROL)
        assert wired.pipeline.notes["note_2"].text == wired.pipeline.notes[note].text
        assert view.pipeline_scene.chosen_items() == ["note_2"]

    def test_its_menu_gives_it_a_colour(self, view, wired, note, steps):
        pick(view.menu_for(Hit(note=note), QPointF()), "Green")
        assert wired.pipeline.notes[note].color == "green"
        assert steps() == 1

    def test_control_and_a_click_open_a_link(self, view, scene, note, monkeypatch):
        opened = []
        monkeypatch.setattr("PySide6.QtGui.QDesktopServices.openUrl", lambda url: opened.append(url.toString()))
        places = [QPointF(x, y) for x in range(4, 236, 4) for y in range(-196, -44, 4)]
        at = next(point for point in places if scene.hit(point).link)
        click(view, view.mapFromScene(at))
        assert opened == []
        click(view, view.mapFromScene(at), CONTROL)
        assert opened == ["https://example.org"]

    def test_a_link_to_a_file_or_program_is_none(self, view, scene, wired, note):
        wired.set_note(note, text="[all of it](file:///etc/passwd)")
        places = [QPointF(x, y) for x in range(4, 236, 4) for y in range(-196, -44, 4)]
        assert not any(scene.hit(point).link for point in places)

    def test_markdown_is_rendered_and_lists_stay_lists(self, scene, wired, note):
        wired.set_note(note, text="# Title\n\nSome **bold** text.\n\n- one\n- two\n\n1. first")
        assert scene.notes.items[note].document().toPlainText() == "Title\nSome bold text.\none\ntwo\nfirst"
        document = scene.notes.items[note].document()
        lists = [document.findBlockByNumber(number).textList() is not None for number in range(5)]
        assert lists == [False, False, True, True, True]
        sizes = [
            document.findBlockByNumber(number).begin().fragment().charFormat().font().pixelSize() for number in (0, 1)
        ]
        assert sizes[0] > sizes[1]

    def test_a_rubber_band_takes_the_notes_that_it_holds(self, view, scene, note, hand):
        hand.drag(view, pixel(view, -40, -220), pixel(view, 100, -20))
        assert scene.chosen_items() == []
        hand.drag(view, pixel(view, -40, -220), pixel(view, 280, -20))
        assert scene.chosen_items() == [note]


class TestGroups:
    @pytest.fixture
    def group(self, wired, view):
        return wired.group(["csv", "filter"], "Clean")

    def title(self, view, group):
        return view.mapFromScene(view.pipeline_scene.groups.items[group].title_box().center())

    def chevron(self, view, group):
        return view.mapFromScene(view.pipeline_scene.groups.items[group].card().topLeft() + QPointF(16, 16))

    def test_control_g_groups_what_is_selected_and_asks_for_a_title(self, view, scene, wired, steps):
        scene.choose(["csv", "filter"])
        QTest.keyClick(view, Qt.Key.Key_G, CONTROL)
        QTest.keyClicks(view.in_place.editor, "Clean up")
        QTest.keyClick(view.in_place.editor, Qt.Key.Key_Return)

        assert wired.pipeline.groups["group"].title == "Clean up"
        assert wired.pipeline.groups["group"].nodes == ["csv", "filter"]
        assert steps() == 2
        wired.undo_stack.setIndex(wired.undo_stack.index() - 2)
        assert wired.pipeline.groups == {}
        assert scene.groups.items == {}

    def test_control_shift_g_dissolves_the_groups_of_what_is_selected(self, view, scene, wired, group, steps):
        scene.choose(["csv"])
        QTest.keyClick(view, Qt.Key.Key_G, CONTROL | Qt.KeyboardModifier.ShiftModifier)
        assert wired.pipeline.groups == {}
        assert scene.groups.items == {}
        wired.undo_stack.undo()
        assert list(scene.groups.items) == [group]

    def test_the_frame_follows_its_members(self, scene, wired, group):
        before = scene.groups.items[group].card()
        wired.move({"csv": (-80, 120)})
        assert scene.groups.items[group].card().left() == before.left() - 80
        wired.remove(["csv"])
        assert scene.groups.items[group].card().width() < before.width() / 2

    def test_a_drag_of_the_title_moves_all_members_in_one_step(self, view, wired, group, hand, steps):
        at = self.title(view, group)
        hand.drag(view, at, at + QPoint(40, 80))
        layout = wired.pipeline.layout
        assert (layout["csv"], layout["filter"], layout["sqlite"]) == ((40, 200), (344, 200), (608, 120))
        assert steps() == 1
        wired.undo_stack.undo()
        assert wired.pipeline.layout["csv"] == (0, 120)

    def test_a_click_on_the_title_selects_the_members(self, view, scene, group):
        click(view, self.title(view, group))
        assert scene.chosen_nodes() == ["csv", "filter"]
        assert scene.groups.chosen() == [group]

    def test_a_double_click_on_the_title_writes_it_and_escape_leaves_it(self, view, wired, group, steps):
        double_click(view, self.title(view, group))
        QTest.keyClicks(view.in_place.editor, "New")
        QTest.keyClick(view.in_place.editor, Qt.Key.Key_Escape)
        assert wired.pipeline.groups[group].title == "Clean"
        double_click(view, self.title(view, group))
        QTest.keyClicks(view.in_place.editor, "New")
        QTest.keyClick(view.in_place.editor, Qt.Key.Key_Return)
        assert wired.pipeline.groups[group].title == "New"
        assert steps() == 1

    def test_a_click_on_the_chevron_collapses_it_to_one_card_with_wires_to_the_outside(
        self, view, scene, wired, group, steps
    ):
        click(view, self.chevron(view, group))
        item = scene.groups.items[group]

        assert wired.pipeline.groups[group].collapsed
        assert not scene.nodes["csv"].isVisible()
        assert not scene.wires[READ].isVisible()
        assert scene.wires[SAVE].isVisible()
        assert scene.wires[SAVE].path().pointAtPercent(0) == item.anchor(SAVE, is_input=False)
        assert item.card().size().width() == 224
        click(view, self.chevron(view, group))
        assert scene.nodes["csv"].isVisible()
        assert scene.wires[READ].isVisible()
        assert scene.wires[SAVE].path().pointAtPercent(0) == scene.nodes["filter"].anchor("out", is_input=False)
        assert steps() == 2

    def test_enter_expands_and_collapses_the_selected_group(self, view, scene, wired, group):
        scene.choose(["csv", "filter"])
        QTest.keyClick(view, Qt.Key.Key_Return)
        assert wired.pipeline.groups[group].collapsed
        assert scene.chosen_nodes() == ["csv", "filter"]
        QTest.keyClick(view, Qt.Key.Key_Return)
        assert not wired.pipeline.groups[group].collapsed

    def test_a_collapsed_group_is_dragged_deleted_and_brought_back_whole(self, view, scene, wired, group, hand):
        wired.set_group(group, collapsed=True)
        before = hand.snapshot(wired)
        at = self.title(view, group)
        hand.drag(view, at, at + QPoint(16, 160))
        assert wired.pipeline.layout["filter"] == (320, 280)
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert list(wired.pipeline.nodes) == ["sqlite"]
        assert wired.pipeline.groups == {}
        wired.undo_stack.undo()
        wired.undo_stack.undo()
        assert hand.snapshot(wired) == before
        assert not scene.nodes["filter"].isVisible()
        assert not scene.wires[READ].isVisible()

    def test_a_rubber_band_over_a_card_selects_its_members(self, view, scene, wired, group, hand):
        wired.set_group(group, collapsed=True)
        corner = self.chevron(view, group) - QPoint(40, 40)
        hand.drag(view, corner, corner + QPoint(80, 80))
        assert scene.chosen_nodes() == ["csv", "filter"]

    def test_a_card_shows_the_worst_state_of_its_members(self, scene, wired, group):
        wired.set_group(group, collapsed=True)
        scene.show_state(NodeChanged("r", 0.0, "csv", NodeState.DONE))
        assert scene.groups.items[group].state == "done"
        scene.show_state(NodeChanged("r", 0.0, "filter", NodeState.FAILED))
        assert scene.groups.items[group].state == "failed"
        scene.clear_run()
        assert scene.groups.items[group].state == ""

    def test_a_group_without_members_is_never_selected(self, scene, wired, group):
        wired.put_into_group(["csv", "filter"], None)
        assert wired.pipeline.groups == {}
        wired.pipeline.groups["empty"] = Group("empty", "Empty")
        wired.reset.emit()
        assert scene.groups.chosen() == []
        assert not scene.groups.items["empty"].isVisible()

    def test_its_menu_gives_it_a_colour_and_collapses_it(self, view, wired, group):
        pick(view.menu_for(Hit(group=group), QPointF()), "Purple")
        assert wired.pipeline.groups[group].color == "purple"
        pick(view.menu_for(Hit(group=group), QPointF()), "Collapse")
        assert wired.pipeline.groups[group].collapsed

    def test_the_menu_of_a_node_puts_it_into_a_group_and_takes_it_out(self, view, scene, wired, group, steps):
        pick(view.menu_for(Hit("sqlite"), QPointF()), "Clean")
        assert wired.pipeline.groups[group].nodes == ["csv", "filter", "sqlite"]
        assert scene.groups.members(group) == ["csv", "filter", "sqlite"]
        pick(view.menu_for(Hit("sqlite"), QPointF()), "Take out of the group")
        assert wired.pipeline.groups[group].nodes == ["csv", "filter"]
        assert steps() == 2

    def test_arranging_and_aligning_take_a_card_for_one_node_and_its_members_stay_together(
        self, view, scene, wired, group
    ):
        wired.move({"filter": (304, 200), "sqlite": (1000, 700)})
        wired.set_group(group, collapsed=True)
        view.editing.arrange()
        layout, card = wired.pipeline.layout, scene.groups.items[group].card()
        assert (layout["filter"][0] - layout["csv"][0], layout["filter"][1] - layout["csv"][1]) == (304, 80)
        assert scene.cards(["sqlite"])["sqlite"].left() - card.left() == 304
        wired.move({"sqlite": (1000, 700)})
        scene.choose(["csv", "filter", "sqlite"])
        view.editing.align("left")
        layout = wired.pipeline.layout
        assert (layout["filter"][0] - layout["csv"][0], layout["filter"][1] - layout["csv"][1]) == (304, 80)
        assert scene.cards(["sqlite"])["sqlite"].left() == scene.groups.items[group].card().left()

    def test_alt_and_arrows_stand_on_a_card_as_on_a_node(self, view, scene, wired, group):
        wired.set_group(group, collapsed=True)
        scene.choose(["sqlite"])
        QTest.keyClick(view, Qt.Key.Key_Left, ALT)
        assert scene.chosen_nodes() == ["csv", "filter"]
        QTest.keyClick(view, Qt.Key.Key_Right, ALT)
        assert scene.chosen_nodes() == ["sqlite"]

    def test_a_wire_let_go_on_a_card_says_what_to_do(self, view, scene, wired, group, hand):
        wired.add_node("csv_source", 0, 400)
        wired.set_group(group, collapsed=True)
        count = wired.undo_stack.count()
        hand.drag(view, hand.port(view, "csv_2", "out"), self.title(view, group))
        assert wired.undo_stack.count() == count
        assert "Expand the group" in view.tip.text()
        assert not view.quick_add.popup.isVisible()

    def test_a_problem_in_a_collapsed_group_is_counted_on_its_card(self, wired, scene, group):
        wired.set_group(group, collapsed=True)
        wired.check_now()
        own = [problem for problem in wired.problems if problem.node in ("csv", "filter")]
        assert scene.groups.items[group].problems == len(own) == 1

    def test_a_wire_drawn_to_a_member_later_reaches_the_card(self, scene, wired, group):
        wired.set_group(group, collapsed=True)
        wired.add_node("sqlite_sink", 608, 300)
        wire = Wire("filter", "rejects", "sqlite_2", "input")
        wired.connect_ports(wire)
        item = scene.groups.items[group]
        assert scene.wires[wire].path().pointAtPercent(0) == item.anchor(wire, is_input=False)
        assert item.anchor(wire, is_input=False) != item.anchor(SAVE, is_input=False)


class TestBends:
    def middle(self, view, wire):
        return view.mapFromScene(view.pipeline_scene.wires[wire].path().pointAtPercent(0.5))

    def test_a_double_click_on_a_wire_bends_it_there_and_on_the_bend_straightens_it(self, view, scene, wired, steps):
        double_click(view, self.middle(view, READ))
        assert wired.pipeline.bends == {READ: ((264, 152),)}
        assert scene.wires[READ].bend_at(QPointF(264, 152), 2) == 0
        double_click(view, pixel(view, 264, 152))
        assert wired.pipeline.bends == {}
        assert steps() == 2

    def test_a_bend_is_dragged_on_the_grid_in_one_step(self, view, scene, wired, hand, steps):
        wired.bend(READ, ((264.0, 152.0),))
        hand.drag(view, pixel(view, 264, 152), pixel(view, 269, 301))
        assert wired.pipeline.bends == {READ: ((272, 304),)}
        assert steps() == 2
        assert any(
            (scene.wires[READ].path().pointAtPercent(part / 100) - QPointF(272, 304)).manhattanLength() < 8
            for part in range(100)
        )
        wired.undo_stack.undo()
        assert wired.pipeline.bends == {READ: ((264, 152),)}

    def test_alt_and_a_drag_make_a_bend_and_escape_makes_none(self, view, wired, hand, steps):
        at = self.middle(view, READ)
        hand.press_and_move(view, at, at + QPoint(0, 120), keys=ALT)
        QTest.keyClick(view, Qt.Key.Key_Escape)
        QTest.mouseRelease(view.viewport(), LEFT, ALT, at)
        assert steps() == 0
        hand.drag(view, at, at + QPoint(0, 120), keys=ALT)
        assert wired.pipeline.bends == {READ: ((264, 272),)}
        assert steps() == 1

    def test_a_second_bend_stands_where_the_wire_passes(self, view, wired):
        wired.bend(READ, ((264.0, 300.0),))
        view.annotating.add_bend(READ, QPointF(232, 200))
        assert wired.pipeline.bends == {READ: ((232, 200), (264, 300))}

    def test_delete_removes_the_bend_that_was_clicked_and_then_the_wire(self, view, wired):
        wired.bend(READ, ((264.0, 152.0), (264.0, 300.0)))
        click(view, pixel(view, 264, 300))
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert wired.pipeline.bends == {READ: ((264, 152),)}
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert wired.pipeline.wires == [SAVE]
        wired.undo_stack.undo()
        assert wired.pipeline.bends == {READ: ((264, 152),)}

    def test_the_menu_of_a_wire_adds_and_removes_bends(self, view, wired):
        pick(view.menu_for(Hit(wire=READ), QPointF(270, 200)), "Add a bend")
        assert wired.pipeline.bends == {READ: ((272, 200),)}
        pick(view.menu_for(Hit(wire=READ, bend=0), QPointF(270, 200)), "Remove this bend")
        assert wired.pipeline.bends == {}

    def test_arranging_leads_wires_straight_again(self, view, wired):
        wired.bend(READ, ((264.0, 400.0),))
        wired.move({"filter": (400, 400)})
        view.editing.arrange()
        assert wired.pipeline.bends == {}
        wired.undo_stack.undo()
        assert wired.pipeline.bends == {READ: ((264, 400),)}


class TestDisabled:
    def test_d_disables_the_selected_nodes_and_again_enables_them(self, view, scene, wired, steps):
        scene.choose(["filter"])
        QTest.keyClick(view, Qt.Key.Key_D)
        assert wired.pipeline.nodes["filter"].disabled
        assert scene.nodes["filter"].disabled
        assert scene.wires[READ].pen().style() == Qt.PenStyle.CustomDashLine
        QTest.keyClick(view, Qt.Key.Key_Slash, CONTROL)
        assert not wired.pipeline.nodes["filter"].disabled
        assert scene.wires[READ].pen().style() == Qt.PenStyle.SolidLine
        assert steps() == 2

    def test_what_only_disabled_nodes_feed_is_pale_too(self, scene, wired):
        wired.set_disabled(["csv"], disabled=True)
        wired.check_now()
        assert {name: (item.disabled, item.left_out) for name, item in scene.nodes.items()} == {
            "csv": (True, False),
            "filter": (False, True),
            "sqlite": (False, True),
        }
        wired.undo_stack.undo()
        wired.check_now()
        assert not any(item.left_out for item in scene.nodes.values())

    def test_the_menu_disables_the_branch(self, view, wired, steps):
        pick(view.menu_for(Hit("filter"), QPointF()), "Disable the branch")
        assert [spec.disabled for spec in wired.pipeline.nodes.values()] == [False, True, True]
        pick(view.menu_for(Hit("filter"), QPointF()), "Enable the branch")
        assert not any(spec.disabled for spec in wired.pipeline.nodes.values())
        assert steps() == 2
