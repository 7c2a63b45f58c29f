"""Alarms: rules on measures, what they found, who knows of it."""
