"""Every template runs as it is, and gives what it promises."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from etl_studio.app.templates import (
    DEMO_URL,
    TEMPLATES,
    asks_demo_shop,
    copy_template,
    template_file,
    templates,
    title_of,
)
from etl_studio.cli.demo import demo
from etl_studio.demo import DemoSite
from etl_studio.demo.goods import Goods
from etl_studio.demo.pages import Shop
from etl_studio.errors import UsageError


@pytest.fixture
def template(make_folder):
    """``template("clean_a_csv")``: a copy of the template's folder, ready to run."""

    def copy(name):
        folder = make_folder(name)
        shutil.copytree(template_file(name).parent, folder.path, dirs_exist_ok=True)
        folder.file = folder.path / f"{name}.etl.yaml"
        return folder

    return copy


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_no_problem_and_says_in_short_what_it_does(template, name):
    folder = template(name)
    (one,) = [one for one in templates() if one.path.parent.name == name]

    assert folder.call("validate", folder.file).out == "No problems.\n"
    assert one.pipeline.name == name
    assert 30 < len(one.pipeline.description) < 120
    assert all(spec.title for spec in one.pipeline.nodes.values())


def test_every_folder_of_templates_is_offered_and_holds_nothing_that_a_run_has_left():
    folders = {path.name for path in template_file(TEMPLATES[0]).parent.parent.iterdir()}

    assert folders == set(TEMPLATES)
    assert not list(template_file(TEMPLATES[0]).parent.parent.rglob(".etl_studio"))


def test_titles_are_written_as_people_write_them():
    assert [title_of(template_file(name)) for name in TEMPLATES[:3]] == [
        "Scrape a shop", "Crawl a site", "Sync an API",
    ]  # fmt: skip


def test_a_template_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(UsageError) as error:
        template_file("clean_csv")

    assert "clean_a_csv" in str(error.value)


def test_those_that_read_the_demo_shop_are_known_and_expect_it_where_the_command_opens_it():
    asking = {one.path.parent.name for one in templates() if asks_demo_shop(one.pipeline)}

    assert asking == {"scrape_a_shop", "crawl_a_site", "sync_an_api", "keep_a_price_history"}
    assert DEMO_URL.endswith(f":{demo.__kwdefaults__['port']}")


def test_scrape_a_shop_keeps_one_row_for_each_product_however_often_it_runs(template):
    folder = template("scrape_a_shop")
    with DemoSite(products=50) as site:
        wanted = sorted(
            (one.sku, one.name, one.price, one.stock, f"{site.url}/product/{one.id}")
            for one in site.goods.products
            if one.price is not None
        )
        answers = [folder.run("-p", f"site={site.url}") for _ in range(2)]

    assert [answer.code for answer in answers] == [0, 0]
    assert folder.ask("SELECT sku, name, price, stock, url FROM products ORDER BY sku") == wanted
    assert answers[1].count("products", "unchanged") == len(wanted) == 49
    assert len(folder.records("without_a_price.csv")) == 1


def test_crawl_a_site_reads_the_page_of_each_product_once_however_many_lists_lead_there(template):
    folder = template("crawl_a_site")
    with DemoSite(products=50) as site:
        answers = [folder.run("-p", f"site={site.url}") for _ in range(2)]
        asked = [one.path for one in site.requests]
        wanted = sorted(
            (one.sku, one.name, one.price, one.stock, one.category, one.supplier, one.description)
            for one in site.goods.products
        )

    assert [answer.code for answer in answers] == [0, 0]
    found = folder.ask("SELECT sku, name, price, stock, category, supplier, description FROM crawled_products")
    assert sorted(found) == wanted
    pages = {"/robots.txt", "/shop", "/shop?page=1", "/shop?page=2", "/shop?page=3"}
    assert set(asked) == pages | {f"/product/{one.id}" for one in site.goods.products}
    assert max(asked.count(path) for path in asked) == 2
    assert answers[1].count("products", "inserted") == 0


def test_sync_an_api_writes_only_what_has_changed_and_lists_what_is_nearly_sold_out(template):
    folder = template("sync_an_api")
    with DemoSite(products=120) as site:
        first = folder.run("-p", f"site={site.url}")
        again = folder.run("-p", f"site={site.url}")
        products = site.goods.products

    assert (first.code, again.code) == (0, 0)
    assert folder.ask("SELECT id, sku, price, stock, supplier_name FROM api_products ORDER BY id") == [
        (one.id, one.sku, one.price, one.stock, one.supplier) for one in products
    ]
    assert (again.count("table", "inserted"), again.count("table", "updated")) == (0, 0)
    assert {row["sku"] for row in folder.records("to_order.csv")} == {one.sku for one in products if one.stock < 3}


