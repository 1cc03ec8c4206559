"""How far a source has read is kept with what it loaded: never before, and never by a run that loads nothing."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import apsw
import pytest

from etl_studio.app.dry_run import dry_run
from etl_studio.app.studio import Studio
from etl_studio.cli.main import main
from etl_studio.engine.events import RunStatus

PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read:
    type: rest_source
    config:
      url: {url}/orders
      items: items
      pagination: {{kind: cursor, cursor: next, cursor_param: page}}
      columns: {{id: integer, at: text}}
      incremental: {{path: at, param: since, order: asc}}
    policy: {{retry: {{attempts: 1}}}}
  keep: {{type: filter, config: {{where: "true"}}}}
  save: {{type: sqlite_sink, config: {{table: orders, write_disposition: append}}}}
wires:
  - read -> keep
  - keep -> save
checkpoint: {{rows: 1}}
"""


class GrowingApi:
    """Orders that become more; ``down_at`` is a page that answers 500."""

    def __init__(self):
        self.items = []
        self.sinces = []
        self.down_at = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                page, since = int(query.get("page", 1)), query.get("since")
                outer.sinces.append(since)
                found = [one for one in outer.items if since is None or one["at"] >= since]
                part = found[(page - 1) * 3 : page * 3]
                content = json.dumps({"items": part, "next": page + 1 if len(found) > page * 3 else None}).encode()
                self.send_response(500 if page == outer.down_at else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def grow(self, count):
        """Add orders."""
        for _ in range(count):
            number = len(self.items)
            self.items.append({"id": number, "at": f"2026-11-25T10:{number:02d}:00Z"})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def api():
    with GrowingApi() as api:
        api.grow(7)
        yield api


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def file(tmp_path, api):
    file = tmp_path / "orders.etl.yaml"
    file.write_text(PIPELINE.format(url=api.url))
    return file


def start(studio, file, **more):
    pipeline = studio.load(file)
    return studio.prepare(pipeline, file=file, parameters={}, workspace=studio.workspace_folder(file), **more)


def run(studio, file, **more):
    return start(studio, file, **more).execute().status


def loaded(file):
    connection = apsw.Connection(str(file.parent / ".etl_studio" / "data.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return [row[0] for row in connection.execute("SELECT id FROM orders ORDER BY rowid")]
    finally:
        connection.close()


def marks(studio, file):
    return [one.value["last"][11:16] for one in studio.workspace(studio.workspace_folder(file)).bookmarks.of(file)]


def test_each_run_loads_what_is_new(studio, file, api):
    assert run(studio, file) is RunStatus.DONE
    api.grow(2)
    assert run(studio, file) is RunStatus.DONE
    assert run(studio, file) is RunStatus.DONE
    assert loaded(file) == list(range(9))
    assert api.sinces[0] is None
    assert api.sinces[-1] == "2026-11-25T10:08:00Z"


def test_a_run_that_fails_halfway_moves_nothing_and_goes_on_where_it_was(studio, file, api):
    run(studio, file)
    api.grow(9)
    api.down_at = 3
    assert run(studio, file) is RunStatus.FAILED
    assert marks(studio, file) == ["10:06"]
    api.down_at = None
    record = studio.broken_off(studio.workspace(studio.workspace_folder(file)), file)
    assert run(studio, file, resume=record) is RunStatus.DONE
    assert loaded(file) == list(range(16))
    assert marks(studio, file) == ["10:15"]


def test_a_load_that_fails_moves_nothing(studio, file, api):
    run(studio, file)
    api.grow(2)
    whole = file.read_text()
    before = marks(studio, file)
    file.write_text(whole.replace("table: orders", "table: orders, database: /nowhere/at/all.db"))
    assert run(studio, file) is RunStatus.FAILED
    assert marks(studio, file) == before
    file.write_text(whole)
    assert run(studio, file) is RunStatus.DONE
    assert loaded(file) == list(range(9))


def test_a_dry_run_and_a_preview_move_nothing(studio, file, api):
    run(studio, file)
    api.grow(2)
    pipeline, folder = studio.load(file), studio.workspace_folder(file)
    shown = dry_run(studio, pipeline, file=file, workspace=folder, parameters={})
    assert [one.rows for one in shown.sinks] == [2]
    assert studio.preview(pipeline, file=file, node="read").num_rows == 9
    assert marks(studio, file) == ["10:06"]
    run(studio, file)
    assert loaded(file) == list(range(9))


def test_a_part_of_a_pipeline_moves_nothing(studio, file):
    assert run(studio, file, only=["read", "keep"]) is RunStatus.DONE
    assert marks(studio, file) == []


def test_a_run_that_was_stopped_moves_nothing(studio, file, api):
    prepared = start(studio, file)
    prepared.stop()
    assert prepared.execute().status is RunStatus.STOPPED
    assert marks(studio, file) == []
    run(studio, file)
    assert loaded(file) == list(range(7))


def test_a_run_that_died_after_its_last_commit_is_known_to_be_done(studio, file, api, monkeypatch):
    from etl_studio.storage.recorder import Recorder

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "_end", lambda self, event: None)  # killed before it could say so
        run(studio, file)
    place = studio.workspace(studio.workspace_folder(file))
    model = place.models.run
    model.update(process=2**22 - 1, process_started=0.0).execute()
    place.mark_interrupted()
    assert marks(studio, file) == []
    assert run(studio, file, resume=studio.broken_off(place, file)) is RunStatus.DONE
    assert marks(studio, file) == ["10:06"]
    assert loaded(file) == list(range(7))


def test_bookmarks_go_with_the_folder(studio, file, api, tmp_path):
    run(studio, file)
    studio.close()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in (file.name, ".etl_studio"):
        (tmp_path / name).rename(moved / name)
    with Studio() as other:
        assert run(other, moved / file.name) is RunStatus.DONE
    assert loaded(moved / file.name) == list(range(7))


def test_commands_show_and_forget_where_the_next_run_begins(studio, file, api, capsys):
    assert main(["state", "show", str(file)]) == 2
    assert "has not run yet" in capsys.readouterr().err
    run(studio, file)
    assert main(["state", "show", str(file)]) == 0
    assert "at 2026-11-25T10:06:00Z" in capsys.readouterr().out
    assert main(["state", "show", str(file), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["node"], told["value"]["last"]) == ("read", "2026-11-25T10:06:00Z")
    assert main(["state", "reset", str(file), "save"]) == 0
    assert "Nothing was kept" in capsys.readouterr().err
    assert main(["state", "reset", str(file)]) == 0
    assert "begins anew: read" in capsys.readouterr().err
    assert main(["state", "show", str(file)]) == 0
    assert "Every node begins at its beginning." in capsys.readouterr().out
    run(studio, file)
    assert len(loaded(file)) == 14
