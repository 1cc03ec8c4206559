"""Files of every version of the format, as people have them: later programs must open them.

A file is never changed once it is here. Where the format gets a new version, add a folder for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from etl_studio.app.studio import Studio
from etl_studio.errors import PipelineError
from etl_studio.pipeline.diff import diff
from etl_studio.pipeline.file_format import dumps, load, loads
from etl_studio.pipeline.model import FORMAT

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.rglob("*.etl.yaml"))
WRONG = {
    "unknown_things": {
        'There is no node type "plug_in_source".',
        'There is no node type "plug_in_sink".',
        'There is no setting "later".',
    },
    "smallest": {"The pipeline has no nodes."},
}
"""Errors that a check must find, by file; the other files have none."""

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")


@pytest.fixture(scope="module")
def studio():
    with Studio() as studio:
        yield studio


def test_there_are_files_of_every_version():
    assert {path.parent.name for path in FILES} == {f"v{version}" for version in range(1, FORMAT + 1)}


@each_file
def test_an_old_file_is_opened_and_has_no_mistake_that_it_had_not(studio, path):
    errors = {problem.message for problem in studio.check(studio.load(path)) if problem.severity == "error"}
    assert errors == WRONG.get(path.name.removesuffix(".etl.yaml"), set())


@each_file
def test_an_old_file_is_written_back_byte_for_byte(studio, path):
    pipeline = studio.load(path)
    assert dumps(pipeline, studio.registry, name=pipeline.name).encode() == path.read_bytes()


@each_file
def test_a_changed_old_file_is_read_back_with_nothing_else_changed(studio, path):
    pipeline = studio.load(path)
    before = studio.load(path)
    pipeline.description = "changed"
    again = loads(dumps(pipeline, studio.registry, name=pipeline.name), name=pipeline.name, registry=studio.registry)
    assert [change.path for change in diff(before, again).pipeline] == [("description",)]
    assert not diff(before, again).nodes
    assert not diff(before, again).wires_changed
    assert again.layout == before.layout


@each_file
def test_an_old_file_written_anew_means_the_same(studio, path):
    pipeline = studio.load(path)
    pipeline.source = None
    again = loads(dumps(pipeline, studio.registry), registry=studio.registry)
    assert again == pipeline


@each_file
def test_the_same_file_of_a_newer_program_is_refused_and_stays(tmp_path, path):
    newer = tmp_path / "newer.etl.yaml"
    newer.write_bytes(path.read_bytes().replace(b"etl_studio: 1", b"etl_studio: 99", 1))
    before = newer.read_bytes()
    with pytest.raises(PipelineError) as refused:
        load(newer)
    assert str(refused.value) == (
        f"newer.etl.yaml: The file was made by a newer ETL Studio (format 99); "
        f"this one reads format {FORMAT} (line {refused.value.line}). Update ETL Studio to open it."
    )
    assert newer.read_bytes() == before
