"""Types of CSV columns: found in a sample, and given to texts without ever changing a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from etl_studio.sdk.types import cast_texts

if TYPE_CHECKING:
    from etl_studio.nodes.extract._csv_dialect import Dialect

TRUE = ("true", "True", "TRUE", "1", "yes", "Yes", "YES", "t", "T", "y", "Y")
FALSE = ("false", "False", "FALSE", "0", "no", "No", "NO", "f", "F", "n", "N")

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?"
_SHAPES: tuple[tuple[pa.DataType, str], ...] = (
    (pa.bool_(), r"^(?i:true|false)$"),
    (pa.int64(), r"^-?\d{1,18}$"),
    (pa.float64(), r"^-?(\d+(D\d*)?|D\d+)([eE][+-]?\d+)?$"),
    (pa.date32(), f"^{_DAY}$"),
    (pa.timestamp("us"), f"^{_DAY}([T ]{_CLOCK})?$"),
    (pa.timestamp("us", tz="UTC"), f"^{_DAY}[T ]{_CLOCK}(Z|[+-]\\d{{2}}(:?\\d{{2}})?)$"),
    (pa.time64("us"), f"^{_CLOCK}$"),
)
"""A type and what its values look like, narrow before wide. D stands for the decimal sign."""
_CODE = r"^-?(0\d+|\d{19,})$"
"""Leading zeros or very many digits mean a code (a postcode, an account): as a number it would lose digits."""


def infer(texts: pa.Array, dialect: Dialect, *, whole: bool) -> pa.DataType:
    """The type of a column's sample.

    A column is of a type when all but max(1, 1 %) of its values fit and at least four times as many fit as do not;
    those that do not are rejected later, by the node that reads them. A column without any value is empty, which fits
    every expression, when the sample is the ``whole`` file; otherwise it is text, since values may follow.
    """
    import pyarrow.compute as pc

    if whole and texts.null_count == len(texts):
        return pa.null()
    values = pc.utf8_trim(texts.drop_null(), characters=" \t")
    values = values.filter(pc.invert(pc.is_in(values, pa.array([*dialect.nulls, ""]))))
    count = len(values)
    if count == 0 or _fitting(values, _CODE):
        return pa.string()
    best, most = pa.string(), 0
    for data_type, shape in _SHAPES:
        fitting = _fitting(values, shape.replace("D", "\\" + dialect.decimal))
        misfits = count - fitting
        if fitting > most and misfits <= max(1, count // 100) and fitting >= 4 * misfits:
            best, most = data_type, fitting
    return best


def _fitting(values: pa.Array, shape: str) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.match_substring_regex(values, shape)).as_py() or 0)


def to_texts(raw: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Bytes as text, and which of them are no UTF-8 (None: all are)."""
    try:
        return raw.cast(pa.string()), None
    except pa.ArrowInvalid:
        values = [None if value is None else _decoded(value) for value in raw.to_pylist()]
        wrong = [value is None and there for value, there in zip(values, raw.is_valid().to_pylist(), strict=True)]
        return pa.array(values, pa.string()), pa.array(wrong)


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def convert(texts: pa.Array, data_type: pa.DataType, dialect: Dialect) -> pa.Array:
    """Texts as values of a type.

    Raises:
        ArrowInvalid: one does not fit.
    """
    if pa.types.is_null(data_type):
        if texts.null_count < len(texts):
            raise pa.ArrowInvalid("a value in a column that has none")
        return pa.nulls(len(texts))
    return texts if pa.types.is_string(data_type) else cast_texts(_spelled(texts, data_type, dialect), data_type)


def convert_fitting(texts: pa.Array, data_type: pa.DataType, dialect: Dialect) -> tuple[pa.Array, pa.Array | None]:
    """Texts as values of a type, and which of them do not fit (None: all do; the others are null)."""
    import pyarrow.compute as pc

    if pa.types.is_string(data_type):
        return texts, None
    if pa.types.is_null(data_type):
        return pa.nulls(len(texts)), texts.is_valid()
    spelled = _spelled(texts, data_type, dialect)
    try:
        return cast_texts(spelled, data_type), None
    except pa.ArrowInvalid:
        misfits = pa.array(_misfits(spelled.unique().drop_null(), data_type), pa.string())
        wrong = pc.is_in(spelled, misfits)
        return cast_texts(pc.if_else(wrong, None, spelled), data_type), wrong


def _misfits(values: pa.Array, data_type: pa.DataType) -> list[str]:
    """The values that do not fit. Only those that look odd are tried one by one, which is a hundred times dearer."""
    import pyarrow.compute as pc

    usual = pc.match_substring_regex(values, dict(_SHAPES).get(data_type, "").replace("D", r"\."))
    try:
        cast_texts(values.filter(usual), data_type)
    except pa.ArrowInvalid:
        suspects = values
    else:
        suspects = values.filter(pc.invert(usual))
    return [value for value in suspects.to_pylist() if not _fits(value, data_type)]


def _spelled(texts: pa.Array, data_type: pa.DataType, dialect: Dialect) -> pa.Array:
    """Texts as Arrow's cast wants them; what means that a value is missing is null."""
    import pyarrow.compute as pc

    texts = pc.utf8_trim(texts, characters=" \t")
    missing = pc.is_in(texts, pa.array([*dialect.nulls, ""]))
    texts = pc.if_else(missing, None, texts)
    if pa.types.is_boolean(data_type):
        true, false = (pc.is_in(texts, pa.array(words)) for words in (TRUE, FALSE))
        return pc.if_else(true, "true", pc.if_else(false, "false", texts))
    return _with_point(texts, data_type, dialect)


def _with_point(texts: pa.Array, data_type: pa.DataType, dialect: Dialect) -> pa.Array:
    import pyarrow.compute as pc

    if dialect.decimal == "." or not (pa.types.is_floating(data_type) or pa.types.is_decimal(data_type)):
        return texts
    # A point is no decimal sign here: the letter makes sure that it does not fit.
    hidden = pc.replace_substring(texts, ".", "x")
    return pc.replace_substring(hidden, dialect.decimal, ".")


def _fits(value: str, data_type: pa.DataType) -> bool:
    try:
        cast_texts(pa.array([value], pa.string()), data_type)
    except pa.ArrowInvalid:
        return False
    return True
