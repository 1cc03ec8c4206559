"""Reading and writing pipeline files."""

from __future__ import annotations

import difflib
import os
import stat
from typing import ClassVar

import pytest

from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline.file_format import dumps, load, loads, position, save, wire_position
from etl_studio.pipeline.model import Group, NodeSpec, Note, Parameter, Pipeline, Wire

ORDERS = """\
# What we sell
etl_studio: 1
name: orders   # the name

parameters:
  minimum: {type: integer, default: 5}
nodes:
  # reads the file
  read:
    type: numbers_source
    config: {path: 'orders.csv'}   # relative to this file

  # keeps the big ones
  # and drops the rest
  keep:
    type: keep
    config: {where: "quantity >= ${minimum}"}
    # on_error: to be chosen

  save:
    type: table_sink
    config:
      table: orders
      key: [ order_id ]
    policy: {retry: {attempts: 5}}
    colour: red
wires:
  - read -> keep
  # the good ones
  - keep -> save
layout:
  read: [ 0, 0 ]
  keep: [200, 0.5]
later: {some: [thing]}
"""


def changes(before, after):
    return [
        line
        for line in difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
        if line[0] in "+-"
    ]


@pytest.fixture
def orders(registry):
    return loads(ORDERS, registry=registry)


class TestReading:
    def test_the_model_holds_what_the_file_says(self, orders):
        assert orders.name == "orders"
        assert orders.parameters == {"minimum": Parameter("minimum", "integer", 5)}
        assert list(orders.nodes) == ["read", "keep", "save"]
        assert orders.nodes["save"] == NodeSpec(
            "save",
            "table_sink",
            {"table": "orders", "key": ["order_id"]},
            {"retry": {"attempts": 5}},
            "",
            {"colour": "red"},
        )
        assert orders.wires == [Wire("read", "out", "keep", "input"), Wire("keep", "out", "save", "input")]
        assert orders.layout == {"read": (0.0, 0.0), "keep": (200.0, 0.5)}
        assert orders.extra == {"later": {"some": ["thing"]}}

    def test_yaml_1_2_keeps_words_and_dates_as_text(self):
        config = "config: {a: yes, b: on, c: 2024-01-31, d: 12:30, e: true, f: 0x1f, g: 1e3, h: ~, 5: x}"
        pipeline = loads(f"etl_studio: 1\nnodes: {{a: {{type: t, {config}}}}}\n")
        assert pipeline.nodes["a"].config == {
            "a": "yes", "b": "on", "c": "2024-01-31", "d": "12:30", "e": True, "f": 31, "g": 1000.0,
            "h": None, "5": "x",
        }  # fmt: skip

    def test_a_file_without_a_name_is_called_as_the_file(self, tmp_path):
        path = tmp_path / "sales.yaml"
        path.write_text("etl_studio: 1\n")
        assert load(path).name == "sales"
        (tmp_path / "mine.etl.yaml").write_text(path.read_text())
        assert load(tmp_path / "mine.etl.yaml").name == "mine"

    def test_ports_that_are_left_out_are_those_of_the_type(self, registry):
        nodes = "nodes: {a: {type: keep}, b: {type: pair}, c: {type: query}, d: {type: gone}}"
        wires = "wires: [a -> c, a.rejects -> b.left, a -> c.more, a->d, d.x  ->  b.right]"
        pipeline = loads(f"etl_studio: 1\n{nodes}\n{wires}\n", registry=registry)
        assert [str(wire) for wire in pipeline.wires] == [
            "a.out -> c.input", "a.rejects -> b.left", "a.out -> c.more", "a.out -> d.input", "d.x -> b.right",
        ]  # fmt: skip

    def test_positions_lead_back_to_the_file(self, orders):
        assert position(orders, "nodes", "keep", "config", "where") == (17, 14)
        assert position(orders, "nodes", "keep", "config", "gone") == (17, 5)
        assert position(orders, "nodes", "new") == (7, 1)
        assert wire_position(orders, Wire("keep", "out", "save", "input")) == (30, 5)

    def test_five_hundred_nodes_are_read(self, registry):
        lines = ["etl_studio: 1", "nodes:"]
        lines += [f"  n{i}: {{type: keep, config: {{where: n > {i}, more: [1, 2, 3]}}}}" for i in range(500)]
        lines += ["wires:", *(f"  - n{i} -> n{i + 1}" for i in range(499))]
        text = "\n".join(lines)
        assert len(loads(text, registry=registry).nodes) == 500


