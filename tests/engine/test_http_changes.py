"""An answer counts as seen when its node has taken it, not when it has arrived."""

from __future__ import annotations

import pytest

from etl_studio.engine.http_changes import Changes, PageState
from etl_studio.errors import PermanentError
from etl_studio.sdk import HttpRequest, HttpResponse

URL = "https://shop.example.org/"


class Memory:
    def __init__(self):
        self.states = {}

    def find(self, node, key):
        return self.states.get((node, key))

    def keep(self, node, states):
        self.states |= {(node, key): state for key, state in states.items()}


@pytest.fixture
def memory():
    return Memory()


def seen(memory, request, content=b"page", settings="", **headers):
    changes = Changes("read", memory, settings)
    changes.told(request, HttpResponse(request.url, 200, headers, content))
    changes.took(request)
    changes.keep()


def test_what_arrived_and_was_not_taken_is_not_kept(memory):
    changes, request = Changes("read", memory, ""), HttpRequest(URL, unchanged="skip")
    changes.told(request, HttpResponse(URL, 200, {}, b"page"))
    changes.keep()
    assert not memory.states


def test_an_answer_that_failed_to_be_read_is_not_kept(memory):
    changes, request = Changes("read", memory, ""), HttpRequest(URL, unchanged="skip")
    changes.told(request, HttpResponse(URL, 200, {}, b"half a page"))
    changes.failed(request)
    changes.took(request)
    changes.keep()
    assert not memory.states


def test_a_request_that_takes_everything_is_neither_changed_nor_kept(memory):
    seen(memory, HttpRequest(URL, unchanged="skip"), etag='"1"')
    request = HttpRequest(URL)
    changes = Changes("read", memory, "")
    assert changes.asking(request) is request
    assert not changes.told(request, HttpResponse(URL, 200, {}, b"page")).unchanged


def test_only_skip_lets_the_server_leave_out_the_body(memory):
    for unchanged in ("tell", "skip"):
        seen(memory, HttpRequest(URL, unchanged=unchanged), etag='"1"', **{"last-modified": "Wed"})
    changes = Changes("read", memory, "")
    assert changes.asking(HttpRequest(URL, unchanged="tell")).headers == {}
    asked = changes.asking(HttpRequest(URL, unchanged="skip", headers={}))
    assert asked.headers == {"If-None-Match": '"1"', "If-Modified-Since": "Wed"}


def test_conditions_of_a_persons_own_are_left_as_they_are(memory):
    request = HttpRequest(URL, unchanged="skip", headers={"if-none-match": '"mine"'})
    seen(memory, request, etag='"1"')
    assert Changes("read", memory, "").asking(request) is request


@pytest.mark.parametrize(
    "other",
    [
        HttpRequest(URL, unchanged="tell", headers={"Accept-Language": "de"}),
        HttpRequest(URL, unchanged="tell", params={"page": 2}),
        HttpRequest(URL, unchanged="tell", method="POST", content=b"a"),
        HttpRequest(URL, unchanged="tell", form={"a": "b"}),
    ],
)
def test_another_request_is_another_page(memory, other):
    seen(memory, HttpRequest(URL, unchanged="tell"))
    response = HttpResponse(URL, 200, {}, b"page")
    assert not Changes("read", memory, "").told(other, response).unchanged
    assert not Changes("read", memory, "other").told(HttpRequest(URL, unchanged="tell"), response).unchanged
    assert Changes("read", memory, "").told(HttpRequest(URL, unchanged="tell"), response).unchanged


def test_an_answer_without_a_body_counts_only_for_a_page_that_was_loaded(memory):
    request = HttpRequest(URL, unchanged="skip")
    with pytest.raises(PermanentError, match="no run has loaded it yet"):
        Changes("read", memory, "").told(request, HttpResponse(URL, 304, {}, b""))
    seen(memory, request, etag='"1"')
    assert Changes("read", memory, "").told(request, HttpResponse(URL, 304, {}, b"")).unchanged
    assert [state.etag for state in memory.states.values()] == ['"1"']
    assert isinstance(next(iter(memory.states.values())), PageState)
