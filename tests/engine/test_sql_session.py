"""SQL of nodes in DuckDB: row by row with rejects, and over whole inputs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.engine.sql import SqlSession
from etl_studio.errors import Cancelled, PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Written(sdk.SqlTransform):
    """A node whose SQL a test writes."""

    type = "written"
    title = "Written"
    icon = "code"
    group = "transform"
    open_inputs: ClassVar[bool] = False

    def __init__(self, query: str, failures: Mapping[str, str] | None = None) -> None:
        super().__init__(None)
        self._query = query
        self._failures = failures or {}

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        return self._query

    def failures(self, inputs: Mapping[str, pa.Schema]) -> Mapping[str, str]:
        return self._failures


class Streamed(Written):
    """The same over its whole input, read once."""

    blocking = True
    single_pass = True


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlSession]:
    session = SqlSession(tmp_path_factory.mktemp("spill"))
    yield session
    session.close()


def batch(**columns: Any) -> pa.RecordBatch:
    return pa.record_batch(columns)


def rows(batches: Iterator[pa.RecordBatch]) -> list[dict[str, Any]]:
    return [row for part in batches for row in part.to_pylist()]


# --- row by row ---------------------------------------------------------------------------------------------------


def test_the_query_runs_on_each_batch_and_keeps_the_order(session):
    work = session.row_wise(Written("SELECT * FROM input WHERE a > 1"))
    for start in (0, 1000):
        out, rejected = work.process(batch(a=list(range(start, start + 1000))))
        assert out.column("a").to_pylist() == list(range(max(start, 2), start + 1000))
        assert rejected == []


def test_a_row_that_makes_the_query_fail_is_rejected_and_the_others_go_on(session):
    work = session.row_wise(Written("SELECT CAST(p AS INTEGER) AS p FROM input"))
    out, [rejected] = work.process(batch(p=["1", "ten", "3", None]))
    assert out.to_pydict() == {"p": [1, 3, None]}
    assert rejected.rows.to_pydict() == {"p": ["ten"]}
    [problem] = rejected.problems
    assert (problem.type, problem.column, problem.value) == ("cast", "p", "ten")
    assert problem.message == '"ten" in the column "p" is no integer.'


@pytest.mark.parametrize(
    ("expression", "values", "kind", "words"),
    [
        ("1 // a", [1, 0], "division_by_zero", "Division by zero in (1 // a). Guard it: nullif(divisor, 0)."),
        ("a::TINYINT", [1, 300], "out_of_range", '"300" in the column "a" does not fit into an integer of 8 bits.'),
        ("a * 9223372036854775807", [1, 2], "out_of_range", "Overflow in multiplication of INT64"),
        ("CAST(s AS DATE)", ["2024-01-01", "2024-13-01"], "cast", '"2024-13-01" in the column "s" is no date.'),
        ("CAST(s AS DATE)", ["2024-01-01", "soon"], "cast", '"soon" in the column "s" is no date.'),
        ("CAST(s AS TIMESTAMP)", ["2024-01-01", "soon"], "cast", '"soon" in the column "s" is no timestamp.'),
        ("strptime(s, '%Y')", ["2024", "soon"], "invalid_value", 'Could not parse string "soon"'),
        ("CAST(trim(s) AS INTEGER)", ["1", "x y"], "cast", '"x y" in the column "s" is no integer.'),
        ("CAST(s AS DECIMAL(4,1))", ["1", "x"], "cast", '"x" in the column "s" is no decimal(4,1).'),
        ("error(s)", ["no!"], "invalid_value", "no."),
    ],
)
def test_the_problem_names_kind_value_and_column(session, expression, values, kind, words):
    name = "s" if isinstance(values[0], str) else "a"
    work = session.row_wise(Written(f"SELECT {expression} AS x FROM input"))
    out, [rejected] = work.process(batch(**{name: values}))
    assert out.num_rows == len(values) - 1
    assert rejected.problems[0].type == kind
    assert words in rejected.problems[0].message
    assert "LINE" not in rejected.problems[0].message


poison = st.lists(
    st.one_of(st.integers(0, 99).map(str), st.sampled_from(["x", "", "1.5e", "NaN?"]), st.none()), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(values=poison, masks=st.booleans())
def test_rows_in_are_rows_out_and_rejected_rows_in_their_order(session, values, masks):
    failures = {"v": f"SELECT {sdk.fails('CAST(v AS INTEGER)')} FROM input"} if masks else {}
    work = session.row_wise(Written("SELECT n, CAST(v AS INTEGER) AS v FROM input", failures))
    given_rows = pa.record_batch(
        [pa.array(range(len(values)), pa.int64()), pa.array(values, pa.string())], names=["n", "v"]
    )
    out, rejected = work.process(given_rows)
    bad = [number for part in rejected for number in part.rows.column("n").to_pylist()]
    wanted_bad = [number for number, value in enumerate(values) if value is not None and not value.isdigit()]
    assert bad == wanted_bad
    assert out.column("n").to_pylist() == [number for number in range(len(values)) if number not in wanted_bad]
    assert [problem.value for part in rejected for problem in part.problems] == [
        values[number] for number in wanted_bad
    ]


def test_with_failure_queries_a_batch_full_of_bad_rows_is_split_by_few_queries(session):
    cast = "CAST(v AS INTEGER)"
    node = Written(f"SELECT {cast} AS v FROM input", {"v": f"SELECT {sdk.fails(cast)} FROM input"})
    work = session.row_wise(node)
    values = [f"x{number}" if number % 2 else str(number) for number in range(20_000)]
    asked = []
    run = work._read
    work._read = lambda *arguments: (asked.append(1), run(*arguments))[1]
    out, [rejected] = work.process(batch(v=values))
    assert out.column("v").to_pylist() == list(range(0, 20_000, 2))
    assert [problem.value for problem in rejected.problems] == values[1::2]
    assert rejected.problems[-1].message == '"x19999" in the column "v" is no integer.'
    assert len(asked) < 150


def test_failure_queries_that_do_not_tell_the_truth_are_not_believed(session):
    node = Written("SELECT CAST(v AS INTEGER) AS v FROM input", {"v": "SELECT v = '1' FROM input"})
    out, [rejected] = session.row_wise(node).process(batch(v=["1", "2", "x"]))
    assert (out.column("v").to_pylist(), rejected.rows.column("v").to_pylist()) == ([1, 2], ["x"])


def test_an_empty_batch_gives_the_columns_and_no_rows(session):
    work = session.row_wise(Written("SELECT a::VARCHAR AS b FROM input"))
    out, rejected = work.process(batch(a=pa.array([], pa.int64())))
    assert (out.schema, out.num_rows, rejected) == (pa.schema([("b", pa.string())]), 0, [])


def test_a_batch_without_columns_goes_through(session):
    work = session.row_wise(Written("SELECT * FROM input WHERE a > 1"))
    out, rejected = work.process(pa.record_batch([], schema=pa.schema([])))
    assert (out.num_columns, out.num_rows, rejected) == (0, 0, [])


def test_two_nodes_of_a_run_do_not_see_each_other(session):
    first = session.row_wise(Written("SELECT a + 1 AS a FROM input"))
    second = session.row_wise(Written("SELECT a * 10 AS a FROM input"))
    out, _ = second.process(first.process(batch(a=[1, 2]))[0])
    assert out.column("a").to_pylist() == [20, 30]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT prise FROM input", 'There is no column "prise". Did you mean "price"?'),
        ("SELECT * FROM inputs", 'There is no input "inputs".'),
        ("SELECT uper(name) FROM input", 'There is no function "uper". Did you mean "upper"?'),
        ("SELECT price + name FROM input", '"+" does not work on integer and text.'),
        ("SELECT CAST(price AS DATE) FROM input", "Integer cannot become date"),
        ("SELECT * FROM input WHERE (\nprice > * 2\n)", 'Syntax error at "2" (position 11 of: price > * 2).'),
        ("SELECT * FROM input WHERE (\nprice >\n)", "The expression is not complete."),
        ("SELECT 1; SELECT 2", "Write one SELECT"),
        ("CREATE TABLE x (a INTEGER)", "Write one SELECT"),
        ("SELECT * FROM input WHERE sum(price) > 1", "WHERE clause cannot contain aggregates."),
    ],
)
def test_wrong_sql_is_an_error_of_the_settings_with_a_clean_sentence(session, query, words):
    work = session.row_wise(Written(query))
    with pytest.raises(PermanentError) as caught:
        work.process(batch(price=[1], name=["x"]))
    assert words in str(caught.value)
    assert not any(noise in str(caught.value) for noise in ("LINE", "Candidate", "Binder Error", "\n"))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{file}')",
        "SELECT * FROM parquet_scan('{file}')",
    ],
)
def test_sql_cannot_read_files(session, tmp_path: Path, query):
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    work = session.row_wise(Written(query.format(file=file)))
    with pytest.raises(PermanentError):
        work.process(batch(a=[1]))


def test_sql_cannot_read_python_variables(session):
    secret_table = pa.table({"a": [1]})
    work = session.row_wise(Written("SELECT * FROM secret_table"))
    with pytest.raises(PermanentError, match="no input"):
        work.process(batch(a=[1]))
    assert secret_table.num_rows == 1


@pytest.mark.parametrize("query", ["SELECT current_setting('TimeZone') AS z FROM input"])
def test_the_time_zone_is_utc(session, query):
    out, _ = session.row_wise(Written(query)).process(batch(a=[1]))
    assert out.column("z")[0].as_py() in {"UTC", "Etc/UTC"}


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("a::HUGEINT", pa.int64()),
        ("TIMESTAMP_NS '2024-01-01 00:00:00.123456789'", pa.timestamp("us")),
        ("TIMESTAMPTZ '2024-01-01 00:00:00+02'", pa.timestamp("us", tz="UTC")),
        ("'b'::ENUM('a', 'b')", pa.string()),
        ("uuid()", pa.string()),
        ("INTERVAL 1 DAY", pa.string()),
        ("NULL", pa.null()),
        ("'{}'::JSON", pa.string()),
        ("1.25::DECIMAL(5,2)", pa.decimal128(5, 2)),
        ("[a::HUGEINT]", pa.list_(pa.field("l", pa.int64()))),
        ("{'x': a::HUGEINT}", pa.struct([("x", pa.int64())])),
    ],
)
def test_exotic_types_do_not_leave(session, expression, wanted):
    out, rejected = session.row_wise(Written(f"SELECT {expression} AS x FROM input")).process(batch(a=[1, 2]))
    assert out.schema.field("x").type == wanted
    assert (out.num_rows, rejected) == (2, [])


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["x", "y"]).dictionary_encode(),
        pa.array(["x", "y"], pa.large_string()),
        pa.array(["x", "y"], pa.string_view()),
    ],
)
def test_texts_leave_as_plain_strings(session, values):
    out, _ = session.row_wise(Written("SELECT * FROM input")).process(batch(t=values))
    assert out.schema.field("t").type == pa.string()
    assert out.column("t").to_pylist() == ["x", "y"]


def test_a_number_too_large_for_an_integer_rejects_its_row(session):
    work = session.row_wise(Written("SELECT a::HUGEINT * 9223372036854775807 AS x FROM input"))
    out, [rejected] = work.process(batch(a=[1, 2]))
    assert out.column("x").to_pylist() == [2**63 - 1]
    assert rejected.problems[0].type == "out_of_range"


def test_a_name_that_comes_twice_is_numbered(session):
    out, _ = session.row_wise(Written("SELECT a, a::HUGEINT AS a FROM input")).process(batch(a=[1]))
    assert out.to_pydict() == {"a": [1], "a_1": [1]}


# --- whole inputs -------------------------------------------------------------------------------------------------


def test_a_blocking_node_reads_its_rows_while_they_come(session):
    work = session.blocking(Streamed("SELECT sum(a) AS total FROM input"))
    assert work.streams
    parts = iter([batch(a=[1, 2]), batch(a=pa.array([], pa.int64())), batch(a=[3])])
    assert rows(work.run(parts)) == [{"total": 6}]
    work.close()


def test_the_sum_of_integers_is_an_integer(session):
    [out] = session.blocking(Streamed("SELECT sum(a) AS total FROM input")).run(iter([batch(a=[1, 2])]))
    assert out.schema.field("total").type == pa.int64()


def test_a_sum_too_large_for_an_integer_says_so(session):
    work = session.blocking(Streamed("SELECT sum(a) AS total FROM input"))
    with pytest.raises(
        PermanentError, match='"18446744073709551614" in the column "total" does not fit into an integer of 64 bits'
    ):
        list(work.run(iter([batch(a=[2**63 - 1, 2**63 - 1])])))


def test_the_result_comes_in_batches_and_in_order(session):
    work = session.blocking(Streamed("SELECT * FROM input ORDER BY a DESC"))
    parts = list(work.run(iter([batch(a=list(range(100_000)))]), batch_rows=10_000))
    assert len(parts) > 1
    assert [value for part in parts for value in part.column("a").to_pylist()] == list(range(99_999, -1, -1))


def test_no_rows_give_one_empty_batch_with_the_columns(session):
    nothing = batch(a=pa.array([], pa.int64()))
    [streamed] = session.blocking(Streamed("SELECT a::VARCHAR AS b FROM input")).run(iter([nothing]))
    work = session.blocking(Written("SELECT a::VARCHAR AS b FROM input"))
    work.add("input", nothing)
    [kept] = work.finish()
    assert streamed.schema == kept.schema == pa.schema([("b", pa.string())])
    assert streamed.num_rows == kept.num_rows == 0


def test_an_input_without_columns_gives_none(session):
    nothing = pa.record_batch([], schema=pa.schema([]))
    [out] = session.blocking(Streamed("SELECT sum(a) FROM input")).run(iter([nothing]))
    assert out.num_columns == 0


def test_several_inputs_come_in_any_order(session):
    work = session.blocking(Written('SELECT l.k, l.a, r.b FROM "left" l JOIN "right" r USING (k) ORDER BY k'))
    assert not work.streams
    work.add("right", batch(k=[2, 1], b=["two", "one"]))
    work.add("left", batch(k=[1], a=[10]))
    work.add("right", batch(k=[3], b=["three"]))
    work.add("left", batch(k=[3, 4], a=[30, 40]))
    assert rows(work.finish()) == [{"k": 1, "a": 10, "b": "one"}, {"k": 3, "a": 30, "b": "three"}]
    work.close()


def test_a_kept_input_may_be_read_several_times(session):
    work = session.blocking(Written("SELECT count(*) AS n FROM input a, input b"))
    for _ in range(3):
        work.add("input", batch(a=[1, 2]))
    assert rows(work.finish()) == [{"n": 36}]


def test_a_node_that_reads_a_stream_twice_is_told(session):
    work = session.blocking(Streamed("SELECT count(*) FROM input a, input b"))
    with pytest.raises(PermanentError, match="reads its input twice"):
        list(work.run(iter([batch(a=[1, 2])])))


def test_an_error_of_the_incoming_batches_passes_through(session):
    def broken() -> Iterator[pa.RecordBatch]:
        yield batch(a=[1])
        raise Cancelled("The run was stopped.")

    work = session.blocking(Streamed("SELECT sum(a) FROM input"))
    with pytest.raises(Cancelled, match="The run was stopped"):
        list(work.run(broken()))


def test_a_value_that_the_query_cannot_take_ends_it_with_a_clear_error(session):
    work = session.blocking(Streamed("SELECT sum(CAST(a AS INTEGER)) FROM input"))
    with pytest.raises(PermanentError, match='"x" in the column "a" is no integer') as caught:
        list(work.run(iter([batch(a=["1", "x"])])))
    assert caught.value.hint


def test_a_batch_with_other_columns_is_refused(session):
    work = session.blocking(Written("SELECT * FROM input"))
    work.add("input", batch(a=[1]))
    with pytest.raises(PermanentError, match="columns changed"):
        work.add("input", batch(b=[1]))


def test_more_rows_than_memory_holds_spill_to_disk(tmp_path):
    session = SqlSession(tmp_path / "spill", memory_limit="32MB", threads=1)
    work = session.blocking(Written("SELECT count(*) AS n, count(DISTINCT t) AS d FROM input"))
    for start in range(0, 800_000, 50_000):
        texts = [f"{number * 7919:064d}" for number in range(start, start + 50_000)]
        work.add("input", batch(t=texts))
    assert list((tmp_path / "spill").iterdir())
    assert rows(work.finish())[0]["n"] == 800_000
    work.close()
    session.close()


def test_another_thread_can_interrupt_a_query(session):
    work = session.blocking(Written("SELECT sum(a.a * b.a * c.a) FROM input a, input b, input c"))
    work.add("input", batch(a=list(range(20_000))))
    stop = threading.Event()

    def interrupt() -> None:
        while not stop.wait(0.02):
            work.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(Cancelled):
            list(work.finish())
    finally:
        stop.set()
        thread.join()
