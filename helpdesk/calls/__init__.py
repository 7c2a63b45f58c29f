"""Telephone calls: the record of a call, the menu a caller hears, who gets it, the carriers."""
