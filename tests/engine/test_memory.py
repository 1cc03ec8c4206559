"""A run keeps within its memory and leaves room on the disk, or ends with an error that says what to do."""

from __future__ import annotations

import pytest

from etl_studio.engine import memory
from etl_studio.engine.events import RunStatus, Sampled
from etl_studio.engine.memory import MB, Limits, MemoryBudget
from etl_studio.errors import PermanentError, UsageError
from tests.engine.random_flows import Count, Keeper, Made, make_flow, pipeline_of, registry, run_flow


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2048), ("512 mb", 512), ("1.5GiB", 1536), ("268435456", 256), ("1t", 2**20)]
)
def test_an_amount_of_memory_is_read_as_people_write_it(text, size):
    assert MemoryBudget.parse(text).bytes == size * MB


@pytest.mark.parametrize("text", ["", "much", "-2GB", "2GB5", "10MB", "0"])
def test_an_amount_that_is_none_or_too_small_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as caught:
        MemoryBudget.parse(text)
    assert "2GB" in caught.value.hint


def test_sql_and_wires_share_the_budget():
    budget = MemoryBudget(1024 * MB)

    assert budget.sql == "614MiB"
    assert budget.bounds(4).bytes == 32 * MB
    assert budget.bounds(64).bytes == 2 * MB
    assert budget.bounds(10_000).bytes == MB


def test_the_default_is_three_quarters_of_the_machine(monkeypatch):
    monkeypatch.setattr(memory, "machine_memory", lambda: 8192 * MB)
    assert MemoryBudget.of_machine().bytes == 6144 * MB


def limits(tmp_path, *, resident=300 * MB, free=10_000 * MB):
    return Limits(
        MemoryBudget(300 * MB), [tmp_path], sql=lambda: 5, resident=lambda: resident, free=lambda folder: free
    )


def test_a_run_within_its_limits_goes_on(tmp_path):
    within = limits(tmp_path)
    within.check(within.read())
    assert within.peak == 300 * MB


def test_a_process_over_its_budget_is_ended_with_both_numbers(tmp_path):
    over = limits(tmp_path, resident=400 * MB)
    with pytest.raises(PermanentError, match=r"holds 400 MB of memory; its budget is 300 MB") as caught:
        over.check(over.read())
    assert "--memory" in caught.value.hint


def test_a_disk_that_fills_up_is_named_before_it_is_full(tmp_path):
    full = limits(tmp_path, free=100 * MB)
    with pytest.raises(PermanentError, match="Only 100 MB are free on the disk") as caught:
        full.check(full.read())
    assert str(tmp_path) in str(caught.value)


class Waiting(Count):
    """Gives its rows once the run ends."""

    type = "waiting_source"

    def read(self, context):
        context.stopping.wait(30)
        yield from super().read(context)


@pytest.mark.parametrize(
    ("reading", "text"),
    [("resident_memory", "holds 2,048 MB of memory"), ("free_room", "are free on the disk")],
)
def test_a_run_over_a_limit_fails_and_loads_nothing(tmp_path, monkeypatch, reading, text):
    Keeper.kept.clear()
    monkeypatch.setattr(memory, reading, lambda *_: 2048 * MB if reading == "resident_memory" else MB)
    made = [Made("waiting_source", {}), Made("keeper_sink", {"name": "all"}, (("input", (0, "out")),))]

    flow = make_flow(pipeline_of(made), tmp_path, registry(Waiting), memory=MemoryBudget(512 * MB))
    flow.start()
    ended = flow.ended()

    assert ended.status is RunStatus.FAILED
    assert text in ended.error
    assert ended.error_node is None
    assert not Keeper.kept


def test_samples_and_report_carry_the_memory_of_process_and_sql(tmp_path):
    samples = []
    made = [
        Made("count_source", {"batches": 20, "size": 10_000}),
        Made("match", {}, (("left", (0, "out")), ("right", (0, "out")))),
        Made("keeper_sink", {"name": "all"}, (("input", (1, "out")),)),
    ]

    ended = run_flow(
        pipeline_of(made),
        tmp_path,
        memory=MemoryBudget(2048 * MB),
        listeners=[lambda event: samples.append(event.memory) if isinstance(event, Sampled) else None],
    )

    assert ended.peak_memory > 10 * MB
    assert {sample.budget for sample in samples} == {2048 * MB}


def test_sql_tells_what_it_holds(tmp_path):
    from etl_studio.engine.sql import SqlSession

    session = SqlSession(tmp_path, memory_limit="256MiB")
    before = session.memory()
    session._root.execute("CREATE TABLE t AS SELECT range AS n, range::TEXT AS text FROM range(500000)")

    assert session.memory() > before + MB
    session.close()
