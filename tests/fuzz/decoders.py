"""The readers of foreign bytes: how each gets an input, and what must hold whatever the bytes are.

An input is read by the real node (by a whole run, now and then), or loaded as a person's pipeline file is. Either it is
refused by an error of the tree that says where, in letters that a terminal can print; or the records in it, counted
here in another way, are the rows and the rejects.
"""

from __future__ import annotations

import csv
import io
import json
import re
from ast import literal_eval
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

import pyarrow as pa

from etl_studio import sdk
from etl_studio.app.studio import Studio
from etl_studio.engine.events import RunStatus
from etl_studio.errors import EtlError, UsageError
from etl_studio.nodes.extract import _csv_parser, csv_source, json_source
from etl_studio.nodes.extract.csv_source import CsvSource
from etl_studio.nodes.extract.json_source import JsonSource
from etl_studio.nodes.extract.web_page_source import WebPageSource
from etl_studio.pipeline.file_format import dumps, loads
from etl_studio.pipeline.parameters import resolve
from etl_studio.sdk import records
from tests.fuzz import corpus
from tests.fuzz.mutations import spoiled
from tests.fuzz.page_server import SECOND_PAGE_CARDS, PageServer
from tests.fuzz.values import mangled_json, mangled_pipeline
from tests.nodes.conftest import NodeContext

if TYPE_CHECKING:
    from pathlib import Path

RUN_ONE_IN = 25
"""So many inputs for one whole run, with its dead letters and a table."""
SHORT = 20_000
"""Bytes of an input that may be cut into very small pieces."""

csv.field_size_limit(2**31 - 1)


@dataclass
class Input:
    """What a decoder gets. ``small``: pieces so small that a short file has many."""

    content: bytes
    settings: dict[str, Any] = field(default_factory=dict)
    name: str = "data"
    small: bool = False
    whole_run: bool = False


@dataclass
class Read:
    """What came of an input."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    error: EtlError | None = None
    logged: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        if self.error is not None:
            return type(self.error).__name__
        return "rows and rejects" if self.refused and self.rows else "rejects" if self.refused else "rows"


class Decoder:
    """One of them. It is opened for a folder of its own and closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.studio = Studio()
        self.runs = 0

    def make(self, random) -> Input:
        raise NotImplementedError

    def check(self, given: Input) -> Read:
        """Read it and see that all is well; gives what came of it."""
        raise NotImplementedError

    def close(self) -> None:
        self.studio.close()

    def _read(self, source: type[sdk.Source], given: Input, context: NodeContext) -> Read:
        found = Read()
        try:
            config = source.Config(**given.settings)
        except ValueError as error:  # pydantic's: the settings are refused before anything is read
            found.error = UsageError(f"{given.name}: {error}", column="config")
            return found
        try:
            with _pieces(small=given.small):
                for emission in source(config).read(context):
                    _take(emission, found)
        except EtlError as error:
            found.error = error
            _check_error(error, given.name)
        found.logged = [message for _, message, _ in context.logged]
        for message in found.logged:
            message.encode()
        return found

    def _run(self, source: type[sdk.Source], given: Input) -> tuple[int, int] | None:
        """Rows and rejects of a whole run into a table; None: it was refused."""
        self.runs += 1
        pipeline = {
            "etl_studio": 1,
            "nodes": {
                "read": {"type": source.type, "config": given.settings, "policy": {"retry": {"attempts": 1}}},
                "save": {"type": "sqlite_sink", "config": {"table": f"t{self.runs}"}},
            },
            "wires": ["read -> save"],
        }
        file = self.folder / "run.yaml"
        file.write_text(json.dumps(pipeline))
        try:
            loaded = self.studio.load(file)
            run = self.studio.prepare(loaded, file=file, parameters={}, workspace=self.folder / "ws")
        except EtlError:
            return None
        with _pieces(small=given.small):
            ended = run.execute()
        if ended.status is RunStatus.FAILED:
            assert ended.error.startswith("run > "), ended.error
            assert "unexpected error" not in ended.error, ended.error
            return None
        counts = ended.nodes
        assert counts["save"].rows_in == counts["save"].rows_out + counts["save"].dead_letters
        assert counts["read"].rows_in == counts["read"].rows_out + counts["read"].dead_letters
        return counts["read"].rows_out, counts["read"].dead_letters

    def _check_run(self, source: type[sdk.Source], given: Input, found: Read) -> None:
        counts = self._run(source, given)
        if found.error is not None:
            assert counts is None, f"a run of it ended well, and the source alone fails: {found.error}"
        elif counts is not None:  # a table may refuse what a source gives, such as a name that it keeps for itself
            assert counts == (len(found.rows), found.refused)


