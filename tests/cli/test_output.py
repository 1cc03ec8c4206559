"""Tables and lines that the command prints."""

from __future__ import annotations

from etl_studio.cli.output import problem_line, table
from etl_studio.pipeline.problems import Problem


def test_columns_are_aligned_and_numbers_stand_to_the_right():
    assert table(("name", "rows"), [("a", 5), ("long name", 12345)]) == (
        "name         rows\na               5\nlong name  12,345"
    )


def test_wide_characters_take_two_columns():
    assert table(("a", "b"), [("日本", "x"), ("ab", "y")]).splitlines()[1:] == ["日本  x", "ab    y"]


def test_a_cell_stays_on_its_line_and_cannot_command_the_terminal():
    assert table(("a",), [("two\nlines\x1b[31m",)]).splitlines()[1] == "two\\nlines\\x1b[31m"


def test_long_cells_are_cut():
    assert table(("a",), [("x" * 100,)]).splitlines()[1] == "x" * 59 + "…"


def test_a_problem_is_written_as_compilers_do():
    problem = Problem("error", "No.", "Mend it.", "keep", "config.where", 3, 7)
    assert problem_line(problem, "a.yaml") == "a.yaml:3:7: error: keep, config.where: No. Mend it."
    assert problem_line(Problem("warning", "Hm."), "a.yaml") == "a.yaml: warning: Hm."
