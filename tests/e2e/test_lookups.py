"""Rows that an API enriches, as a person runs them: what failed waits as dead letters and is asked for again."""

from __future__ import annotations

import pytest

from tests.nodes.answering_site import Answer, AnsweringSite

ROWS = 300


@pytest.fixture
def people():
    """Knows all but every tenth person, and is sick for those in ``sick``."""
    sick = set()

    def answer(asked):
        number = int(asked.path.rpartition("/")[2])
        if number in sick:
            return Answer({"message": "out of order"}, 500 if number % 2 else 400)
        return Answer({}, 404) if number % 10 == 0 else {"city": f"City {number}"}

    with AnsweringSite(answer) as site:
        site.sick = sick
        yield site


def test_what_failed_is_asked_for_again_and_everything_else_only_once(folder, people):
    people.sick |= {3, 4, 150}
    folder.write("people.csv", "id\n" + "".join(f"{number % 200}\n" for number in range(ROWS)))
    lookup = {"url": f"{people.url}/people/{{id}}", "fields": {"city": "city"}, "concurrency": 8}
    folder.pipeline(
        {
            "read": ("csv_source", {"path": "people.csv"}),
            "look": ("http_lookup", lookup, {"retry": {"attempts": 2, "delay": 0}, "breaker": {"enabled": False}}),
            "save": ("sqlite_sink", {"table": "people"}),
        },
        ["read -> look", "look -> save"],
    )
    first = folder.run()
    assert first.code == 3
    assert [(letter["node"], letter["attempts"]) for letter in folder.dead_letters()] == [
        ("look", 2), ("look", 1), ("look", 1), ("look", 2), ("look", 1),
    ]  # fmt: skip
    assert first.count("look", "calls") == len(people.asked) == 200 + 1  # the 500 is tried again

    people.sick.clear()
    asked = len(people.asked)
    assert folder.call("dead-letters", "replay", "--workspace", folder.workspace).code == 0
    assert {request.path for request in people.asked[asked:]} == {f"/people/{number}" for number in (3, 4, 150)}
    wanted = [(number % 200, None if number % 10 == 0 else f"City {number % 200}") for number in range(ROWS)]
    assert sorted(folder.ask("SELECT id, city FROM people")) == sorted(wanted, key=lambda row: (row[0], row[1] or ""))
