"""Contract statements: a month of a client under a policy, with exclusions and closing."""
