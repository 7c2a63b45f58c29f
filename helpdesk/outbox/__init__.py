"""Outgoing email: rows first, then sending with back-off."""
