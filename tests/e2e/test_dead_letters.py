"""What failed is mended, by a person or by time, and replayed: in the end every row is there exactly once."""

from __future__ import annotations

import json

import pytest

from etl_studio.demo import DemoSite
from etl_studio.demo.faults import Fault

PRODUCTS = 100
RETRY = {"retry": {"attempts": 2, "delay": 0}, "breaker": {"enabled": False}}
SINK = ("sqlite_sink", {"table": "products", "write_disposition": "append"})


class SickSite(DemoSite):
    """A site some of whose addresses never answer until it heals."""

    def __init__(self, **options):
        super().__init__(products=PRODUCTS, **options)
        self.sick = {}

    def choose_fault(self, target, address):
        return (0.0, self.sick[target]) if target in self.sick else super().choose_fault(target, address)


@pytest.fixture
def site():
    with SickSite() as site:
        yield site


@pytest.fixture
def replay(folder):
    """``replay(...)`` calls ``dead-letters replay``."""
    return lambda *options: folder.call("dead-letters", "replay", "--workspace", folder.workspace, *options)


def test_pages_of_a_shop_that_never_answered_are_fetched_again(folder, site, replay):
    site.sick = {"/shop?page=2": Fault("status", 503), "/shop?page=4": Fault("reset")}
    shop = {
        "urls": [f"{site.url}/shop?page={number}" for number in range(1, 6)],
        "item": ".card",
        "fields": {"name": "h2 a::text", "link": "h2 a::attr(href)"},
    }
    folder.pipeline({"shop": ("web_page_source", shop, RETRY), "save": SINK}, ["shop -> save"])
    assert folder.run().code == 3
    first, second = folder.dead_letters()
    assert (first["attempts"], first["operation"]["url"]) == (2, f"{site.url}/shop?page=2")
    assert folder.ask("SELECT count(*), count(DISTINCT link) FROM products") == [(60, 60)]

    assert replay().code == 3
    assert [letter["attempts"] for letter in folder.dead_letters()] == [4, 4]
    site.sick.popitem()
    assert replay().code == 3
    assert [letter["id"] for letter in folder.dead_letters()] == [first["id"]]
    site.sick.clear()
    assert replay().code == 0
    assert folder.dead_letters() == []
    assert folder.ask("SELECT count(*), count(DISTINCT link) FROM products") == [(PRODUCTS, PRODUCTS)]
    assert second["operation"]["number"] == 4


def api(site, **pagination):
    return {
        "url": f"{site.url}/api/products",
        "params": {"per_page": 10},
        "items": "data.items",
        "pagination": {"kind": "page", "has_more": "has_more", **pagination},
    }


def test_pages_of_an_api_that_never_answered_are_asked_for_again(folder, site, replay):
    site.sick = {f"/api/products?per_page=10&page={number}": Fault("status", 500) for number in (3, 7)}
    folder.pipeline({"api": ("rest_source", api(site), RETRY), "save": SINK}, ["api -> save"])
    assert folder.run().code == 3
    assert [letter["operation"]["page"] for letter in folder.dead_letters()] == [3, 7]
    assert folder.ask("SELECT count(*), count(DISTINCT id) FROM products") == [(80, 80)]
    assert replay().code == 3
    site.sick.clear()
    assert replay().code == 0
    assert folder.ask("SELECT count(*), count(DISTINCT id) FROM products") == [(PRODUCTS, PRODUCTS)]


def test_two_pages_in_a_row_mean_that_the_site_is_down(folder, site):
    site.sick = {f"/api/products?per_page=10&page={number}": Fault("status", 500) for number in (3, 4)}
    folder.pipeline({"api": ("rest_source", api(site), RETRY), "save": SINK}, ["api -> save"])
    assert folder.run().code == 1
    assert folder.dead_letters() == []


def test_a_page_behind_a_cursor_ends_the_run_since_nobody_knows_the_next(folder, site):
    cursor = {"url": f"{site.url}/api/cursor", "items": "items", "pagination": {"kind": "cursor"}}
    folder.pipeline({"api": ("rest_source", cursor, RETRY), "save": SINK}, ["api -> save"])
    assert folder.run().code == 0
    site.sick = {site.requests[1].path: Fault("status", 500)}
    assert folder.run().code == 1
    assert folder.dead_letters() == []


