"""The examples run for real, and each row is compared with what an independent calculation expects."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter, defaultdict

import pytest

from etl_studio.app.resources import resource
from etl_studio.demo import DemoSite, Faults


@pytest.fixture
def example(make_folder):
    """``example("shop")``: a copy of the example's folder, ready to run."""

    def copy(name):
        folder = make_folder(name)
        shutil.copytree(resource("examples", name), folder.path, dirs_exist_ok=True)
        folder.file = folder.path / f"{name}.etl.yaml"
        return folder

    return copy


@pytest.mark.parametrize("name", ["airports", "shop", "shop_api"])
def test_an_example_has_no_problem_and_describes_itself(example, name):
    folder = example(name)
    answer = folder.call("validate", folder.file)
    assert answer.code == 0
    assert answer.out == "No problems.\n"
    assert name in resource("examples", "README.md").read_text()


def test_the_examples_leave_nothing_in_their_own_folder():
    """What they write lies beside the copy that is run."""
    assert not list(resource("examples").rglob(".etl_studio"))
    assert {path.name for path in resource("examples").rglob("*") if path.is_file()} == {
        "README.md", "airports.csv", "airports.etl.yaml", "shop.etl.yaml", "shop_api.etl.yaml",
        "read.csv", "case.yaml", "check.rejects.json", "file.json",  # the tests of airports
    }  # fmt: skip


def test_the_tests_of_the_examples_hold(example):
    folder = example("airports")
    answer = folder.call("test", resource("examples"))
    assert answer.code == 0, answer.out
    assert "1 of 1 passed." in answer.out


class TestAirports:
    COLUMNS = "SELECT tzone, airports, mean_altitude, northernmost FROM airports_by_zone"

    @staticmethod
    def expected(path, highest):
        """Zones in order, and the codes of the bad rows, by Python's own means."""
        zones, bad, seen = defaultdict(list), [], set()
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                good = (
                    row["faa"] not in seen
                    and row["tzone"] not in ("", "NA")
                    and -90 <= float(row["lat"]) <= 90
                    and (float(row["lon"]) < 0 or float(row["lon"]) > 170)
                    and -300 <= int(row["alt"]) <= highest
                )
                seen.add(row["faa"])
                if good:
                    zones[row["tzone"]].append((int(row["alt"]), float(row["lat"])))
                else:
                    bad.append(row["faa"])
        rows = [
            (zone, len(found), sum(alt for alt, _ in found) / len(found), max(lat for _, lat in found))
            for zone, found in zones.items()
        ]
        return sorted(rows, key=lambda row: (-row[1], row[0])), bad

    @pytest.mark.parametrize("highest", [10_000, 9_000])
    def test_zones_and_bad_rows_are_what_pythons_csv_reader_finds(self, example, highest):
        folder = example("airports")
        zones, bad = self.expected(folder.path / "airports.csv", highest)
        answer = folder.run("-p", f"highest={highest}")
        assert answer.code == 0
        assert (answer.report["rows_in"], answer.count("check", "rejected")) == (1458, len(bad))
        assert ("TEX" in bad) == (highest == 9_000), "Telluride lies at 9,078 feet"
        table = folder.ask(self.COLUMNS)
        assert [row[:2] for row in table] == [row[:2] for row in zones]
        for row, wanted in zip(table, zones, strict=True):
            assert row[2] == pytest.approx(wanted[2], abs=0.0500001)
            assert row[3] == wanted[3]
        written = folder.records("airports_by_zone.csv")
        assert [
            (row["tzone"], int(row["airports"]), float(row["mean_altitude"]), float(row["northernmost"]))
            for row in written
        ] == table
        rejected = folder.records("airports_rejected.csv")
        assert [row["faa"] for row in rejected] == bad
        assert all(row["_error"] and row["_node"] == "check" for row in rejected)

    def test_a_second_run_changes_nothing(self, example):
        folder = example("airports")
        folder.run()
        table, files = folder.ask(self.COLUMNS), [(name, folder.lines(name)) for name in folder.names()]
        again = folder.run()
        assert again.code == 0
        assert folder.ask(self.COLUMNS) == table
        assert [(name, folder.lines(name)) for name in folder.names()] == files


