"""What a lookup found, or that it found nothing, for as many questions as fit."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Generic, TypeVar

K = TypeVar("K")

MOST_BYTES = 64 * 2**20
"""What all answers may take, about."""


class AnswerCache(Generic[K]):
    """Forgets what was used least recently.

    Args:
        most: answers at most.
        most_bytes: of all answers together, as their text is long.
    """

    def __init__(self, most: int, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._answers: OrderedDict[K, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, question: K, default: Any) -> Any:
        """The answer, or the default where none is known."""
        if question not in self._answers:
            return default
        self._answers.move_to_end(question)
        return self._answers[question][0]

    def keep(self, question: K, answer: Any) -> None:
        """Remember an answer; None is one."""
        if question in self._answers:
            self._bytes -= self._answers.pop(question)[1]
        size = len(repr(answer))
        self._answers[question] = (answer, size)
        self._bytes += size
        while self._answers and (len(self._answers) > self._most or self._bytes > self._most_bytes):
            self._bytes -= self._answers.popitem(last=False)[1][1]
