"""The work report: what comes, goes and lies where, and who has how much."""
