from __future__ import annotations

import pyarrow as pa
import pytest

from etl_studio.errors import PermanentError
from etl_studio.sdk.types import ALIASES, TYPES, column_type, type_name


@pytest.mark.parametrize("name", TYPES)
def test_each_type_is_read_back_from_arrow_by_its_name(name):
    assert type_name(column_type(name)[0]) == ("text" if name == "json" else name)


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_other_languages_names_mean_the_same(alias, name):
    assert column_type(alias.upper()) == column_type(name)


@pytest.mark.parametrize("text", ["decimal(10,2)", " DECIMAL( 10 , 2 ) "])
def test_a_decimal_tells_its_digits(text):
    assert column_type(text) == (pa.decimal128(10, 2), "DECIMAL(10,2)")


@pytest.mark.parametrize("text", ["decimal(39,2)", "decimal(3,4)", "decimal(0,0)", "decimal"])
def test_an_impossible_decimal_is_refused(text):
    with pytest.raises(PermanentError, match="no column type"):
        column_type(text)


def test_a_slip_of_the_pen_is_guessed():
    with pytest.raises(PermanentError, match=r'no column type "intger"\. Did you mean "integer"'):
        column_type("intger")


def test_an_unknown_name_lists_the_types():
    with pytest.raises(PermanentError, match="Types are text, integer"):
        column_type("blob of bytes")


@pytest.mark.parametrize(
    ("data_type", "name"),
    [
        (pa.int8(), "integer"),
        (pa.large_string(), "text"),
        (pa.string_view(), "text"),
        (pa.dictionary(pa.int32(), pa.string()), "text"),
        (pa.float32(), "number"),
        (pa.timestamp("ns"), "timestamp"),
        (pa.timestamp("ms", tz="Europe/Paris"), "timestamptz"),
        (pa.decimal256(50, 3), "decimal(50,3)"),
        (pa.list_(pa.int64()), "json"),
        (pa.struct([("a", pa.int64())]), "json"),
        (pa.null(), "empty"),
        (pa.binary(), "binary"),
    ],
)
def test_every_type_of_arrow_has_a_name_for_people(data_type, name):
    assert type_name(data_type) == name
