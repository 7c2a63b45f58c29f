"""Who takes the calls of the measurements: in browsers and by telephones of their own."""

import asyncio
import random
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from benchmarks.carrier import Carrier, HungUp, Leg
from benchmarks.links import Links

PICKS_UP = 0.6, 3.0  # seconds
DECLINES, IGNORES = 0.05, 0.05  # of the offers
SIGN_EVERY = 10.0  # seconds between signs of life of a browser
RETURN = 2.0  # seconds until somebody who let it ring is back


@dataclass(eq=False)
class Agent:
    """One agent; `number` is their own telephone, None: the browser."""

    user_id: int
    cookie: str
    number: str | None
    draw: random.Random = field(repr=False)
    ringing: int = 0
    doubled: int = 0  # rung while they rang or talked already
    paused: bool = False  # let one ring
    csrf: str = ""
    patience: float = 0.0

    @property
    def address(self) -> str:
        return self.number or f"client:agent-{self.user_id}"

    def key(self, step: str) -> tuple[str, float]:
        """On a telephone of their own they press 1."""
        return "1", 0.5

    def ring(self, carrier: Carrier, leg: Leg, url: str) -> None:
        carrier.spawn(self._ring(carrier, leg, url))

    async def _ring(self, carrier: Carrier, leg: Leg, url: str) -> None:
        self.doubled += self.ringing > 0
        self.ringing += 1
        try:
            await self._answer(carrier, leg, url)
        finally:
            self.ringing -= 1

    async def _answer(self, carrier: Carrier, leg: Leg, url: str) -> None:
        chance = self.draw.random()
        ignored = chance < IGNORES
        seconds = leg.timeout if ignored else self.draw.uniform(*PICKS_UP)
        for leg.status in ("initiated", "ringing"):
            carrier.tell(leg)
        try:
            await carrier.rest_of(leg, seconds)
        except HungUp:
            carrier.end(leg, "canceled")
            self.paused = ignored
            return
        if chance < IGNORES + DECLINES:
            carrier.end(leg, "no-answer" if ignored else "busy")
            self.paused = ignored
            return
        await carrier.live(leg, url)


class Desk:
    """The agents' browsers, as far as the telephone needs them."""

    def __init__(self, links: Links, agents: list[Agent]) -> None:
        self.links, self.agents = links, agents
        self.wrong: list[str] = []  # answers

    async def open(self) -> None:
        """Everybody comes in and is available."""
        for agent in self.agents:
            answer = await self.links.send("GET", "/desk/phone", "", self._headers(agent))
            found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', answer.body)
            if found is None:
                raise RuntimeError(f"/desk/phone answered {answer.status}")
            agent.csrf = found[1].decode()
            cookies = re.findall(r"(?im)^set-cookie: ([^;\r]+)", answer.headers)
            agent.cookie = "; ".join([agent.cookie, *cookies])
            await self.available(agent)

    async def live(self) -> None:
        """Signs of life, and the way back of who was paused, until cancelled."""
        waited = 0.0
        while True:
            for agent in self.agents:
                if agent.number is None and waited % SIGN_EVERY < RETURN:
                    await self._post(agent, "/desk/phone/seen", "")
                if agent.paused and not agent.ringing:
                    agent.paused = False
                    await self.available(agent)
                await asyncio.sleep(RETURN / len(self.agents))
            waited += RETURN

    async def available(self, agent: Agent) -> None:
        await self._post(agent, "/desk/phone/state", "&state=available")

    async def _post(self, agent: Agent, path: str, more: str) -> None:
        body = f"csrf_token={quote(agent.csrf)}{more}"
        answer = await self.links.send("POST", path, body, self._headers(agent))
        if answer.status not in (200, 302, 303):
            self.wrong.append(f"{path}: {answer.status}")

    def _headers(self, agent: Agent) -> str:
        return f"Cookie: {agent.cookie}\r\n"
