"""Probes of collusion, and the rule for its words."""
