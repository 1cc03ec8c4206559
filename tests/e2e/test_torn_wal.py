"""After a power failure the rows in a table are those that its mark tells of (see ``torn_wal``)."""

from __future__ import annotations

import sys

import pytest

from tests.e2e.torn_wal import COMMITS, spoil_and_look


def test_rows_and_mark_agree_whatever_is_left_of_the_log():
    report = spoil_and_look(60)
    assert report.wrong == []
    assert len(report.epochs) > COMMITS / 2, "the logs led back to different commits"


@pytest.mark.long
def test_rows_and_mark_agree_in_a_thousand_logs(capsys):
    report = spoil_and_look(1_000, seed=2)
    with capsys.disabled():
        sys.stdout.write(f"\n{report.cuts} logs: {sorted(report.epochs.items())}, {len(report.wrong)} do not agree\n")
    assert report.wrong == []


@pytest.mark.parametrize("bug", ["before", "after"])
def test_a_mark_with_a_transaction_of_its_own_is_found(bug):
    """The harness itself: a planted bug."""
    report = spoil_and_look(100, bug=bug)
    assert any("the mark tells of" in text for text in report.wrong)
    assert not any("damaged" in text for text in report.wrong)
