"""The telephone: webhooks with 200 calls in progress and 20 agents, and what became of each call.

Real `web` and `worker` processes on a copy of the kept database; a carrier of our own posts signed
webhooks over HTTP and answers REST. Callers are drawn from a seed: what they want, how long they
wait, how long they talk; agents let some calls ring and decline some. Then, one after the other in
this process, the CPU time and the statements of single webhooks on the same database.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from benchmarks import machine, phone_books, phone_steps, product
from benchmarks.agents import Agent, Desk
from benchmarks.callers import Caller, Crowd
from benchmarks.carrier import OURS, Carrier, Leg, Nudge, Sent
from benchmarks.generate import AGENTS, SEED, kept
from benchmarks.links import Answer, Asked, Links, listen
from benchmarks.place import application, environment, scratch
from benchmarks.report import Report, percentile
from helpdesk import ext
from helpdesk.accounts import presence, sessions
from helpdesk.accounts.models import Role, User
from helpdesk.calls import menus
from helpdesk.calls.providers.twin.account import account
from helpdesk.clients.models import ContactKind, ContactPoint
from helpdesk.kb.actions import create_article
from helpdesk.kb.checks import Content
from helpdesk.kb.models import State
from helpdesk.lib.clock import now
from helpdesk.tickets import calendars
from helpdesk.tickets.models import Queue
from helpdesk.web.guard import COOKIE

SECONDS = 90.0
CALLS = 200  # in progress
RUSH, RATE = 6.0, 5.0  # callers a second: until there are so many, then
RUSH_SECONDS = 60.0
CALM_SECONDS = 15.0  # after the rush, before anything is measured
DRAIN_SECONDS = 150.0  # callbacks are made too
SETTLE_SECONDS = 8.0  # wrap-ups end, the last commands are done
WRAP_UP, RING = 5, 12
P95 = 100.0
ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
SECRET = "benchmark-secret-key-of-32-chars"


@dataclass
class Run:
    """What one run gave, for the measured part of it."""

    seconds: float = 0.0
    began: float = 0.0
    sent: Sequence[Sent] = ()
    wrong: Sequence[str] = ()
    offered: int = 0
    doubled: int = 0
    rest: int = 0
    in_progress: list[int] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)  # milliseconds, of our own loop
    cpu: dict[str, float] = field(default_factory=dict)  # share of a core by part
    idle: dict[str, float] = field(default_factory=dict)


def measure(size: str, report: Report, seconds: float | None = None) -> None:
    """Load, then the books, then single webhooks."""
    kept(size)
    with scratch(size) as folder:
        cookies, known = _prepare(folder)
        run = asyncio.run(_run(folder, cookies, known, seconds or SECONDS))
        _add_load(report, run)
        phone_books.add(report, folder / "helpdesk.db", run.offered, run.doubled)
        phone_steps.measure(report, folder, account(SECRET))


def _prepare(folder: Path) -> tuple[dict[int, str], list[str]]:
    """A menu that is open around the clock, an article that can be read out, agents logged in."""
    app = application(folder)
    with app.app_context():
        with ext.write() as session:
            at = now()
            always = calendars.create(session, name="Always", timezone="UTC", weekly=ALWAYS, at=at)
            content = Content("Скільки коштує доставка", "90 ₴.", voice="Дев’яносто гривень.")
            create_article(
                session, content, lang="uk", key="bench-delivery", state=State.PUBLIC, at=at
            )
            menus.save(
                session,
                None,
                choices=[
                    {"digit": "1", "action": "answer", "article": "bench-delivery"},
                    {"digit": "2", "action": "voicemail"},
                ],
                calendar_id=always.id,
                wrap_up_seconds=WRAP_UP,
                ring_seconds=RING,
                at=at,
            )
            queue = session.scalars(select(Queue).order_by(Queue.id)).first()
            assert queue is not None
            queue.numbers = [OURS]
            staff = session.scalars(
                select(User).where(User.role == Role.AGENT).order_by(User.id).limit(AGENTS)
            ).all()
            cookies = {}
            for number, user in enumerate(staff):
                cookies[user.id] = sessions.log_in(
                    session, user, "", old_token=None, agent="bench", at=at
                )
                presence.own(session, user.id, at)
                if number % 2:
                    presence.set_phone(
                        session, user.id, "own", own_number(user.id), country="UA", at=at
                    )
            phones = select(ContactPoint.value).where(ContactPoint.kind == ContactKind.PHONE)
            known = list(session.scalars(phones.order_by(ContactPoint.id).limit(5_000)))
        ext.db.engine.dispose()
    return cookies, known


def own_number(user_id: int) -> str:
    """The telephone of an agent; no client has one that begins so."""
    return f"+380931{user_id:06}"


async def _run(folder: Path, cookies: dict[int, str], known: list[str], seconds: float) -> Run:
    async def handle(asked: Asked) -> Answer:
        return await carrier.handle(asked)

    server, port = await listen(handle)
    settings = environment(folder, HELPDESK_TWIN_URL=f"http://127.0.0.1:{port}")
    bind = settings["HELPDESK_HTTP_BIND"]
    links = Links(int(bind.rpartition(":")[2]), bind)
    found = account(SECRET)
    carrier = Carrier(links, f"http://{bind}", (found.sid, found.token))
    draw = random.Random(SEED)
    agents = [
        Agent(
            user_id,
            f"{COOKIE}={cookie}",
            own_number(user_id) if place % 2 else None,
            random.Random(draw.getrandbits(64)),
        )
        for place, (user_id, cookie) in enumerate(cookies.items())
    ]
    crowd = Crowd(SEED, known)
    _connect(carrier, agents, Crowd(SEED + 1, known))
    desk = Desk(links, agents)
    loop = asyncio.get_running_loop()
    started = product.running(settings, "web", "worker")
    parts = await loop.run_in_executor(None, started.__enter__)
    try:
        await desk.open()
        return await _load(carrier, desk, crowd, parts, seconds)
    finally:
        server.close()
        await loop.run_in_executor(None, started.__exit__, None, None, None)


def _connect(carrier: Carrier, agents: Sequence[Agent], called: Crowd) -> None:
    """Whose telephones ring, and how long a talk is."""
    by_address = {agent.address: agent for agent in agents}

    def ring(leg: Leg, url: str) -> None:
        party = leg.party
        if isinstance(party, Agent):
            party.ring(carrier, leg, url)
        else:
            carrier.spawn(carrier.live(leg, url))

    def talking(legs: Sequence[Leg]) -> None:
        for leg in legs:
            if isinstance(leg.party, Caller):
                caller = leg.party
                ends = [each for each in legs if (each is leg) == caller.ends]
                for one in ends:
                    one.gives_up = time.monotonic() + caller.talk
                    one.inbox.put_nowait(Nudge())

    carrier.met = lambda to: by_address.get(to) or called.next()
    carrier.ring, carrier.talking = ring, talking


async def _load(
    carrier: Carrier,
    desk: Desk,
    crowd: Crowd,
    parts: dict[str, product.Part],
    seconds: float,
) -> Run:
    run = Run()
    families = {name: part.family() for name, part in parts.items()}
    await asyncio.sleep(2.0)
    run.idle = await _shares(families, 5.0)
    at_desk = asyncio.ensure_future(desk.live())
    watching = asyncio.ensure_future(_watch(carrier, run))
    arriving = asyncio.ensure_future(_arrive(carrier, crowd))
    await _until(lambda: _in_progress(carrier) >= CALLS, RUSH_SECONDS)
    await asyncio.sleep(CALM_SECONDS)
    first, run.began, rest = len(carrier.sent), time.monotonic(), carrier.rest
    run.in_progress.clear()
    run.lags.clear()
    run.cpu = await _shares(families, seconds)
    run.seconds = time.monotonic() - run.began
    run.sent, run.rest = carrier.sent[first:], carrier.rest - rest
    arriving.cancel()
    watching.cancel()
    _send_home(carrier)
    await _until(lambda: not carrier.tasks, DRAIN_SECONDS)
    await asyncio.sleep(SETTLE_SECONDS)
    at_desk.cancel()
    run.offered = sum(leg.direction == "inbound" for leg in carrier.legs.values())
    run.doubled = sum(agent.doubled for agent in desk.agents)
    run.wrong = [*carrier.wrong, *desk.wrong]
    return run


async def _arrive(carrier: Carrier, crowd: Crowd) -> None:
    """A rush until there are enough, then as many as keep it so."""
    is_rush, due = True, time.monotonic()
    while True:
        caller = crowd.next()
        leg = carrier.begin(caller, caller.number)
        if caller.quits:
            leg.gives_up = time.monotonic() + caller.draw.uniform(3.0, 10.0)
        is_rush = is_rush and _in_progress(carrier) < CALLS
        due += crowd.pause(RUSH if is_rush else RATE)
        await asyncio.sleep(max(due - time.monotonic(), 0.0))


async def _shares(families: dict[str, list[int]], seconds: float) -> dict[str, float]:
    """Shares of a core that each part and we ourselves use in so many seconds."""
    before, own = {n: machine.cpu_seconds(p) for n, p in families.items()}, time.process_time()
    began = time.monotonic()
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    used = {n: machine.cpu_seconds(p) - before[n] for n, p in families.items()}
    used["carrier"] = time.process_time() - own
    return {name: seconds_used / took for name, seconds_used in used.items()}


async def _watch(carrier: Carrier, run: Run) -> None:
    """Once a second how many calls there are, and how late our own loop is."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.2)
        run.lags.append((time.monotonic() - began - 0.2) * 1000)
        run.in_progress.append(_in_progress(carrier))


