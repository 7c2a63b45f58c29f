"""Connections are shared out evenly over the processes that listen on one socket."""

import socket
import time
from collections.abc import Iterator

import pytest

from helpdesk.server.sharing import PATIENCE, Loads, Shared


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def listener(door: socket.socket, loads: Loads, slot: int) -> Shared:
    shared = Shared(door.dup(), loads, slot)
    shared.setblocking(False)
    return shared


def call(door: socket.socket) -> socket.socket:
    return socket.create_connection(door.getsockname(), timeout=2)


def test_the_process_with_fewer_connections_takes_the_next(door: socket.socket) -> None:
    loads = Loads()
    with listener(door, loads, 0) as one, listener(door, loads, 1) as other:
        callers = [call(door)]
        taken = [one.accept()[0]]
        callers.append(call(door))
        with pytest.raises(BlockingIOError):
            one.accept()  # it is the other's turn
        taken.append(other.accept()[0])
        callers.append(call(door))
        taken.append(one.accept()[0])
        for sock in (*callers, *taken):
            sock.close()


def test_nobody_waits_long_for_a_process_that_hangs(door: socket.socket) -> None:
    loads = Loads()
    with listener(door, loads, 0) as one, listener(door, loads, 1):
        first, second = call(door), call(door)
        accepted = [one.accept()[0]]
        began = time.monotonic()
        refused = 0
        while len(accepted) < 2:
            try:
                accepted.append(one.accept()[0])
            except BlockingIOError:
                refused += 1
        assert refused > 0
        assert time.monotonic() - began >= PATIENCE
        for sock in (first, second, *accepted):
            sock.close()


def test_a_closed_connection_counts_no_more_and_a_stopped_process_is_not_waited_for(
    door: socket.socket,
) -> None:
    loads = Loads()
    one, other = listener(door, loads, 0), listener(door, loads, 1)
    with call(door):
        taken = one.accept()[0]
        assert not loads.is_most_idle(0)
        taken.close()
        taken.close()
        assert loads.is_most_idle(0) and loads.is_most_idle(1)
    with call(door), one.accept()[0]:
        other.close()
        assert loads.is_most_idle(0)
    one.close()


def test_without_a_caller_nobody_is_accepted(door: socket.socket) -> None:
    with listener(door, Loads(), 0) as one, pytest.raises(BlockingIOError):
        one.accept()