class TestShop:
    TABLE = "SELECT sku, name, price, stock, rating, url FROM products ORDER BY sku"

    @staticmethod
    def expected(site):
        return sorted(
            (
                product.sku,
                product.name,
                product.price,
                product.stock,
                product.rating,
                f"{site.url}/product/{product.id}",
            )
            for product in site.goods.products
            if product.price is not None
        )

    def test_table_and_files_hold_what_the_shop_sells(self, example):
        folder = example("shop")
        with DemoSite(products=95) as site:
            answer = folder.run("-p", f"site={site.url}")
            wanted = self.expected(site)
            unpriced = [product.sku for product in site.goods.products if product.price is None]
            assert [path for _, _, path, _ in site.requests] == ["/shop", *(f"/shop?page={n}" for n in range(2, 6))]
        assert answer.code == 0
        assert (answer.report["rows_in"], answer.count("check", "rejected")) == (95, len(unpriced))
        assert len(unpriced) == 2
        assert folder.ask(self.TABLE) == wanted
        stocked = [row for row in wanted if row[3] > 0]
        assert answer.count("in_stock", "filtered") == len(wanted) - len(stocked) > 0
        assert (
            sorted(
                (row["sku"], row["name"], float(row["price"]), int(row["stock"]), int(row["rating"]), row["url"])
                for row in folder.records("in_stock.csv")
            )
            == stocked
        )
        assert [(row["sku"], row["_error_type"]) for row in folder.records("unpriced.csv")] == [
            (sku, "not_null") for sku in unpriced
        ]

    def test_a_second_run_changes_nothing_and_says_so(self, example):
        folder = example("shop")
        with DemoSite(products=45) as site:
            folder.run("-p", f"site={site.url}")
            table, files = folder.ask(self.TABLE), [(name, folder.lines(name)) for name in folder.names()]
            again = folder.run("-p", f"site={site.url}")
        assert again.code == 0
        assert {name: again.count("table", name) for name in ("inserted", "updated", "unchanged")} == {
            "inserted": 0, "updated": 0, "unchanged": len(table),
        }  # fmt: skip
        assert folder.ask(self.TABLE) == table
        assert [(name, folder.lines(name)) for name in folder.names()] == files

    def test_without_the_shop_the_message_says_what_to_check(self, example):
        folder = example("shop")
        with DemoSite() as site:
            address = site.url
        folder.file.write_text(folder.file.read_text().replace("policy:\n", "policy:\n      retry: {attempts: 1}\n"))
        answer = folder.run("-p", f"site={address}")
        assert answer.code == 1
        assert "shop > pages: " in answer.err
        assert "refused the connection. Check that the site runs and that the port is right." in answer.err
        assert not [name for name in folder.names() if name.endswith(".csv")]


class TestShopApi:
    FAULTS = Faults(rate_500=0.15, rate_429=0.08, retry_after=0.05, rate_reset=0.08)
    PRODUCTS = "SELECT id, sku, name, category, price, stock, rating, supplier_name, tags FROM api_products ORDER BY id"
    ORDERS = "SELECT order_id, sku, quantity, unit_price, customer_email, status FROM api_orders ORDER BY order_id"
    SALES = "SELECT category, orders, pieces, revenue FROM api_sales ORDER BY category"

    @staticmethod
    def expected(site):
        goods = site.goods
        products = [
            (one.id, one.sku, one.name, one.category, one.price, one.stock, one.rating, one.supplier, list(one.tags))
            for one in goods.products
        ]
        orders = [
            (one["order_id"], one["sku"], one["quantity"], one["unit_price"], one["customer"]["email"], one["status"])
            for one in goods.orders
        ]
        categories = {product.sku: product.category for product in goods.products}
        count, pieces, revenue = Counter(), Counter(), Counter()
        for _, sku, quantity, price, _, status in orders:
            if status != "returned" and price is not None:
                count[categories[sku]] += 1
                pieces[categories[sku]] += quantity
                revenue[categories[sku]] += quantity * price
        return products, orders, [(name, count[name], pieces[name], round(revenue[name], 2)) for name in sorted(count)]

    @pytest.mark.parametrize("seed", [3, 7])
    def test_in_spite_of_the_faults_every_row_is_there_once(self, example, seed):
        folder = example("shop_api")
        with DemoSite(products=130, seed=seed, faults=self.FAULTS) as site:
            answer = folder.run("-p", f"site={site.url}")
            products, orders, sales = self.expected(site)
            failed = sum(status != 200 for *_, status in site.requests)
            answered = Counter(path for _, _, path, status in site.requests if status == 200)
        assert answer.code == 0
        assert failed > 0, "nothing failed: the test shows nothing"
        assert answer.count("products", "retries") + answer.count("orders", "retries") == failed
        assert set(answered.values()) == {1}, "a page that came is not asked for again"
        assert len(answered) == 7 + 6
        assert [(*row[:-1], json.loads(row[-1])) for row in folder.ask(self.PRODUCTS)] == products
        assert folder.ask(self.ORDERS) == orders
        found = folder.ask(self.SALES)
        assert [row[:3] for row in found] == [row[:3] for row in sales]
        assert [row[3] for row in found] == pytest.approx([row[3] for row in sales], abs=0.011)

    def test_a_second_run_changes_nothing_and_says_so(self, example):
        folder = example("shop_api")
        with DemoSite(products=60, faults=Faults(rate_500=0.1)) as site:
            folder.run("-p", f"site={site.url}")
            before = [folder.ask(sql) for sql in (self.PRODUCTS, self.ORDERS, self.SALES)]
            again = folder.run("-p", f"site={site.url}")
        assert again.code == 0
        for node, rows in (("product_table", 60), ("order_table", 120)):
            assert (again.count(node, "inserted"), again.count(node, "updated"), again.count(node, "unchanged")) == (
                0, 0, rows,
            )  # fmt: skip
        assert [folder.ask(sql) for sql in (self.PRODUCTS, self.ORDERS, self.SALES)] == before
