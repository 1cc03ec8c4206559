"""Whole runs as a person starts them: by the command, over real files, real databases and a real site on loopback."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl_studio.cli.main import main

COMMAND = [sys.executable, "-m", "etl_studio"]
ASK = """
import json, sqlite3, sys
found = sqlite3.connect(sys.argv[1]).execute(sys.argv[2])
own = [at for at, column in enumerate(found.description) if column[0] != "_load_id"]
print(json.dumps([[row[at] for at in own] for row in found]))
"""
WRITE = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])"


@dataclass(frozen=True)
class Answer:
    """What a command gave back: exit code, both streams, and the report of ``run --json``."""

    code: int
    out: str
    err: str
    report: dict[str, Any] = field(default_factory=dict)

    def count(self, node, name):
        return self.report["nodes"][node][name]


def _ask(path, sql):
    """Rows of an SQLite file, read by another process with another copy of SQLite."""
    run = subprocess.run([sys.executable, "-c", ASK, str(path), sql], capture_output=True, text=True, check=True)
    return [tuple(row) for row in json.loads(run.stdout)]


class Folder:
    """A folder with a pipeline file, its data and its workspace."""

    def __init__(self, path, capsys):
        self.path = path
        self._capsys = capsys
        self.workspace = path / ".etl_studio"
        self.file = path / "orders.yaml"

    def write(self, name, content):
        path = self.path / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, encoding="utf-8")
        return path

    def pipeline(self, nodes, wires, **others):
        """Write ``orders.yaml``; a node is ``(type, settings)`` or ``(type, settings, policy)``."""
        described = {name: dict(zip(("type", "config", "policy"), node, strict=False)) for name, node in nodes.items()}
        document = {"etl_studio": 1, **others, "nodes": described, "wires": wires}
        self.file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return self.file

    def call(self, *arguments):
        """Call ``etl-studio`` in this process. Nothing that it says may be a traceback."""
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        lines = captured.out.splitlines()
        report = json.loads(lines[-1]) if "--json" in arguments and lines and arguments[0] == "run" else {}
        return Answer(code, captured.out, captured.err, report)

    def run(self, *arguments, file=None):
        return self.call("run", file or self.file, "--json", *arguments)

    def dead_letters(self):
        """The stored rejects, oldest first."""
        answer = self.call("dead-letters", "list", "--workspace", self.workspace, "--limit", 100_000, "--json")
        return json.loads(answer.out)[::-1]

    def ask(self, sql, database=None):
        return _ask(database or self.workspace / "data.db", sql)

    def lines(self, name):
        return (self.path / name).read_text(encoding="utf-8").splitlines()

    def records(self, name):
        """The rows of a CSV file as Python's own reader sees them."""
        with (self.path / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def names(self):
        """Every file beside the workspace."""
        return sorted(path.name for path in self.path.iterdir() if path.is_file())


@pytest.fixture
def folder(tmp_path, capsys):
    return Folder(tmp_path, capsys)


@pytest.fixture
def make_folder(tmp_path, capsys):
    """Folders below the test's own."""

    def make(name):
        (tmp_path / name).mkdir()
        return Folder(tmp_path / name, capsys)

    return make


@pytest.fixture
def make_table():
    """``make_table(path, script)`` runs SQL on an SQLite file in another process."""

    def make(path, script):
        Path(path).parent.mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-c", WRITE, str(path), script], check=True)

    return make


@pytest.fixture
def start(tmp_path):
    """Starts the command (or a Python program) as a process of its own; ends it with the test."""
    processes = []

    def begin(*arguments, program=None, **options):
        command = COMMAND if program is None else [sys.executable, "-c", program]
        options = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        process = subprocess.Popen([*command, *map(str, arguments)], **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def ask():
    return partial(_ask)