def test_no_secret_of_a_request_is_in_a_letter(folder, site, replay, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_TOKEN", "hunter2")
    config = api(site) | {"headers": {"X-Token": "${secret:token}"}}
    config["params"] = {"per_page": 10, "note": "${secret:token}"}
    site.sick = {"/api/products?per_page=10&note=hunter2&page=3": Fault("status", 500)}
    folder.pipeline({"api": ("rest_source", config, RETRY), "save": SINK}, ["api -> save"])
    assert folder.run().code == 3
    assert b"hunter2" not in (folder.workspace / "workspace.db").read_bytes()
    site.sick.clear()
    assert replay().code == 0
    assert folder.ask("SELECT count(DISTINCT id) FROM products") == [(PRODUCTS,)]


def test_a_line_that_could_not_be_read_is_mended_and_read(folder, replay):
    folder.write(
        "orders.csv", "id,qty,day\n1,5,2026-01-01\n2,7,2026-01-02,too,many\n3,ten,2026-01-03\n4,2,2026-01-04\n"
    )
    folder.pipeline(
        {"read": ("csv_source", {"path": "orders.csv", "columns": {"qty": "integer"}}), "save": SINK}, ["read -> save"]
    )
    assert folder.run().code == 3
    first, second = folder.dead_letters()
    assert (first["payload"]["record"], first["line"], second["error_type"]) == ("2,7,2026-01-02,too,many", 3, "cast")

    assert replay().code == 3
    assert [letter["attempts"] for letter in folder.dead_letters()] == [2, 2]
    edit = ("dead-letters", "edit", first["id"], "--workspace", folder.workspace, "--set")
    assert folder.call(*edit, "record=2,7,2026-01-02").code == 0
    assert replay().code == 3
    assert [letter["id"] for letter in folder.dead_letters()] == [second["id"]]
    text = folder.file.read_text().replace("integer", "text")
    folder.file.write_text(text)
    assert folder.ask("SELECT id, qty, day FROM products ORDER BY id") == [
        (1, 5, "2026-01-01"), (2, 7, "2026-01-02"), (4, 2, "2026-01-04"),
    ]  # fmt: skip


def test_a_line_with_half_a_letter_is_not_loaded_with_its_escape(folder, replay):
    folder.write("orders.csv", "id,name\n1,Ada\n2,Zo\xeb\n".encode("latin-1"))
    folder.pipeline({"read": ("csv_source", {"path": "orders.csv"}), "save": SINK}, ["read -> save"])
    assert folder.run().code == 3
    assert replay().code == 3
    (letter,) = folder.dead_letters()
    assert "stands for a byte" in letter["message"]
    folder.call("dead-letters", "edit", letter["id"], "--workspace", folder.workspace, "--set", "record=2,Zoë")
    assert replay().code == 0
    assert folder.ask("SELECT name FROM products WHERE id = 2") == [("Zoë",)]


def test_a_record_with_a_new_field_is_read_when_that_is_mended(folder, replay):
    lines = [json.dumps({"id": number, "tag": None}) for number in range(1, 1_003)] + [
        '{"id": 1003, "colour": "red"}',
        "{x",
    ]
    folder.write("orders.ndjson", "\n".join(lines))
    folder.pipeline({"read": ("json_source", {"path": "orders.ndjson"}), "save": SINK}, ["read -> save"])
    assert folder.run().code == 3
    field, broken = sorted(folder.dead_letters(), key=lambda letter: letter["line"])
    assert (field["error_type"], broken["error_type"]) == ("new_column", "json")
    for letter, record in ((field, {"id": 1003}), (broken, {"id": 1004, "tag": "x"})):
        edit = ("dead-letters", "edit", letter["id"], "--workspace", folder.workspace)
        folder.call(*edit, "--set", f"record={json.dumps(record)}")
    assert replay().code == 0
    assert folder.ask("SELECT count(*), count(DISTINCT id), max(id) FROM products") == [(1004, 1004, 1004)]
