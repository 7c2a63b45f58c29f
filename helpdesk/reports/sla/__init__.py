"""The SLA report: promises met, breached and running."""
