"""Dead letters are replayed by the real engine into real tables: each row is there once, each failure is one letter."""

from __future__ import annotations

import pytest

from etl_studio.app.replays import replays, why_not_whole
from etl_studio.app.studio import Studio
from etl_studio.engine.events import LogWritten, RunStarted, RunStatus
from etl_studio.errors import UsageError
from etl_studio.storage.letters import Selection

ROWS = "id,qty,at,price\n1,5,2026-01-31,1.50\n2,0,2026-02-01,2.50\n3,0,2026-02-02,3.50\n4,8,2026-02-03,4.50\n"
DERIVE = """\
  each: {type: derive, config: {columns: {share: 100 // qty}}}
"""
SAVE = "  save: {type: sqlite_sink, config: {table: orders, write_disposition: append}}\n"


class Place:
    """A folder with a pipeline, run and replayed by one studio."""

    def __init__(self, folder, studio):
        self.folder = folder
        self.studio = studio
        self.file = folder / "orders.yaml"
        self.told = []

    def write(self, nodes, wires, rows=ROWS, head=""):
        (self.folder / "orders.csv").write_text(rows, encoding="utf-8")
        read = "  read: {type: csv_source, config: {path: orders.csv, columns: {price: 'decimal(6,2)'}}}\n"
        self.file.write_text(
            f"etl_studio: 1\nname: orders\n{head}nodes:\n{read}{nodes}wires: {wires}\n", encoding="utf-8"
        )

    @property
    def workspace(self):
        return self.studio.workspace(self.studio.workspace_folder(self.file))

    @property
    def letters(self):
        return self.workspace.letters.find()

    def run(self, **parameters):
        run = self.studio.prepare(
            self.studio.load(self.file), file=self.file, parameters=parameters, workspace=self.workspace
        )
        return run.execute()

    def replay(self, *ids, whole=False):
        chosen = self.workspace.letters.find(Selection(ids=ids or None))
        return [
            replay.execute()
            for replay in replays(self.studio, self.workspace, chosen, whole=whole, listeners=[self.told.append])
        ]

    def edit(self, letter, **values):
        self.workspace.letters.edit(letter.id, {**letter.payload, **values})

    def ask(self, sql):
        return self.studio.databases.open(self.workspace.data_path).query(sql)


@pytest.fixture
def studio():
    with Studio(secrets={"token": "s3cret"}.get) as studio:
        yield studio


@pytest.fixture
def place(tmp_path, studio):
    return Place(tmp_path, studio)


@pytest.fixture
def divided(place):
    """Two of four rows divide by zero and are dead letters; the others are loaded."""
    place.write(DERIVE + SAVE, "[read -> each, each -> save]")
    assert place.run().status is RunStatus.DONE_WITH_DEAD_LETTERS
    assert place.ask("SELECT id FROM orders") == [(1,), (4,)]
    return place


def test_an_edited_row_is_loaded_with_its_types_and_the_other_stays_one_letter(divided):
    second, first = divided.letters
    assert (first.port, first.types["price"], first.payload["at"]) == ("input", "decimal128(6, 2)", "2026-02-01")
    divided.edit(first, qty=4)
    (ended,) = divided.replay()

    assert ended.status is RunStatus.DONE_WITH_DEAD_LETTERS
    assert divided.ask("SELECT id, qty, at, price, share FROM orders ORDER BY id") == [
        (1, 5, "2026-01-31", "1.50", 20), (2, 4, "2026-02-01", "2.50", 25), (4, 8, "2026-02-03", "4.50", 12),
    ]  # fmt: skip
    (left,) = divided.letters
    assert (left.id, left.run, left.attempts, left.state) == (second.id, second.run, 2, "waiting")
    assert left.at > left.first_at == second.first_at


def test_a_replay_is_a_run_of_its_own_in_the_history(divided):
    divided.replay()
    newest, oldest = divided.workspace.runs()
    assert (newest.kind, newest.pipeline, newest.rows_in, newest.dead_letters) == ("replay", "orders", 2, 2)
    assert (oldest.kind, newest.parameters) == ("run", oldest.parameters)
    assert [event.kind for event in divided.told if isinstance(event, RunStarted)] == ["replay"]
    assert set(divided.workspace.node_counts(newest.id)) == {"dead_letters", "each", "save"}


def test_a_mended_pipeline_lets_the_rows_through_without_an_edit(divided):
    divided.write(
        DERIVE.replace("100 // qty", "'coalesce(100 // nullif(qty, 0), 0)'") + SAVE, "[read -> each, each -> save]"
    )
    (ended,) = divided.replay()
    assert ended.status is RunStatus.DONE
    assert divided.ask("SELECT id, share FROM orders ORDER BY id") == [(1, 20), (2, 0), (3, 0), (4, 12)]
    assert divided.letters == []


