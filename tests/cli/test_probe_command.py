"""``etl-studio probe``: the facts of the first pages, for people and for programs."""

from __future__ import annotations

import json

import pytest

from tests.app.probed_site import ProbedSite

PIPELINE = """\
etl_studio: 1
name: shop
parameters: {{shop: {{type: text}}}}
nodes:
  read: {{type: rest_source, config: {{url: "{url}/things", params: {{shop: "${{shop}}"}}}}}}
  save: {{type: csv_sink, config: {{path: out.csv}}}}
wires: [read -> save]
"""


@pytest.fixture
def site():
    with ProbedSite() as site:
        yield site


@pytest.fixture
def file(site, tmp_path):
    path = tmp_path / "shop.etl.yaml"
    path.write_text(PIPELINE.format(url=site.url))
    return path


def test_the_first_pages_are_told(call, site, file):
    answer = call("probe", file, "read", "-p", "shop=mugs")

    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == f"Page 1  GET {site.url}/things?shop=mugs"
    assert lines[1].startswith("  200 after ")
    assert lines[1].endswith(" bytes, 10 items")
    assert lines[2] == '  next: cursor=c10 (told by the cursor in "next_cursor", sent as "cursor")'
    assert "id      integer  0, 1, 2" in answer.out
    assert lines[-4:] == [
        "30 rows",
        "Found out; write it into the settings to keep it:",
        "  pagination: {kind: cursor}",
        "  items: items",
    ]
    assert len(site.asked) == 3
    assert not (file.parent / "out.csv").exists()


def test_programs_get_the_same_facts(call, file):
    seen = json.loads(call("probe", file, "read", "-p", "shop=mugs", "--json", "--pages", "2").out)

    assert [(page["number"], page["status"], page["items"]) for page in seen["pages"]] == [(1, 200, 10), (2, 200, 10)]
    assert json.loads(seen["pages"][0]["answer"])["next_cursor"] == "c10"
    assert seen["settings"] == {"pagination": {"kind": "cursor"}, "items": "items"}
    assert seen["columns"] == [{"name": "id", "type": "integer", "examples": ["0", "1", "2"], "empty": 0}]


def test_answers_are_printed_when_they_are_wanted(call, file):
    assert '"next_cursor": "c10"' in call("probe", file, "read", "-p", "shop=mugs", "--answers").out


def test_a_page_that_fails_ends_it_with_the_reason(call, tmp_path):
    with ProbedSite(statuses={2: 404}) as site:
        path = tmp_path / "shop.etl.yaml"
        path.write_text(PIPELINE.format(url=site.url))
        answer = call("probe", path, "read", "-p", "shop=mugs")

    assert answer.code == 1
    assert answer.out.startswith("Page 1")
    assert "404" in answer.err


@pytest.mark.parametrize(("node", "reason"), [("save", "has no pages"), ("gone", 'There is no node "gone"')])
def test_a_node_without_pages_is_refused(call, file, node, reason):
    answer = call("probe", file, node, "-p", "shop=mugs")

    assert answer.code == 2
    assert reason in answer.err
