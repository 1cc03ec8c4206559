"""Earlier versions of a pipeline file: each text once, not too many of them."""

from __future__ import annotations

import pytest

from etl_studio.errors import UsageError
from etl_studio.storage.versions import DAY, NEWEST, Versions
from etl_studio.storage.workspace import Workspace

NOW = 20_000 * DAY


@pytest.fixture
def workspace(tmp_path, databases) -> Workspace:
    return Workspace(tmp_path / ".etl_studio", databases)


@pytest.fixture
def versions(workspace) -> Versions:
    return workspace.versions


def test_versions_come_newest_first_with_their_reason_and_text(versions):
    versions.keep("shop.yaml", "one", "found", at=1.0)
    versions.keep("shop.yaml", "two ✓", "saved", at=2.0)
    newest, oldest = versions.of("shop.yaml")
    assert [(one.at, one.why, versions.text(one.digest)) for one in (newest, oldest)] == [
        (2.0, "saved", "two ✓"),
        (1.0, "found", "one"),
    ]


def test_a_text_that_is_the_newest_already_is_not_kept_again_but_an_older_one_is(versions):
    assert versions.keep("shop.yaml", "one", "saved")
    assert not versions.keep("shop.yaml", "one", "run")
    assert versions.keep("shop.yaml", "two", "saved")
    assert versions.keep("shop.yaml", "one", "saved")
    assert [versions.text(one.digest) for one in versions.of("shop.yaml")] == ["one", "two", "one"]


def test_equal_texts_take_room_once(workspace, versions):
    for text in ("one", "two", "one", "two"):
        versions.keep("shop.yaml", text, "saved")
    versions.keep("other.yaml", "one", "saved")
    assert workspace.file.query("SELECT count(*) FROM version_text") == [(2,)]
    assert len(versions.of("other.yaml")) == 1


def test_the_last_hundred_are_kept_and_one_of_each_of_the_last_thirty_days(workspace, versions):
    for day in range(40):
        for hour in range(3):
            versions.keep("shop.yaml", f"{day} {hour}", "saved", at=NOW - (40 - day) * DAY + hour * 3600)
    for number in range(NEWEST):
        versions.keep("shop.yaml", f"today {number}", "saved", at=NOW + number)
    texts = [versions.text(one.digest) for one in versions.of("shop.yaml")]
    assert texts[:NEWEST] == [f"today {number}" for number in reversed(range(NEWEST))]
    assert texts[NEWEST:] == [f"{day} 2" for day in reversed(range(10, 40))]
    assert workspace.file.query("SELECT count(*) FROM version_text") == [(len(texts),)]


def test_a_text_that_is_gone_is_told(versions):
    with pytest.raises(UsageError, match="not kept any more"):
        versions.text("0" * 64)
