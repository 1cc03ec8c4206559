"""Ways to spoil bytes. Each takes a ``random.Random``, so that Hypothesis can draw (and shrink) what it does."""

from __future__ import annotations

from itertools import pairwise

MOST_BYTES = 200_000
LARGE_BYTES = 2_000_000
ONE_IN = 100
"""So many inputs for a large one, in which what takes square time takes too long."""

ODD = [
    b"\0", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\x80", b"\x1a", b"\x0b", b"\x0c", b"\x1c", b"\x7f", b"\x85", "\x85".encode(), "\u2028".encode(),
    "\ufeff".encode(), "\u202e".encode(), "\U0001f926\U0001f3fc".encode(), "e\u0301".encode(), "İ".encode(), b"\r",
    b"\r\n", b"\n", b"\n\r", b"\t", b" ", b'"', b"'", b'""', b'"""', b"\\", b"9" * 30, b"1e400", b"-0", b"0x10",
    b"9" * 5000, b"NaN", b"-Infinity", b"null", b"None", b"%s%n", b"${x}", b"a" * 3000,
]  # fmt: skip


def spoiled(random, content: bytes, tokens: list[bytes], others: list[bytes]) -> bytes:
    """The content after one to six changes.

    Args:
        random: decides.
        content: something that is well formed.
        tokens: pieces that mean something in its language.
        others: contents to splice with.
    """
    most = LARGE_BYTES if random.randrange(ONE_IN) == 0 else MOST_BYTES
    for _ in range(random.choice([1, 1, 1, 2, 3, 6])):
        content = random.choice(CHANGES)(random, content, tokens, others)[:most]
    return content


def _place(random, content: bytes) -> int:
    return random.randint(0, len(content))


def _span(random, content: bytes) -> tuple[int, int]:
    start = _place(random, content)
    return start, min(len(content), start + random.choice([1, 2, 5, 20, 100, 1000]))


def _flip(random, content: bytes, tokens, others) -> bytes:
    if not content:
        return content
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _truncate(random, content: bytes, tokens, others) -> bytes:
    return content[: _place(random, content)]


def _behead(random, content: bytes, tokens, others) -> bytes:
    return content[_place(random, content) :]


def _remove(random, content: bytes, tokens, others) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def _put(random, content: bytes, tokens, others) -> bytes:
    place = _place(random, content)
    return content[:place] + random.choice(tokens if random.random() < 0.7 else ODD) + content[place:]


def _exchange(random, content: bytes, tokens, others) -> bytes:
    """Every one of some token becomes another one."""
    return content.replace(random.choice(tokens), random.choice([*tokens, *ODD]), random.choice([1, 3, -1]))


def _repeat(random, content: bytes, tokens, others) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] * random.choice([1, 2, 30, 1000, 50_000]) + content[end:]


def _pile(random, content: bytes, tokens, others) -> bytes:
    """A token so often that what is nested or counted is very deep or very many."""
    token = random.choice([*tokens, *ODD])
    times = random.choice([40, 60, 300, 700, 850, 950, 1000, 20_000, 200_000])
    place = random.choice([0, len(content), _place(random, content)])
    return content[:place] + token * min(times, LARGE_BYTES // max(len(token), 1)) + content[place:]


def _splice(random, content: bytes, tokens, others) -> bytes:
    other = random.choice(others)
    return content[: _place(random, content)] + other[_place(random, other) :]


def _shuffle(random, content: bytes, tokens, others) -> bytes:
    lines = content.split(b"\n")[:5000]
    random.shuffle(lines)
    return b"\n".join(lines)


def _newlines(random, content: bytes, tokens, others) -> bytes:
    lines = content.split(b"\n")
    if len(lines) > 1000:
        return content.replace(b"\n", random.choice([b"\r", b"\r\n"]))
    ends = [random.choice([b"\r", b"\r\n", b"\n", b"\n", b"\n\r", b"\n\n", b""]) for _ in lines]
    return b"".join(line + end for line, end in zip(lines, ends, strict=True))


def _encode(random, content: bytes, tokens, others) -> bytes:
    text = content.decode("utf-8", "replace")
    encoding = random.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-7", "utf-8-sig"])
    return text.encode(encoding, "replace")


def _double_key(random, content: bytes, tokens, others) -> bytes:
    """A line, or what stands between two commas, comes twice."""
    mark = random.choice([b"\n", b","])
    places = [place for place in range(len(content)) if content[place : place + 1] == mark][:5000]
    if len(places) < 2:
        return content
    start, end = random.choice(list(pairwise(places)))
    return content[:end] + content[start:end] + content[end:]


CHANGES = [
    _flip, _truncate, _behead, _remove, _put, _put, _put, _exchange, _exchange, _repeat, _pile, _splice, _shuffle,
    _newlines, _encode, _double_key,
]  # fmt: skip
