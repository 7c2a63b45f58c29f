"""A customer's own requests, behind a one-time code sent to their address."""
