"""Whatever the bytes are: no crash, no hang, no error without an address, and no row vanishes."""

from __future__ import annotations

import sys
from contextlib import closing

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.bulk import read_inputs
from tests.fuzz.catalogue import DECODERS

PHASES = set(Phase) - {Phase.explain}  # each part of a failing input varied takes long
DECODER = pytest.mark.parametrize("decoder", DECODERS)


@DECODER
def test_malformed_inputs_are_refused_with_an_address_or_read_without_losing_a_record(decoder):
    report = read_inputs(decoder, 500)
    assert not report.wrong, report
    assert report.inputs == 500
    assert len(report.kinds) > 1 or decoder == "robots", "a robots.txt may hold anything"


@pytest.mark.long
@DECODER
def test_ten_thousand_malformed_inputs_are_refused_with_an_address_or_read_without_losing_a_record(decoder, capsys):
    report = read_inputs(decoder, 10_000)
    with capsys.disabled():
        sys.stdout.write(f"\n{report}\n")
    assert not report.wrong
    assert report.inputs == 10_000


@DECODER
def test_a_malformed_input_that_hypothesis_draws_and_shrinks_is_read_or_refused(decoder, tmp_path):
    with closing(DECODERS[decoder](tmp_path)) as reader:

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
        @given(random=st.randoms(use_true_random=False))
        def read(random):
            drawn = reader.make(random)
            drawn.whole_run = False
            reader.check(drawn)

        read()


def test_a_crash_a_hang_and_a_lost_row_are_blamed_on_their_inputs():
    """The harness itself, with planted bugs."""
    report = read_inputs("planted", 9)
    assert report.inputs == 9
    assert sorted(report.wrong) == [2, 4, 6]
    assert "Segmentation fault" in report.wrong[2]
    assert "1 + 0 of 2 records" in report.wrong[4]
    assert "most recent call first" in report.wrong[6]
