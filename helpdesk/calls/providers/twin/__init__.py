"""The offline twin of the carrier: rings, plays, queues and connects as Twilio does."""
