"""Pages for customers: how to reach us, and their own requests behind a signed link."""
