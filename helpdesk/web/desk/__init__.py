"""Pages of agents: one blueprint a page file."""
