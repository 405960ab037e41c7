"""Emergence: probes of frozen policies, and the words that they allow."""
