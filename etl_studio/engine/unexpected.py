"""Errors that nobody foresaw, as errors for people."""

from __future__ import annotations

from etl_studio.errors import EtlError, PermanentError


def as_etl_error(error: BaseException) -> EtlError:
    """The error itself, or what people are told of a defect."""
    return error if isinstance(error, EtlError) else unexpected(error)


def unexpected(error: BaseException) -> PermanentError:
    """What people are told of a defect."""
    if isinstance(error, MemoryError):
        return PermanentError("There is not enough memory.", hint="Close other programs, or read less at once.")
    return PermanentError(
        f"An unexpected error: {type(error).__name__}: {error}",
        hint="This is a defect of the node or of the studio; please report it with the pipeline's steps.",
    )
