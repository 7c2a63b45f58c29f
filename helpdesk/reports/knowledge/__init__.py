"""The report on the knowledge base."""
