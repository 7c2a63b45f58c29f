"""The telephone's report."""
