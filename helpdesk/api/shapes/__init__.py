"""The public fields of API v1: what comes in, what goes out. Nothing else names them."""
