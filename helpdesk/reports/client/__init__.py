"""One client, over all rooms: card, numbers, timeline, what is missing in the record."""
