"""Revealed weights, rotation, leadership, and the rule for coalitions."""
