"""Deliveries to a listening source, on the disk."""

from __future__ import annotations

import pytest

from etl_studio.errors import PermanentError
from etl_studio.sdk.mailbox import Delivery
from etl_studio.storage.databases import Databases
from etl_studio.storage.mailbox import KEEP_IDS, mailbox_folder


@pytest.fixture
def databases():
    with Databases(0.1) as databases:
        yield databases


@pytest.fixture
def mailbox(databases, tmp_path):
    return databases.mailbox(tmp_path / "boxes", "hook", keeps=True)


def delivery(text, name="", at=1.0):
    return Delivery("json", text.encode(), at, name)


def bodies(found):
    return [one.body.decode() for one in found]


def test_deliveries_are_given_in_the_order_in_which_they_were_kept(mailbox):
    assert mailbox.put([delivery("a"), delivery("bb")]) == [True, True]
    assert mailbox.put([delivery("ccc")]) == [True]
    assert bodies(mailbox.take(0, 10, 100)) == ["a", "bb", "ccc"]
    assert bodies(mailbox.take(1, 1, 100)) == ["bb"]
    assert bodies(mailbox.take(0, 10, 3)) == ["a", "bb"]
    assert bodies(mailbox.take(2, 10, 1)) == ["ccc"]  # one at least
    assert bodies(mailbox.take(0, 10, 100, until=2)) == ["a", "bb"]
    assert mailbox.size() == 6


def test_an_id_is_taken_once_also_in_the_same_moment(mailbox):
    assert mailbox.put([delivery("a", "1"), delivery("a", "1"), delivery("b"), delivery("b")]) == [
        True, False, True, True,
    ]  # fmt: skip
    assert mailbox.put([delivery("c", "1")]) == [False]
    assert mailbox.size() == 3


def test_what_was_loaded_goes_and_its_id_is_remembered(mailbox, databases, tmp_path):
    mailbox.put([delivery("a", "1", at=2e9), delivery("bb")])
    mailbox.begin("run")
    mailbox.forget(1)
    assert (mailbox.done(), mailbox.size(), bodies(mailbox.take(0, 10, 100))) == (1, 2, ["bb"])
    mailbox.forget(0)
    again = databases.mailbox(tmp_path / "boxes", "hook", keeps=True)
    assert (again.done(), again.size()) == (1, 2)
    assert again.put([delivery("a", "1", at=2e9)]) == [False]
    assert again.put([delivery("new")]) == [True]
    assert [one.number for one in again.take(0, 10, 100)] == [2, 3]


def test_an_old_id_may_come_again(mailbox, monkeypatch):
    mailbox.put([delivery("a", "1", at=1_000.0)])
    monkeypatch.setattr("etl_studio.storage.mailbox.time.time", lambda: 1_000.0 + KEEP_IDS + 1)
    mailbox.begin("run")
    assert mailbox.put([delivery("a", "1")]) == [True]


def test_the_run_that_read_before_is_known_and_its_groups_go(mailbox):
    assert mailbox.begin("one") is None
    mailbox.group("one", 3)
    mailbox.group("one", 5)
    assert mailbox.begin("one") is None
    assert mailbox.groups("one", 3) == [5]
    assert mailbox.begin("two") == "one"
    assert mailbox.groups("one", 0) == []


def test_a_pipeline_keeps_its_mailboxes_when_its_folder_is_moved(tmp_path):
    one = mailbox_folder(tmp_path / "a" / ".etl_studio", tmp_path / "a" / "in" / "p.yaml", "p")
    other = mailbox_folder(tmp_path / "b" / ".etl_studio", tmp_path / "b" / "in" / "p.yaml", "p")
    assert one.name == other.name
    assert one.name != mailbox_folder(tmp_path / "a" / ".etl_studio", tmp_path / "a" / "p.yaml", "p").name
    long = mailbox_folder(tmp_path, None, "x" * 10_000)
    assert len(long.name) < 255


def test_a_folder_that_cannot_be_made_is_told_of(databases, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError, match="cannot be kept in"):
        databases.mailbox(tmp_path / "file" / "boxes", "hook", keeps=True)
