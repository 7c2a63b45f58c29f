"""The wallboard: how things stand now."""
