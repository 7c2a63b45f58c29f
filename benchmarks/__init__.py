"""Measures the product against the budgets of docs/performance.md; no part of the product."""
