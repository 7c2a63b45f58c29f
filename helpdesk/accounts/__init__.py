"""Staff users, their rights, sessions, tokens and limits."""
