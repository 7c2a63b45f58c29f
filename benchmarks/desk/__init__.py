"""A desk of 25 agents over some weeks, made from a seed, with truths that reports must find."""
