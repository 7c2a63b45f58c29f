"""What became of a Delivery, whatever channel it came through."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """The ticket it is on (None: it needs none), who wrote, and whether a receipt is to be sent."""

    ticket_id: int | None
    person_id: int | None
    receipt: bool
