"""A crawl in a browser beside bare Crawlee and bare Playwright, and a crawl without a browser.

    python tests/benchmarks/browser.py [PAGES [NAME ...]]    where the extra "browser" is installed

The pages have 20 cards that a script fetches as JSON; the crawl without a browser reads the same from HTML. Each is
a program of its own: CPU is that of all its processes, memory the largest sum of what they have (shared memory once).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TABS = 3
SCRIPT = """<title>%(n)s</title><div id=app></div><script>
fetch('/data/%(n)s').then(a => a.json()).then(d => { app.innerHTML = d.html; });
</script>"""
RIVAL = """
import asyncio, os, sys
from datetime import timedelta
from crawlee import ConcurrencySettings
from crawlee.crawlers import PlaywrightCrawler
from crawlee.storage_clients import MemoryStorageClient
from lxml import html
count = 0
crawler = PlaywrightCrawler(
    headless=True, storage_client=MemoryStorageClient(), configure_logging=False,
    concurrency_settings=ConcurrencySettings({tabs}, {tabs}, desired_concurrency={tabs}),
    browser_launch_options={{"executable_path": {browser!r}, "chromium_sandbox": os.geteuid() != 0}},
)
@crawler.router.default_handler
async def handle(context):
    global count
    await context.page.wait_for_selector(".card", state="attached")
    text = await context.page.content()
    count += len(html.fromstring(text).xpath("//h2"))
    await context.enqueue_links()
asyncio.run(crawler.run([{url!r}]))
print(count)
"""
BARE = """
import asyncio, os
from playwright.async_api import async_playwright
from lxml import html
async def main():
    count, seen, waiting = 0, {{{url!r}}}, [{url!r}]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path={browser!r}, chromium_sandbox=os.geteuid() != 0)
        context = await browser.new_context()
        async def work():
            nonlocal count
            page = await context.new_page()
            while True:
                if not waiting:
                    if not busy: return
                    await asyncio.sleep(0.01)
                    continue
                url = waiting.pop(0)
                busy.add(url)
                await page.goto(url)
                await page.wait_for_selector(".card", state="attached")
                tree = html.fromstring(await page.content())
                tree.make_links_absolute(url)
                count += len(tree.xpath("//h2"))
                new = set(tree.xpath("//a/@href")) - seen
                seen.update(new)
                waiting.extend(new)
                busy.discard(url)
        busy = set()
        await asyncio.gather(*(work() for _ in range({tabs})))
        await browser.close()
    print(count)
asyncio.run(main())
"""
PIPELINE = """
etl_studio: 1
nodes:
  pages:
    type: {kind}
    config: {config}
  save: {{type: sqlite_sink, config: {{table: rows, write_disposition: append}}}}
wires: [pages -> save]
"""


def site(pages: int) -> ThreadingHTTPServer:
    """The site, on loopback."""

    def cards(n: int) -> str:
        found = "".join(
            f"<div class=card><h2>name {n} {i}</h2><b>{i}.50</b><p>{'text ' * 10}</p></div>" for i in range(20)
        )
        return found + "".join(f'<a href="{{}}{m}">{m}</a>' for m in range(n * 4 + 1, n * 4 + 5) if m < pages)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            kind, _, number = self.path.strip("/").partition("/")
            status, body = 200, ""
            if kind == "data":
                body = json.dumps({"html": cards(int(number)).format(*["/page/"] * 4)})
            elif kind == "page":
                body = SCRIPT % {"n": number}
            elif kind == "html":
                body = f"<title>{number}</title>" + cards(int(number)).format(*["/html/"] * 4)
            else:
                status = 404
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if kind == "data" else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server


def tree(root: int) -> set[int]:
    """The processes below one, and itself."""
    parents: dict[int, int] = {}
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(each.name)] = int((each / "stat").read_text().rpartition(")")[2].split()[1])
    found = {root}
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
    return found


def memory(root: int) -> float:
    """MB of a process and all below it; what several share counts once."""
    total = 0
    for pid in tree(root):
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return total / 1024


def measured(command: list[str], folder: Path) -> tuple[float, float, float, str]:
    """Wall seconds, CPU seconds, largest memory in MB, and the last line of what a process says."""
    before, began, most = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0.0
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.3):
            most = max(most, memory(process.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    out, _ = process.communicate()
    done.set()
    watching.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu, most, (out.strip().splitlines() or [""])[-1]


def main(pages: int, names: list[str]) -> None:
    """Print the table."""
    from etl_studio.nodes.extract._browser_found import find_browser

    server = site(pages)
    serving = os.fork()  # so that its CPU seconds are nobody's
    if serving == 0:
        server.serve_forever()
    url, browser = f"http://127.0.0.1:{server.server_address[1]}", str(find_browser())
    print(f"{pages} pages, {TABS} tabs\n{'':24}{'s':>8}{'pages/s':>9}{'CPU ms/page':>13}{'MB':>7}  items")
    fields = {"item": ".card", "fields": {"name": "h2", "price": "b", "text": "p"}, "autothrottle": False}
    for name in names or ("browser_source", "Crawlee", "Playwright", "crawl_source"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            if name.endswith("_source"):
                start = f"{url}/{'page' if name == 'browser_source' else 'html'}/0"
                config = {"start_urls": [start], "max_pages": pages, **fields}
                config |= {"wait_for": ".card", "concurrency": TABS} if name == "browser_source" else {}
                (folder / "p.yaml").write_text(PIPELINE.format(kind=name, config=json.dumps(config)), encoding="utf-8")
                command = [sys.executable, "-m", "etl_studio", "run", "p.yaml", "--json"]
            else:
                program = (RIVAL if name == "Crawlee" else BARE).format(url=f"{url}/page/0", browser=browser, tabs=TABS)
                command = [sys.executable, "-c", program]
            seconds, cpu, most, said = measured(command, folder)
            if name.endswith("_source"):
                with suppress(ValueError, KeyError):
                    said = str(json.loads(said)["rows_in"])
            print(
                f"{name:24}{seconds:8.1f}{pages / seconds:9.1f}{cpu * 1000 / pages:13.1f}{most:7.0f}  {said}",
                flush=True,
            )
    server.server_close()
    os.kill(serving, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, sys.argv[2:])
