"""Events reach the window's thread in order and without drowning it."""

from __future__ import annotations

import threading

import pytest

from etl_studio.engine.events import DeadLettered, NodeChanged, NodeState, Sampled
from etl_studio.ui.run.mailbox import WAITING_LIMIT, EventMailbox


@pytest.fixture
def mailbox(qapp):
    mailbox = EventMailbox()
    mailbox.got = []
    mailbox.delivered.connect(mailbox.got.append)
    return mailbox


def sample(number: int) -> Sampled:
    return Sampled("r", float(number), {}, {})


def change(number: int) -> NodeChanged:
    return NodeChanged("r", float(number), "n", NodeState.RUNNING)


def in_another_thread(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_events_of_another_thread_come_in_their_order(qtbot, mailbox):
    in_another_thread(lambda: [mailbox.put(change(number)) for number in range(500)])
    assert mailbox.got == []

    qtbot.waitUntil(lambda: len(mailbox.got) == 500, timeout=5000)

    assert [event.at for event in mailbox.got] == list(range(500))


def test_of_samples_that_wait_only_the_newest_counts(qtbot, mailbox):
    in_another_thread(lambda: [mailbox.put(sample(number)) for number in range(50)])

    qtbot.waitUntil(lambda: bool(mailbox.got), timeout=5000)

    assert mailbox.got == [sample(49)]


def test_a_sample_does_not_overtake_what_happened_before_it(qtbot, mailbox):
    in_another_thread(lambda: [mailbox.put(event) for event in (sample(1), change(2), sample(3), sample(4))])

    qtbot.waitUntil(lambda: len(mailbox.got) == 3, timeout=5000)

    assert [event.at for event in mailbox.got] == [1, 2, 4]


def test_a_flood_of_dead_letters_is_cut_but_the_state_of_nodes_is_not(qtbot, mailbox):
    letter = DeadLettered("r", 1.0, "n", "cast", "ten is no integer", {})

    def flood() -> None:
        for _ in range(3 * WAITING_LIMIT):
            mailbox.put(letter)
        mailbox.put(change(9))

    in_another_thread(flood)
    qtbot.waitUntil(lambda: change(9) in mailbox.got, timeout=10_000)

    assert mailbox.got.count(letter) == WAITING_LIMIT


def test_flush_delivers_at_once(mailbox):
    in_another_thread(lambda: mailbox.put(change(1)))

    mailbox.flush()

    assert mailbox.got == [change(1)]
