"""What the generated desk is like: its people, its tempo, and the truths built into it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Kyiv")
TEAMS = {"Front office": ("Support", "Billing"), "Workshop": ("Repairs", "Delivery")}
QUEUES = ("Support", "Billing", "Repairs", "Delivery")
BOTTLENECK = "Repairs"
"""Tickets lie in this queue much longer than in the others."""
AGENTS = 25
FRONT = 15  # of them in the first team; the last one is in none
SLOW = 4
"""The agent, counted from 0, who takes so much longer than the others."""
SLOWNESS = 4.0
PRODUCTS = ("Kettle K1", "Kettle K3", "Mixer M2", "Lamp L5", "Router R7", "Heater H4", "Iron I9")
DEFECT = 1
"""The product, counted from 0, that begins to fail on `Plan.defect_day`."""
DEFECT_SHARE = 0.16  # of all tickets, from that day on
DEFECT_REASON = "product-fault"
REFUSALS = 0.03
"""Of the calls with a wrap-up code, those in which the client refused over the price."""
PRICE_EVERY, STOCK_EVERY = 33, 50
"""One call in so many ends with a refusal over the price, or since the goods are out of stock."""
PRICE_REASON = "before-purchase-price"
OLD_WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
NEW_WEEK = {day: [["08:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri")} | {
    "sat": [["10:00", "16:00"]]
}
TARGETS = {
    "first_response": 14_400,
    "next_response": 28_800,
    "resolution": 97_200,
    "speed_of_answer": 20,
    "callback": 7_200,
}
URGENT = {"first_response": 3_600, "next_response": 7_200, "resolution": 86_400}
CONTRACT = TARGETS | {"first_response": 7_200, "resolution": 64_800}
CONTRACT_TAG = "contract"


@dataclass(frozen=True)
class Plan:
    """So many tickets in so many days, of which the last is that of `at` (UTC)."""

    tickets: int
    at: datetime
    days: int = 60
    seed: int = 20_261_123

    @property
    def first_day(self) -> date:
        return self.at.astimezone(ZONE).date() - timedelta(days=self.days - 1)

    @property
    def start(self) -> datetime:
        return midnight(self.first_day)

    @property
    def change_at(self) -> datetime:
        """When the hours of the office calendar become longer, a Tuesday or so in the middle."""
        return midnight(self.first_day + timedelta(days=self.days // 2 + 2)) + timedelta(hours=7)

    @property
    def defect_day(self) -> date:
        return self.first_day + timedelta(days=self.days * 2 // 3)

    @property
    def people(self) -> int:
        """Private clients; besides there are organisations."""
        return max(self.tickets // 5, 20)

    @property
    def organisations(self) -> int:
        return max(self.tickets // 100, 5)


def midnight(day: date) -> datetime:
    """When a day begins in the desk's zone, UTC."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)
