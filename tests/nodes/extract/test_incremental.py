"""Only what is new: each rule, and over any runs and crashes every item exactly once."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._cursor_values import comparable, minus, written
from etl_studio.nodes.extract._incremental import Incremental, Tracking, stream
from etl_studio.nodes.extract.rest_source import RestSource
from tests.nodes.conftest import NodeContext

URL = "http://api.test/orders"
TIMES = [f"2026-11-{day:02d}T10:00:00Z" for day in range(1, 29)]


def order(number, at, **more):
    return {"id": number, "updated_at": at, **more}


class Api:
    """Holds items and gives them in pages of three, filtered and sorted as an API would; it may break off at a page."""

    def __init__(self, items=(), *, order="asc", filters="closed", size=3):
        self.items = list(items)
        self.order = order
        self.filters = filters
        self.size = size
        self.sent = []
        self.breaks_at = None
        self.cursors = False

    def read(self, request, parse):
        self.sent.append(request)
        page = request.params.get("page", 1)
        if page == self.breaks_at:
            raise TransientError("The API broke off.")
        found = self._found(request.params.get("since"))[(page - 1) * self.size : page * self.size]
        following = page + 1 if len(found) == self.size else None
        content = json.dumps({"items": found, "next": following} if self.cursors else found).encode()
        response = sdk.HttpResponse(request.url, 200, {"content-type": "application/json"}, content)
        return response, parse(response)

    def _found(self, since):
        found = list(self.items)
        if since is not None and self.filters != "none":
            found = [
                one
                for one in found
                if one.get("updated_at") is None
                or one["updated_at"] > since
                or (one["updated_at"] == since and self.filters == "closed")
            ]
        if self.order != "unordered":
            found.sort(key=lambda one: one.get("updated_at") or "", reverse=self.order == "desc")
        return found


class Runs:
    """Runs a REST source again and again, with the bookmark that each run that came to its end has left."""

    def __init__(self, tmp_path, api, **incremental):
        self.api = api
        self.context = NodeContext(tmp_path, http=api)
        self.bookmarks = {}
        self.config = RestSource.Config(
            url=URL,
            pagination={"kind": "page"},
            columns={"id": "integer", "updated_at": "text"},
            incremental={"path": "updated_at", "param": "since", **incremental},
        )

    def run(self, *, resume=None):
        """The rows, and whether all came."""
        self.context.bookmarks, self.context.resume = dict(self.bookmarks), resume
        self.context.logged.clear()
        self.cursor, self.loaded, rows, bookmark = resume, 0, [], None
        source = RestSource(self.config)
        source.wanted = 1  # rows are given, and cursors, as soon as they come
        try:
            for emission in source.read(self.context):
                if isinstance(emission, pa.RecordBatch):
                    rows += emission.to_pylist()
                elif isinstance(emission, sdk.Cursor):
                    self.cursor, self.loaded = json.loads(json.dumps(emission.value)), len(rows)
                elif isinstance(emission, sdk.Bookmark):
                    bookmark = emission
        except TransientError:
            return rows, False
        if bookmark is not None:
            self.bookmarks[bookmark.of] = json.loads(json.dumps(bookmark.value))
        return rows, True

    def ids(self):
        rows, done = self.run()
        assert done
        return [row["id"] for row in rows]


def warnings(runs):
    return [message for level, message, _ in runs.context.logged if level == "warning"]


@pytest.fixture
def api():
    return Api([order(number, at) for number, at in enumerate(TIMES[:7])])


@pytest.mark.parametrize("sorts", ["asc", "desc", "unordered"])
@pytest.mark.parametrize("span", ["closed", "open"])
def test_the_next_run_gives_only_what_is_new(tmp_path, api, sorts, span):
    api.order, api.filters = sorts, span
    runs = Runs(tmp_path, api, order=sorts, range=span)
    assert sorted(runs.ids()) == list(range(7))
    assert runs.ids() == []
    api.items += [order(7, TIMES[8]), order(8, TIMES[9])]
    assert sorted(runs.ids()) == [7, 8]
    assert [request.params.get("since") for request in api.sent if request.params["page"] == 1] == [
        None, TIMES[6], TIMES[6],
    ]  # fmt: skip


def test_an_api_that_cannot_filter_is_filtered_here(tmp_path, api):
    runs = Runs(tmp_path, api, param="")
    runs.ids()
    api.items.append(order(7, TIMES[8]))
    assert runs.ids() == [7]
    assert all("since" not in request.params for request in api.sent)


def test_items_that_share_the_last_value_are_told_apart(tmp_path, api):
    runs = Runs(tmp_path, api)
    runs.ids()
    api.items += [order(7, TIMES[6]), order(8, TIMES[6])]
    assert runs.ids() == [7, 8]
    assert runs.ids() == []


def test_an_item_that_changed_at_the_edge_comes_again_unless_its_key_tells_it_apart(tmp_path, api):
    by_row, by_key = Runs(tmp_path, api), Runs(tmp_path, api, key=["id"])
    by_row.ids(), by_key.ids()
    api.items[6]["note"] = "changed"
    assert by_row.ids() == [6]
    assert by_key.ids() == []


def test_open_leaves_out_what_shares_the_last_value(tmp_path, api):
    runs = Runs(tmp_path, api, range="open")
    runs.ids()
    api.items.append(order(7, TIMES[6]))
    assert runs.ids() == []


def test_late_items_come_by_looking_back_and_nothing_comes_twice(tmp_path, api):
    runs = Runs(tmp_path, api, lag=2 * 86_400)
    runs.ids()
    api.items += [order(7, TIMES[5]), order(8, TIMES[2])]  # 8 is too late
    assert runs.ids() == [7]
    assert api.sent[-1].params["since"] == TIMES[4]
    assert runs.ids() == []


def test_the_first_run_begins_at_the_initial_value_and_no_lag_goes_below(tmp_path, api):
    runs = Runs(tmp_path, api, initial=TIMES[4], lag=30 * 86_400)
    assert runs.ids() == [4, 5, 6]
    runs.ids()
    assert {request.params["since"] for request in api.sent} == {TIMES[4]}


def test_a_descending_api_is_left_at_the_first_old_item(tmp_path):
    api = Api([order(number, at) for number, at in enumerate(TIMES)], order="desc", filters="none")
    runs = Runs(tmp_path, api, order="desc")
    runs.ids()
    before = len(api.sent)
    api.items.append(order(99, "2026-12-01T00:00:00Z"))
    assert runs.ids() == [99]
    assert len(api.sent) - before == 1


@pytest.mark.parametrize("told", ["asc", "desc"])
def test_an_order_that_is_not_kept_loses_nothing(tmp_path, told):
    items = [order(number, TIMES[at]) for number, at in enumerate([3, 9, 1, 7, 2, 8, 5])]
    api = Api(items, order="unordered", filters="none")
    runs = Runs(tmp_path, api, order=told)
    assert sorted(runs.ids()) == list(range(7))
    assert any("does not sort" in text for text in warnings(runs))
    api.items.insert(0, order(7, TIMES[10]))
    api.items.append(order(8, TIMES[11]))
    assert sorted(runs.ids()) == [7, 8]


def test_a_run_with_an_end_fills_in_and_moves_nothing(tmp_path, api):
    runs = Runs(tmp_path, api)
    runs.ids()
    back = Runs(tmp_path, api, initial=TIMES[1], end=TIMES[3], end_param="until", order="asc")
    back.bookmarks = dict(runs.bookmarks)
    assert back.ids() == [1, 2]
    assert back.bookmarks == runs.bookmarks
    assert api.sent[-1].params["until"] == TIMES[3]
    assert api.sent[-1].params["page"] == 1


def test_without_a_value_each_rule_does_what_it_says(tmp_path, api):
    api.items.append({"id": 7})
    with pytest.raises(PermanentError, match=r'no "updated_at". It has: id'):
        Runs(tmp_path, api).run()
    assert 7 not in Runs(tmp_path, api, missing="exclude").ids()
    runs = Runs(tmp_path, api, missing="include")
    assert [7 in runs.ids(), 7 in runs.ids()] == [True, True]


def test_a_value_of_another_form_is_told_with_its_place(tmp_path, api):
    api.items.append(order(7, "soon"))
    with pytest.raises(PermanentError, match='"updated_at" is no time such as') as refused:
        Runs(tmp_path, api).run()
    assert (refused.value.column, refused.value.value) == ("updated_at", "soon")


@pytest.mark.parametrize("sorts", ["asc", "unordered", "desc"])
def test_a_run_that_reads_no_further_moves_on_only_where_nothing_is_left_below(tmp_path, api, sorts):
    api.order = sorts
    runs = Runs(tmp_path, api, order=sorts)
    runs.config = runs.config.model_copy(
        update={"pagination": runs.config.pagination.model_copy(update={"max_pages": 1})}
    )
    seen = [*runs.ids(), *runs.ids()]
    if sorts == "asc":
        assert seen == [0, 1, 2, 3, 4]  # the second page begins at the edge, with item 2
    else:
        assert seen[:3] == seen[3:]
        assert any("Not all items were read" in text for text in warnings(runs))


@pytest.mark.parametrize(
    ("form", "send_as", "value", "lag", "sent"),
    [
        ("timestamp", "same", "2026-11-25 10:00:00+02:00", 0, "2026-11-25 10:00:00+02:00"),
        ("timestamp", "same", "2026-11-25T10:00:00.123456789Z", 1, "2026-11-25T09:59:59.123456789Z"),
        ("timestamp", "epoch", "1970-01-01T00:01:00Z", 0, 60),
        ("timestamp", "epoch_ms", "1970-01-01T00:00:00.5", 0, 500),
        ("timestamp", "date", "2026-11-25T23:59:59Z", 0, "2026-11-25"),
        ("date", "same", "2026-11-25", 86_400, "2026-11-24"),
        ("epoch", "same", 1_000, 10, 990),
        ("epoch", "timestamp", "1000.5", 0, "1970-01-01T00:16:40.5Z"),
        ("epoch_ms", "same", 1_000, 1, 0),
        ("number", "same", 12_345_678_901_234_567_890, 1, 12_345_678_901_234_567_889),
        ("text", "same", "b-12", 0, "b-12"),
    ],
)
def test_what_is_sent_has_the_form_that_the_api_wants(form, send_as, value, lag, sent):
    incremental = Incremental(path="at", param="since", format=form, send_as=send_as, lag=lag)
    first = Tracking(incremental, "x", None, None, lambda *_: None)
    first.new([{"at": value}])
    kept = json.loads(json.dumps(first.bookmark(complete=True).value))
    assert Tracking(incremental, "x", kept, None, lambda *_: None).asks == {"since": sent}


@pytest.mark.parametrize("place", ["body", "header", "query"])
def test_the_value_goes_where_the_api_wants_it(tmp_path, place):
    api = Api()
    config = RestSource.Config(
        url=URL,
        method="POST",
        incremental={
            "path": "updated_at",
            "initial": TIMES[0],
            "param": "filter.since",
            "send_in": place,
            "template": "gte:{value}",
        },
    )
    list(RestSource(config).read(NodeContext(tmp_path, http=api)))
    wanted = f"gte:{TIMES[0]}"
    (request,) = api.sent
    found = {"body": request.body, "header": request.headers, "query": request.params}[place]
    assert (found["filter"]["since"] if place == "body" else found["filter.since"]) == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"initial": "soon"},
        {"end": 7},
        {"format": "text", "lag": 1},
        {"format": "number", "send_as": "epoch"},
        {"template": "since"},
        {"lag": -1},
        {"path": ""},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        Incremental(**{"path": "updated_at", **wrong})


def test_another_address_or_parameter_begins_anew_and_secrets_are_in_no_name():
    incremental = Incremental(path="at")
    names = {
        stream(URL, {}, None, incremental),
        stream(URL + "2", {}, None, incremental),
        stream(URL, {"status": "open"}, None, incremental),
        stream(URL, {}, {"status": "open"}, incremental),
        stream(URL, {}, None, Incremental(path="made_at")),
    }
    assert len(names) == 5
    one, other = ({"api_key": key} for key in ("first-key", "other-key"))
    assert stream(URL, one, None, incremental) == stream(URL, other, None, incremental)
    assert "first-key" not in stream(URL + "?token=first-key", one, None, incremental)


def test_a_page_that_did_not_come_is_asked_for_again_as_it_was(tmp_path, api):
    runs = Runs(tmp_path, api, initial=TIMES[0])
    api.breaks_at = 2
    runs.context.bookmarks = {}
    given = list(RestSource(runs.config).read(runs.context))
    (rejected,) = [one for one in given if isinstance(one, sdk.Rejected)]
    operation = json.loads(json.dumps(rejected.problems[0].operation))
    (bookmark,) = [one for one in given if isinstance(one, sdk.Bookmark)]
    assert bookmark.value["last"] == TIMES[6]
    api.breaks_at = None
    again = RestSource(runs.config).read_again([operation], None, runs.context)
    rows = [row for batch in again if isinstance(batch, pa.RecordBatch) for row in batch.to_pylist()]
    assert [row["id"] for row in rows] == [3, 4, 5]
    assert api.sent[-1].params == {"since": TIMES[0], "page": 2}


TICKS = st.integers(0, 12)


@st.composite
def histories(draw):
    """What an API gets between runs, and where runs break off: at a page, or never."""
    rounds = draw(
        st.lists(st.tuples(st.lists(TICKS, max_size=8), st.none() | st.integers(1, 4)), min_size=1, max_size=6)
    )
    return rounds, draw(st.sampled_from(["asc", "desc", "unordered"])), draw(st.sampled_from(["closed", "none"]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), lag=st.sampled_from([0, 86_400, 3 * 86_400]), resumes=st.booleans())
def test_over_any_runs_and_crashes_every_item_comes_and_none_twice(tmp_path, history, lag, resumes):
    rounds, sorts, filters = history
    api = Api(order=sorts, filters=filters)
    runs = Runs(tmp_path, api, order=sorts, lag=lag)
    api.cursors = True
    runs.config = RestSource.Config(
        **runs.config.model_dump(exclude={"pagination", "items"}),
        items="items",
        pagination={"kind": "cursor", "cursor": "next", "cursor_param": "page"},
    )
    loaded, number, floor = [], 0, 0
    for ticks, breaks_at in [*rounds, ([], None)]:
        # An item may come late by as much as runs look back.
        for tick in ticks:
            at = max(tick, floor - lag // 86_400)
            api.items.append(order(number, TIMES[at]))
            number += 1
        api.breaks_at = breaks_at
        rows, done = runs.run()
        if not done and resumes:
            api.breaks_at, before = None, rows[: runs.loaded]
            rows, done = runs.run(resume=runs.cursor)
            rows = before + rows
            assert done
        if done:
            loaded += [row["id"] for row in rows]
            floor = max([floor, *(TIMES.index(one["updated_at"]) for one in api.items)])
    assert sorted(loaded) == list(range(number))


@given(st.integers(-(10**15), 10**18), st.sampled_from(["timestamp", "epoch", "epoch_ms"]))
def test_what_is_written_reads_as_it_was(nanoseconds, form):
    assert comparable(written(nanoseconds, "timestamp"), "timestamp") == nanoseconds
    whole = nanoseconds // 10**9 * 10**9
    assert comparable(written(whole, form), form) == whole
    assert minus(nanoseconds, 1.5) == nanoseconds - 1_500_000_000
