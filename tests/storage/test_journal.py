"""What is on the screen is kept on the disk, and offered when the program that kept it is dead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etl_studio.storage.journal import Journal, Unsaved
from tests.storage.conftest import Program

WRITER = """
from pathlib import Path
from etl_studio.storage.journal import Journal, Unsaved
journal = Journal(Path(sys.argv[1]))
path = Path(sys.argv[2]) if sys.argv[2] else None
journal.write(Unsaved("one", path, "shop", "etl_studio: 1\\n", "etl_studio: 1\\nname: shop\\n", 12.5))
say("written")
hear()
"""


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "data" / "journal")


@pytest.fixture
def writer(journal):
    """``writer(path)``: another program that has kept an unsaved pipeline, and lives until it is killed."""
    programs = []

    def start(path=""):
        programs.append(Program(WRITER, journal.folder, path))
        assert programs[-1].hear() == "written"
        return programs[-1].process

    yield start
    for program in programs:
        program.process.kill()
        program.process.communicate()


def killed(process):
    process.kill()
    process.wait()


def test_what_a_killed_program_had_not_saved_is_offered_as_it_was(journal, writer, tmp_path):
    file = tmp_path / "shop.etl.yaml"
    file.write_text("etl_studio: 1\n")
    killed(writer(file))
    assert journal.left_behind() == [
        Unsaved("one", file, "shop", "etl_studio: 1\n", "etl_studio: 1\nname: shop\n", 12.5),
    ]


def test_what_a_living_program_has_not_saved_is_its_own_affair(journal, writer, tmp_path):
    process = writer(tmp_path / "shop.etl.yaml")
    assert journal.left_behind() == []
    killed(process)
    assert len(journal.left_behind()) == 1


def test_a_pipeline_without_a_file_is_kept_too(journal, writer):
    killed(writer())
    (left,) = journal.left_behind()
    assert (left.path, left.title) == (None, "shop")


def test_what_the_file_says_already_is_not_offered(journal, writer, tmp_path):
    file = tmp_path / "shop.etl.yaml"
    killed(writer(file))
    file.write_text("etl_studio: 1\nname: shop\n")
    assert journal.left_behind() == []


def test_what_was_removed_is_not_offered(journal, writer):
    killed(writer())
    journal.remove("one")
    journal.remove("one")
    assert journal.left_behind() == []


def test_a_file_that_is_no_entry_is_passed_over(journal, writer):
    killed(writer())
    (journal.folder / "other.json").write_text("{")
    (journal.folder / "list.json").write_text("[1]")
    (journal.folder / "old.json").write_text(json.dumps({"process": 1, "process_started": 0.0, "path": None}))
    assert [left.id for left in journal.left_behind()] == ["one"]


def test_the_newest_comes_first(journal, writer):
    killed(writer())
    facts = json.loads((journal.folder / "one.json").read_text())
    (journal.folder / "two.json").write_text(json.dumps(facts | {"at": 99.0}))
    assert [left.id for left in journal.left_behind()] == ["two", "one"]


def test_what_this_program_wrote_is_not_offered_to_itself(journal):
    journal.write(Unsaved(Journal.new_id(), Path("a.yaml"), "a", None, "text", 1.0))
    assert journal.left_behind() == []
    assert len(list(journal.folder.iterdir())) == 1
