"""What a node does when a call has finally failed: stop, another branch, or the last good answer."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest

from etl_studio.demo import DemoSite, Faults
from etl_studio.demo.faults import Fault
from etl_studio.engine.events import LogWritten, RetryScheduled, RunStatus
from etl_studio.engine.last_good import LastGood, marked
from etl_studio.sdk import Cursor, HttpRequest, HttpResponse, Output
from tests.engine.small_nodes import Bench, Collect, batch, committed, refused

FAULT = Fault("status", 503)
DOWN = Faults(rate_503=1)
TWICE = {"retry": {"attempts": 2, "delay": 0}}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def asking(bench, site, policy):
    bench.node("read", "numbers_source", batches=3, size=2).node("ask", "ask", policy, url=site.url)
    bench.node("save", "collect_sink").node("other", "collect_sink", name="other")
    return bench.wire("read -> ask").wire("ask -> save").wire("ask.rejects -> other").run().execute()


def test_without_a_fallback_the_run_ends(bench):
    with DemoSite(faults=DOWN) as site:
        ended = asking(bench, site, TWICE)

    assert ended.status is RunStatus.FAILED
    assert committed() == committed("other") == []


def test_another_branch_takes_the_rows_of_a_batch_whose_call_failed(bench):
    with DemoSite() as site:
        site.choose_fault = lambda target, address: (0.0, FAULT if len(site.requests) in (1, 2) else None)
        ended = asking(bench, site, {**TWICE, "fallback": "branch"})

    assert ended.status is RunStatus.DONE
    assert committed() == [0, 1, 4, 5]
    assert committed("other") == [2, 3]
    assert "503" in Collect.committed["other"][0]["_error"]
    assert Collect.committed["other"][0]["_error_type"] == "call_failed"
    assert (ended.nodes["ask"].rejected, ended.nodes["ask"].rows_out) == (2, 4)


def test_a_sink_hands_rows_that_it_cannot_take_to_another_one(bench):
    bench.node("read", "numbers_source", batches=2, size=2)
    bench.node("save", "collect_sink", {**TWICE, "fallback": "branch"}, busy=True)
    bench.node("spare", "collect_sink", name="spare").wire("read -> save").wire("save.rejects -> spare")

    ended = bench.run().execute()

    assert ended.status is RunStatus.DONE
    assert committed() == []
    assert committed("spare") == [0, 1, 2, 3]
    assert ended.nodes["save"].retries == 2


def test_what_a_request_inside_a_batch_has_tried_is_not_tried_again_from_outside(bench):
    with DemoSite(faults=DOWN) as site:
        asking(bench, site, {"retry": {"attempts": 3, "delay": 0}})

    assert len(site.requests) == 3
    assert len(bench.of(RetryScheduled)) == 2


def reading(folder, site, fallback="last_good", pages=("/shop", "/")):
    bench = Bench(folder)
    policy = {**TWICE, "timeout": 20, "fallback": fallback, "breaker": {"enabled": False}}
    bench.node("read", "pages_source", policy, urls=[site.url + page for page in pages])
    bench.node("save", "collect_sink").wire("read -> save")
    ended = bench.run().execute()
    return bench, ended, Collect.committed.get("default", [])


def test_fresh_answers_are_marked_as_such(tmp_path):
    with DemoSite() as site:
        _, ended, rows = reading(tmp_path, site)

    assert ended.status is RunStatus.DONE
    assert rows == [{"n": 0, "_stale": False}, {"n": 1, "_stale": False}]


def test_when_the_site_is_down_the_last_good_answers_are_used_marked_and_told(tmp_path):
    with DemoSite() as site:
        reading(tmp_path, site)
        site.faults = DOWN
        bench, ended, rows = reading(tmp_path, site)

    assert ended.status is RunStatus.DONE
    assert rows == [{"n": 0, "_stale": True}, {"n": 1, "_stale": True}]
    told = [event.message for event in bench.of(LogWritten) if event.level == "warning"]
    assert len(told) == 2
    assert "503" in told[0]
    assert "UTC is used instead" in told[0]


def test_from_the_first_old_answer_on_all_rows_are_marked(tmp_path):
    with DemoSite() as site:
        reading(tmp_path, site, pages=("/", "/shop", "/?page=2"))
        site.choose_fault = lambda target, address: (0.0, FAULT if target == "/shop" else None)
        _, _, rows = reading(tmp_path, site, pages=("/", "/shop", "/?page=2"))

    assert [row["_stale"] for row in rows] == [False, True, True]


def test_without_an_answer_from_before_the_run_ends_with_the_error(tmp_path):
    with DemoSite(faults=DOWN) as site:
        _, ended, rows = reading(tmp_path, site)

    assert ended.status is RunStatus.FAILED
    assert "503" in ended.error
    assert rows == []


def test_a_page_that_is_gone_for_good_is_not_replaced_by_an_old_one(tmp_path):
    with DemoSite() as site:
        reading(tmp_path, site)
        site.choose_fault = lambda target, address: (0.0, Fault("status", 404))
        _, ended, _ = reading(tmp_path, site)

    assert ended.status is RunStatus.FAILED
    assert "404" in ended.error


def test_other_policies_keep_no_answers_and_mark_no_rows(tmp_path):
    with DemoSite() as site:
        _, _, rows = reading(tmp_path, site, "stop")

    assert rows == [{"n": 0}, {"n": 1}]
    assert not (tmp_path / "last_good").exists()


def test_answers_that_cannot_be_kept_are_told_and_the_run_goes_on(tmp_path):
    (tmp_path / "last_good").write_text("a file where the folder should be")
    with DemoSite() as site:
        bench, ended, _ = reading(tmp_path, site)

    assert ended.status is RunStatus.DONE
    assert any("could not be kept" in event.message for event in bench.of(LogWritten))


ANSWER = HttpResponse("http://user:pw@shop/a?token=x", 200, {"content-type": "text/html", "set-cookie": "s=1"}, b"a\nb")


def test_each_request_has_an_answer_of_its_own(tmp_path):
    kept = LastGood(tmp_path)
    kept.keep(HttpRequest("http://shop/a"), ANSWER)
    found, _ = kept.find(HttpRequest("http://shop/a"))

    assert (found.content, found.status, found.encoding) == (b"a\nb", 200, None)
    for other in (
        HttpRequest("http://shop/b"),
        HttpRequest("http://shop/a", params={"page": 2}),
        HttpRequest("http://shop/a", headers={"Authorization": "x"}),
        HttpRequest("http://shop/a", "POST", body={"q": 1}),
    ):
        assert kept.find(other) is None


def test_cookies_and_passwords_are_not_kept(tmp_path):
    kept = LastGood(tmp_path)
    kept.keep(HttpRequest("http://shop/a", headers={"Authorization": "Bearer hidden"}), ANSWER)
    (path,) = (tmp_path / "last_good").iterdir()
    text = path.read_bytes()

    assert b"set-cookie" not in text
    assert b"pw" not in text
    assert b"token=x" not in text
    assert b"hidden" not in text


def test_an_answer_that_is_damaged_on_disk_is_none(tmp_path):
    kept = LastGood(tmp_path)
    kept.keep(HttpRequest("http://shop/a"), ANSWER)
    (path,) = (tmp_path / "last_good").iterdir()
    path.write_bytes(b"{")

    assert kept.find(HttpRequest("http://shop/a")) is None


def test_answers_that_nobody_renewed_for_thirty_days_are_deleted(tmp_path):
    LastGood(tmp_path).keep(HttpRequest("http://shop/old"), ANSWER)
    (old,) = (tmp_path / "last_good").iterdir()
    os.utime(old, (1, 1))
    LastGood(tmp_path).keep(HttpRequest("http://shop/new"), ANSWER)

    assert old not in (tmp_path / "last_good").iterdir()
    assert LastGood(tmp_path).find(HttpRequest("http://shop/new"))


def test_a_cursor_is_not_passed_on_behind_an_old_answer():
    stale = []
    emissions = [batch(1), Cursor(1), batch(2), Output("more", batch(3)), refused(4), Cursor(2)]

    def source():
        for number, emission in enumerate(emissions):
            if number == 2:
                stale.append(True)
            yield emission

    got = list(marked(source(), lambda: bool(stale)))

    assert [type(one).__name__ for one in got] == ["RecordBatch", "Cursor", "RecordBatch", "Output", "Rejected"]
    assert got[0].column("_stale").to_pylist() == [False]
    assert got[2].column("_stale").to_pylist() == [True]
    assert got[3].batch.column("_stale").to_pylist() == [True]
    assert got[4].rows.schema.names == ["n"]


def test_an_empty_batch_has_the_column_too():
    (one,) = marked([batch()], lambda: False)

    assert one.schema == pa.schema([("n", pa.int64()), ("_stale", pa.bool_())])
