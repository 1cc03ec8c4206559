"""Numbers as people read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl_studio.ui import quantities
from etl_studio.ui.translation import use_language

UI = Path(quantities.__file__).parent


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.44, "0.4"), (7, "7"), (12.3, "12"), (999, "999"), (1200, "1.2k"), (34_000, "34k"),
     (999_600, "1M"), (1_250_000, "1.2M"), (3e9, "3G")],
)  # fmt: skip
def test_a_number_is_short(value, text):
    assert quantities.short(value) == text


def test_rows_are_counted_in_words():
    assert quantities.rows(1) == "1 row"
    assert quantities.rows(12_345) == "12,345 rows"


def test_a_latency_has_the_unit_that_fits():
    assert quantities.latency(0.0004) == "0.4 ms"
    assert quantities.latency(0.012) == "12 ms"
    assert quantities.latency(1.5) == "1.5 s"
    assert quantities.latencies(0.012, 0.040) == "12 / 40 ms"
    assert quantities.latencies(0.9, 1.5) == "0.9 / 1.5 s"


def test_a_duration_has_a_clock_from_a_minute_on():
    assert quantities.duration(4.21) == "4.2 s"
    assert quantities.duration(187) == "3:07"
    assert quantities.duration(3723) == "1:02:03"


@pytest.fixture
def german():
    use_language("de")
    yield
    use_language("en")


def test_numbers_are_written_as_the_language_writes_them(german):
    assert quantities.count(1_234_567) == "1.234.567"
    assert quantities.rows(12_345) == "12.345 Zeilen"
    assert quantities.short(1240) == "1,2k"
    assert quantities.short(2_000_000) == "2M"
    assert quantities.duration(4.21) == "4,2 s"
    assert quantities.latency(0.0004) == "0,4 ms"
    assert quantities.latencies(0.9, 1.5) == "0,9 / 1,5 s"


def test_no_text_of_the_window_parts_thousands_by_itself():
    by_itself = [
        f"{path.relative_to(UI)}:{number}"
        for path in UI.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ":,}" in line and path.name not in ("quantities.py", "translation.py")
    ]
    assert by_itself == []
