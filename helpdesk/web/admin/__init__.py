"""Pages for administrators: staff, queues, calendars, policies, what came in and what went out."""