def _take(emission: Any, found: Read) -> None:
    if isinstance(emission, sdk.Rejected):
        assert emission.rows.num_rows == len(emission.problems)
        found.refused += emission.rows.num_rows
        for problem in emission.problems:
            assert problem.message.strip()
            problem.message.encode()
            (problem.column or "").encode()
    elif not isinstance(emission, sdk.Cursor):
        assert isinstance(emission, pa.RecordBatch)
        emission.validate(full=True)
        found.rows += emission.to_pylist()


def _check_error(error: EtlError, name: str) -> None:
    text = str(error)
    text.encode()
    where = error.line is not None or error.column is not None or name in text or "://" in text
    assert where, f"the error has no address: {text}"


@contextmanager
def _pieces(*, small: bool):
    with ExitStack() as stack:
        if small:
            for module, name, value in (
                (_csv_parser, "SMALL_PIECE", 64), (csv_source, "SAMPLE", 300), (csv_source, "LEAST_PIECE", 50),
                (csv_source, "MOST_PIECE", 200), (json_source, "PIECE", 100), (json_source, "CHUNK", 3),
                (records, "SETTLE_ROWS", 3), (records, "BATCH_ROWS", 5),
            ):  # fmt: skip
                stack.enter_context(mock.patch.object(module, name, value))
        yield


class Csv(Decoder):
    """``csv_source``."""

    def make(self, random) -> Input:
        seed = random.choice(corpus.CSV)
        settings: dict[str, Any] = {"path": "data.csv"}
        for name, values in {
            "delimiter": [";", ",", "tab", '"'], "quote": ["", "'", ","], "header": [False],
            "encoding": ["cp1252", "latin-1", "utf-16", "utf-7", "hex", "idna", "undefined", "shift_jis", "utf-8-sig"],
            "decimal": [","], "null_texts": [[], ["NA", "x"]], "skip_lines": [1, 3, 1000],
            "columns": [{"id": "integer"}, {"a": "decimal(10,2)"}, {"name": "date"}],
        }.items():  # fmt: skip
            if random.random() < 0.12:
                settings[name] = random.choice(values)
        content = spoiled(random, seed, corpus.CSV_TOKENS, corpus.CSV)
        return Input(
            content,
            settings,
            "data.csv",
            len(content) < SHORT and random.random() < 0.5,
            random.randrange(RUN_ONE_IN) == 0,
        )

    def check(self, given: Input) -> Read:
        (self.folder / given.name).write_bytes(given.content)
        context = NodeContext(self.folder)
        found = self._read(CsvSource, given, context)
        if found.error is None:
            told = next(match for text in found.logged if (match := re.search(r": delimiter (.+), \d+ col", text)))
            wanted = _csv_count(given, literal_eval(told[1]))
            assert len(found.rows) + found.refused == wanted, f"{len(found.rows)} + {found.refused} of {wanted} records"
        if given.whole_run:
            self._check_run(CsvSource, given, found)
        return found


def _csv_count(given: Input, delimiter: str) -> int:
    """Records of the file, its names left out, by Python's reader.

    A quote that is never closed costs its own line, not the rest of the file.
    """
    text = _csv_text(given.content, given.settings.get("encoding", "utf-8"))
    lines = io.StringIO(text, newline="").readlines()[given.settings.get("skip_lines", 0) :]
    quote = given.settings.get("quote", '"')
    if lines and re.match(r"(?i:sep=)[\t -~][\r\n]", lines[0]) and lines[0][4] != quote:
        lines = lines[1:]
    records = 0
    while lines:
        form = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
        reader = csv.reader([*lines, "\n", "the last line"], delimiter=delimiter, **form)
        begins, last = 0, []
        here = 0
        for last in reader:
            here += bool(last)
            begun, begins = begins, reader.line_num
        if last == ["the last line"]:
            records += here - 1
            break
        records += here  # all before it, and the line with the open quote
        lines = lines[begun + 1 :]
    return records - given.settings.get("header", True)


