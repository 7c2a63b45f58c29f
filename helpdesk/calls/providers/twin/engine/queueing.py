"""Enqueue: a place in a queue, what is heard there, and the ways out."""

from datetime import datetime
from xml.etree.ElementTree import Element

from helpdesk.calls.providers.twin.engine.documents import WHILE_WAITING
from helpdesk.calls.providers.twin.engine.exchange import Exchange
from helpdesk.calls.providers.twin.engine.running import Runner
from helpdesk.calls.providers.twin.engine.things import Activity, Frame, Hook, Leg, Queue, new_sid

MAX_SIZE = 100


class Queued(Activity):
    """In the queue, hearing what its waitUrl says, again and again."""

    def __init__(self, runner: Runner, leg: Leg, frame: Frame, verb: Element, queue: Queue) -> None:
        self.runner, self.leg, self.frame, self.verb = runner, leg, frame, verb
        self.queue = queue
        self.joined_at: datetime = runner.exchange.agenda.now()
        self.wait: Frame | None = None

    def join(self) -> None:
        self.queue.members.append((self.leg, self.joined_at))
        source = self.runner.hook(self.frame, self.verb, "waitUrl")
        if source is None:
            self.runner.exchange.hear(self.leg, "carrier", "music", "")
        self.wait = Frame("wait", source or Hook(""), WHILE_WAITING, url=self.frame.url)
        self.runner.push(self.leg, self.wait, self.waiting_params())

    @property
    def position(self) -> int:
        """From 1; 0 outside of the queue."""
        legs = [leg for leg, _ in self.queue.members]
        return legs.index(self.leg) + 1 if self.leg in legs else 0

    def waiting_params(self) -> dict[str, str]:
        now = self.runner.exchange.agenda.now()
        waits = [int((now - joined).total_seconds()) for _, joined in self.queue.members]
        return {
            **self._result(None),
            "QueuePosition": str(self.position),
            "AvgQueueTime": str(sum(waits) // len(waits) if waits else 0),
            "CurrentQueueSize": str(len(waits)),
            "MaxQueueSize": str(self.queue.max_size),
        }

    def leave(self) -> bool:
        self._out("leave")
        return True

    def failed(self) -> bool:
        """What the waiting caller should hear cannot be run: Twilio takes them out."""
        if not self.verb.get("action"):
            return False
        self._out("error")
        return True

    def stop(self, why: str) -> None:
        """Hung up or sent elsewhere: the action is told; nobody runs what it answers."""
        if not self.position:
            return
        self._forget()
        hook = self.runner.hook(self.frame, self.verb, "action")
        if hook is not None:
            self.runner.tell(self.leg, hook, self._result(why), "queue")

    def full(self) -> None:
        self.runner.follow(self.leg, self.frame, self.verb, self._result("queue-full"))

    def _out(self, result: str) -> None:
        self._forget()
        if self.wait is not None:
            self.runner.pop(self.leg, self.wait)
        self.runner.follow(self.leg, self.frame, self.verb, self._result(result))

    def _forget(self) -> None:
        self.queue.members = [each for each in self.queue.members if each[0] is not self.leg]

    def _result(self, result: str | None) -> dict[str, str]:
        waited = self.runner.exchange.agenda.now() - self.joined_at
        form = {"QueueSid": self.queue.sid, "QueueTime": str(int(waited.total_seconds()))}
        return form | ({"QueueResult": result} if result else {})


def enqueue(runner: Runner, leg: Leg, frame: Frame, verb: Element) -> None:
    queue = named(runner.exchange, (verb.text or "").strip())
    queued = Queued(runner, leg, frame, verb, queue)
    runner.busy(leg, frame, queued)
    most = int(verb.get("maxQueueSize") or queue.max_size)
    if len(queue.members) >= most:
        queued.full()
    else:
        queued.join()


def named(exchange: Exchange, name: str) -> Queue:
    """The queue of this name, made when it is first named."""
    for queue in exchange.queues.values():
        if queue.name == name:
            return queue
    queue = Queue(new_sid("QU"), name, exchange.agenda.now(), MAX_SIZE)
    exchange.queues[queue.sid] = queue
    return queue
