"""A crawl beside Scrapy and Crawlee: CPU, pages per second and memory for the same items of the same local site.

    python tests/benchmarks/crawl.py                       # this program alone
    python tests/benchmarks/crawl.py --rival PYTHON        # PYTHON: an interpreter that has scrapy, crawlee and lxml

The site has 2,000 pages with 20 cards and 45 links each, and is served by a process of its own. All crawlers start as
programs, respect robots.txt, leave out what they have seen, keep cookies, throttle and try again after failures; what
they found is compared item by item. CPU is user and system time of the whole program, its start included.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve()
CARDS, LINKS = 20, 45
FIELDS = {
    "sku": ".sku::text",
    "name": "h2 a::text",
    "price": ".price::text",
    "stock": ".stock::text",
    "link": "h2 a::attr(href)",
}


class Used(NamedTuple):
    """What a crawl took: seconds of CPU, seconds on the clock, peak memory in MB."""

    cpu: float
    seconds: float
    memory: float


def page(number: int, pages: int) -> bytes:
    """One page of about 10 KB; each page can be reached from the first."""
    chance = random.Random(number)
    cards = "\n".join(
        f'<li class="card"><div class="picture" style="background:hsl({n * 47 % 360} 45% 78%)"></div>'
        f'<h2><a href="/page/{chance.randrange(pages)}">Product {number}-{n} &amp; more</a></h2>'
        f'<p class="sku">S-{number:05}-{n:02}</p><p class="price">£{chance.randrange(100, 9999) / 100:.2f}</p>'
        f'<p class="stock">\n      {chance.randrange(40)} in stock\n    </p>'
        f'<p class="text">{"A fine thing for the house and the garden. " * 3}</p></li>'
        for n in range(CARDS)
    )
    others = [number + 1, *(chance.randrange(pages) for _ in range(LINKS - CARDS - 1))]
    links = "".join(f'<a href="/page/{other % pages}">{other % pages}</a> ' for other in others)
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>Page {number}</title></head><body>'
        f'<ol class="cards">{cards}</ol><nav>{links}</nav></body></html>'
    ).encode()


async def serve(pages: int) -> None:
    """Answer on a free port of loopback, which is printed, until the process is ended."""
    head = "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nSet-Cookie: visit=1; Path=/\r\n\r\n"
    answers = {"/robots.txt": b"User-agent: *\nDisallow: /private/\n"}
    answers |= {f"/page/{number}": page(number, pages) for number in range(pages)}
    whole = {
        path.encode(): head.format(
            "200 OK", "text/plain" if path == "/robots.txt" else "text/html; charset=utf-8", len(body)
        ).encode() + body
        for path, body in answers.items()
    }  # fmt: skip
    missing = head.format("404 Not Found", "text/plain", 0).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(whole.get(request.split(b" ", 2)[1], missing))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


PIPELINE = """\
etl_studio: 1
name: crawl
nodes:
  crawl:
    type: crawl_source
    config:
      start_urls: ["{url}"]
      item: .card
      fields: {fields}
      max_pages: null
      concurrency: 64
      autothrottle: true
      throttle_target: 64
  save:
    type: csv_sink
    config: {{path: "{out}"}}
wires: [crawl -> save]
"""

SCRAPY = """
import scrapy
from scrapy.crawler import CrawlerProcess

class Shop(scrapy.Spider):
    name = "shop"
    async def start(self):
        yield scrapy.Request(URL)
    def parse(self, response):
        for card in response.css(".card"):
            yield {name: " ".join((card.css(path).get() or "").split()) for name, path in FIELDS.items()}
        for link in response.css("a::attr(href)").getall():
            yield response.follow(link)

process = CrawlerProcess({
    "LOG_LEVEL": "ERROR", "ROBOTSTXT_OBEY": True, "AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_START_DELAY": 0,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": 64, "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 64,
    "DOWNLOAD_DELAY": 0, "TELNETCONSOLE_ENABLED": False, "FEEDS": {OUT: {"format": "jsonlines"}},
})
process.crawl(Shop)
process.start()
"""

SCRAPY_TUNED = """
import json
import scrapy
from lxml import etree, html
from parsel.csstranslator import HTMLTranslator
from scrapy.crawler import CrawlerProcess

def path(css):
    return etree.XPath(HTMLTranslator().css_to_xpath(css), smart_strings=False)

CARD, LINK = path(".card"), path("a::attr(href)")
PATHS = {name: path(css) for name, css in FIELDS.items()}
SEEN = set()

class Shop(scrapy.Spider):
    name = "shop"
    async def start(self):
        yield scrapy.Request(URL)
    def parse(self, response):
        root = html.document_fromstring(response.body, parser=html.HTMLParser(encoding="utf-8"))
        yield {"rows": [{name: " ".join((find(card) or [""])[0].split()) for name, find in PATHS.items()}
                        for card in CARD(root)]}
        for link in LINK(root):
            if link not in SEEN:
                SEEN.add(link)
                yield response.follow(link)