def _csv_text(content: bytes, encoding: str) -> str:
    """Bytes that mean something to CSV stay what they are, and all others are one sign each."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    if encoding in ("utf-8", "utf-8-sig"):
        return content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return content.decode(encoding).encode().decode("latin-1")


class Json(Decoder):
    """``json_source`` with a document."""

    seeds, form, suffix = corpus.JSON, "json", "json"

    def make(self, random) -> Input:
        name = f"data.{self.suffix}"
        settings: dict[str, Any] = {"path": name}
        for key, values in {
            "items": ["data.items", "data", "0", "$.x[*]"], "format": [self.form],
            "encoding": ["cp1252", "utf-16", "utf-7"],
            "columns": [{"id": "text"}, {"id": "json"}, {"price": "decimal(10,2)"}, {"new": "date"}],
        }.items():  # fmt: skip
            if random.random() < 0.15:
                settings[key] = random.choice(values)
        seed = mangled_json(random) if random.random() < 0.3 else random.choice(self.seeds)
        if self.form == "ndjson" and random.random() < 0.3:
            seed = b"".join(mangled_json(random).replace(b"\n", b"") + b"\n" for _ in range(random.randint(1, 9)))
        if random.random() < 0.2:
            return Input(seed, settings, name, len(seed) < SHORT and random.random() < 0.5)
        content = spoiled(random, seed, corpus.JSON_TOKENS, [*corpus.JSON, *corpus.NDJSON])
        return Input(
            content, settings, name, len(content) < SHORT and random.random() < 0.5, random.randrange(RUN_ONE_IN) == 0
        )

    def check(self, given: Input) -> Read:
        (self.folder / given.name).write_bytes(given.content)
        found = self._read(JsonSource, given, NodeContext(self.folder))
        if found.error is None and not given.settings.get("items"):
            counts = self._counts(_json_text(given))
            assert len(found.rows) + found.refused in counts, f"{len(found.rows)} + {found.refused} of {counts} records"
        if given.whole_run:
            self._check_run(JsonSource, given, found)
        return found

    def _counts(self, text: bytes) -> set[int]:
        counts = {sum(bool(line.strip()) for line in text.split(b"\n"))}
        try:
            document = json.loads(text.decode())
        except ValueError:
            return counts
        return counts | {len(document) if isinstance(document, list) else 1}


def _json_text(given: Input) -> bytes:
    encoding = given.settings.get("encoding", "utf-8")
    if given.content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    if encoding == "utf-8":
        return given.content.removeprefix(b"\xef\xbb\xbf")
    return given.content.decode(encoding).encode()


class Ndjson(Json):
    """``json_source`` with a record on each line; its fast way must give what its slow way gives."""

    seeds, form, suffix = corpus.NDJSON, "ndjson", "ndjson"

    def check(self, given: Input) -> Read:
        found = super().check(given)
        with mock.patch.object(json_source._Lines, "_fast", return_value=None):
            slow = self._read(JsonSource, given, NodeContext(self.folder))
        assert slow.kind == found.kind
        assert slow.refused == found.refused
        assert repr(slow.rows) == repr(found.rows)
        return found

    def _counts(self, text: bytes) -> set[int]:
        return {sum(bool(line.strip()) for line in text.split(b"\n"))}


class Html(Decoder):
    """``web_page_source``, from a server on loopback."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = PageServer()

    def close(self) -> None:
        self.server.close()
        super().close()

    def make(self, random) -> Input:
        settings: dict[str, Any] = {
            "urls": [f"{self.server.url}/shop?page=1"],
            "item": random.choice([".card", ".card", ".card", "", "//div[@class='card']", "h2"]),
            "fields": {"name": "h2 ::text", "price": ".price::text", "link": "a::attr(href)", "raw": "(.//*)[last()]"},
            "max_pages": 3,
        }
        if random.random() < 0.5:
            settings["next"] = random.choice(["a.next::attr(href)", "a.next", "//a/@href"])
        kind = random.choice(corpus.CONTENT_TYPES[:2] if random.random() < 0.7 else corpus.CONTENT_TYPES)
        content = spoiled(random, random.choice(corpus.HTML), corpus.HTML_TOKENS, corpus.HTML)
        return Input(content, settings, kind, whole_run=random.randrange(RUN_ONE_IN) == 0)

    def check(self, given: Input) -> Read:
        self.server.answer(given.content, given.name)
        kind, given.name = given.name, "127.0.0.1"
        context = NodeContext(self.folder, http=self.server.client)
        found = self._read(WebPageSource, given, context)
        if found.error is None:
            more = self.server.asked - 1
            if (wanted := _items(given, kind)) is not None:
                wanted += more * SECOND_PAGE_CARDS
                assert len(found.rows) == wanted, f"{len(found.rows)} of {wanted} items, {more} of them on page 2"
            assert all(set(row) == {*given.settings["fields"], "_url"} for row in found.rows)
        if given.whole_run:
            self.server.answer(given.content, kind)
            self._check_run(WebPageSource, given, found)
        given.name = kind
        return found