class TestSaving:
    def test_an_unchanged_file_stays_byte_for_byte(self, orders, registry):
        assert dumps(orders, registry) == ORDERS

    def test_windows_line_ends_and_a_byte_order_mark_stay(self, tmp_path, registry):
        path = tmp_path / "orders.yaml"
        content = ("\ufeff" + ORDERS.replace("\n", "\r\n")).encode()
        path.write_bytes(content)
        pipeline = load(path, registry)
        save(pipeline, path, registry)
        assert path.read_bytes() == content
        pipeline.nodes["extra"] = NodeSpec("extra", "keep", {"where": "a\nb"})
        save(pipeline, path, registry)
        written = path.read_bytes()
        assert written.count(b"\n") == written.count(b"\r\n")
        assert load(path, registry) == pipeline

    def test_a_moved_node_changes_one_line(self, orders, registry):
        orders.layout["keep"] = (210.0, 0.5)
        assert changes(ORDERS, dumps(orders, registry)) == ["-   keep: [200, 0.5]\n", "+   keep: [210, 0.5]\n"]

    def test_a_setting_changes_in_its_place_and_its_comment_stays(self, orders, registry):
        orders.nodes["read"].config["path"] = "other.csv"
        assert changes(ORDERS, dumps(orders, registry)) == [
            "-     config: {path: 'orders.csv'}   # relative to this file\n",
            "+     config: {path: other.csv}   # relative to this file\n",
        ]

    def test_a_removed_node_takes_its_comments_and_nothing_else(self, orders, registry):
        del orders.nodes["keep"], orders.layout["keep"]
        orders.wires = [Wire("read", "out", "save", "input")]
        text = dumps(orders, registry)
        assert loads(text, registry=registry) == orders
        assert "keeps the big" not in text
        assert "drops the rest" not in text
        assert "on_error" not in text
        assert "# reads the file" in text
        assert text.startswith("# What we sell\n")
        assert "\n\n\n" not in text

    def test_a_removed_wire_takes_its_comment(self, orders, registry):
        orders.wires.pop()
        assert changes(ORDERS, dumps(orders, registry)) == ["-   # the good ones\n", "-   - keep -> save\n"]

    def test_a_new_node_comes_after_the_one_before_it(self, orders, registry):
        orders.nodes["new"] = NodeSpec("new", "query", {"query": "SELECT *\nFROM input\n"})
        orders.wires.append(Wire("keep", "rejects", "new", "input"))
        assert changes(ORDERS, dumps(orders, registry)) == [
            "+   new:\n", "+     type: query\n", "+     config:\n", "+       query: |\n", "+         SELECT *\n",
            "+         FROM input\n", "+   - keep.rejects -> new\n",
        ]  # fmt: skip

    def test_a_renamed_node_keeps_its_comments(self, orders, registry):
        orders.nodes = {("big" if key == "keep" else key): node for key, node in orders.nodes.items()}
        orders.nodes["big"].id = "big"
        orders.wires = [Wire("read", "out", "big", "input"), Wire("big", "out", "save", "input")]
        orders.layout["big"] = orders.layout.pop("keep")
        assert changes(ORDERS, dumps(orders, registry)) == [
            "-   keep:\n", "+   big:\n", "-   - read -> keep\n", "+   - read -> big\n", "-   - keep -> save\n",
            "+   - big -> save\n", "-   keep: [200, 0.5]\n", "+   big: [200, 0.5]\n",
        ]  # fmt: skip

    def test_a_text_of_several_lines_becomes_a_block_where_braces_were(self, orders, registry):
        orders.nodes["keep"].config["where"] = "a > 1\nAND b"
        assert changes(ORDERS, dumps(orders, registry)) == [
            '-     config: {where: "quantity >= ${minimum}"}\n', "+     config:\n", "+       where: |-\n",
            "+         a > 1\n", "+         AND b\n",
        ]  # fmt: skip

    def test_a_list_and_a_new_key_change_inside_their_node(self, orders, registry):
        orders.nodes["save"].config["key"] = ["order_id", "line"]
        orders.nodes["save"].config["write_disposition"] = "merge"
        orders.nodes["save"].title = "To the table"
        assert changes(ORDERS, dumps(orders, registry)) == [
            "+     title: To the table\n", "-       key: [ order_id ]\n", "+       key: [order_id, line]\n",
            "+       write_disposition: merge\n",
        ]  # fmt: skip

    def test_keys_written_with_their_default_stay(self, registry):
        text = "etl_studio: 1\nname: x\ndescription:\nnodes:\n  a: {type: keep, title: '', config: {}}\nwires: []\n"
        pipeline = loads(text, registry=registry)
        assert dumps(pipeline, registry) == text
        pipeline.nodes["a"].config["where"] = "b"
        assert dumps(pipeline, registry) == text.replace("config: {}", "config: {where: b}")

    def test_wires_in_other_words_stay_as_they_are_written(self, registry):
        text = "etl_studio: 1\nname: x\nnodes:\n  a: {type: keep}\n  b: {type: keep}\nwires:\n  - a.out->b.input # c\n"
        pipeline = loads(text, registry=registry)
        assert dumps(pipeline, registry) == text
        pipeline.wires.append(Wire("a", "rejects", "b", "input"))
        assert dumps(pipeline, registry) == text + "  - a.rejects -> b\n"

    def test_a_file_in_json_can_be_edited(self, registry):
        text = '{"etl_studio": 1, "name": "x", "nodes": {"a": {"type":"keep"}}, "layout": {"a": [1, 2]}}'
        pipeline = loads(text, registry=registry)
        pipeline.layout["a"] = (1.0, 3.0)
        assert dumps(pipeline, registry) == text.replace("2]", "3]")
        pipeline.nodes["b"] = NodeSpec("b", "keep")
        assert loads(dumps(pipeline, registry), registry=registry) == pipeline

    def test_a_file_without_a_last_line_end_can_grow(self, registry):
        pipeline = loads("etl_studio: 1\nname: x\nnodes:\n  a: {type: keep}", registry=registry)
        pipeline.layout["a"] = (1.0, 2.0)
        assert dumps(pipeline, registry) == "etl_studio: 1\nname: x\nnodes:\n  a: {type: keep}\nlayout:\n  a: [1, 2]"

    def test_a_new_file_is_in_canonical_order(self, registry):
        pipeline = Pipeline(name="new", description="Two\nlines")
        pipeline.parameters["day"] = Parameter("day", "date", "2026-01-31")
        pipeline.nodes["read"] = NodeSpec(
            "read", "numbers_source", {"path": "a.csv", "page": {"size": 5}}, title="Read"
        )
        pipeline.nodes["pair"] = NodeSpec("pair", "pair", {"rules": [{"a": 1, "b": "x"}, {"c": []}]})
        pipeline.wires = [Wire("read", "out", "pair", "left"), Wire("read", "rejects", "pair", "right")]
        pipeline.layout = {"read": (0.0, 0.0), "pair": (10.5, -3.0)}
        assert dumps(pipeline, registry) == (
            "etl_studio: 1\nname: new\ndescription: |-\n  Two\n  lines\n"
            'parameters:\n  day: {type: date, default: "2026-01-31"}\n'
            "nodes:\n"
            "  read:\n    type: numbers_source\n    title: Read\n"
            "    config:\n      path: a.csv\n      page:\n        size: 5\n"
            "  pair:\n    type: pair\n"
            "    config:\n      rules:\n        - {a: 1, b: x}\n        - {c: []}\n"
            "wires:\n  - read -> pair.left\n  - read.rejects -> pair.right\n"
            "layout:\n  read: [0, 0]\n  pair: [10.5, -3]\n"
        )

    def test_saving_keeps_the_mode_and_follows_a_link(self, tmp_path, registry):
        real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
        real.write_text(ORDERS)
        real.chmod(0o640)
        link.symlink_to(real)
        pipeline = load(link, registry)
        pipeline.name = "other"
        save(pipeline, link, registry)
        assert link.is_symlink()
        assert "name: other   # the name" in real.read_text()
        assert stat.S_IMODE(real.stat().st_mode) == 0o640
        assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yaml", "real.yaml"]

    def test_a_save_that_fails_leaves_the_old_file(self, tmp_path, registry, monkeypatch):
        path = tmp_path / "orders.yaml"
        path.write_text(ORDERS)
        pipeline = load(path, registry)
        pipeline.name = "other"

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match=r"cannot be saved: No space left on device\. Choose another folder"):
            save(pipeline, path, registry)
        assert path.read_text() == ORDERS
        assert list(tmp_path.iterdir()) == [path]

    def test_a_value_that_yaml_cannot_hold_is_refused(self):
        pipeline = Pipeline(nodes={"a": NodeSpec("a", "keep", {"where": object()})})
        with pytest.raises(UsageError, match="A object cannot be written"):
            dumps(pipeline)


