"""Documents that are well formed and hold values that nobody expects there."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.fuzz import corpus

ODD_TEXTS = [
    "", " ", "\0", "\ud800", "a\ud83e", "\ufeff", "\u2028", "\x85", "\r", "\n", "a\n b\n", "\t", "${x}", "${", "$${",
    "'", '"', "#", "- a", "a: b", "*a", "&a", "!t", "---", "null", "yes", "1e3", "0x1F", "007", "=1+1", "é",
    "e\u0301", "İ", "\u017f", "\U0001d556", "x" * 3000, "(" * 500, "read.rejects", "a -> b", "h2::text", "//[",
    "SELECT 1; SELECT 2", "'; --", "2026-02-30", "inf", "NaN", "1" * 400, "../../x", "a" * 100_000,
]  # fmt: skip
ODD_NUMBERS = [
    0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, 5e-324, float("inf"),
    float("nan"), True, False, None,
]  # fmt: skip
_TEMPLATES: list[Any] = [yaml.safe_load(text) for text in corpus.PIPELINES]


def mangled_json(random) -> bytes:
    """A list of records, some of whose names and values are odd, or nested very deep."""
    records = [json.loads(json.dumps(record)) for record in corpus._RECORDS] * random.choice([1, 1, 5])
    document = _mangled(
        random, {"data": {"items": records}} if random.random() < 0.2 else records, random.choice([0.02, 0.1, 0.3])
    )
    text = json.dumps(document, ensure_ascii=random.random() < 0.7, indent=random.choice([None, 1]))
    depth = random.choice([0, 0, 0, 50, 300, 330, 480, 490, 700, 900, 940, 960, 970, 980, 990, 5000])
    if depth and '"Tea"' in text:
        text = text.replace('"Tea"', '[{"a":' * (depth // 2) + "1" + "}]" * (depth // 2))
    return text.encode("utf-8", "surrogatepass")


def mangled_pipeline(random) -> bytes:
    """A pipeline some of whose keys and values are odd, in a style of YAML that a person or a program may write."""
    document = _mangled(random, random.choice(_TEMPLATES), random.choice([0.01, 0.05, 0.15]))
    if isinstance(document, dict) and random.random() < 0.1:
        _knot(random, document)
    if random.random() < 0.4:
        return json.dumps(document, ensure_ascii=random.random() < 0.5, default=str).encode("utf-8", "replace")
    style = {
        "default_flow_style": random.choice([None, False, True]),
        "width": random.choice([20, 80, 10_000]),
        "sort_keys": False,
    }
    try:
        text = yaml.safe_dump(document, allow_unicode=random.random() < 0.5, **style)
    except (yaml.YAMLError, ValueError, RecursionError):
        text = json.dumps(document, default=str)
    return text.encode("utf-8", "replace")


def _mangled(random, value: Any, share: float) -> Any:
    """A copy; each value (and some names) is exchanged with the probability ``share``."""
    if random.random() < share:
        return _odd(random, 2)
    if isinstance(value, dict):
        names = ((str(_odd(random, 0)) if random.random() < share / 2 else name) for name in value)
        return {name: _mangled(random, item, share) for name, item in zip(names, list(value.values()), strict=True)}
    if isinstance(value, list):
        items = [_mangled(random, item, share) for item in value]
        return items * random.choice([1, 1, 1, 1, 1, 1, 2, 300]) if random.random() < share else items
    return value


def _odd(random, depth: int) -> Any:
    kind = random.randrange(10)
    if depth and kind == 0:
        return [_odd(random, depth - 1) for _ in range(random.randrange(4))]
    if depth and kind == 1:
        return {str(_odd(random, 0)): _odd(random, depth - 1) for _ in range(random.randrange(4))}
    return random.choice(ODD_NUMBERS if kind < 5 else ODD_TEXTS)


def _knot(random, document: dict[str, Any]) -> None:
    """Many nodes, and wires between them at random, or from each to each, or to nodes that are nearly there."""
    count = random.choice([3, 30, 100, 300])
    names = [f"step_{number}_{'x' * random.choice([0, 60])}" for number in range(count)]
    document["nodes"] = {
        name: {"type": random.choice(["filter", "union", "fliter"]), "config": {"where": "true"}} for name in names
    }
    pairs = [(one, other) for one in names for other in names]
    shape = random.randrange(3)
    if shape == 0:
        pairs = random.sample(pairs, min(len(pairs), 2000))
    elif shape == 1:
        pairs = [(one, other.replace("step", "stpe")) for one, other in random.sample(pairs, min(len(pairs), 500))]
    document["wires"] = [f"{one} -> {other}" for one, other in pairs[:20_000]]
