"""Sub-pipelines in real runs: as if their nodes stood in the document."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from etl_studio.app.dry_run import dry_run
from etl_studio.app.pipeline_tests import record_case, run_case
from etl_studio.app.previews import Previews
from etl_studio.app.replays import replays
from etl_studio.app.studio import Studio
from etl_studio.engine.events import RunStatus
from etl_studio.engine.inject import Injection
from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline.flat import FlatPipeline

ORDERS = "id,quantity\n1,3\n2,7\n3,many\n4,9\n"
CLEAN = """\
etl_studio: 1
parameters: {minimum: {type: integer, default: 1}}
nodes:
  rows: {type: pipeline_input, config: {columns: {id: integer}, rows: [{id: 1, quantity: "9"}]}}
  number: {type: derive, config: {columns: {quantity: "quantity::INTEGER"}}}
  keep: {type: filter, config: {where: "quantity >= ${minimum}"}}
  country: {type: csv_source, config: {path: countries.csv}}
  with_country: {type: join, config: {how: left, on: [id]}}
  done: {type: pipeline_output}
wires: [rows -> number, number -> keep, keep -> with_country.left, country -> with_country.right, with_country -> done]
"""
SHOP = """\
etl_studio: 1
name: shop
parameters: {least: {type: integer, default: 5}}
nodes:
  read: {type: csv_source, config: {path: orders.csv, columns: {quantity: text}}}
  tidy: {type: sub_pipeline, config: {file: parts/clean.yaml, parameters: {minimum: "${least}"}}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [read -> tidy, tidy -> save]
"""


class Shop:
    """A folder with a pipeline that uses another one, and a studio."""

    def __init__(self, folder, studio):
        self.studio, self.folder, self.file = studio, folder, folder / "shop.yaml"
        (folder / "parts").mkdir()
        self.inner = folder / "parts" / "clean.yaml"
        self.file.write_text(SHOP)
        self.inner.write_text(CLEAN)
        (folder / "orders.csv").write_text(ORDERS)
        (folder / "parts" / "countries.csv").write_text("id,country\n2,FR\n4,DE\n")

    @property
    def pipeline(self):
        return self.studio.load(self.file)

    @property
    def workspace(self):
        return self.studio.workspace(self.studio.workspace_folder(self.file))

    def run(self, file=None, **options):
        file = file or self.file
        options = {"parameters": {}, "workspace": self.studio.workspace_folder(file)} | options
        return self.studio.prepare(self.studio.load(file), file=file, **options).execute()

    @property
    def out(self):
        return (self.folder / "out.csv").read_text().splitlines()

    def change(self, old, new, file=None):
        file = file or self.inner
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        os.utime(file, ns=(1, file.stat().st_mtime_ns + 1_000_000))


@pytest.fixture
def shop(tmp_path):
    with Studio() as studio:
        yield Shop(tmp_path, studio)


def test_a_run_goes_through_the_nodes_of_the_file(shop):
    ended = shop.run()

    assert ended.status is RunStatus.DONE_WITH_DEAD_LETTERS
    assert shop.out == ["id,quantity,country", "2,7,FR", "4,9,DE"]
    assert (ended.rows_in, ended.rows_out) == (6, 2)
    assert ended.nodes["tidy/rows"].rows_in == 4
    assert ended.nodes["tidy/keep"].filtered == 1
    assert ended.nodes["tidy/done"].rows_out == 2


def test_a_row_that_an_inner_node_refuses_is_a_dead_letter_of_it_and_can_be_replayed(shop):
    shop.run()
    (letter,) = shop.workspace.letters.find()
    assert letter.node == "tidy/number"

    shop.workspace.letters.edit(letter.id, {"id": 3, "quantity": "8"})
    (replay,) = replays(shop.studio, shop.workspace, shop.workspace.letters.find())
    # The join needs all rows of its left side only where it keeps what has no partner on the right.
    assert replay.execute().status is RunStatus.DONE
    assert "3,8," in shop.out
    assert shop.workspace.letters.find() == []


def test_parameters_reach_the_file(shop):
    shop.run(parameters={"least": "8"})

    assert shop.out == ["id,quantity,country", "4,9,DE"]


def test_the_file_runs_by_itself_with_its_sample_rows(shop):
    ended = shop.run(shop.inner)

    assert ended.status is RunStatus.DONE
    assert ended.nodes["done"].rows_in == 1


def test_the_file_by_itself_without_sample_rows_says_what_is_missing(shop):
    shop.change('{columns: {id: integer}, rows: [{id: 1, quantity: "9"}]}', "{}")
    ended = shop.run(shop.inner)

    assert ended.status is RunStatus.FAILED
    assert 'No rows come by the input "input" when this pipeline runs by itself.' in ended.error


def test_a_column_that_does_not_arrive_fails_the_run_at_the_end_of_the_file(shop):
    shop.change("id: integer", "customer: text")
    ended = shop.run()

    assert ended.status is RunStatus.FAILED
    assert ended.error_node == "tidy/rows"
    assert 'have no column "customer"' in ended.error


def test_a_file_that_changes_is_read_again(shop):
    shop.run()
    shop.change("quantity >= ${minimum}", "quantity < ${minimum}")
    shop.run()

    assert shop.out == ["id,quantity,country", "1,3,"]


def test_the_problems_of_a_file_are_told_with_their_place_in_it(shop):
    shop.change("where:", "were:")
    errors = [one for one in shop.studio.check(shop.pipeline, file=shop.file) if one.severity == "error"]

    assert {(one.file, one.line, one.node) for one in errors} == {(str(Path("parts", "clean.yaml")), 6, "tidy/keep")}
    with pytest.raises(PipelineError, match=r"it has one problem|it has 2 problems"):
        shop.run()


def test_a_sub_pipeline_that_the_run_leaves_out_may_be_broken(shop):
    shop.change("parts/clean.yaml", "parts/gone.yaml", shop.file)

    assert shop.run(only=["read"]).status is RunStatus.DONE
    with pytest.raises(PipelineError) as caught:
        shop.run()
    assert caught.value.problems[0].node == "tidy"


def test_a_run_to_a_sub_pipeline_runs_all_of_it(shop):
    ended = shop.run(only=["read", "tidy"])

    assert set(ended.nodes) >= {"read", "tidy/rows", "tidy/done"}
    assert "save" not in ended.nodes


def test_a_dry_run_writes_nothing(shop):
    report = dry_run(
        shop.studio, shop.pipeline, file=shop.file, workspace=shop.studio.workspace_folder(shop.file), parameters={}
    )

    assert report.sinks[0].rows == 2
    assert not (shop.folder / "out.csv").exists()


def test_a_stopped_run_with_its_own_parameters_is_resumed(shop):
    """What is remembered of a run names the parameters inside, too; nobody may be asked for those."""
    with pytest.raises(UsageError, match="has not run"):
        shop.studio.broken_off(shop.workspace, shop.file)
    shop.change('columns: {quantity: "quantity::INTEGER"}', 'columns: {quantity: "error(quantity)"}')
    shop.change('{columns: {quantity: "error(quantity)"}}}', '{columns: {quantity: "nothing(quantity)"}}}')
    assert shop.run(parameters={"least": "6"}).status is RunStatus.FAILED
    shop.change("nothing(quantity)", "try_cast(quantity AS INTEGER)")
    record = shop.studio.broken_off(shop.workspace, shop.file)

    given = shop.studio.parameters_of(record, {})
    assert given == {"least": "6"}
    assert shop.run(parameters=given, resume=record).status is RunStatus.DONE
    assert shop.out == ["id,quantity,country", "2,7,FR", "4,9,DE"]


def test_a_preview_at_a_sub_pipeline_shows_what_leaves_it(shop):
    previews = Previews(shop.studio)
    preview = previews.look(shop.pipeline, "tidy", file=shop.file)

    assert preview.sample.ports["out"].column_names == ["id", "quantity", "country"]
    assert preview.sample.ports["out"].num_rows == 2
    behind = previews.look(shop.pipeline, "save", file=shop.file)
    assert behind.samples["tidy"].ports["out"].num_rows == 2
    assert behind.computed == ("save",)
    assert previews.schema_at(shop.pipeline, "tidy", file=shop.file).names == ["id", "quantity", "country"]


def test_a_preview_at_a_node_inside(shop):
    table = shop.studio.preview(shop.pipeline, file=shop.file, node="tidy/keep")
    assert table.column("quantity").to_pylist() == [7, 9]

    assert shop.studio.preview(shop.pipeline, file=shop.file, node="tidy").num_rows == 2


def test_a_preview_before_a_broken_sub_pipeline_works(shop):
    shop.change("parts/clean.yaml", "parts/gone.yaml", shop.file)

    assert shop.studio.preview(shop.pipeline, file=shop.file, node="read").num_rows == 4


def test_a_change_in_the_file_is_seen_by_the_next_preview(shop):
    previews = Previews(shop.studio)
    previews.look(shop.pipeline, "tidy", file=shop.file)
    shop.change("quantity >= ${minimum}", "quantity < ${minimum}")

    assert previews.look(shop.pipeline, "tidy", file=shop.file).sample.ports["out"].num_rows == 1


def test_a_test_case_gives_and_expects_rows_at_sub_pipelines_and_inside_them(shop):
    folder = record_case(shop.studio, shop.pipeline, "first", file=shop.file)
    assert (folder / "given" / "tidy" / "country.json").is_file()
    assert run_case(shop.studio, shop.pipeline, folder, file=shop.file).status == "passed"

    (folder / "expected" / "tidy.json").write_text(json.dumps([{"id": 2, "quantity": 7, "country": "FR"}]))
    outcome = run_case(shop.studio, shop.pipeline, folder, file=shop.file)
    assert outcome.status == "failed"
    assert {one.place: one.difference.is_empty for one in outcome.checked} == {"save": True, "tidy": False}

    (folder / "given" / "tidy.json").write_text(json.dumps([{"id": 2, "quantity": 7, "country": "FR"}]))
    (folder / "expected" / "tidy.json").unlink()
    outcome = run_case(shop.studio, shop.pipeline, folder, file=shop.file)
    assert [(one.place, one.rows) for one in outcome.checked] == [("save", 1)]


def test_a_pipeline_without_sub_pipelines_is_flat_already(shop):
    pipeline = shop.studio.load(shop.inner)

    assert shop.studio.flat(pipeline, file=shop.inner) is pipeline
    assert isinstance(shop.studio.flat(shop.pipeline, file=shop.file), FlatPipeline)


def command(shop, *arguments):
    told = subprocess.run(
        [sys.executable, "-m", "etl_studio", *arguments], cwd=shop.folder, capture_output=True, text=True, check=False
    )
    return told.returncode, told.stdout, told.stderr


def test_the_commands_tell_of_inner_nodes_by_their_ids(shop):
    code, out, _ = command(shop, "run", "shop.yaml", "--to", "tidy", "--json")
    facts = json.loads(out.splitlines()[-1])
    assert code == 3
    assert facts["nodes"]["tidy/done"]["rows_out"] == 2
    assert facts["not_run"] == ["save"]

    code, out, _ = command(shop, "preview", "shop.yaml", "tidy/country", "--json")
    assert code == 0
    assert [json.loads(line)["country"] for line in out.splitlines()] == ["FR", "DE"]

    shop.change("where:", "were:")
    code, out, _ = command(shop, "validate", "shop.yaml")
    assert code == 2
    assert out.startswith(str(Path("parts", "clean.yaml")) + ":6:")
    assert "tidy/keep, config.were" in out

    code, out, _ = command(shop, "nodes")
    assert "sub_pipeline" in out
    assert "passage" not in out


def test_the_target_of_a_merge_inside_a_file_is_its_own_database(shop):
    shop.change(
        "done: {type: pipeline_output}",
        "done: {type: sqlite_sink, config: {table: orders, database: shop.db, write_disposition: replace}}",
    )
    shop.change("wires: [read -> tidy, tidy -> save]", "wires: [read -> tidy]", shop.file)
    shop.change("  save: {type: csv_sink, config: {path: out.csv}}\n", "", shop.file)

    assert shop.run().rows_out == 2
    shop.studio.close()
    with sqlite3.connect(shop.folder / "parts" / "shop.db") as database:
        assert database.execute("SELECT count(*) FROM orders").fetchone() == (2,)
    database.close()


def test_a_sink_inside_writes_its_file_beside_its_own(shop):
    shop.change("done: {type: pipeline_output}", "done: {type: csv_sink, config: {path: kept.csv}}")
    shop.change("wires: [read -> tidy, tidy -> save]", "wires: [read -> tidy]", shop.file)
    shop.change("  save: {type: csv_sink, config: {path: out.csv}}\n", "", shop.file)

    assert shop.run().rows_out == 2
    assert sorted(path.name for path in (shop.folder / "parts").iterdir()) == [
        "clean.yaml", "countries.csv", "kept.csv"
    ]  # fmt: skip


def test_faults_in_a_sub_pipeline_are_faults_in_its_nodes(shop):
    run = shop.studio.prepare(
        shop.pipeline,
        file=shop.file,
        parameters={},
        workspace=shop.studio.workspace_folder(shop.file),
        injection=Injection(seed=1, nodes=("tidy",), rate=1.0),
    )
    report = run.faults.report(run.execute())

    struck = {name for name, faults in report.nodes.items() if faults.injected}
    assert struck
    assert all(name.startswith("tidy/") for name in struck)
