"""Pages for supervisors: which promises are in danger."""
