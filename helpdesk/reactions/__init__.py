"""What follows from events: one table, and the loop that follows it."""

from helpdesk.reactions.loop import parked, react, unpark

__all__ = ["parked", "react", "unpark"]
