"""What became of a Delivery, whatever channel it came through."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """The ticket it is on, who wrote, and whether a receipt is to be sent."""

    ticket_id: int
    person_id: int | None
    receipt: bool
