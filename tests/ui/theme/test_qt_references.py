"""A trap of PySide6 6.12 on Python 3.11: void Qt calls lose references of None until the process aborts."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject, Signal


class Told(QObject):
    """Something that tells."""

    said = Signal()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_five_hundred_qt_calls_lose_no_reference_of_none_or_true(qapp):
    told = Told()
    before = sys.getrefcount(None), sys.getrefcount(True)

    for _ in range(500):
        told.setObjectName("x")
        told.said.emit()

    assert sys.getrefcount(None) > before[0] - 50
    assert sys.getrefcount(True) > before[1] - 50
