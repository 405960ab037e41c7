"""Probes of claims: signalling, influence, deception, and the rule for their words."""