class TestBadFiles:
    CASES: ClassVar[dict[str, tuple[str, int, str]]] = {
        "": ("The file is empty.", 1, "A pipeline begins with the line etl_studio: 1."),
        "# only a remark\n": ("The file is empty.", 1, "A pipeline begins"),
        "just text": ("The file holds a text where a pipeline was expected.", 1, "A pipeline begins"),
        "- a\n- b\n": ("The file holds a list where a pipeline was expected.", 1, "A pipeline begins"),
        "etl_studio: 1\nname: [a\n": ("The file is no valid YAML: while parsing a flow sequence", 3, ""),
        "etl_studio: 1\nname: a: b\n": ("mapping values are not allowed in this context", 2, ""),
        "etl_studio: 1\nnodes:\n\ta: {}\n": ("the line is indented with a tab; use spaces", 3, ""),
        'etl_studio: 1\nname: "a\n': ("what is not complete begins in line 2", 3, ""),
        "etl_studio: 1\nname: a\x07\n": ("it holds a control character", 2, "Remove it"),
        "etl_studio: 1\nname: &a x\ndescription: *a\n": ("Anchors (&a) are not used", 2, "Write the value out."),
        "etl_studio: 1\nname: *a\n": ("Aliases (*name) are not used", 2, "Write the value out."),
        "etl_studio: 1\nname: !!python/name:os.system x\n": ("Tags (tag:yaml.org,2002:python/name:os.system)", 2, ""),
        "etl_studio: 1\nname: a\nname: b\n": ('The key "name" is there twice; the first one is in', 3, "Remove"),
        "etl_studio: 1\n---\netl_studio: 1\n": ("more than one document", 2, "Keep one pipeline in one file."),
        "etl_studio: 1\nx: " + "[" * 80: ("nested more than 50 deep", 2, ""),
        "name: x\n": ("This is no pipeline of ETL Studio: the key etl_studio is missing.", 1, "A pipeline begins"),
        "name: x\netl_studio: 2\n": (
            "The file was made by a newer ETL Studio (format 2); this one reads format 1.", 2, "Update ETL Studio",
        ),
        "etl_studio: one\n": ("etl_studio: one is no format that exists", 1, "Write etl_studio: 1."),
        "etl_studio: 0\n": ("etl_studio: 0 is no format that exists", 1, "Write etl_studio: 1."),
        "etl_studio: true\n": ("etl_studio: true is no format that exists", 1, "Write etl_studio: 1."),
        "etl_studio: 1\nnodes: [a]\n": ("nodes must hold names with values, not a list.", 2, "Write nodes:"),
        "etl_studio: 1\nnodes: {a: keep}\n": ('"a" in nodes must hold keys with values, not a', 2, "Write a: {type:"),
        "etl_studio: 1\nnodes: {my node: {type: t}}\n": ('"my node" is no name that nodes can have.', 2, "Use letters"),
        "etl_studio: 1\nnodes:\n  a:\n    config: {}\n": ('The node "a" has no type.', 4, "Write type: csv_source"),
        "etl_studio: 1\nnodes: {a: {type: t, config: 5}}\n": ("config must hold names with values, not", 2, ""),
        "etl_studio: 1\nwires: a\n": ("wires must be a list, not a text.", 2, "Write each wire on a line"),
        "etl_studio: 1\nwires: [{a: b}]\n": ("A wire must be a text, not names with values.", 2, "Write each wire"),
        "etl_studio: 1\nwires:\n  - a b\n": ('"a b" is no wire.', 3, "Write node -> node"),
        "etl_studio: 1\nwires:\n  - a -> b -> c\n": ('"a -> b -> c" is no wire.', 3, "Write node -> node"),
        "etl_studio: 1\nwires:\n  - a. -> b\n": ('"a." is no end of a wire.', 3, "Write node -> node"),
        "etl_studio: 1\nnodes: {read: {type: t}}\nwires:\n  - raed -> read\n": (
            'The wire "raed -> read" names a node "raed" that is not there.', 4, 'Did you mean "read"?',
        ),
        "etl_studio: 1\nlayout: {a: [1]}\n": ('The layout of "a" must be two numbers.', 2, "Write [x, y]."),
        "etl_studio: 1\nlayout: {a: [1, .nan]}\n": ('The layout of "a" must be two numbers.', 2, "Write [x, y]."),
    }  # fmt: skip

    @pytest.mark.parametrize("text", CASES, ids=lambda text: repr(text[:40]))
    def test_a_bad_file_is_refused_with_line_and_hint(self, text):
        message, line, hint = self.CASES[text]
        with pytest.raises(PipelineError) as caught:
            loads(text)
        problem = caught.value.problems[0]
        assert message in problem.message
        assert problem.line == line == caught.value.line
        assert problem.column is not None
        assert problem.column >= 1
        assert hint in problem.hint

    def test_every_problem_is_told_at_once(self):
        with pytest.raises(PipelineError) as caught:
            loads("etl_studio: 1\nnodes: {a: 1, b: 2}\nwires: [x]\nlayout: {c: 1}\n")
        assert [problem.line for problem in caught.value.problems] == [2, 2, 3, 4]
        assert "(3 more)" in str(caught.value)

    def test_text_that_is_not_utf_8_is_refused_with_its_line(self, tmp_path):
        path = tmp_path / "latin.yaml"
        path.write_bytes(b"etl_studio: 1\nname: caf\xe9\n")
        with pytest.raises(PipelineError, match=r"latin\.yaml: The file is not UTF-8 text: byte 0xe9 .*\(line 2\)"):
            load(path)

    def test_a_missing_file_names_a_similar_one(self, tmp_path):
        (tmp_path / "orders.yaml").write_text("etl_studio: 1\n")
        with pytest.raises(UsageError, match=r"There is no file .*order\.yaml\. Did you mean .*orders\.yaml\?"):
            load(tmp_path / "order.yaml")
        with pytest.raises(UsageError, match="is not there either"):
            load(tmp_path / "no" / "order.yaml")

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(UsageError, match="is a folder"):
            load(tmp_path)


