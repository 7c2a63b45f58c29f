"""Planned contacts, with due time, owner and outcome: callbacks, meetings, visits, tasks."""