def test_clean_a_csv_tidies_texts_drops_doubles_and_puts_mistakes_aside(template):
    folder = template("clean_a_csv")
    assert folder.run().code == 0

    clean = folder.records("customers_clean.csv")
    assert [(row["name"], row["email"], row["joined"]) for row in clean[:2]] == [
        ("Ada Abbott", "ada@mail.example", "2026-01-14"), ("Björn Berg", "bjorn@mail.example", "2026-02-03"),
    ]  # fmt: skip
    assert len({row["email"] for row in clean}) == len(clean) == 7
    assert [(row["name"], row["_error_type"]) for row in folder.records("customers_with_mistakes.csv")] == [
        ("Dev Costa", "regex"), ("", "not_null"), ("Grace Hughes", "not_null"),
    ]  # fmt: skip


def test_merge_two_files_gives_each_order_its_customer_and_lists_the_others(template):
    folder = template("merge_two_files")
    customers = {row["customer_id"]: row for row in folder.records("customers.csv")}
    orders = folder.records("orders.csv")
    assert folder.run().code == 0

    merged = folder.records("orders_with_customers.csv")
    assert [(row["order_id"], row["name"], row["city"]) for row in merged] == [
        (row["order_id"], customers[row["customer_id"]]["name"], customers[row["customer_id"]]["city"])
        for row in orders
        if row["customer_id"] in customers
    ]
    assert [row["order_id"] for row in folder.records("orders_without_customer.csv")] == ["1007"]


def test_add_a_file_to_a_table_loads_one_file_after_another_and_a_file_twice_does_no_harm(template):
    folder = template("add_a_file_to_a_table")
    for file in ("january", "february", "february"):
        assert folder.run("-p", f"file=incoming/{file}.csv").code == 0

    rows = folder.ask("SELECT sale_id, quantity, file FROM sales ORDER BY sale_id")
    assert [row[0] for row in rows] == [1, 2, 4, 5, 6, 7, 8]
    assert rows[3] == (5, 3, "incoming/february.csv"), "the later file corrects the row of the earlier one"


def test_add_a_file_to_a_table_puts_lines_aside_that_cannot_be_read(template):
    folder = template("add_a_file_to_a_table")
    assert folder.run().code == 0

    assert [row["line"] for row in folder.records("unreadable.csv")] == ["4"]


def test_keep_a_price_history_keeps_the_old_price_where_it_has_changed(template):
    folder = template("keep_a_price_history")
    with DemoSite(products=30) as site:
        assert folder.run("-p", f"site={site.url}").code == 0
        dearer = tuple(replace(one, price=one.price + 1) if one.id <= 3 else one for one in site.goods.products)
        site._shop = Shop(Goods(dearer, ()))
        assert folder.run("-p", f"site={site.url}").code == 0
        old, new = site.goods.products[:3], dearer[:3]

    versions = folder.ask("SELECT sku, price, valid_to IS NULL FROM price_history ORDER BY sku, valid_from")
    changed = {one.sku for one in old}
    assert len(versions) == 33
    assert [row for row in versions if row[0] in changed] == sorted(
        row
        for before, after in zip(old, new, strict=True)
        for row in ((before.sku, before.price, 0), (after.sku, after.price, 1))
    )


def test_a_copy_that_nobody_has_changed_is_used_again_and_a_changed_one_is_kept(tmp_path):
    original = template_file("clean_a_csv")
    first = copy_template(original, tmp_path)
    assert copy_template(original, tmp_path) == first

    first.write_text(first.read_text("utf-8") + "# mine\n", encoding="utf-8")
    second = copy_template(original, tmp_path)

    assert (first.parent.name, second.parent.name) == ("clean_a_csv", "clean_a_csv_2")
    assert second.read_bytes() == original.read_bytes()
    assert (second.parent / "customers.csv").is_file()
    assert first.read_text("utf-8").endswith("# mine\n")


def test_data_in_folders_comes_along(tmp_path):
    copy = copy_template(template_file("add_a_file_to_a_table"), tmp_path)

    assert sorted(path.name for path in (copy.parent / "incoming").iterdir()) == ["february.csv", "january.csv"]


class TestNew:
    def test_alone_it_lists_the_templates_with_what_they_do(self, folder):
        answer = folder.call("new")

        assert answer.code == 0
        assert all(name in answer.out for name in TEMPLATES)

    def test_it_copies_a_template_with_its_data_and_says_how_to_run_it(self, folder, monkeypatch):
        monkeypatch.chdir(folder.path)
        answer = folder.call("new", "clean_a_csv")
        file = folder.path / "clean_a_csv" / "clean_a_csv.etl.yaml"

        assert (answer.code, answer.out.strip()) == (0, "clean_a_csv/clean_a_csv.etl.yaml")
        assert "etl-studio run clean_a_csv/clean_a_csv.etl.yaml" in answer.err
        assert folder.run(file=file).code == 0
        assert (file.parent / "customers_clean.csv").is_file()

    def test_one_that_reads_the_demo_shop_says_so(self, folder):
        assert "etl-studio demo" in folder.call("new", "scrape_a_shop", folder.path / "shop").err

    def test_it_overwrites_nothing_and_tells_a_wrong_name(self, folder):
        assert folder.call("new", "clean_a_csv", folder.path).code == 2
        answer = folder.call("new", "clean_csv", folder.path / "x")
        assert answer.code == 2
        assert 'Did you mean "clean_a_csv"?' in answer.err
        assert not (folder.path / "x").exists()
