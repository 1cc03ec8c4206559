"""A pipeline, the one with a part of it in a file, and the one with that put back give the same rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from etl_studio.app.studio import Studio
from etl_studio.engine.events import RunStatus
from etl_studio.pipeline.extracting import extract, why_not_extract
from etl_studio.pipeline.file_format import save
from etl_studio.pipeline.inlining import inline
from tests.pipeline.random_pipelines import pipelines


def rows(studio, pipeline, folder):
    """What each sink has written, in any order."""
    file = folder / "outer.yaml"
    save(pipeline, file, studio.registry)
    ended = studio.prepare(
        studio.load(file), file=file, parameters={}, workspace=studio.workspace_folder(file)
    ).execute()
    assert ended.status in (RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS), ended.error
    found = {path.name: sorted(path.read_text().replace("part/", "").splitlines()) for path in folder.rglob("*.csv")}
    for path in folder.rglob("*.csv"):
        path.unlink()
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_extracted_and_put_back_a_pipeline_gives_the_same_rows(data):
    pipeline = data.draw(pipelines(5))
    chosen = data.draw(st.sets(st.sampled_from(list(pipeline.nodes)), min_size=1))
    assume(why_not_extract(pipeline, chosen) is None)
    with tempfile.TemporaryDirectory() as name, Studio() as studio:
        folder = Path(name)
        (folder / "parts").mkdir()
        before = rows(studio, pipeline, folder)
        found = extract(
            pipeline, studio.registry, chosen, name="part", file="parts/part.yaml", way_back=".."
        )  # fmt: skip
        save(found.inner, folder / "parts" / "part.yaml", studio.registry)

        assert rows(studio, found.outer, folder) == before
        back = inline(found.outer, studio.registry, found.node, found.inner, way="parts")
        assert rows(studio, back.outer, folder) == before