def _items(given: Input, kind: str) -> int | None:
    """Cards of a page in plain UTF-8, by another parser's selector; None where it is not clear what they are."""
    from parsel import Selector

    if (
        given.settings["item"] != ".card"
        or kind != "text/html; charset=utf-8"
        or given.content[:2] in (b"\xff\xfe", b"\xfe\xff")
    ):
        return None
    if given.content.removeprefix(b"\xef\xbb\xbf").lstrip()[:5] == b"<?xml":  # the other parser reads it as XML
        return None
    try:
        text = given.content.decode()
    except UnicodeDecodeError:
        return None
    # From the document, since what stands behind </html> is read, too.
    cards = "//*[contains(concat(' ', normalize-space(@class), ' '), ' card ')]"
    return len(Selector(text=text.removeprefix("\ufeff"), type="html").xpath(cards)) if text.strip() else None


class PipelineFile(Decoder):
    """The loader: loaded, checked, its references put in, written back the same, and written with a change."""

    def make(self, random) -> Input:
        change = {"change": random.randrange(5)}
        if random.random() < 0.5:
            return Input(mangled_pipeline(random), change, "data.yaml")
        content = spoiled(random, random.choice(corpus.PIPELINES), corpus.PIPELINE_TOKENS, corpus.PIPELINES)
        return Input(content, change, "data.yaml")

    def check(self, given: Input) -> Read:
        file = self.folder / given.name
        file.write_bytes(given.content)
        found = Read()
        try:
            pipeline = self.studio.load(file)
        except EtlError as error:
            found.error = error
            _check_error(error, given.name)
            problems = getattr(error, "problems", ())
            if not problems or any(problem.line is None for problem in problems):
                raise AssertionError(f"not every problem has a line: {problems}") from error
            return found
        for problem in self.studio.check(pipeline):
            assert problem.message.strip()
            f"{problem.message} {problem.hint} {problem.node} {problem.field}".encode()
        try:
            resolve(pipeline, self.studio.registry, {})
        except EtlError as error:
            str(error).encode()
        registry = self.studio.registry
        text = dumps(pipeline, registry, name="data")
        assert text == given.content.decode(), "it is not written back as it was"
        _change(pipeline, given.settings["change"])
        again = loads(dumps(pipeline, registry, name="data"), name="data", registry=registry)
        assert _shown(again) == _shown(pipeline), "what was changed is not read back"
        pipeline.source = None
        again = loads(dumps(pipeline, registry, name="data"), name="data", registry=registry)
        assert _shown(again) == _shown(pipeline), "what is written anew is not read back"
        found.rows = [{"nodes": len(pipeline.nodes)}]
        return found


def _shown(pipeline) -> str:
    """Also equal where it holds NaN; -0 is 0."""
    return re.sub(r"-0\.0(?=\D)", "0.0", repr(pipeline))


def _change(pipeline, which: int) -> None:
    """What a person may do in the window."""
    first = next(iter(pipeline.nodes), None)
    if which == 0 or first is None:
        pipeline.description = "changed: #1"
    elif which == 1:
        pipeline.layout[first] = (3.0, 4.5)
    elif which == 2:
        del pipeline.nodes[first]
        pipeline.wires = [wire for wire in pipeline.wires if first not in (wire.source, wire.target)]
        pipeline.layout.pop(first, None)
    elif which == 3:
        pipeline.nodes[first].config = {
            **pipeline.nodes[first].config,
            "new": ["a: b", {"x": None}],
            "more": "two\nlines\n",
        }
    else:
        pipeline.wires = pipeline.wires[::-1][:-1]


DECODERS: dict[str, type[Decoder]] = {
    "csv": Csv,
    "json": Json,
    "ndjson": Ndjson,
    "html": Html,
    "pipeline": PipelineFile,
}
