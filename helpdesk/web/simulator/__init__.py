"""A phone in the browser: calls that the offline twin carries, and what happens inside."""