def test_a_place_on_the_canvas_that_no_number_can_hold_is_refused():
    with pytest.raises(PipelineError, match=r'layout of "a" must be two numbers') as caught:
        loads(f"etl_studio: 1\nnodes: {{a: {{type: keep}}}}\nlayout:\n  a: [{'9' * 400}, 1]\n")
    assert caught.value.problems[0].line == 4


def test_a_number_with_more_digits_than_can_be_written_is_a_text_in_any_base():
    text = f"etl_studio: 1\nnodes: {{a: {{type: keep, config: {{n: 0x{'f' * 6_000}, m: 0xff}}}}}}\n"
    config = loads(text).nodes["a"].config
    assert config == {"n": "0x" + "f" * 6_000, "m": 255}
    with pytest.raises(PipelineError, match="no format that exists"):
        loads(f"etl_studio: 0x{'f' * 6_000}\n")


def test_a_key_that_could_not_be_written_back_is_refused(tmp_path):
    with pytest.raises(PipelineError, match="must not be longer than 500 characters"):
        loads(f"etl_studio: 1\nnodes:\n  a:\n    type: keep\n    config:\n      ? {'k' * 2_000}\n      : 1\n")
    pipeline = Pipeline(nodes={"a": NodeSpec("a", "keep", {"k" * 2_000: 1})})
    path = tmp_path / "a.yaml"
    path.write_text("old")
    with pytest.raises(UsageError, match="more than 500 characters"):
        save(pipeline, path)
    assert path.read_text() == "old"


