"""The stream of a wallboard: told that anything has happened, and nothing more than others are."""

import json
from typing import Any

from helpdesk.live.changes import Change
from helpdesk.live.people import Guest, Watcher
from helpdesk.server.asgi import _has_board
from helpdesk.server.streams import HEARTBEAT, Stream

SOMEBODYS = Change(1, None, None, (), None, phone_id=9)  # a colleague's availability
ELSEWHERE = Change(2, 7, 3, (5,), None)  # a ticket of a queue that isn't theirs
WATCHER = Watcher(1, 2, frozenset({4}))


def said(stream: Stream) -> Any:
    line = stream.message(2)
    return None if line == HEARTBEAT else json.loads(line.decode().split("data: ")[1])


def test_a_wallboard_hears_of_every_change_without_learning_which() -> None:
    for change in (SOMEBODYS, ELSEWHERE):
        stream = Stream(WATCHER, board_here=True)
        stream.take([change])
        found = said(stream)
        assert found == {
            "tickets": [],
            "clients": [],
            "lists": False,
            "notices": False,
            "board": True,
        }
        assert said(stream) is None, "said once"


def test_others_are_not_woken_by_it() -> None:
    for who in (WATCHER, Guest(8)):
        stream = Stream(who)
        stream.take([SOMEBODYS, ELSEWHERE])
        assert not stream.wake.is_set() and said(stream) is None


def test_a_page_says_in_its_address_that_it_is_one() -> None:
    assert _has_board({"query_string": b"desk=1&board=1"})
    assert not _has_board({"query_string": b"desk=1"})