process = CrawlerProcess({
    "LOG_LEVEL": "ERROR", "ROBOTSTXT_OBEY": True, "AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_START_DELAY": 0,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": 64, "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 64,
    "DOWNLOAD_DELAY": 0, "TELNETCONSOLE_ENABLED": False, "FEEDS": {OUT: {"format": "jsonlines"}}, "STATS_DUMP": False,
    "EXTENSIONS": {"scrapy.extensions.corestats.CoreStats": None, "scrapy.extensions.memusage.MemoryUsage": None,
                   "scrapy.extensions.logstats.LogStats": None, "scrapy.extensions.logcount.LogCount": None},
    "SPIDER_MIDDLEWARES": {"scrapy.spidermiddlewares.referer.RefererMiddleware": None},
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
})
process.crawl(Shop)
process.start()
"""

CRAWLEE = """
import asyncio, json
from datetime import timedelta
from crawlee import ConcurrencySettings, service_locator
from crawlee.configuration import Configuration
from crawlee.crawlers import ParselCrawler
from crawlee.storage_clients import MemoryStorageClient

async def main():
    crawler = ParselCrawler(
        configuration=Configuration(log_level="ERROR", purge_on_start=True), storage_client=MemoryStorageClient(),
        respect_robots_txt_file=True, configure_logging=False,
        concurrency_settings=ConcurrencySettings(min_concurrency=16, desired_concurrency=64, max_concurrency=64),
    )
    rows = []
    @crawler.router.default_handler
    async def handle(context):
        for card in context.selector.css(".card"):
            rows.append({name: " ".join((card.css(path).get() or "").split()) for name, path in FIELDS.items()})
        await context.enqueue_links()
    await crawler.run([URL])
    with open(OUT, "w") as out:
        for row in rows:
            out.write(json.dumps(row) + "\\n")

asyncio.run(main())
"""


def run(command: list[str], folder: Path) -> Used:
    """Run a program to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2])},
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:3]} failed:\n{said.decode()[-3000:]}")
    return Used(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024)


def rows_of(out: Path, url: str) -> set[tuple[str, ...]]:
    """The items in a file, links without the site's address."""
    if out.suffix == ".csv":
        with out.open(encoding="utf-8", newline="") as file:
            found = [tuple(row[name] for name in FIELDS) for row in csv.DictReader(file)]
    else:
        lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        records = [row for line in lines for row in line.get("rows", [line])]
        found = [tuple(row[name] for name in FIELDS) for row in records]
    rows = {(*row[:-1], row[-1].removeprefix(url)) for row in found}
    assert len(rows) == len(found), f"{out.name}: {len(found) - len(rows)} items came twice"
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rival", help="an interpreter that has scrapy, crawlee and lxml")
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.pages))
        return
    server = subprocess.Popen(
        [sys.executable, str(HERE), "--serve", "--pages", str(options.pages)], stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        compare(f"http://127.0.0.1:{int(server.stdout.readline())}", options)
    finally:
        server.terminate()
        server.wait()


def compare(url: str, options: argparse.Namespace) -> None:
    """Run all crawlers in turn, and print the best of each."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        commands = {"etl-studio": ([sys.executable, "-m", "etl_studio", "run", "crawl.etl.yaml"], folder / "own.csv")}
        fields = json.dumps(FIELDS)
        (folder / "crawl.etl.yaml").write_text(
            PIPELINE.format(url=f"{url}/page/0", fields=fields, out="own.csv"), encoding="utf-8"
        )
        rivals = {"Scrapy, default": SCRAPY, "Scrapy, tuned": SCRAPY_TUNED, "Crawlee Parsel": CRAWLEE}
        for number, (name, code) in enumerate(rivals.items() if options.rival else ()):
            out = folder / f"{number}.jsonl"
            facts = f"URL, OUT, FIELDS = {f'{url}/page/0'!r}, {out.name!r}, {FIELDS!r}\n"
            (folder / f"rival{number}.py").write_text(facts + code, encoding="utf-8")
            commands[name] = ([options.rival, f"rival{number}.py"], out)
        best: dict[str, Used] = {}
        wanted: set[tuple[str, ...]] | None = None
        for _ in range(options.rounds):
            for name, (command, out) in commands.items():
                out.unlink(missing_ok=True)
                used = run(command, folder)
                rows = rows_of(out, url)
                assert len(rows) == options.pages * CARDS, f"{name}: {len(rows)} items"
                assert wanted is None or rows == wanted, f"{name} found other items"
                wanted = rows
                before = best.get(name, used)
                best[name] = Used(*map(min, used, before))
    own = best["etl-studio"]
    print(f"{options.pages} pages, {CARDS} items and {LINKS} links each; best of {options.rounds}; the same items\n")
    print(f"{'':18}CPU s/1,000 pages   times   pages/s   peak MB   ours is")
    for name, used in best.items():
        print(
            f"{name:18}{used.cpu / options.pages * 1000:17.2f}{used.cpu / own.cpu:8.1f}"
            f"{options.pages / used.seconds:10.0f}{used.memory:10.0f}{own.memory / used.memory:9.2f}x"
        )


if __name__ == "__main__":
    main()