def test_a_file_that_holds_nan_is_written_back_as_it_was():
    text = "etl_studio: 1  # one\nname: a\nnodes: {a: {type: keep, config: {n: .nan}}}\n"
    assert dumps(loads(text)) == text


class TestCanvas:
    """Disabled nodes, groups, notes and bends in a file."""

    TEXT = ORDERS + (
        "groups:\n"
        "  clean:\n"
        "    title: Clean up   # what it does\n"
        "    nodes: [read, keep]\n"
        "notes:\n"
        "  why: {text: Because}\n"
        "bends:\n"
        "  read -> keep: [[10, 20], [30, 40.5]]\n"
    )

    @pytest.fixture
    def canvas(self, registry):
        return loads(self.TEXT, registry=registry)

    def test_the_model_holds_what_the_file_says(self, canvas):
        assert canvas.groups == {"clean": Group("clean", "Clean up", ["read", "keep"])}
        assert canvas.notes == {"why": Note("why", "Because")}
        assert canvas.bends == {canvas.wires[0]: ((10, 20), (30, 40.5))}
        assert canvas.group_of("keep") is canvas.groups["clean"]
        assert canvas.group_of("save") is None
        assert canvas.new_id("why") == "why_2"

    def test_each_edit_changes_its_line_only(self, canvas, registry):
        canvas.nodes["save"].disabled = True
        canvas.groups["clean"].collapsed = True
        canvas.notes["why"].text = "Since"
        canvas.layout["why"] = (0.0, -100.0, 200.0, 80.5)
        canvas.bends[canvas.wires[1]] = ((1.0, 2.0),)
        assert changes(self.TEXT, dumps(canvas, registry)) == [
            "+     disabled: true\n",
            "+   why: [0, -100, 200, 80.5]\n",
            "+     collapsed: true\n",
            "-   why: {text: Because}\n",
            "+   why: {text: Since}\n",
            "+   keep -> save:\n",
            "+     - [1, 2]\n",
        ]

    def test_a_word_that_got_a_meaning_later_is_kept_beside_it(self, registry):
        text = "etl_studio: 1\nname: old\nnodes:\n  a: {type: keep}\nnotes: [a, b]\n"
        old = loads(text, registry=registry)
        assert dumps(old, registry) == text
        old.notes["why"] = Note("why", "Because")
        again = loads(dumps(old, registry), registry=registry)
        assert again.notes == {"why": Note("why", "Because")}
        assert again.extra == {"notes_2": ["a", "b"]}

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ("  a: {type: keep, disabled: 1}\n", "disabled must be true or false."),
            ("notes: {a: {text: b}}\n", 'A node and a note are called "a".'),
            ("notes: {b: text}\n", '"b" in notes must hold keys with values, not a text.'),
            ("notes: {b: {text: b}}\nlayout: {b: [1, 2]}\n", 'The layout of the note "b" must be four numbers.'),
            ("layout: {a: [1, 2, 3, 4]}\n", 'The layout of "a" must be two numbers.'),
            ("groups: {g: {nodes: a}}\n", 'The nodes of the group "g" must be a list of names.'),
            ("groups: {g: {nodes: [], collapsed: word}}\n", "collapsed must be true or false."),
            ("bends: {a: [[1, 2]]}\n", '"a" is no wire.'),
            ("bends: {a -> a: [[1]]}\n", 'The bends of "a -> a" must be a list of points.'),
            ("bends: {a -> a: []}\n", 'The bends of "a -> a" must be a list of points.'),
        ],
    )
    def test_what_is_wrong_is_told(self, registry, wrong, message):
        text = "etl_studio: 1\nnodes:\n" + ("" if wrong.startswith("  ") else "  a: {type: keep}\n") + wrong
        with pytest.raises(PipelineError) as refused:
            loads(text, registry=registry)
        assert [problem.message for problem in refused.value.problems] == [message]
