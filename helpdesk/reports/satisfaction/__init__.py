"""The report on satisfaction: ratings and comments."""
