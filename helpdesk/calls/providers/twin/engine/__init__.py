"""The exchange inside the twin: legs, queues, conferences, recordings, messages, and a clock."""
