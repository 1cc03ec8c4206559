"""A debugged run halts where a person asks, obeys, and otherwise does what every run does."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from etl_studio import sdk
from etl_studio.engine.breakpoints import Breakpoint
from etl_studio.engine.checkpoints import Interval
from etl_studio.engine.conservation import sum_line
from etl_studio.engine.debugger import (
    Continue,
    Debugger,
    DropRows,
    EditRows,
    HaltNext,
    RunToEnd,
    SetBreakpoints,
    StepBatch,
    StepRow,
)
from etl_studio.engine.events import CheckpointSaved, Halted, HaltEnded, LogWritten, RunStatus
from etl_studio.engine.inbox import Bounds
from etl_studio.engine.row_condition import check_condition
from etl_studio.errors import UsageError
from tests.engine.small_nodes import REGISTRY, Bench, Collect, Numbers, committed

WIRE = "numbers.out -> even.input"
LOADING = "even.out -> sink.input"


class Total(sdk.SqlTransform):
    """Sums all numbers while they come in."""

    type = "total"
    title = "Total"
    icon = "sum"
    group = "transform"
    outputs = (sdk.OUT,)
    rows = "any"
    blocking = True
    single_pass = True

    def query(self, inputs):
        return "SELECT sum(n)::BIGINT AS n FROM input"


class Counted(Numbers):
    """Gives numbers, and a cursor behind each batch."""

    type = "counted_source"
    replays = True

    def read(self, context):
        for number, rows in enumerate(super().read(context)):
            yield rows
            yield sdk.Cursor(number)


class Twice(sdk.SqlTransform):
    """Doubles the numbers."""

    type = "twice"
    title = "Twice"
    icon = "function"
    group = "transform"

    def query(self, inputs):
        return "SELECT n * 2 AS n FROM input"


class Keep(Collect):
    """Commits at each barrier."""

    type = "keep_sink"
    commits_at_barriers = True

    def commit(self, context, mark=None):
        loaded = super().commit(context, mark)
        self.rows = []
        return loaded


for extra in (Total, Counted, Twice, Keep):
    REGISTRY.add(extra)


class Person:
    """Runs a pipeline in a thread and looks at its halts one by one."""

    def __init__(self, bench, debugger, **options):
        self.debugger = debugger
        self.bench = bench
        self._told = threading.Condition()
        self._halts = []
        bench.events = self
        self.all = []
        self.run = bench.run(debugger=debugger, **options)
        self.thread = threading.Thread(target=self._execute)
        self.thread.start()

    def append(self, event):
        with self._told:
            self.all.append(event)
            if isinstance(event, Halted):
                self._halts.append(event)
                self._told.notify_all()

    def _execute(self):
        self.report = self.run.execute()

    def halt(self):
        """The next halt."""
        with self._told:
            assert self._told.wait_for(lambda: self._halts, 20)
            return self._halts.pop(0)

    def numbers(self, halt):
        return self.debugger.rows(halt.place).column("n").to_pylist()

    def obey(self, *commands):
        for command in commands:
            self.debugger.obey(command)

    def end(self):
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.report

    def of(self, kind):
        return [event for event in self.all if isinstance(event, kind)]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.node("numbers", "numbers_source", batches=3, size=4).node("even", "even", {"on_error": "skip"})
    bench.node("sink", "collect_sink")
    return bench.wire("numbers -> even").wire("even -> sink")


@pytest.fixture
def debug(bench):
    people = []

    def start(*breakpoints, halt_first=False, **options):
        people.append(Person(bench, Debugger(breakpoints, halt_first=halt_first), **options))
        return people[-1]

    yield start
    for person in people:
        person.run.stop(hard=True)
        person.end()


def test_a_node_halts_before_each_batch_and_nothing_is_processed_meanwhile(debug):
    person = debug(Breakpoint(node="even"))

    halt = person.halt()

    assert (halt.node, halt.wire, halt.batch, halt.row, halt.rows) == ("even", WIRE, 1, 0, 4)
    assert person.numbers(halt) == [0, 1, 2, 3]
    assert person.run._meters["even"].rows_in == 0
    for number in (2, 3):
        person.obey(Continue(halt.place))
        halt = person.halt()
        assert halt.batch == number
    person.obey(Continue(halt.place))
    assert person.end().status is RunStatus.DONE
    assert committed() == [0, 2, 4, 6, 8, 10]
    assert len(person.of(HaltEnded)) == 3


def test_stepping_lets_exactly_one_row_pass(debug):
    person = debug(Breakpoint(wire=WIRE))
    for number in range(4):
        halt = person.halt()
        assert (halt.batch, halt.row, person.run._meters["even"].rows_in) == (1, number, number)
        person.obey(StepRow(halt.place))
    halt = person.halt()
    assert (halt.batch, halt.row) == (2, 0)  # behind the last row comes the first one of the next batch

    person.obey(RunToEnd())

    assert person.end().nodes["even"].rows_in == 12
    assert committed() == [0, 2, 4, 6, 8, 10]


def test_a_condition_halts_at_each_row_that_meets_it_and_at_no_other(debug):
    person = debug(Breakpoint(node="even", condition="n % 5 = 1"))
    found = []
    for _ in range(3):
        halt = person.halt()
        found.append(person.numbers(halt)[halt.row])
        person.obey(Continue(halt.place))

    assert person.end().nodes["even"].rows_in == 12
    assert found == [1, 6, 11]


def test_a_row_on_which_a_condition_fails_does_not_meet_it(debug):
    person = debug(Breakpoint(node="even", condition="CAST(CASE n WHEN 6 THEN 'x' ELSE '1' END AS INTEGER) = n"))

    halt = person.halt()

    assert person.numbers(halt)[halt.row] == 1
    person.obey(Continue(halt.place))
    assert person.end().status is RunStatus.DONE
    assert len(person.of(Halted)) == 1


def test_stepping_by_batch_halts_here_or_anywhere(debug):
    person = debug(Breakpoint(node="even", condition="n = 1"))
    halt = person.halt()

    person.obey(StepBatch(halt.place))
    halt = person.halt()
    assert (halt.node, halt.batch, halt.row) == ("even", 2, 0)
    person.obey(SetBreakpoints(()), StepBatch(halt.place, anywhere=True))
    halt = person.halt()
    assert (halt.batch, halt.row) in ((1, 0), (2, 0), (3, 0))
    person.obey(Continue(halt.place))

    assert person.end().status is RunStatus.DONE


def test_a_debug_run_without_breakpoints_can_halt_at_its_first_batch(debug):
    person = debug(halt_first=True)

    halt = person.halt()

    assert (halt.place, halt.batch, halt.row) == ("numbers", 1, 0)
    person.obey(Continue(halt.place))
    assert person.end().rows_out == 6


def test_breakpoints_can_be_set_and_a_halt_asked_for_while_it_runs(debug):
    person = debug(Breakpoint(node="numbers"))
    halt = person.halt()

    person.obey(SetBreakpoints((Breakpoint(node="sink", enabled=False),)), HaltNext(), Continue(halt.place))

    assert person.halt().place in ("numbers", WIRE)  # whichever is the next to come
    person.obey(RunToEnd())
    assert person.end().rows_out == 6


def test_an_edited_row_is_loaded_as_it_was_edited_and_the_report_says_so(debug):
    person = debug(Breakpoint(wire=WIRE, condition="n = 5"))
    halt = person.halt()

    person.obey(EditRows(halt.place, {1: {"n": 50}}))
    assert person.halt().edited == (1,)
    person.obey(Continue(halt.place))
    report = person.end()

    assert committed() == [0, 2, 4, 50, 6, 8, 10]
    assert report.nodes["even"].edited == 1
    assert sum_line({"rows_in": 3, "rows_out": 3, "edited": 1}) == "3 read = 3 given out; 1 edited by hand"
    (line,) = [line for line in person.of(LogWritten) if "by hand" in line.message]
    assert line.facts == {"row": 1, "column": "n", "before": 5, "after": 50, "wire": WIRE, "batch": 2}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({1: {"n": "many"}}, '"many" does not fit the column "n", which is integer.'),
        ({1: {"n": 2**70}}, "does not fit"),
        ({1: {"m": 1}}, 'There is no column "m".'),
        ({9: {"n": 1}}, "There is no row 10 in this batch."),
        ({0: {"n": 1}}, "The row 1 has passed already."),
        ({1: {"n": 7}, 2: {"n": "x"}}, "does not fit"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_and_changes_nothing(debug, changes, what):
    person = debug(Breakpoint(node="even", condition="n = 1"))
    halt = person.halt()

    with pytest.raises(UsageError, match=what):
        person.obey(EditRows(halt.place, changes))

    assert person.numbers(halt) == [0, 1, 2, 3]
    person.obey(RunToEnd())
    assert person.end().nodes["even"].edited == 0


def test_dropped_rows_are_counted_and_the_sum_still_holds(debug):
    person = debug(Breakpoint(node="even"))
    halt = person.halt()

    person.obey(DropRows(halt.place, (0, 3)), StepRow(halt.place))
    person.halt()  # told again, with two rows left
    halt = person.halt()
    assert (halt.row, halt.rows) == (1, 2)
    person.obey(RunToEnd())
    report = person.end()

    assert report.status is RunStatus.DONE
    assert committed() == [2, 4, 6, 8, 10]
    assert (report.nodes["even"].rows_in, report.nodes["even"].dropped) == (12, 2)


@pytest.mark.parametrize("node", ["numbers", "even", "sink"])
def test_a_batch_that_is_dropped_whole_leaves_its_columns(debug, bench, node):
    bench.pipeline.nodes["numbers"].config.update(batches=1, size=2)
    person = debug(Breakpoint(node=node))
    halt = person.halt()

    person.obey(DropRows(halt.place, tuple(range(halt.rows))))
    report = person.end()

    assert report.status is RunStatus.DONE
    assert committed() == []
    assert report.nodes[node].dropped == halt.rows
    assert not [line for line in person.of(LogWritten) if "No rows and no columns" in line.message]


def test_a_graceful_stop_lets_halted_rows_pass_and_a_hard_one_does_not(debug, bench):
    person = debug(Breakpoint(node="even"))
    person.halt()
    person.run.stop()
    assert person.end().status is RunStatus.STOPPED

    bench.events = []
    person = debug(Breakpoint(node="even"))
    person.halt()
    person.run.stop(hard=True)
    report = person.end()
    assert (report.status, report.nodes["even"].rows_in) == (RunStatus.STOPPED, 0)


@pytest.mark.parametrize("policy", [{"workers": 4}, {"workers": 3, "partition_by": ["n"]}])
def test_a_node_with_several_workers_halts_and_steps_like_any_other(debug, bench, policy):
    bench.node("twice", "twice", policy)
    bench.pipeline.wires.clear()
    bench.wire("numbers -> twice").wire("twice -> sink")
    person = debug(Breakpoint(node="twice"))
    for number in range(4):
        halt = person.halt()
        assert (halt.row, person.run._meters["twice"].rows_in) == (number, number)
        person.obey(StepRow(halt.place))
    person.halt()

    person.obey(RunToEnd())

    assert person.end().status is RunStatus.DONE
    assert sorted(committed()) == [2 * number for number in range(12)]


def test_two_nodes_can_be_halted_at_once_and_each_is_told_by_its_place(debug):
    person = debug(Breakpoint(node="even"), Breakpoint(node="numbers"))
    first = person.halt()
    person.obey(Continue(first.place))

    places = {person.halt().place, person.halt().place}

    assert places == {"numbers", WIRE}
    assert {halt.place for halt in person.debugger.halted} == places
    person.obey(RunToEnd())
    assert person.end().rows_out == 6


def test_other_nodes_go_on_until_the_wire_is_full(debug, bench):
    person = debug(Breakpoint(node="even"), bounds=Bounds(rows=4))
    halt = person.halt()

    person.obey(StepRow(halt.place))

    person.halt()
    inbox = person.run._inboxes["even"]
    with inbox._changed:
        assert inbox._changed.wait_for(lambda: inbox.samples()[WIRE].fill >= 1, 20)
    person.obey(RunToEnd())
    assert person.end().rows_out == 6


def test_checkpoints_hold_what_passed_and_none_passes_a_halt(debug, bench):
    bench.pipeline.nodes["numbers"].type = "counted_source"
    bench.pipeline.nodes["sink"].type = "keep_sink"
    person = debug(Breakpoint(wire=LOADING), interval=Interval(rows=4, seconds=None))
    halt = person.halt()
    assert not person.of(CheckpointSaved)

    person.obey(EditRows(halt.place, {0: {"n": 1000}}))
    person.halt()  # told again, as it was edited
    person.obey(Continue(halt.place))
    halt = person.halt()

    assert (halt.batch, [saved.rows for saved in person.of(CheckpointSaved)], committed()) == (2, [4], [1000, 2])
    person.obey(RunToEnd())
    report = person.end()
    assert report.status is RunStatus.DONE
    assert person.of(CheckpointSaved)[-1].rows == 12
    assert committed() == [1000, 2, 4, 6, 8, 10]


def test_the_timeout_of_a_query_stands_still_while_a_person_looks(debug, bench):
    bench.node("total", "total", {"timeout": 0.3})
    bench.pipeline.wires.clear()
    bench.wire("numbers -> total").wire("total -> sink")
    person = debug(Breakpoint(node="total"))
    halt = person.halt()
    person.obey(StepRow(halt.place))  # from now on the query runs, and waits for its next row
    person.halt()
    station = person.run._stations["total"]
    before = station.clock()

    assert not threading.Event().wait(0.7)

    assert station.clock() == before
    person.obey(RunToEnd())
    assert person.end().status is RunStatus.DONE
    assert committed() == [66]


def test_a_halted_run_counts_as_waiting_for_a_person(debug):
    person = debug(Breakpoint(node="even"))
    assert not Debugger().waits
    person.halt()

    assert person.run._waits()

    person.obey(RunToEnd())
    person.end()
    assert not person.run._waits()


SCHEMA = pa.schema([("n", pa.int64()), ("name", pa.string())])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("n >", "The expression is empty|not complete|Syntax error"),
        ("", "The expression is empty."),
        ("m > 1", 'There is no column "m".'),
        ("n + 1", "A condition is true or false; this one is integer."),
        ("sum(n) > 1", "one row at a time"),
        ("(SELECT count(*) FROM read_csv('/etc/passwd')) > 0", "may not open files"),
        ("n = 1) AND", "brackets|Syntax error|complete"),
        ("n = 1; DROP TABLE x", "Syntax error|one expression"),
    ],
)
def test_a_bad_condition_is_refused_when_it_is_set(text, what):
    with pytest.raises(UsageError, match=what):
        check_condition(text, SCHEMA)


@pytest.mark.parametrize("text", ["n > 1", "name IS NULL", "name LIKE 'a%' -- all of these", "n = 1 OR name = 'x'"])
def test_a_good_condition_is_taken_with_and_without_columns(text):
    check_condition(text, SCHEMA)
    check_condition(text)


def test_a_condition_set_during_the_run_is_checked_against_the_columns_there(debug):
    person = debug(Breakpoint(node="even"))
    person.halt()

    with pytest.raises(UsageError, match='The condition at even: There is no column "m"'):
        person.obey(SetBreakpoints((Breakpoint(node="even", condition="m = 1"),)))

    person.obey(RunToEnd())
    person.end()


def test_a_condition_that_does_not_fit_the_columns_halts_once_and_tells_why(debug):
    person = debug(Breakpoint(node="even", condition="m = 1"))
    halt = person.halt()

    assert halt.problem == 'The condition m = 1 cannot be evaluated: There is no column "m".'
    assert halt.row == 0
    person.obey(Continue(halt.place))
    assert person.end().status is RunStatus.DONE
    assert len(person.of(Halted)) == 1


def test_a_command_for_a_place_where_nothing_is_held_is_refused(debug):
    person = debug()
    person.end()

    for command in (Continue(WIRE), EditRows(WIRE, {}), DropRows(WIRE, (0,))):
        with pytest.raises(UsageError, match="Nothing is held"):
            person.obey(command)


@pytest.mark.parametrize(
    ("one", "node", "wire", "covered"),
    [
        (Breakpoint(node="clean"), "clean/in", "a.out -> clean/in.input", True),
        (Breakpoint(node="clean"), "clean/keep", "clean/in.out -> clean/keep.input", False),
        (Breakpoint(node="save"), "save", "clean/out.out -> save.input", True),
        (Breakpoint(wire="a.out -> clean.prices"), "clean/in", "a.out -> clean/in.input", True),
        (Breakpoint(wire="b.out -> clean.prices"), "clean/in", "a.out -> clean/in.input", False),
        (Breakpoint(wire="clean.out -> save.input"), "save", "clean/end.out -> save.input", True),
        (Breakpoint(wire="clean.out -> save.left"), "save", "clean/end.out -> save.right", False),
        (Breakpoint(node="clean"), "clean/make", "", False),
    ],
)
def test_at_a_sub_pipeline_it_halts_where_a_batch_comes_in_from_outside(one, node, wire, covered):
    assert one.covers(node, wire) is covered
