"""CPU seconds of 200 pages of an API merged into SQLite: ``python rest_to_sqlite.py [--rival PYTHON] [--repeat N]``.

A local server gives pages of 100 items, each after 5 ms. They are read and merged by

- ``etl-studio run``, imports included, with the policies that a new node has,
- a bare script of httpx2 and sqlite3, which checks nothing, retries nothing and cannot be resumed,
- dlt with its REST source, when the Python given by ``--rival`` has it.

Each is a process of its own; all write 20,000 rows, which are compared. Then page 57 fails twice, and the server counts
what was asked for. Machines differ by the hour: compare the columns of one call, never those of two.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PAGES = 200
SIZE = 100
LATENCY = 0.005
FAILING, FAILURES = 57, 2

BARE = """
import sqlite3, sys
import httpx2
table = sqlite3.connect("out.db")
columns = "id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INT, active INT, updated_at TEXT"
table.execute(f"CREATE TABLE items ({columns})")
upsert = (
    "INSERT INTO items VALUES (:id, :name, :price, :stock, :active, :updated_at) ON CONFLICT (id) DO UPDATE SET "
    "name = excluded.name, price = excluded.price, stock = excluded.stock, active = excluded.active, "
    "updated_at = excluded.updated_at"
)
seen = page = 0
with httpx2.Client() as client:
    while True:
        page += 1
        body = client.get(sys.argv[1], params={"page": page}).json()
        table.executemany(upsert, body["items"])
        seen += len(body["items"])
        if seen >= body["total"]:
            break
table.commit()
"""

DLT = """
import os, sys
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
os.environ["DESTINATION__SQLALCHEMY__CREDENTIALS"] = "sqlite:///dlt_out.db"
import dlt
from dlt.sources.rest_api import rest_api_source
source = rest_api_source({
    "client": {"base_url": sys.argv[1].rpartition("/")[0], "paginator": {"type": "page_number", "base_page": 1,
               "total_path": None, "stop_after_empty_page": True}},
    "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
    "resources": [{"name": "items", "endpoint": {"path": "items", "data_selector": "items"}}],
})
dlt.pipeline("bench", destination="sqlalchemy", dataset_name="main", pipelines_dir="dlt").run(source)
"""

PIPELINE = """
etl_studio: 1
name: Items
nodes:
  api:
    type: rest_source
    config: {{url: "{url}", items: items, pagination: {{kind: page, total: total}}}}
    policy: {{retry: {{delay: 0.01}}}}
  save:
    type: sqlite_sink
    config: {{database: out.db, table: items, write_disposition: merge, key: [id]}}
wires:
  - api -> save
"""


class Api(ThreadingHTTPServer):
    """Gives the pages and counts who asked for them.

    Args:
        failures: how often page 57 answers with 503.
    """

    daemon_threads = True

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked: Counter[int] = Counter()
        self.pages = [json.dumps({"items": items(page), "total": PAGES * SIZE}).encode() for page in range(PAGES)]
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the items are."""
        return f"http://127.0.0.1:{self.server_address[1]}/items"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Api

    def do_GET(self) -> None:
        """Answer; the method's name is that of the standard library."""
        time.sleep(LATENCY)
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        self.server.asked[page] += 1
        if page == FAILING and self.server.asked[page] <= self.server.failures:
            self._send(b"503 Service Unavailable", b"{}")
            return
        empty = json.dumps({"items": [], "total": PAGES * SIZE}).encode()
        self._send(b"200 OK", self.server.pages[page - 1] if page <= PAGES else empty)

    def _send(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self.wfile.write(head + body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""


def items(page: int) -> list[dict[str, object]]:
    """The items of a page, counted from 0."""
    return [
        {
            "id": number,
            "name": f"item {number}",
            "price": number * 0.5,
            "stock": number % 13,
            "active": number % 2 == 0,
            "updated_at": "2026-01-01T00:00:00Z",
        }
        for number in range(page * SIZE, (page + 1) * SIZE)
    ]


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    """CPU seconds and seconds of a process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "rest_to_sqlite_bytecode")}
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed: {complaint.decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - begun


def rows(folder: Path) -> list[tuple[object, ...]]:
    """What is in the table of whichever file the process has written."""
    files = [folder / name for name in ("dlt_out__main.db", "dlt_out.db", "out.db") if (folder / name).is_file()]
    for file in files:
        with sqlite3.connect(file) as table:
            try:
                return table.execute("SELECT id, name, price, stock FROM items ORDER BY id").fetchall()
            except sqlite3.OperationalError:
                continue
    return []


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--rival", metavar="PYTHON", help="a Python that has dlt")
    arguments.add_argument("--repeat", type=int, default=3, help="runs of each; the least is shown")
    asked = arguments.parse_args()
    api = Api()
    commands = {
        "etl-studio": [sys.executable, "-m", "etl_studio", "run", "items.etl.yaml"],
        "bare script": [sys.executable, "-c", BARE, api.url],
    }
    if asked.rival:
        commands["dlt"] = [asked.rival, "-c", DLT, api.url]
    wanted = [(item["id"], item["name"], item["price"], item["stock"]) for page in range(PAGES) for item in items(page)]
    for name, command in commands.items():
        found = []
        for _ in range(asked.repeat + 1):  # the first one fills the caches
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                (folder / "items.etl.yaml").write_text(PIPELINE.format(url=api.url), "utf-8")
                found.append(measured(command, folder))
                same = "same rows" if rows(folder) == wanted else "OTHER ROWS"
        cpu, seconds = map(min, zip(*found[1:], strict=True))
        print(f"{name:12} {cpu:5.2f} CPU s  {seconds:5.2f} s  {same}")
    failing = Api(FAILURES)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "items.etl.yaml").write_text(PIPELINE.format(url=failing.url), "utf-8")
        measured(commands["etl-studio"], folder)
        more = {page: count for page, count in failing.asked.items() if count > 1 or page > PAGES}
        print(f"page {FAILING} fails twice: {failing.asked.total()} requests, more than once: {more}")


if __name__ == "__main__":
    main()
