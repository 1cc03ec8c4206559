"""``run --resume``: what goes on, what is refused, and why."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
from contextlib import closing

import pytest

from etl_studio.cli.main import main
from tests.delivery.scenarios import OneTable, Scenario, query

ROWS = 150_000


@pytest.fixture
def broken(tmp_path):
    """A run that was killed after its first checkpoint had been committed."""
    scenario = OneTable(tmp_path)
    process = scenario.start(resume=False, point="committed", hit=1)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return scenario


@pytest.fixture
def resume(capfd):
    def run(scenario, *options):
        code = main(["run", str(scenario.file), "--resume", "--json", *options])
        out, err = capfd.readouterr()
        return code, json.loads(out.splitlines()[-1]), err

    return run


def numbers(scenario):
    return sorted(n for (n,) in query(scenario.folder / ".etl_studio" / "data.db", "SELECT n FROM numbers"))


def edit(scenario, old, new):
    text = scenario.file.read_text()
    assert old in text
    scenario.file.write_text(text.replace(old, new))


WANTED = [n for n in range(ROWS) if n % 7 != 3]


def test_the_report_of_a_resumed_run_counts_from_its_beginning(broken, resume):
    before = len(numbers(broken))
    assert 0 < before < len(WANTED)

    code, report, _ = resume(broken)

    assert code == 0
    assert numbers(broken) == WANTED
    assert report["rows_in"] == ROWS
    assert report["nodes"]["keep"]["filtered"] == ROWS - len(WANTED)
    assert report["nodes"]["save"]["inserted"] == len(WANTED)


def test_a_run_keeps_its_id_and_tells_how_often_it_was_begun(broken, resume):
    workspace = broken.folder / ".etl_studio" / "workspace.db"
    ((run,),) = query(workspace, "SELECT id FROM run")
    _, report, _ = resume(broken)
    assert report["run_id"] == run
    assert query(workspace, "SELECT status, attempts FROM run") == [("done", 2)]


def test_the_report_tells_the_attempt_and_the_checkpoint_it_went_on_after(broken, resume, capfd):
    _, _, err = resume(broken)
    assert err.splitlines().count("attempt 2, resumed after checkpoint 1") == 2, "as it begins, and in the report"
    main(["runs", "--workspace", str(broken.folder / ".etl_studio"), "--json"])
    run = json.loads(capfd.readouterr().out)[0]["id"]
    main(["runs", run, "--workspace", str(broken.folder / ".etl_studio")])
    assert "attempt 2, resumed after checkpoint 1" in capfd.readouterr().out.splitlines()


def test_a_step_between_may_be_edited(broken, resume):
    before = numbers(broken)
    edit(broken, "kind <> 3", "kind <> 3 AND n < 140000")
    code, _, err = resume(broken)
    assert code == 0
    assert 'Changed since the run broke off: "keep" was edited.' in err.splitlines()
    assert numbers(broken) == [n for n in WANTED if n < 140_000]
    assert before == numbers(broken)[: len(before)]


def test_a_source_that_has_changed_is_refused_until_a_person_accepts_it(broken, resume):
    with (broken.folder / "numbers.csv").open("a") as file:
        file.write("150000,late,1\n")
    code, report, err = resume(broken)
    assert code == 2
    assert report["status"] == "refused"
    assert 'the source "read" reads something that has changed since' in err
    assert "--accept-changes" in err

    assert resume(broken, "--accept-changes")[0] == 0
    assert numbers(broken) == [*WANTED, 150_000]


def test_another_target_is_refused(broken, resume):
    before = numbers(broken)
    edit(broken, '"table": "numbers"', '"table": "others"')
    code, _, err = resume(broken, "--accept-changes")
    assert code == 2
    assert 'the sink "save" has other settings (table)' in err
    assert numbers(broken) == before


def test_a_run_that_came_to_its_end_is_not_resumed(broken, resume):
    resume(broken)
    code, _, err = resume(broken)
    assert code == 2
    assert "is done: there is nothing to resume" in err
    assert numbers(broken) == WANTED


def test_a_file_that_never_ran_is_told_so(tmp_path, resume):
    code, _, err = resume(OneTable(tmp_path))
    assert code == 2
    assert "there is nothing to resume" in err


def test_a_source_that_became_shorter_is_an_error_and_nothing_is_doubled(tmp_path, resume):
    """The kill falls between two commits, so that the rows up to the second barrier have to come again."""

    class Two(Scenario):
        def make(self):
            self.numbers()
            self.write(
                {
                    "read": {"type": "csv_source", "config": {"path": "numbers.csv"}},
                    "one": {"type": "sqlite_sink", "config": {"table": "one", "database": "one.db"}},
                    "two": {"type": "sqlite_sink", "config": {"table": "two", "database": "two.db"}},
                },
                ["read -> one", "read -> two"],
            )

    scenario = Two(tmp_path)
    with closing(sqlite3.connect(tmp_path / "two.db")) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        process = scenario.start(resume=False, point="committed", hit=1)
        process.communicate(timeout=60)
    counts = [len(query(tmp_path / f"{name}.db", f"SELECT n FROM {name}")) for name in ("one", "two")]
    assert 0 in counts
    (tmp_path / "numbers.csv").write_text("n,name,kind\n1,a,1\n")

    code, report, _ = resume(scenario, "--accept-changes")

    assert code == 1
    assert "only 1 now" in report["error"]
    assert counts == [len(query(tmp_path / f"{name}.db", f"SELECT n FROM {name}")) for name in ("one", "two")]


def test_a_failed_run_goes_on_once_its_cause_is_gone(tmp_path, resume, capfd):
    harm = "AND CAST(CASE WHEN n = 140000 THEN name ELSE kind::TEXT END AS INT) >= 0"

    class Failing(OneTable):
        def make(self):
            super().make()
            edit(self, '"kind <> 3"', f'"kind <> 3 {harm}"')
            edit(self, '"keep": {', '"keep": {"policy": {"on_error": "stop"}, ')

    scenario = Failing(tmp_path)
    assert main(["run", str(scenario.file)]) == 1
    assert len(numbers(scenario)) < 140_000
    edit(scenario, f" {harm}", "")
    capfd.readouterr()

    assert resume(scenario)[0] == 0
    assert numbers(scenario) == WANTED


def test_a_run_that_was_stopped_keeps_its_half_file_for_the_resume(tmp_path):
    class Slow(Scenario):
        def make(self):
            self.write(
                {
                    "make": {
                        "type": "generate_source",
                        "config": {"rows": 3_000, "columns": {"n": "i"}, "rows_per_second": 1_000},
                    },
                    "save": {"type": "csv_sink", "config": {"path": "out.csv"}},
                },
                ["make -> save"],
            )

    scenario = Slow(tmp_path)
    process = scenario.start(resume=False)
    for line in process.stderr:
        if line.startswith("rows: make ") and not line.startswith("rows: make 0"):
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not (tmp_path / "out.csv").exists()
    assert len(list(tmp_path.glob(".out.csv.save.*.part"))) == 1

    assert main(["run", str(scenario.file), "--resume"]) == 0

    assert (tmp_path / "out.csv").read_text() == "n\n" + "".join(f"{n}\n" for n in range(3_000))
    assert not list(tmp_path.glob(".*.part"))


class ShortAndLong(Scenario):
    """Two files of different columns into one: the short one has ended long before the kill."""

    def make(self):
        self.numbers()
        (self.folder / "few.csv").write_text("n,origin\n-1,elsewhere\nx,nowhere\n")
        self.write(
            {
                "long": {"type": "csv_source", "config": {"path": "numbers.csv"}},
                "short": {"type": "csv_source", "config": {"path": "few.csv", "columns": {"n": "integer"}}},
                "both": {"type": "union"},
                "origin": {"type": "derive", "config": {"columns": {"from": "coalesce(origin, 'here')"}}},
                "file": {"type": "csv_sink", "config": {"path": "all.csv"}},
                "bad": {"type": "csv_sink", "config": {"path": "bad.csv"}},
            },
            ["long -> both", "short -> both", "both -> origin", "origin -> file", "short.rejects -> bad"],
        )


@pytest.fixture
def half_file(tmp_path):
    """A run that was killed when some of its rows were safe in half a file."""
    scenario = ShortAndLong(tmp_path)
    process = scenario.start(resume=False, point="filed", hit=2)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return scenario


def test_a_half_file_takes_no_rows_of_other_columns(half_file, resume):
    edit(half_file, "coalesce(origin, 'here')", 'coalesce(origin, \'here\')", "further": "1')

    code, _, err = resume(half_file)

    assert code == 1
    assert "has the columns n, name, kind, origin, from, and now come n, name, kind, origin, from, further" in err
    assert not (half_file.folder / "all.csv").exists()
    edit(half_file, '", "further": "1', "")
    assert resume(half_file)[0] == 0


def test_the_columns_of_a_source_that_had_ended_are_still_there(half_file, resume, tmp_path):
    code, report, _ = resume(half_file)

    assert (code, report["nodes"]["short"]["rows_in"]) == (0, 2)
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["n", "name", "kind", "origin", "from"]
    assert sorted(int(row["n"]) for row in rows) == [-1, *range(ROWS)]
    assert {row["from"] for row in rows} == {"here", "elsewhere"}
    assert "nowhere" in (tmp_path / "bad.csv").read_text()
