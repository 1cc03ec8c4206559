"""kill -9 at any moment, then ``run --resume``: no row lost, none twice."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.delivery.scenarios import SCENARIOS, OneTable, kill_again_and_again

SHORT, LONG = 3, 100


@pytest.fixture
def fresh(tmp_path):
    """Makes a folder and a scenario in it."""
    numbers = itertools.count()

    def make(kind, **options):
        folder = tmp_path / f"job{next(numbers)}"
        folder.mkdir()
        return kind(folder, **options)

    return make


def killed(make, kills, seed, longest=2.5):
    tally = kill_again_and_again(make, kills, random.Random(seed), longest)
    print(f"{tally.kills} kills, {tally.finished} runs, {tally.lost} lost, {tally.doubled} doubled {tally.notes}")
    return tally


@pytest.mark.parametrize("kind", SCENARIOS, ids=lambda kind: kind.name)
def test_a_killed_run_goes_on_without_a_row_lost_or_doubled(fresh, kind):
    tally = killed(lambda: fresh(kind), SHORT, kind.name)
    assert tally.kills >= SHORT
    assert not tally.wrong, tally


@pytest.mark.parametrize(("plant", "harm"), [("first", "lost"), ("last", "doubled")])
def test_the_kills_find_a_cursor_that_is_committed_apart_from_its_rows(fresh, plant, harm):
    """The harness must see defects, or its silence means nothing."""

    class Planted(OneTable):
        points = ("between",)

    tally = killed(lambda: fresh(Planted, plant=plant), 40, plant)
    # The sum check of the run may see the loss before the table is judged.
    assert getattr(tally, harm) > 0 or "are accounted for" in str(tally.notes), tally


@pytest.mark.long
@pytest.mark.parametrize("kind", SCENARIOS, ids=lambda kind: kind.name)
def test_a_hundred_kills_lose_and_double_nothing(fresh, kind):
    tally = killed(lambda: fresh(kind), LONG, f"long {kind.name}")
    assert tally.kills >= LONG
    assert not tally.wrong, tally
