"""Calls the command in process, and as a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from etl_studio.cli.main import main

COMMAND = [sys.executable, "-m", "etl_studio"]


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys):
    """``call("validate", "x.yaml")`` gives exit code, stdout and stderr."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def start(tmp_path):
    """Starts the command as a process of its own, in an empty folder; ends it with the test."""
    processes = []

    def begin(*arguments, **options):
        options = {"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        process = subprocess.Popen([*COMMAND, *map(str, arguments)], **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def pipeline_file(tmp_path):
    """A CSV file, kept rows into another CSV file."""
    (tmp_path / "orders.csv").write_text("id,quantity\n1,3\n2,7\n3,9\n")
    path = tmp_path / "orders.yaml"
    path.write_text(
        "etl_studio: 1\n"
        "parameters:\n"
        "  minimum: {type: integer, default: 5}\n"
        "nodes:\n"
        "  read:\n    type: csv_source\n    config: {path: orders.csv}\n"
        '  keep:\n    type: filter\n    config: {where: "quantity >= ${minimum}"}\n'
        "  save:\n    type: csv_sink\n    config: {path: kept.csv}\n"
        "wires:\n  - read -> keep\n  - keep -> save\n"
    )
    return path


@pytest.fixture
def repository(tmp_path):
    """Real git in an empty repository: ``repository("add", ".")`` gives what git prints; ``folder`` is where it is."""
    folder = tmp_path / "repository"
    folder.mkdir()
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | {
        f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }

    def git(*arguments, code=0, **variables):
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    git.folder = folder
    git("init", "-q", "-b", "main")
    return git
