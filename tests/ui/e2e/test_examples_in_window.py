"""The examples make the same tables and files in the window and by the command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from etl_studio.app.resources import resource
from etl_studio.cli.main import main
from etl_studio.demo import DemoSite
from etl_studio.engine.events import RunStatus

pytestmark = pytest.mark.window

DEFAULT_SITE = "http://127.0.0.1:8750"
DUMP = """
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
every = [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
names = [name for name in every if not name.startswith("_etl_")]
columns = {name: [list(row[1:3]) for row in database.execute(f'PRAGMA table_info("{name}")')] for name in names}
# The number of a load depends on which of several sinks commits first; it is the last column.
assert all(of_table.pop() == ["_load_id", "INTEGER"] for of_table in columns.values())
rows = {name: sorted((row[:-1] for row in database.execute(f'SELECT * FROM "{name}"')), key=str) for name in names}
print(json.dumps({name: [columns[name], rows[name]] for name in names}))
"""


def tables(folder):
    """Columns with their types and rows of each table, read by another process with another copy of SQLite."""
    database = folder / ".etl_studio" / "data.db"
    done = subprocess.run([sys.executable, "-c", DUMP, str(database)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("airports", {"airports_by_zone", "airports_by_zone.csv", "airports_rejected.csv"}),
        ("shop", {"products", "in_stock.csv", "unpriced.csv"}),
        ("shop_api", {"api_products", "api_orders", "api_sales"}),
    ],
)
def test_an_example_makes_the_same_in_the_window_and_by_the_command(
    open_window, run_to_its_end, tmp_path, capsys, name, made
):
    by_window, by_command = tmp_path / "window", tmp_path / "command"
    with DemoSite(products=95) as site:
        for folder in (by_window, by_command):
            shutil.copytree(resource("examples", name), folder)
            file = folder / f"{name}.etl.yaml"
            file.write_text(file.read_text(encoding="utf-8").replace(DEFAULT_SITE, site.url), encoding="utf-8")
        given = set(files(by_window))
        person = open_window(by_window / file.name)
        report = run_to_its_end(person)
        code = main(["run", str(file), "--json"])

    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (code, report.status) == (0, RunStatus.DONE)
    assert (report.rows_in, report.rows_out, report.rejected) == (told["rows_in"], told["rows_out"], told["rejected"])
    assert report.rows_out > 0
    assert tables(by_window) == tables(by_command)
    assert files(by_window) == files(by_command)
    assert set(tables(by_window)) | set(files(by_window)) - given == made
    assert all(rows for _, rows in tables(by_window).values())
    assert not person.window.isWindowModified(), "a run changes no pipeline"
