"""A contact center and help desk: every contact becomes a ticket tied to one client record."""