def test_only_the_chosen_letters_are_replayed(divided):
    second, first = divided.letters
    divided.edit(first, qty=1)
    divided.edit(second, qty=1)
    divided.replay(second.id)
    assert divided.ask("SELECT id FROM orders ORDER BY id") == [(1,), (3,), (4,)]
    assert [letter.id for letter in divided.letters] == [first.id]


def test_a_row_that_fails_further_down_is_one_letter_there(place):
    check = "  check: {type: validate, config: {rules: [{column: share, rule: range, max: 50}]}}\n"
    place.write(DERIVE + check + SAVE, "[read -> each, each -> check, check -> save]")
    place.run()
    second, first = place.letters
    place.edit(first, qty=1)
    place.replay(first.id)
    new, other = place.letters
    assert (other.id, new.node, new.payload["share"]) == (second.id, "check", 100)
    place.edit(new, share=50)
    place.replay(new.id)
    assert place.ask("SELECT id, share FROM orders ORDER BY id") == [(1, 20), (2, 50), (4, 12)]


def test_equal_rows_are_as_many_letters_as_before(place):
    place.write(DERIVE + SAVE, "[read -> each, each -> save]", rows=ROWS + "2,0,2026-02-01,2.50\n" * 3)
    place.run()
    assert len(place.letters) == 5
    place.replay()
    assert [letter.attempts for letter in place.letters] == [2] * 5