async def _until(done: Callable[[], bool], most: float) -> None:
    deadline = time.monotonic() + most
    while time.monotonic() < deadline and not done():
        await asyncio.sleep(0.1)


def _in_progress(carrier: Carrier) -> int:
    return sum(leg.live and leg.direction == "inbound" for leg in carrier.legs.values())


def _send_home(carrier: Carrier) -> None:
    """Who still waits or talks is gone in a moment, one after the other."""
    draw = random.Random(SEED)
    for leg in carrier.legs.values():
        if leg.live and isinstance(leg.party, Caller):
            leg.gives_up = time.monotonic() + draw.uniform(0.0, 15.0)
            leg.inbox.put_nowait(Nudge())


def _add_load(report: Report, run: Run) -> None:
    """What was measured from outside while the calls were in progress."""
    times = [one.milliseconds for one in run.sent]
    count = max(len(times), 1)
    report.add("calls in progress, mean", sum(run.in_progress) / max(len(run.in_progress), 1), "")
    report.add("webhooks", count / run.seconds, "/s")
    report.add("webhook: p50", percentile(times, 50), "ms")
    report.add("webhook: p95", percentile(times, 95), "ms", at_most=P95)
    report.add("webhook: p99", percentile(times, 99), "ms")
    report.add("webhook: longest", max(times, default=0.0), "ms")
    documents = [one.milliseconds for one in run.sent if one.document]
    report.add("webhook with a document: p95", percentile(documents, 95), "ms", at_most=P95)
    report.add("refused, or another answer to a repeat", len(run.wrong), "", at_most=0)
    for line in run.wrong[:5]:
        print("  ", line)
    report.add("CPU of `web` a webhook", run.cpu["web"] * run.seconds / count * 1000, "ms")
    report.add("CPU of `web`", run.cpu["web"] * 100, "% of a core")
    report.add("CPU of `worker`", run.cpu["worker"] * 100, "% of a core")
    report.add("CPU of `worker`, idle", run.idle["worker"] * 100, "% of a core")
    asked = max(run.rest, 1) / run.seconds
    more = (run.cpu["worker"] - run.idle["worker"]) / asked * 1000
    report.add("requests of `worker` to the carrier", asked, "/s")
    report.add("CPU of `worker` a request, with all that follows a call", more, "ms")
    report.add("CPU of our carrier", run.cpu["carrier"] * 100, "% of a core")
    report.add("our carrier is late: p95", percentile(run.lags, 95), "ms")
