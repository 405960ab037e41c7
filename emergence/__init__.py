"""Emergence: probes and verdicts (to come)."""
