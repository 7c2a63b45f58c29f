"""Queues, tickets, messages, calendars, SLA policies, clocks and escalation."""
