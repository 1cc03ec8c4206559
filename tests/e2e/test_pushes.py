"""Rows pushed to an API, as a person runs them: what is refused waits as dead letters, and a dry run sends nothing."""

from __future__ import annotations

import pytest

from tests.nodes.answering_site import Answer, AnsweringSite

QUICK = {"retry": {"attempts": 2, "delay": 0}, "breaker": {"enabled": False}}


class Shop(AnsweringSite):
    """Takes orders of so many pieces; ``taken`` holds those that it took, each key once."""

    def __init__(self):
        self.most, self.answers, self.taken, self.keys = 119, [], [], set()
        super().__init__(self.take)

    def take(self, asked):
        if self.answers:
            return self.answers.pop(0)
        for order in asked.body:
            if order["pieces"] > self.most:
                return Answer({"error": f"{order['pieces']} pieces are too many"}, 422)
        key = asked.headers["Idempotency-Key"]
        if key not in self.keys:
            self.keys.add(key)
            self.taken += [order["pieces"] for order in asked.body]
        return {}


@pytest.fixture
def shop():
    with Shop() as shop:
        yield shop


@pytest.fixture
def orders(folder, shop):
    """Writes a pipeline that pushes orders of 0 to 119 pieces."""
    folder.write("orders.csv", "pieces\n" + "".join(f"{number}\n" for number in range(120)))

    def write(policy=None, **config):
        push = {"url": shop.url, "rows_per_request": 50, **config}
        folder.pipeline(
            {"read": ("csv_source", {"path": "orders.csv"}), "push": ("http_sink", push, {**QUICK, **(policy or {})})},
            ["read -> push"],
        )

    return write


@pytest.fixture
def replay(folder):
    return lambda: folder.call("dead-letters", "replay", "--workspace", folder.workspace)


def test_refused_rows_are_dead_letters_with_the_answer_and_a_replay_sends_them(folder, shop, orders, replay):
    shop.most = 117
    orders()
    ended = folder.run()
    assert (ended.code, ended.count("push", "rows_out"), ended.count("push", "dead_letters")) == (3, 118, 2)
    letters = folder.dead_letters()
    assert [letter["payload"] for letter in letters] == [{"pieces": 118}, {"pieces": 119}]
    assert letters[0]["error_type"] == "http_422"
    assert "118 pieces are too many" in letters[0]["message"]

    assert replay().code == 3  # still too many: the letters stay the same ones
    again = folder.dead_letters()
    assert [(letter["id"], letter["attempts"]) for letter in again] == [(letter["id"], 2) for letter in letters]
    shop.most = 118
    assert replay().code == 3
    assert [letter["payload"] for letter in folder.dead_letters()] == [{"pieces": 119}]
    shop.most = 119
    assert replay().code == 0
    assert folder.dead_letters() == []
    assert sorted(shop.taken) == list(range(120))


def test_a_run_that_must_not_refuse_ends_and_goes_on_when_the_cause_is_mended(folder, shop, orders):
    shop.most = 117
    orders(policy={"on_error": "stop"})
    first = folder.run()
    assert first.code == 1
    assert "118 pieces are too many" in first.err
    assert folder.dead_letters() == []
    shop.most = 119
    assert folder.run("--resume").code == 0
    assert shop.taken == list(range(120))


def test_a_run_whose_refusals_are_too_many_tells_each_once_when_it_goes_on(folder, shop, orders):
    shop.most = 110
    orders(policy={"budget": {"rows": 3}})
    assert folder.run().code == 1
    assert [letter["payload"]["pieces"] for letter in folder.dead_letters()] == [111, 112, 113, 114]
    shop.most = 115
    orders(policy={"budget": {"rows": 30, "percent": 50}})
    ended = folder.run("--resume")
    assert (ended.code, ended.count("push", "dead_letters"), ended.count("push", "rows_out")) == (3, 8, 112)
    letters = [letter["payload"]["pieces"] for letter in folder.dead_letters()]
    assert letters == [111, 112, 113, 114, 116, 117, 118, 119]
    assert sorted(shop.taken) == [*range(111), 115]


def test_skipped_rows_are_counted_and_kept_nowhere(folder, shop, orders):
    shop.most = 117
    orders(policy={"on_error": "skip"})
    ended = folder.run()
    assert (ended.code, ended.count("push", "skipped"), ended.count("push", "rows_out")) == (0, 2, 118)
    assert folder.dead_letters() == []


def test_an_outage_ends_the_run_and_a_resume_sends_the_rest(folder, shop, orders):
    orders()
    shop.answers = [{}, Answer({}, 503), Answer({}, 503)]
    assert folder.run().code == 1
    assert folder.run("--resume").code == 0
    bodies = [asked.body for asked in shop.asked]
    assert [len(body) for body in bodies] == [50, 50, 50, 50, 20]  # the first was answered, and is not sent again
    assert bodies[0][0] == {"pieces": 0}
    assert shop.asked[1].headers["Idempotency-Key"] == shop.asked[3].headers["Idempotency-Key"]


def test_rows_without_an_answer_keep_their_key_in_a_replay(folder, shop, orders, replay):
    orders(unanswered="reject")
    shop.answers = [Answer({}, 0), Answer({}, 0)]
    assert folder.run().code == 3
    assert {letter["error_type"] for letter in folder.dead_letters()} == {"call_failed"}
    assert replay().code == 0
    keys = [asked.headers["Idempotency-Key"] for asked in shop.asked]
    assert keys[0] == keys[1] == keys[-1]
    assert sorted(shop.taken) == list(range(120))


def test_a_replay_that_breaks_off_before_it_has_sent_is_finished_by_the_next(folder, shop, orders, replay):
    shop.most = 117
    orders()
    assert folder.run().code == 3
    shop.most = 119
    shop.answers = [Answer({}, 503), Answer({}, 503)]
    assert replay().code == 1
    waiting = folder.dead_letters()
    assert len(waiting) == 2
    assert replay().code == 0
    assert folder.dead_letters() == []
    assert sorted(shop.taken) == list(range(120))
    keys = [asked.headers["Idempotency-Key"] for asked in shop.asked[-3:]]
    assert len(set(keys)) == 1


def test_a_dry_run_sends_nothing_and_hides_secrets_in_what_it_shows(folder, shop, orders, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_SHOP", "s3cret-shop")
    orders(wrap="orders", envelope={"key": "${secret:shop}"})
    said = folder.call("run", folder.file, "--dry-run")
    assert said.code == 0
    assert shop.asked == []
    assert "would send 120 rows in 3 requests" in said.out
    assert '{"pieces":7}' in said.out
    assert "s3cret-shop" not in said.out
    for path in folder.workspace.rglob("*"):
        assert not path.is_file() or b"s3cret-shop" not in path.read_bytes()


def test_a_secret_in_the_body_is_sent_and_kept_in_no_file(folder, shop, orders, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_SHOP", "s3cret-shop")
    orders(wrap="orders", envelope={"key": "${secret:shop}"}, refused_status=[400])
    shop.answers = [Answer({"error": "no s3cret-shop here"}, 400)] * 300
    assert folder.run().code == 3
    assert shop.asked[0].body["key"] == "s3cret-shop"
    assert "s3cret-shop" not in folder.dead_letters()[0]["message"]
    for path in folder.workspace.rglob("*"):
        assert not path.is_file() or b"s3cret-shop" not in path.read_bytes()