def test_a_sink_that_replaces_its_table_adds_the_rows_of_a_replay(place):
    save = "  save: {type: sqlite_sink, config: {table: orders, write_disposition: replace, key: [id]}}\n"
    out = "  out: {type: csv_sink, config: {path: out.csv}}\n"
    place.write(DERIVE + save + out, "[read -> each, each -> save, each -> out]")
    place.run()
    for letter in place.letters:
        place.edit(letter, qty=50)
    place.replay()
    assert place.ask("SELECT id, share FROM orders ORDER BY id") == [(1, 20), (2, 2), (3, 2), (4, 12)]
    lines = (place.folder / "out.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "1", "4", "2", "3"]


def test_a_letter_of_a_sink_enters_the_sink(place):
    save = "  save: {type: sqlite_sink, config: {table: orders, write_disposition: merge, key: [id]}}\n"
    place.write(save, "[read -> save]", rows=ROWS + ",7,2026-02-04,5.50\n")
    place.run()
    (letter,) = place.letters
    assert (letter.node, letter.error_type, letter.types["id"]) == ("save", "null_key", "int64")
    place.replay()
    assert [one.attempts for one in place.letters] == [2]
    place.edit(letter, id=9)
    place.replay()
    assert place.ask("SELECT qty, price FROM orders WHERE id = 9") == [(7, "5.50")]
    assert place.letters == []


class TestWays:
    def test_a_sum_behind_the_node_cannot_be_replayed_through(self, place):
        total = "  total: {type: aggregate, config: {measures: {n: sum(share)}}}\n"
        place.write(DERIVE + total + SAVE, "[read -> each, each -> total, total -> save]")
        place.run()
        with pytest.raises(UsageError, match=r'"total" \(Aggregate\) needs all rows at once'):
            place.replay()
        assert [letter.state for letter in place.letters] == ["waiting"] * 2
        assert place.ask("SELECT n FROM orders") == [(32,)]

    def test_the_other_side_of_a_join_is_read_again_for_its_partners(self, place):
        names = "  names: {type: csv_source, config: {path: names.csv}}\n"
        both = "  both: {type: join, config: {how: inner, on: [id]}}\n"
        (place.folder / "names.csv").write_text("id,name\n1,Ada\n2,Bob\n3,Cyd\n4,Dan,too many\n")
        place.write(
            DERIVE + names + both + SAVE, "[read -> each, each -> both.left, names -> both.right, both -> save]"
        )
        place.run()
        (first,) = place.workspace.letters.find(Selection(node="each", text='"id": 2'))
        place.edit(first, qty=2)
        place.replay(first.id)
        assert place.ask("SELECT id, name FROM orders ORDER BY id") == [(1, "Ada"), (2, "Bob")]
        assert sorted(letter.node for letter in place.letters) == ["each", "names"]

    def test_with_whole_a_row_passes_every_node_again(self, place):
        keep = "  keep: {type: filter, config: {where: id < 10}}\n"
        place.write(keep + DERIVE + SAVE, "[read -> keep, keep -> each, each -> save]")
        place.run()
        second, first = place.letters
        place.edit(first, qty=2, id=11)
        place.edit(second, qty=2)
        place.replay(whole=True)
        assert place.ask("SELECT id FROM orders ORDER BY id") == [(1,), (3,), (4,)]
        assert place.letters == []

    def test_whole_has_no_meaning_where_a_node_before_makes_columns(self, place):
        first = "  first: {type: derive, config: {columns: {twice: qty * 2}}}\n"
        place.write(first + DERIVE + SAVE, "[read -> first, first -> each, each -> save]")
        place.run()
        with pytest.raises(UsageError, match='"first" makes other columns'):
            place.replay(whole=True)

    def test_it_is_told_beforehand_which_letters_have_no_way_from_their_source_and_nothing_runs(self, place):
        keep = "  keep: {type: filter, config: {where: id < 10}}\n"
        last = "  last: {type: derive, config: {columns: {again: 1 // (qty - 5)}}}\n"
        place.write(
            keep + DERIVE + last + SAVE, "[read -> keep, keep -> each, each -> last, last -> save]"
        )  # fmt: skip
        place.run()
        before = place.letters
        refused = why_not_whole(place.studio, place.workspace, before)
        nodes = {letter.id: letter.node for letter in before}
        assert sorted(nodes.values()) == ["each", "each", "last"]
        assert {nodes[number]: error.what for number, error in refused.items()} == {
            "last": '"each" makes other columns, so the rows cannot be what the source gave.'
        }
        assert place.letters == before

    def test_a_node_that_is_gone_is_told(self, divided):
        divided.write(SAVE, "[read -> save]")
        with pytest.raises(UsageError, match='has no node "each" any more'):
            divided.replay()

    def test_a_pipeline_file_that_is_gone_is_told(self, divided):
        divided.file.unlink()
        with pytest.raises(UsageError, match=r"orders.yaml is not there any more"):
            divided.replay()


def test_parameters_are_those_of_the_run_and_secrets_are_looked_up_anew(place):
    head = "parameters:\n  per: {type: integer, default: 100}\n"
    nodes = "  each: {type: derive, config: {columns: {share: '${per} // qty', token: '${secret:token}'}}}\n"
    place.write(nodes + SAVE, "[read -> each, each -> save]", head=head)
    place.run(per="60")
    for letter in place.letters:
        place.edit(letter, qty=3)
    place.replay()
    assert place.ask("SELECT share, token FROM orders WHERE id IN (2, 3)") == [(20, "s3cret")] * 2
    assert place.workspace.runs()[0].parameters == {"per": 60}


def test_a_row_in_which_a_secret_was_hidden_must_be_mended_first(place):
    nodes = "  mark: {type: derive, config: {columns: {token: '${secret:token}'}}}\n" + DERIVE
    place.write(nodes + SAVE, "[read -> mark, mark -> each, each -> save]")
    place.run()
    assert "s3cret" not in str(place.letters)
    with pytest.raises(UsageError, match="holds a secret, which is never kept"):
        place.replay()


def test_a_failed_replay_gives_the_letters_back(divided):
    for letter in divided.letters:
        divided.edit(letter, qty=5)
    taken = SAVE.replace("table: orders", "table: other")
    divided.write(DERIVE + taken, "[read -> each, each -> save]")
    divided.ask("CREATE TABLE other (id INTEGER, nonsense TEXT)")
    (ended,) = divided.replay()
    assert ended.status is RunStatus.FAILED
    assert [letter.state for letter in divided.letters] == ["waiting"] * 2
    assert divided.ask("SELECT count(*) FROM other") == [(0,)]


def test_letters_beyond_the_quota_go_at_the_end_of_a_run_and_the_log_tells(divided, monkeypatch):
    monkeypatch.setattr("etl_studio.app.retention.Retention.__init__.__kwdefaults__", {"days": 90.0, "size": 70})
    run = divided.studio.prepare(
        divided.studio.load(divided.file), file=divided.file, parameters={}, workspace=divided.workspace,
        listeners=[divided.told.append],
    )  # fmt: skip
    run.execute()
    message = "3 dead letters were removed, the oldest first: their rows took more than 0 MB."
    assert [event.message for event in divided.told if isinstance(event, LogWritten)][-1] == message
    assert len(divided.letters) == 1
    assert divided.workspace.log(run.id)[-1].message == message


class TestRunsThatBrokeOff:
    BROKEN = "  gone: {type: sqlite_sink, config: {table: taken, write_disposition: append}}\n"

    def test_rows_of_a_run_that_failed_come_again_and_are_not_replayed(self, place):
        place.ask("CREATE TABLE taken (id INTEGER, nonsense TEXT)")
        place.write(DERIVE + self.BROKEN, "[read -> each, each -> gone]")
        assert place.run().status is RunStatus.FAILED
        assert len(place.letters) == 2
        with pytest.raises(UsageError, match=r"is failed: the rows around 2 of these .* will come again.*--resume"):
            place.replay()

    def test_a_replay_is_not_the_run_that_is_resumed(self, divided):
        divided.replay()
        last = divided.workspace.last_run(str(divided.file))
        assert last.kind == "run"
