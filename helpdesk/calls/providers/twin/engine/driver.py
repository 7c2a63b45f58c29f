"""Drives the exchange: sends its requests and lets happen what is due, one thing at a time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog

from helpdesk.calls.providers.twin.engine.exchange import Exchange
from helpdesk.calls.providers.twin.engine.requests import NO_CONNECTION, Reply, Request

log = structlog.get_logger()

Transport = Callable[[Request], Reply]

THREADS = 16
MOST_AT_ONCE = 20_000  # acts and requests of one moment: more than that goes in circles


class Driver:
    """Whoever touches the exchange holds `lock`; requests are sent without it."""

    def __init__(self, exchange: Exchange, transport: Transport) -> None:
        self.exchange, self.transport = exchange, transport
        self.lock = threading.Condition(threading.RLock())
        self._stop = False
        self._skipping = timedelta()  # what is still to be skipped

    def settle(self) -> None:
        """Manual clock: do all that is due at this moment, and what comes of it."""
        self.run_until(self.exchange.agenda.now())

    def skip(self, seconds: float) -> None:
        """Let so much time pass without waiting for it: a manual clock goes on, with a real one
        what is planned happens so much sooner. The thread in `serve` does it.
        """
        with self.lock:
            self._skipping += timedelta(seconds=seconds)
            self.lock.notify_all()

    def set_manual(self, manual: bool) -> None:
        """Change the kind of clock; what was still to be skipped no longer is."""
        with self.lock:
            self._skipping = timedelta()
            self.exchange.agenda.set_manual(manual)
            self.lock.notify_all()

    def run_until(self, at: datetime) -> None:
        """Manual clock: move it there, stopping at everything that is planned before."""
        for _ in range(MOST_AT_ONCE):
            if not self.turn(at):
                return
        raise RuntimeError("The twin goes in circles.")

    def turn(self, until: datetime) -> bool:
        """One request or act, or a move of the clock to the next one; False: `until` is reached."""
        with self.lock:
            request = self.exchange.requests.take()
        if request is not None:
            self._send(request)
            return True
        agenda = self.exchange.agenda
        with self.lock:
            act = agenda.take_due()
            if act is not None:
                act()
                return True
            next_at = agenda.next_at()
            agenda.move_to(min(next_at, until) if next_at else until)
            return next_at is not None and next_at <= until

    def serve(self) -> None:
        """Real clock: go on until `stop`; requests are sent by threads. A manual clock waits for
        `advance`, but what is due at its moment is done.
        """
        with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
            while not self._stop:
                self._serve_once(pool)

    def stop(self) -> None:
        with self.lock:
            self._stop = True
            self.lock.notify_all()

    def changed(self) -> None:
        """Something was asked of the exchange from outside."""
        with self.lock:
            self.lock.notify_all()

    def _serve_once(self, pool: ThreadPoolExecutor) -> None:
        with self.lock:
            while (act := self.exchange.agenda.take_due()) is not None:
                self._do(act)
            while (request := self.exchange.requests.take()) is not None:
                pool.submit(self._send, request)
            idle = not self.exchange.requests.flying
            if not self._stop and not (idle and self._go_on()):
                self.lock.wait(self._rest())

    def _go_on(self) -> bool:
        """Skip to the next thing planned, once nobody waits for an answer; whether it moved."""
        if not self._skipping:
            return False
        agenda = self.exchange.agenda
        next_at = agenda.next_at()
        gap = max(next_at - agenda.now(), timedelta()) if next_at else self._skipping
        gap = min(gap, self._skipping)
        agenda.skip(gap)
        self._skipping -= gap
        return True

    def _rest(self) -> float | None:
        """Seconds until something is due; None: until somebody asks."""
        agenda = self.exchange.agenda
        next_at = agenda.next_at()
        if next_at is None or agenda.manual:
            return None
        return max((next_at - agenda.now()).total_seconds(), 0.0)

    def _do(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            log.exception("twin.act_failed")

    def _send(self, request: Request) -> None:
        try:
            reply = self.transport(request)
        except Exception:
            log.exception("twin.transport_failed")
            reply = Reply(0, error=NO_CONNECTION)
        with self.lock:
            self.exchange.requests.answered(request, reply)
            self.lock.notify_all()
