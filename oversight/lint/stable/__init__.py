"""Stable play under the weights of a KPI, in the way that fits the market."""
